// modules/sandbox/walls.hpp: the parts of a confinement, shared by confine.cpp (jobs) and command.cpp (commands).
#pragma once

#include "modules/sandbox/sandbox.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::sandbox::walls {

/// RLIMIT_DATA of `bytes`, and address space for that and what is only read; what the program holds already counts.
/// Always true under a sanitizer, whose shadow needs terabytes.
bool limit_memory(std::size_t bytes);
/// A limit that is lower already stays.
bool limit(int resource, unsigned long value);
bool limit(int resource, unsigned long soft, unsigned long hard);

/// Landlock: no right of a kind this kernel knows is left but those of `reach`. The ABI that was used, 0 when this kernel
/// has no landlock.
/// Errors  not_found  a folder cannot be opened   denied  a folder cannot be granted
Result<int> close_files(Reach const& reach);

/// From this ABI on nothing sends a signal or reaches an abstract socket out of the walls.
inline constexpr int kScopesSince = 6;

/// Where memory runs out the kernel ends this process before any other.
bool die_first();

/// SIGALRM after so long; 0: never.
bool limit_wall(std::chrono::seconds wall_max);

/// "stopped: more than 10 s of CPU time"
std::string over(std::chrono::seconds limit, std::string_view what);

bool no_new_privileges();

}  // namespace holdfast::sandbox::walls
