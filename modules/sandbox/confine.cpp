// modules/sandbox/confine.cpp: the walls around a job, which has nothing but two descriptors.
#include "modules/sandbox/sandbox.hpp"

#include "modules/sandbox/calls.hpp"
#include "modules/sandbox/walls.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::sandbox {

namespace {

constexpr unsigned long kStackBytes = 8u << 20;  // no data, so not counted as memory

bool set_limits(Limits const& limits) {
    return walls::limit_memory(limits.memory_bytes_max) &&
           walls::limit(RLIMIT_CPU, static_cast<rlim_t>(limits.cpu_max.count())) && walls::limit(RLIMIT_CORE, 0) &&
           walls::limit(RLIMIT_FSIZE, limits.file_bytes_max) && walls::limit(RLIMIT_NPROC, 0) &&
           walls::limit(RLIMIT_NOFILE, limits.files_max) && walls::limit(RLIMIT_STACK, kStackBytes);
}

}  // namespace

Result<Confinement> confine(Limits const& limits, Role role, Reach const& reach) {
    bool const dies_first = walls::die_first();  // while a file can still be opened
    if (!set_limits(limits)) return fail(Errc::denied, std::string{"sandbox: setrlimit: "} + std::strerror(errno));
    if (!walls::no_new_privileges()) return fail(Errc::denied, std::string{"sandbox: prctl: "} + std::strerror(errno));
    auto landlock = walls::close_files(reach);
    if (!landlock) return fail(std::move(landlock));
    if (!close_calls(role)) {
        return fail(Errc::denied, std::string{"sandbox: this kernel has no seccomp filter: "} + std::strerror(errno));
    }
    return Confinement{.seccomp = true,
                       .landlock_abi = *landlock,
                       .landlock_scopes = *landlock >= walls::kScopesSince,
                       .dies_first = dies_first};
}

Confinement probe() {
    int pipe_fds[2];
    if (::pipe2(pipe_fds, O_CLOEXEC) != 0) return {};
    pid_t const child = ::fork();
    if (child == 0) {
        auto const put_up = confine(Limits{});
        Confinement const answer = put_up ? *put_up : Confinement{};
        [[maybe_unused]] auto const written = ::write(pipe_fds[1], &answer, sizeof answer);
        ::_exit(0);
    }
    ::close(pipe_fds[1]);
    Confinement answer;
    if (child < 0 || ::read(pipe_fds[0], &answer, sizeof answer) != static_cast<ssize_t>(sizeof answer)) answer = {};
    ::close(pipe_fds[0]);
    if (child > 0) ::waitpid(child, nullptr, 0);
    return answer;
}

}  // namespace holdfast::sandbox
