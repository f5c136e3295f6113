// modules/model/duration.hpp: durations and times as Go, Kubernetes and Flux write them.
#pragma once

#include "modules/base/error.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace holdfast::model {

using WallTime = std::chrono::system_clock::time_point;
using Duration = std::chrono::nanoseconds;

/// Reads what Go's time.ParseDuration reads without a sign: "10m", "1h30m", "1.5s", "250ms", "0".
/// Errors  invalid_input  not such a duration, or longer than 290 years
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// Go's Duration.String: "8m20s", "1h0m0s", "1.5s", "176ms", "0s".
std::string format_duration(std::chrono::nanoseconds duration);

/// "2026-08-22T10:00:00Z", metav1.Time.
std::string format_time(WallTime time);

/// "2026-08-22T10:00:00.123456Z", metav1.MicroTime.
std::string format_time_micro(WallTime time);

/// Reads RFC 3339 with or without a fraction, in UTC or with an offset.
/// Errors  invalid_input
Result<WallTime> parse_time(std::string_view text);

}  // namespace holdfast::model
