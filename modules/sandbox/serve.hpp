// modules/sandbox/serve.hpp: what the zygote does all its life.
#pragma once

#include "modules/sandbox/sandbox.hpp"

#include <algorithm>
#include <vector>

namespace holdfast::sandbox {

/// What a job gets: what its kind may have, and of that what the order gives.
inline Limits limits_of(Kind const& kind, Order const& order) {
    Limits limits = kind.limits;
    limits.memory_bytes_max = std::min(limits.memory_bytes_max, order.memory_bytes_max);
    limits.reply_bytes_max = std::min(limits.reply_bytes_max, order.reply_bytes_max);
    return limits;
}

/// Forks a job for each order on `control`, keeps its time and tells how it ended; ends with the stream. Jobs die with it.
/// `null` is /dev/null, open for reading and writing.
[[noreturn]] void serve(std::vector<Kind> const& kinds, int control, int null);

}  // namespace holdfast::sandbox
