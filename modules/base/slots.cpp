// modules/base/slots.cpp: those who wait for a slot, and who of them is next.
#include "modules/base/slots.hpp"

#include "modules/base/shares.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>

#include <list>

namespace holdfast {

struct Slots::State {
    struct Waiter {
        asio::steady_timer timer;
        std::string party;
        bool given = false;
    };

    bool may_take(std::string const& party) const { return party.empty() ? !shares.is_full() : shares.may_take(party); }

    void give_back(std::string const& party) {
        shares.give_back(party);
        serve();
    }

    /// What is free goes to those who wait directly, so a newcomer cannot overtake.
    void serve() {
        for (;;) {
            auto next = waiters.end();
            for (auto it = waiters.begin(); it != waiters.end(); ++it) {
                if (!may_take((*it)->party)) continue;
                if (next == waiters.end() || shares.comes_before((*it)->party, (*next)->party)) next = it;
            }
            if (next == waiters.end()) return;
            Waiter& waiter = **next;
            waiters.erase(next);
            shares.take(waiter.party);
            waiter.given = true;
            waiter.timer.cancel();
        }
    }

    asio::any_io_executor executor;
    std::size_t waiting_max;
    Shares shares;
    std::list<Waiter*> waiters;
};

Slots::Lease::Lease(std::shared_ptr<State> state, std::string party)
    : state_(std::move(state)), party_(std::move(party)) {}

Slots::Lease& Slots::Lease::operator=(Lease&& other) noexcept {
    if (this != &other) {
        if (state_) state_->give_back(party_);
        state_ = std::move(other.state_);
        party_ = std::move(other.party_);
    }
    return *this;
}

Slots::Lease::~Lease() {
    if (state_) state_->give_back(party_);
}

Slots::Slots(asio::any_io_executor executor, std::size_t slots_max, std::size_t waiting_max)
    : state_(std::make_shared<State>(State{std::move(executor), waiting_max, Shares{slots_max}, {}})) {}

Task<Slots::Lease> Slots::take(std::chrono::steady_clock::duration wait_max, std::string party) {
    auto const state = state_;
    if (state->may_take(party)) {
        state->shares.take(party);
        co_return Lease{state, std::move(party)};
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
                state.give_back(waiter.party);
            } else {
                state.waiters.erase(position);
            }
        }
    };
    Place place{*state, {asio::steady_timer{state->executor, wait_max}, std::move(party)}};
    place.position = state->waiters.insert(state->waiters.end(), &place.waiter);
    co_await place.waiter.timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_await stop_if_cancelled();
    if (!place.waiter.given) co_return fail(Errc::timeout, "no slot came free");
    place.kept = true;
    co_return Lease{state, place.waiter.party};
}

std::size_t Slots::used() const { return state_->shares.used(); }
std::size_t Slots::waiting() const { return state_->waiters.size(); }

}  // namespace holdfast
