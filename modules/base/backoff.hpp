// modules/base/backoff.hpp: how long to wait before the next try.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace holdfast {

struct BackoffPolicy {
    std::chrono::milliseconds delay_min{1'000};
    std::chrono::milliseconds delay_max{900'000};
    double factor = 2.0;
    double jitter = 0.2;  // each delay is spread by this share, up and down
};

std::uint32_t random_seed();

/// Doubling delays with jitter; a test passes its own seed.
class Backoff {
public:
    explicit Backoff(BackoffPolicy policy, std::uint32_t seed = random_seed());

    /// The next delay; never above delay_max * (1 + jitter).
    std::chrono::milliseconds next();

    /// After a success: starts again at delay_min.
    void reset();

    std::uint32_t failures() const { return failures_; }

private:
    BackoffPolicy policy_;
    std::minstd_rand random_;
    double delay_ms_;
    std::uint32_t failures_ = 0;
};

}  // namespace holdfast
