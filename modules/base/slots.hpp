// modules/base/slots.hpp: a bound on how many do the same thing at once; the others wait for their turn.
#pragma once

#include "modules/base/async.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace holdfast {

/// A counting semaphore for coroutines of one event loop: first come, first served, or by party, each to its share.
class Slots {
    struct State;

public:
    /// Gives the slot back when destroyed.
    class Lease {
    public:
        Lease() = default;
        Lease(Lease&& other) noexcept = default;
        Lease& operator=(Lease&& other) noexcept;
        ~Lease();

    private:
        friend class Slots;
        Lease(std::shared_ptr<State> state, std::string party);
        std::shared_ptr<State> state_;
        std::string party_;
    };

    Slots(asio::any_io_executor executor, std::size_t slots_max, std::size_t waiting_max = 4096);

    /// In      party  who asks: it gets no more than its share (base/shares.hpp), and of those that wait the party that
    ///                holds least goes first. Empty: nobody in particular, which is held to no share
    /// Errors  timeout when none came free in `wait_max`; limit when waiting_max already wait
    Task<Lease> take(std::chrono::steady_clock::duration wait_max, std::string party = "");

    std::size_t used() const;
    std::size_t waiting() const;

private:
    std::shared_ptr<State> state_;
};

}  // namespace holdfast
