// modules/base/task_group.hpp: starts coroutines, bounds how many, cancels them and waits for them.
#pragma once

#include "modules/base/async.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace holdfast {

/// Every coroutine that is not awaited by its caller belongs to one of these (STYLE C6).
/// Used from one event loop. A task that throws anything but its own cancellation stops the process.
class TaskGroup {
public:
    TaskGroup(asio::any_io_executor executor, std::size_t tasks_max);

    /// Cancels what still runs; the tasks unwind later in the loop, so join() first unless the loop has ended.
    ~TaskGroup();
    TaskGroup(TaskGroup const&) = delete;
    TaskGroup& operator=(TaskGroup const&) = delete;

    /// Starts `task`; `name` is what running() and errors call it.
    /// Errors  limit when tasks_max tasks run, or after cancel(): then `task` is not started
    Result<void> start(std::string name, asio::awaitable<void> task);

    /// Asks every task to unwind at its next co_await, and refuses new ones.
    void cancel();

    /// Returns when no task runs. Does not cancel by itself.
    asio::awaitable<void> join();

    std::size_t size() const;

    /// Names of the running tasks, comma separated: for the log line of a slow stop.
    std::string running() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace holdfast
