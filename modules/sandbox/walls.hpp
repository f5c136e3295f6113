// modules/sandbox/walls.hpp: the parts of a confinement, shared by confine.cpp (jobs) and command.cpp (commands).
#pragma once

#include "modules/sandbox/command.hpp"

#include <chrono>
#include <span>
#include <string>
#include <string_view>

namespace holdfast::sandbox::walls {

/// RLIMIT_DATA of `bytes`; what the program holds already counts. Always true under a sanitizer, whose shadow needs terabytes.
bool limit_memory(std::size_t bytes);
/// A limit that is lower already stays.
bool limit(int resource, unsigned long value);
bool limit(int resource, unsigned long soft, unsigned long hard);

/// Landlock: no right of a kind this kernel knows is left but reading as `reach` says and making files beneath its
/// folders. The ABI that was used, 0 when this kernel has no landlock.
Result<int> close_files(Reach const* reach);

/// SIGALRM after so long; 0: never.
bool limit_wall(std::chrono::seconds wall_max);

/// "stopped: more than 10 s of CPU time"
std::string over(std::chrono::seconds limit, std::string_view what);

/// Seccomp: every system call fails with EPERM but those every job needs (memory, its descriptors, its clock, its end) and
/// `more`; `opens_read_only` lets openat() through for reading.
bool close_calls(std::span<int const> more, bool opens_read_only);

bool no_new_privileges();

}  // namespace holdfast::sandbox::walls
