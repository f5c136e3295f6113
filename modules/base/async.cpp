// modules/base/async.cpp: timers and deadlines for coroutines.
#include "modules/base/async.hpp"

#include "modules/base/cancellation.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <memory>

namespace holdfast {

asio::awaitable<void> sleep_for(std::chrono::steady_clock::duration delay) {
    auto const executor = co_await asio::this_coro::executor;
    asio::steady_timer timer{executor, delay};
    co_await timer.async_wait(asio::use_awaitable);
}

// Asio looks for a cancellation whenever one coroutine awaits another, so the call alone does it.
asio::awaitable<void> stop_if_cancelled() { co_return; }

asio::awaitable<void> yield_once() {
    auto const executor = co_await asio::this_coro::executor;
    co_await asio::post(executor, asio::use_awaitable);
}

asio::awaitable<bool> ends_within(std::chrono::steady_clock::duration limit, asio::awaitable<void> work) {
    struct Race {
        Cancellation cancel;
        bool expired = false;
    };
    auto const executor = co_await asio::this_coro::executor;
    auto outer = co_await asio::this_coro::cancellation_state;
    auto race = std::make_shared<Race>(Race{.cancel = Cancellation{executor}});

    asio::steady_timer timer{executor, limit};
    timer.async_wait([race](boost::system::error_code ec) {
        if (ec) return;
        race->expired = true;
        race->cancel.request();
    });
    auto pass_on = outer.slot();
    if (pass_on.is_connected()) {
        pass_on.assign([race](asio::cancellation_type) { race->cancel.request(); });
    }
    auto [failure] = co_await race->cancel.start(std::move(work), asio::as_tuple(asio::use_awaitable));
    if (pass_on.is_connected()) pass_on.clear();
    timer.cancel();
    if (race->expired && failure) co_return false;
    if (failure) std::rethrow_exception(failure);
    co_return true;
}

}  // namespace holdfast
