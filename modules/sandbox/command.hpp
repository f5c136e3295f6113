// modules/sandbox/command.hpp: a command that reads hostile bytes becomes its own job: the walls of a render worker around
// the process it already is, because a fork would cost a short command more than its work.
#pragma once

#include "modules/sandbox/sandbox.hpp"

#include <optional>

namespace holdfast::sandbox {

/// Templates include each other deeply: the main thread's stack may grow this far.
inline constexpr std::size_t kCommandStackBytes = 256u << 20;
/// A part of confine_command(), for whoever renders charts without it. Call before threads start.
/// Out  how much of the stack may be used: less where the system's hard limit is lower
std::size_t raise_stack();

/// Takes from the calling process, for good, what reading files and printing does not need: the network, other
/// processes, programs, writing outside `reach`. With `limits`, memory and time end as a worker's do; whatever ends the
/// process then says so in one "Error: " line on standard error, exit code 1. No limit can be changed afterwards.
/// Call before threads start. What was put up is returned: a kernel without seccomp gives fewer walls, and a command that a
/// user starts over files of his own works there too (the daemon does not).
/// Errors  not_found  a folder of `reach` cannot be opened   denied  a limit cannot be set
Result<Confinement> confine_command(Reach const& reach, std::optional<Limits> const& limits);

}  // namespace holdfast::sandbox
