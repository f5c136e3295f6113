// modules/base/byte_budget.hpp: a bound on the bytes that many hold together; who finds none left waits in order.
#pragma once

#include "modules/base/async.hpp"

#include <cstddef>
#include <memory>

namespace holdfast {

/// A weighted semaphore for coroutines of one event loop. First come, first served: one who wants much is not overtaken.
/// Who holds a lease must not take a second one: two of them could wait for each other for ever.
class ByteBudget {
    struct State;

public:
    /// Gives its bytes back when destroyed.
    class Lease {
    public:
        Lease() = default;
        Lease(Lease&& other) noexcept = default;
        Lease& operator=(Lease&& other) noexcept;
        ~Lease();

        std::size_t bytes() const { return bytes_; }
        void shrink_to(std::size_t bytes);
        /// Whether so much was free; never waits.
        bool grow_to(std::size_t bytes);

    private:
        friend class ByteBudget;
        Lease(std::shared_ptr<State> state, std::size_t bytes) : state_{std::move(state)}, bytes_{bytes} {}
        std::shared_ptr<State> state_;
        std::size_t bytes_ = 0;
    };

    ByteBudget(asio::any_io_executor executor, std::size_t bytes_max, std::size_t waiting_max = 4096);

    /// Errors  limit    more than bytes_max, which would never come free; or waiting_max already wait
    ///         timeout  so much did not come free in `wait_max`
    Task<Lease> take(std::size_t bytes, std::chrono::steady_clock::duration wait_max);

    std::size_t bytes_max() const;
    std::size_t used() const;
    std::size_t waiting() const;

private:
    std::shared_ptr<State> state_;
};

}  // namespace holdfast
