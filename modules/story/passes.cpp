// modules/story/passes.cpp: finalizer, story, conclusion; and what becomes of an exception.
#include "modules/story/passes.hpp"

#include "modules/story/conclude.hpp"
#include "modules/story/finalizer.hpp"

#include <boost/system/system_error.hpp>

#include <exception>

namespace holdfast::story {

using model::Entry;
using model::Key;

namespace {

constexpr BackoffPolicy kRetry{.delay_min = std::chrono::milliseconds{5'000},
                               .delay_max = std::chrono::milliseconds{300'000}};

std::string text_of(std::exception_ptr const& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (std::exception const& error) {
        return error.what();
    } catch (...) {
        return "an exception of an unknown type";
    }
}

bool is_cancellation(std::exception_ptr const& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (boost::system::system_error const& error) {
        return error.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

}  // namespace

asio::awaitable<Next> Passes::run(Key key) {
    Entry const* entry = ports_.registry.find(key);
    if (entry == nullptr) co_return Next{};
    Story& story = of(key.kind);
    Entry before = *entry;
    std::string const requested_at = before.meta.requested_at;
    auto outcome = co_await pass(story, std::move(before));
    if (outcome.answers && !requested_at.empty()) outcome.status.last_handled_reconcile_at = requested_at;
    auto const next = co_await conclude(ports_, story, key, std::move(outcome));
    if (ports_.registry.find(key) == nullptr) backoffs_.erase(key);
    co_return next;
}

asio::awaitable<Outcome> Passes::pass(Story& story, Entry entry) {
    std::exception_ptr failure;
    try {
        if (entry.leaving()) co_return co_await story.finalize(entry);
        auto held = co_await take_finalizer(ports_, entry.key);
        if (!held) {
            Stop why{.reason = "FinalizerFailed", .message = held.error().message, .retry = retry_of(entry.key)};
            co_return stop(entry, begin(entry), std::move(why), ports_.clock);
        }
        co_await drop_former_manager(ports_, entry);
        auto outcome = co_await story.reconcile(entry);
        backoffs_.erase(entry.key);
        co_return outcome;
    } catch (...) {
        failure = std::current_exception();
    }
    if (is_cancellation(failure)) std::rethrow_exception(failure);
    ++crashes_;
    std::string const text = text_of(failure);
    ports_.log.error("story", "a bug ended this pass", {HOLDFAST_LOG_KEY(entry.key), {"exception", text}});
    Stop why{.reason = "InternalError",
             .message = "a bug of Holdfast ended this pass: " + text,
             .retry = retry_of(entry.key)};
    co_return stop(entry, begin(entry), std::move(why), ports_.clock);
}

model::Duration Passes::retry_of(Key const& key) { return backoffs_.try_emplace(key, kRetry).first->second.next(); }

}  // namespace holdfast::story
