// modules/base/private_loop.cpp: the loop turns while its owner waits.
#include "modules/base/private_loop.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <new>

namespace holdfast {

namespace {

/// The callers are C libraries' callbacks and threads of a pool: nothing may be thrown through them.
Error error_of(std::exception_ptr const& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (boost::system::system_error const& error) {
        if (error.code() == asio::error::operation_aborted) return {Errc::timeout, "context canceled"};
        return {Errc::busy, error.what()};
    } catch (std::bad_alloc const&) {
        return {Errc::limit, "out of memory"};
    } catch (std::exception const& error) {
        return {Errc::busy, error.what()};
    }
}

}  // namespace

PrivateLoop::~PrivateLoop() { cancel(); }

void PrivateLoop::begin(asio::awaitable<void> work, std::function<void(Error)> failed) {
    running_ = true;
    cancellation_.emplace(executor());
    cancellation_->start(std::move(work), [this, failed = std::move(failed)](std::exception_ptr failure) {
        running_ = false;
        if (failure) failed(error_of(failure));
    });
}

void PrivateLoop::run_some() {
    constexpr std::chrono::milliseconds kStopCheck{100};
    if (!running_) return;
    if (loop_.stopped()) loop_.restart();
    loop_.run_one_for(kStopCheck);
}

void PrivateLoop::run_ready() {
    if (loop_.stopped()) loop_.restart();
    loop_.poll();
}

void PrivateLoop::cancel() {
    if (!running_) return;
    cancellation_->request();
    while (running_) {
        if (loop_.stopped()) loop_.restart();
        loop_.run_one();
    }
}

}  // namespace holdfast
