// modules/sandbox/confine.cpp: the walls around a job: resource limits, no new privileges, landlock, seccomp.
#include "modules/sandbox/sandbox.hpp"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::sandbox {

namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;  // the shadow map needs terabytes of address space
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

/// Address space of this process now, in bytes; the limit counts from here.
std::size_t mapped_bytes() {
    std::FILE* file = std::fopen("/proc/self/statm", "re");
    if (file == nullptr) return 64u << 20;
    unsigned long pages = 0;
    int const read = std::fscanf(file, "%lu", &pages);
    std::fclose(file);
    return read == 1 ? pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) : 64u << 20;
}

bool set_limit(int resource, rlim_t value) {
    rlimit const limit{value, value};
    return ::setrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0;
}

bool set_limits(Limits const& limits) {
    itimerval wall{};
    wall.it_value.tv_sec = limits.wall_max.count();
    bool const memory_set = kSanitized || set_limit(RLIMIT_AS, mapped_bytes() + limits.memory_bytes_max);
    return memory_set && set_limit(RLIMIT_CPU, static_cast<rlim_t>(limits.cpu_max.count())) &&
           set_limit(RLIMIT_CORE, 0) && set_limit(RLIMIT_FSIZE, 0) && set_limit(RLIMIT_NPROC, 0) &&
           set_limit(RLIMIT_NOFILE, 16) && ::setitimer(ITIMER_REAL, &wall, nullptr) == 0;
}

// Landlock's numbers, so that an old <linux/landlock.h> does not matter.
constexpr long kLandlockCreateRuleset = 444;
constexpr long kLandlockRestrictSelf = 446;
constexpr unsigned kLandlockVersionFlag = 1;

int landlock_abi() {
    long const abi = ::syscall(kLandlockCreateRuleset, nullptr, 0, kLandlockVersionFlag);
    return abi > 0 ? static_cast<int>(abi) : 0;
}

/// Every file and TCP right this ABI knows is handled and none is granted.
int deny_files() {
    int const abi = landlock_abi();
    if (abi == 0) return 0;
    struct {
        std::uint64_t files;
        std::uint64_t network;
        std::uint64_t scopes;
    } rights{(1u << 13) - 1, 0, 0};
    if (abi >= 2) rights.files |= 1u << 13;
    if (abi >= 3) rights.files |= 1u << 14;
    if (abi >= 5) rights.files |= 1u << 15;
    if (abi >= 4) rights.network = 3;
    if (abi >= 6) rights.scopes = 3;
    std::size_t const size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
    int const ruleset = static_cast<int>(::syscall(kLandlockCreateRuleset, &rights, size, 0));
    if (ruleset < 0) return 0;
    bool const done = ::syscall(kLandlockRestrictSelf, ruleset, 0) == 0;
    ::close(ruleset);
    return done ? abi : 0;
}

// What a job needs: memory, its two descriptors, its clock, its end. Nothing opens, connects or executes.
constexpr int kAllowed[] = {
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_lseek, SYS_close, SYS_fstat,
    SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_brk,
    SYS_futex, SYS_clock_gettime, SYS_gettimeofday, SYS_getrandom, SYS_sched_yield, SYS_getrusage,
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_restart_syscall,
    SYS_getpid, SYS_gettid, SYS_tgkill, SYS_exit, SYS_exit_group,
};

bool deny_calls() {
    sock_filter program[8 + 2 * std::size(kAllowed)];
    std::size_t used = 0;
    program[used++] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
    program[used++] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
    program[used++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    program[used++] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
    for (int const call : kAllowed) {
        program[used++] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1);
        program[used++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    // An error, not a kill: libraries that probe (a missing locale, a time zone) go on without.
    program[used++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    sock_fprog const filter{static_cast<unsigned short>(used), program};
    return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace

Result<Confinement> confine(Limits const& limits) {
    if (!set_limits(limits)) return fail(Errc::denied, std::string{"sandbox: setrlimit: "} + std::strerror(errno));
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_DUMPABLE, 0) != 0) {
        return fail(Errc::denied, std::string{"sandbox: prctl: "} + std::strerror(errno));
    }
    Confinement put_up;
    put_up.landlock_abi = deny_files();
    put_up.seccomp = deny_calls();
    if (!put_up.seccomp) {
        return fail(Errc::denied, std::string{"sandbox: this kernel has no seccomp filter: "} + std::strerror(errno));
    }
    return put_up;
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
