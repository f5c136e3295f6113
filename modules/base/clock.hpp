// modules/base/clock.hpp: the two clocks. Intervals run on the boot clock, records carry the wall clock.
#pragma once

#include <chrono>

namespace holdfast {

class Clock {
public:
    virtual ~Clock() = default;

    /// For people and records; may jump. Never decides an order or an interval.
    virtual std::chrono::system_clock::time_point wall() const = 0;

    /// Never jumps; runs on while the machine sleeps.
    virtual std::chrono::nanoseconds boot() const = 0;
};

class SystemClock final : public Clock {
public:
    std::chrono::system_clock::time_point wall() const override;
    std::chrono::nanoseconds boot() const override;
};

}  // namespace holdfast
