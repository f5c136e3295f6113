// modules/sandbox/job.hpp: one job from a coroutine: send the request, wait for the frames.
#pragma once

#include "modules/base/async.hpp"
#include "modules/sandbox/sandbox.hpp"

#include <string>

namespace holdfast::sandbox {

/// The same as run(), without blocking the loop. `input_fd` stays the caller's and may be closed on return.
/// `zygote` must outlive the call. Cancelling it ends the job.
Task<std::string> run_job(Zygote& zygote, int input_fd, std::string request, Order order = {});

}  // namespace holdfast::sandbox
