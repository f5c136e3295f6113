// modules/base/async.hpp: the coroutine type every step returns, and a deadline around it.
//
// Cancellation unwinds: a cancelled coroutine throws at its next co_await, and only TaskGroup and within()
// see that exception. So no coroutine may catch (...), and what must be released is held by RAII.
#pragma once

#include "modules/base/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace holdfast {

namespace asio = boost::asio;

/// A step that suspends: co_await it once, bind the result to a name, check it (STYLE C1, C2).
template <class T> using Task = asio::awaitable<Result<T>>;

/// Suspends for `delay`.
asio::awaitable<void> sleep_for(std::chrono::steady_clock::duration delay);

/// Unwinds now when this coroutine was cancelled: after an await that ended early and reported it as an error code.
asio::awaitable<void> stop_if_cancelled();

/// Lets other work of the loop run once: for long loops that never wait.
asio::awaitable<void> yield_once();

/// Awaits `work` and leaves what it returned in `into`, which must outlive it: a Task as work without a result.
template <class T> asio::awaitable<void> keep_result(Task<T> work, std::optional<Result<T>>& into) {
    auto result = co_await std::move(work);
    into.emplace(std::move(result));
}

/// Out  true when `work` ended by itself, false when `limit` passed and `work` was cancelled and has unwound
asio::awaitable<bool> ends_within(std::chrono::steady_clock::duration limit, asio::awaitable<void> work);

/// Runs `work` for at most `limit`, then cancels it and waits until it has unwound.
/// Errors  timeout "<step>: no answer in 30 s", else what work returned
template <class T> Task<T> within(std::chrono::steady_clock::duration limit, Task<T> work, std::string step) {
    std::optional<Result<T>> result;
    auto kept = keep_result(std::move(work), result);
    bool const ended = co_await ends_within(limit, std::move(kept));
    if (!ended || !result) {
        auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(limit).count();
        co_return fail(Errc::timeout, step + ": no answer in " + std::to_string(seconds) + " s");
    }
    co_return std::move(*result);
}

}  // namespace holdfast
