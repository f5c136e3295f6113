// modules/base/cancellation.cpp: when a cancellation may be passed on to Asio.
#include "modules/base/cancellation.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <exception>

namespace holdfast {

struct Cancellation::State {
    explicit State(asio::any_io_executor executor_in) : executor(std::move(executor_in)) {}

    asio::any_io_executor executor;
    asio::cancellation_signal signal;
    bool wanted = false;
    bool runs = false;
};

Cancellation::Cancellation(asio::any_io_executor executor) : state_(std::make_shared<State>(std::move(executor))) {}

asio::any_io_executor Cancellation::executor() const { return state_->executor; }
asio::cancellation_slot Cancellation::slot() const { return state_->signal.slot(); }

void Cancellation::request() const {
    state_->wanted = true;
    if (!state_->runs) return;
    // At once inside the loop. From outside it waits for its turn there, and looks again whether there is something to cancel.
    asio::dispatch(state_->executor, [state = state_] {
        if (state->runs) state->signal.emit(asio::cancellation_type::terminal);
    });
}

asio::awaitable<void> Cancellation::guard(std::shared_ptr<State> state, asio::awaitable<void> task) {
    struct Running {
        State& state;
        ~Running() { state.runs = false; }  // also when the loop is destroyed with this coroutine in it
    };
    if (state->wanted) throw boost::system::system_error{asio::error::operation_aborted};
    std::exception_ptr failure;
    {
        Running const running{*state};
        state->runs = true;
        try {
            static_cast<void>(co_await std::move(task));
        } catch (...) {
            failure = std::current_exception();
        }
    }
    // The steps that co_spawn() itself has still to do are not to be cancelled.
    static_cast<void>(co_await asio::this_coro::throw_if_cancelled(false));
    if (failure) std::rethrow_exception(failure);
}

}  // namespace holdfast
