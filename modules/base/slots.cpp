// modules/base/slots.cpp: the queue of those who wait for a slot.
#include "modules/base/slots.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>

#include <list>

namespace holdfast {

struct Slots::State {
    struct Waiter {
        asio::steady_timer timer;
        bool given = false;
    };

    void give_back() {
        if (waiters.empty()) {
            --used;
            return;
        }
        // The slot goes to the first in line directly, so a newcomer cannot overtake.
        auto* const first = waiters.front();
        waiters.pop_front();
        first->given = true;
        first->timer.cancel();
    }

    asio::any_io_executor executor;
    std::size_t slots_max;
    std::size_t waiting_max;
    std::size_t used = 0;
    std::list<Waiter*> waiters;
};

Slots::Lease::Lease(std::shared_ptr<State> state) : state_(std::move(state)) {}

Slots::Lease& Slots::Lease::operator=(Lease&& other) noexcept {
    if (this != &other) {
        if (state_) state_->give_back();
        state_ = std::move(other.state_);
    }
    return *this;
}

Slots::Lease::~Lease() {
    if (state_) state_->give_back();
}

Slots::Slots(asio::any_io_executor executor, std::size_t slots_max, std::size_t waiting_max)
    : state_(std::make_shared<State>(State{std::move(executor), slots_max, waiting_max, 0, {}})) {}

Task<Slots::Lease> Slots::take(std::chrono::steady_clock::duration wait_max) {
    auto const state = state_;
    if (state->used < state->slots_max) {
        ++state->used;
        co_return Lease{state};
    }
    if (state->waiters.size() >= state->waiting_max) {
        co_return fail(Errc::limit, std::to_string(state->waiting_max) + " already wait");
    }

    // Leaves the queue, or gives the slot on, when this coroutine is cancelled while it waits.
    struct Place {
        State& state;
        State::Waiter waiter;
        std::list<State::Waiter*>::iterator position{};
        bool kept = false;
        ~Place() {
            if (kept) return;
            if (waiter.given) {
                state.give_back();
            } else {
                state.waiters.erase(position);
            }
        }
    };
    Place place{*state, {asio::steady_timer{state->executor, wait_max}, false}};
    place.position = state->waiters.insert(state->waiters.end(), &place.waiter);
    co_await place.waiter.timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_await stop_if_cancelled();
    if (!place.waiter.given) co_return fail(Errc::timeout, "no slot came free");
    place.kept = true;
    co_return Lease{state};
}

std::size_t Slots::used() const { return state_->used; }
std::size_t Slots::waiting() const { return state_->waiters.size(); }

}  // namespace holdfast
