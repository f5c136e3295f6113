// modules/base/task_group.cpp: bookkeeping of running coroutines.
#include "modules/base/task_group.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <list>

namespace holdfast {

struct TaskGroup::State {
    struct Running {
        std::string name;
        asio::cancellation_signal cancel;
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
    auto const entry = state_->tasks.emplace(state_->tasks.end());
    entry->name = std::move(name);
    auto ended = [state = state_, entry](std::exception_ptr failure) {
        state->tasks.erase(entry);
        if (state->tasks.empty()) state->empty.cancel();
        rethrow_unless_cancelled(std::move(failure));
    };
    asio::co_spawn(state_->executor, std::move(task),
                   asio::bind_cancellation_slot(entry->cancel.slot(), std::move(ended)));
    return {};
}

void TaskGroup::cancel() {
    state_->cancelled = true;
    // A task may end inside emit() and erase itself, so step on first.
    for (auto next = state_->tasks.begin(); next != state_->tasks.end();) {
        auto const task = next++;
        task->cancel.emit(asio::cancellation_type::terminal);
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
