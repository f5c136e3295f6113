// modules/base/backoff.cpp: doubling delays with jitter.
#include "modules/base/backoff.hpp"

#include <algorithm>

namespace holdfast {

std::uint32_t random_seed() {
    std::random_device device;
    return device();
}

Backoff::Backoff(BackoffPolicy policy, std::uint32_t seed)
    : policy_(policy), random_(seed), delay_ms_(static_cast<double>(policy.delay_min.count())) {}

std::chrono::milliseconds Backoff::next() {
    std::uniform_real_distribution<double> spread{1.0 - policy_.jitter, 1.0 + policy_.jitter};
    auto const delay = delay_ms_ * spread(random_);
    delay_ms_ = std::min(delay_ms_ * policy_.factor, static_cast<double>(policy_.delay_max.count()));
    ++failures_;
    return std::chrono::milliseconds{static_cast<std::int64_t>(delay)};
}

void Backoff::reset() {
    delay_ms_ = static_cast<double>(policy_.delay_min.count());
    failures_ = 0;
}

}  // namespace holdfast
