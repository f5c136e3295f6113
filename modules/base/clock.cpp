// modules/base/clock.cpp: reads the machine's clocks.
#include "modules/base/clock.hpp"

#include <ctime>

namespace holdfast {

std::chrono::system_clock::time_point SystemClock::wall() const { return std::chrono::system_clock::now(); }

std::chrono::nanoseconds SystemClock::boot() const {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

}  // namespace holdfast
