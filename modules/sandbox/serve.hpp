// modules/sandbox/serve.hpp: what the zygote does all its life.
#pragma once

#include "modules/sandbox/sandbox.hpp"

#include <vector>

namespace holdfast::sandbox {

/// Forks a job for each order on `control`, keeps its time and tells how it ended; ends with the stream. Jobs die with it.
/// `null` is /dev/null, open for reading and writing.
[[noreturn]] void serve(std::vector<Kind> const& kinds, int control, int null);

}  // namespace holdfast::sandbox
