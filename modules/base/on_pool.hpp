// modules/base/on_pool.hpp: runs blocking work (libgit2, SQLite, fsync) beside the event loop.
#pragma once

#include "modules/base/async.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>

#include <type_traits>
#include <utility>

namespace holdfast {

/// Runs `work` on `pool`, resumes on the caller's executor. `work` returns a Result and does not throw.
/// Give `work` a name before awaiting (STYLE C3). A cancelled caller still waits until `work` has ended.
template <class Work> asio::awaitable<std::invoke_result_t<Work&>> on_pool(asio::thread_pool& pool, Work work) {
    auto task = [work = std::move(work)]() mutable -> asio::awaitable<std::invoke_result_t<Work&>> {
        co_return work();
    };
    // No cancellation across threads: the signal would race with the end of `work`.
    auto token = asio::bind_cancellation_slot(asio::cancellation_slot{}, asio::use_awaitable);
    co_return co_await asio::co_spawn(pool, std::move(task), token);
}

}  // namespace holdfast
