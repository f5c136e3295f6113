// modules/sandbox/calls.hpp: which system calls a confined process may make, and with which arguments.
#pragma once

#include "modules/sandbox/sandbox.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace holdfast::sandbox {

/// What one argument of a call must be: (argument & mask) == value. A mask of 0 asks nothing.
struct Check {
    unsigned argument = 0;
    std::uint64_t mask = 0;
    std::uint64_t value = 0;
    bool own_pid = false;  // instead of `value`: the process that puts the walls up
};

/// A call that is let through when both checks hold; a call with several rows when those of one of them do.
struct Call {
    int number;
    std::array<Check, 2> checks{};
};

/// What a process of `role` may call beside what all may (memory, its descriptors, its clock, its end).
std::span<Call const> calls_of(Role role);

/// Seccomp, for good: every other call fails with EPERM; one by another instruction set ends the process.
/// Out  whether this kernel took it
bool close_calls(Role role);

}  // namespace holdfast::sandbox
