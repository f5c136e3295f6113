// modules/sandbox/command.cpp: the walls around a command that renders in its own process.
#include "modules/sandbox/command.hpp"

#include "modules/base/machine_stack.hpp"
#include "modules/sandbox/calls.hpp"
#include "modules/sandbox/walls.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

namespace holdfast::sandbox {

namespace {

constexpr rlim_t kStackBytesUnknown = 8u << 20;  // what Linux gives when nobody says otherwise
constexpr std::size_t kLineBytes = 96;
char cpu_line[kLineBytes], wall_line[kLineBytes];  // a handler cannot build its line any more

std::string_view last_line(int signal) {
    switch (signal) {
        case SIGXCPU: return cpu_line;
        case SIGALRM: return wall_line;
        case SIGSEGV: return "Error: the render crashed (its stack is full, or a defect in holdfast)\n";
        default: return "Error: the render crashed; this is a defect in holdfast\n";
    }
}

void last_words(int signal) {
    auto const line = last_line(signal);
    [[maybe_unused]] auto const written = ::write(STDERR_FILENO, line.data(), line.size());
    ::_exit(1);
}

/// A crash and a limit end in one line, also when the stack is what is full.
void speak_at_the_end() {
    alignas(16) static std::array<char, 8192> stack;
    stack_t const other{.ss_sp = stack.data(), .ss_flags = 0, .ss_size = stack.size()};
    ::sigaltstack(&other, nullptr);
    struct sigaction action{};
    action.sa_handler = last_words;
    action.sa_flags = SA_ONSTACK;
    for (int const signal : {SIGXCPU, SIGALRM, SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL})
        ::sigaction(signal, &action, nullptr);
}

void say(char (&line)[kLineBytes], std::chrono::seconds limit, std::string_view what) {
    auto const text = "Error: " + walls::over(limit, what) + "; --no-limits lifts it\n";
    std::memcpy(line, text.data(), std::min(text.size(), kLineBytes - 1));
}

bool set_limits(Limits const& limits) {
    say(cpu_line, limits.cpu_max, "CPU time");
    say(wall_line, limits.wall_max, "wall-clock time");
    auto const seconds = static_cast<rlim_t>(limits.cpu_max.count());
    return walls::limit_memory(limits.memory_bytes_max) &&
           walls::limit(RLIMIT_CPU, seconds, seconds + 1) &&  // SIGXCPU first, to be heard
           walls::limit_wall(limits.wall_max);
}

}  // namespace

std::size_t raise_stack() {
    // Remembered: behind the walls nobody asks for a limit.
    static std::size_t const usable = [] {
        rlimit limit{.rlim_cur = kStackBytesUnknown, .rlim_max = kStackBytesUnknown};
        ::getrlimit(RLIMIT_STACK, &limit);
        auto const wanted = std::min<rlim_t>(kCommandStackBytes, limit.rlim_max);  // RLIM_INFINITY is the largest
        rlimit const raised{.rlim_cur = wanted, .rlim_max = limit.rlim_max};
        if (limit.rlim_cur < wanted && ::setrlimit(RLIMIT_STACK, &raised) == 0) limit = raised;
        auto const all = std::min<rlim_t>(kCommandStackBytes, limit.rlim_cur);
        // The arguments and the environment stand at the top.
        auto const top = ::getauxval(AT_EXECFN);
        auto const used = top - std::min<std::uintptr_t>(top, reinterpret_cast<std::uintptr_t>(machine_stack()));
        return static_cast<std::size_t>(all - std::min<rlim_t>(all, used));
    }();
    return usable;
}

Result<Confinement> confine_command(Reach const& reach, std::optional<Limits> const& limits) {
    raise_stack();
    speak_at_the_end();
    if (limits && !set_limits(*limits))
        return fail(Errc::denied, std::string{"sandbox: setrlimit: "} + std::strerror(errno));
    // Without these the kernel takes no filter and no landlock; a command then does its work all the same.
    if (!walls::no_new_privileges()) return Confinement{};
    auto landlock = walls::close_files(reach);
    if (!landlock) return fail(std::move(landlock));
    return Confinement{.seccomp = close_calls(reach.write_beneath.empty() ? Role::command : Role::writing_command),
                       .landlock_abi = *landlock,
                       .landlock_scopes = *landlock >= walls::kScopesSince};
}

}  // namespace holdfast::sandbox
