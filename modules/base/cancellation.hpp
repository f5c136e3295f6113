// modules/base/cancellation.hpp: starts a coroutine that may be cancelled at any moment; used by this folder alone.
//
// Problem: co_spawn() of Boost 1.81 is safe to cancel only between the first and the last step of its coroutine, and only
// from inside the event loop. From outside it queues the cancellation with a plain pointer to where the coroutine keeps its
// slot: when the coroutine ends first, whatever lies there by then is cancelled. And a coroutine that is cancelled before
// its first step, or that ends cancelled without ever having waited, throws where Asio catches nothing, which ends the
// process. Solution: a signal that is only ever emitted inside the loop, and only while the coroutine runs.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

#include <memory>
#include <utility>

namespace holdfast {

namespace asio = boost::asio;

/// Cancels the one coroutine that was started with it. Copies are the same cancellation.
class Cancellation {
public:
    explicit Cancellation(asio::any_io_executor executor);

    /// Makes the coroutine unwind at its next co_await. Called on the loop's thread, inside the loop or outside; too early
    /// or too late is as good as any other moment.
    void request() const;

    /// Starts `task`, which ends with `operation_aborted` when it was cancelled before.
    template <class Token> auto start(asio::awaitable<void> task, Token&& token) const {
        auto guarded = guard(state_, std::move(task));
        return asio::co_spawn(executor(), std::move(guarded),
                              asio::bind_cancellation_slot(slot(), std::forward<Token>(token)));
    }

private:
    struct State;
    static asio::awaitable<void> guard(std::shared_ptr<State> state, asio::awaitable<void> task);
    asio::any_io_executor executor() const;
    asio::cancellation_slot slot() const;

    std::shared_ptr<State> state_;
};

}  // namespace holdfast
