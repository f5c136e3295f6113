// modules/base/byte_budget.cpp: the queue of those who wait for bytes.
#include "modules/base/byte_budget.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <list>
#include <utility>

namespace holdfast {

struct ByteBudget::State {
    struct Waiter {
        asio::steady_timer timer;
        std::size_t bytes;
        bool given = false;
    };

    std::size_t free() const { return bytes_max - used; }

    void give_back(std::size_t bytes) {
        used -= bytes;
        while (!waiters.empty() && waiters.front()->bytes <= free()) {
            auto* const first = waiters.front();
            waiters.pop_front();
            used += first->bytes;
            first->given = true;
            first->timer.cancel();
        }
    }

    asio::any_io_executor executor;
    std::size_t bytes_max;
    std::size_t waiting_max;
    std::size_t used = 0;
    std::list<Waiter*> waiters = {};
};

ByteBudget::Lease& ByteBudget::Lease::operator=(Lease&& other) noexcept {
    if (this != &other) {
        shrink_to(0);
        state_ = std::move(other.state_);
        bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
}

ByteBudget::Lease::~Lease() { shrink_to(0); }

void ByteBudget::Lease::shrink_to(std::size_t bytes) {
    if (!state_ || bytes >= bytes_) return;
    state_->give_back(std::exchange(bytes_, bytes) - bytes);
}

bool ByteBudget::Lease::grow_to(std::size_t bytes) {
    if (bytes <= bytes_) return true;
    std::size_t const more = bytes - bytes_;
    // Those who wait were here before.
    if (!state_ || !state_->waiters.empty() || more > state_->free()) return false;
    state_->used += more;
    bytes_ = bytes;
    return true;
}

ByteBudget::ByteBudget(asio::any_io_executor executor, std::size_t bytes_max, std::size_t waiting_max)
    : state_(std::make_shared<State>(State{std::move(executor), bytes_max, waiting_max})) {}

Task<ByteBudget::Lease> ByteBudget::take(std::size_t bytes, std::chrono::steady_clock::duration wait_max) {
    auto const state = state_;
    if (bytes > state->bytes_max) {
        co_return fail(Errc::limit,
                       std::to_string(bytes) + " bytes are more than all " + std::to_string(state->bytes_max));
    }
    if (state->waiters.empty() && bytes <= state->free()) {
        state->used += bytes;
        co_return Lease{state, bytes};
    }
    if (state->waiters.size() >= state->waiting_max) {
        co_return fail(Errc::limit, std::to_string(state->waiting_max) + " already wait for memory");
    }

    // Leaves the queue, or gives the bytes on, when this coroutine is cancelled while it waits.
    struct Place {
        State& state;
        State::Waiter waiter;
        std::list<State::Waiter*>::iterator position{};
        bool kept = false;
        ~Place() {
            if (kept) return;
            if (waiter.given) {
                state.give_back(waiter.bytes);
                return;
            }
            state.waiters.erase(position);
            state.give_back(0);  // who stood behind may need less
        }
    };
    Place place{*state, {asio::steady_timer{state->executor, wait_max}, bytes}};
    place.position = state->waiters.insert(state->waiters.end(), &place.waiter);
    co_await place.waiter.timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_await stop_if_cancelled();
    if (!place.waiter.given) {
        co_return fail(Errc::timeout, std::to_string(bytes) + " bytes of memory did not come free");
    }
    place.kept = true;
    co_return Lease{state, bytes};
}

std::size_t ByteBudget::bytes_max() const { return state_->bytes_max; }
std::size_t ByteBudget::used() const { return state_->used; }
std::size_t ByteBudget::waiting() const { return state_->waiters.size(); }

}  // namespace holdfast
