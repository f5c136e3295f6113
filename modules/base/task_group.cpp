// modules/base/task_group.cpp: bookkeeping of running coroutines.
#include "modules/base/task_group.hpp"

#include "modules/base/cancellation.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <list>

namespace holdfast {

struct TaskGroup::State {
    struct Running {
        std::string name;
        Cancellation cancel;
    };

    State(asio::any_io_executor executor_in, std::size_t tasks_max_in)
        : executor(std::move(executor_in)), tasks_max(tasks_max_in), empty(executor) {
        empty.expires_at(std::chrono::steady_clock::time_point::max());
    }

    asio::any_io_executor executor;
    std::size_t tasks_max;
    std::list<Running> tasks;
    asio::steady_timer empty;  // never expires: cancelled when the last task has ended
    bool cancelled = false;
};

TaskGroup::TaskGroup(asio::any_io_executor executor, std::size_t tasks_max)
    : state_(std::make_shared<State>(std::move(executor), tasks_max)) {}

TaskGroup::~TaskGroup() { cancel(); }

static void rethrow_unless_cancelled(std::exception_ptr failure) {
    if (!failure) return;
    try {
        std::rethrow_exception(failure);
    } catch (boost::system::system_error const& error) {
        if (error.code() != asio::error::operation_aborted) throw;
    }
}

Result<void> TaskGroup::start(std::string name, asio::awaitable<void> task) {
    if (state_->cancelled) return fail(Errc::limit, "start " + name + ": stopping");
    if (state_->tasks.size() >= state_->tasks_max) {
        return fail(Errc::limit, "start " + name + ": " + std::to_string(state_->tasks_max) + " tasks run");
    }
    auto const entry = state_->tasks.emplace(state_->tasks.end(), std::move(name), Cancellation{state_->executor});
    auto const cancellation = entry->cancel;  // a task that never waits has taken its entry away before start() returns
    auto ended = [state = state_, entry](std::exception_ptr failure) {
        state->tasks.erase(entry);
        if (state->tasks.empty()) state->empty.cancel();
        rethrow_unless_cancelled(std::move(failure));
    };
    cancellation.start(std::move(task), std::move(ended));
    return {};
}

void TaskGroup::cancel() {
    state_->cancelled = true;
    // A task may end inside request() and erase itself, so step on first.
    for (auto next = state_->tasks.begin(); next != state_->tasks.end();) {
        auto const cancellation = next++->cancel;
        cancellation.request();
    }
}

asio::awaitable<void> TaskGroup::join() {
    auto const state = state_;
    while (!state->tasks.empty()) {
        co_await state->empty.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

std::size_t TaskGroup::size() const { return state_->tasks.size(); }

std::string TaskGroup::running() const {
    std::string names;
    for (auto const& task : state_->tasks) {
        if (!names.empty()) names += ", ";
        names += task.name;
    }
    return names;
}

}  // namespace holdfast
