// modules/sandbox/walls.cpp: limits, landlock and seccomp.
#include "modules/sandbox/walls.hpp"

#include "modules/base/sanitized.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include <vector>

namespace holdfast::sandbox::walls {

namespace {

// Nothing here opens, connects or executes.
constexpr int kBasicCalls[] = {
    SYS_read,          SYS_write,          SYS_readv,        SYS_writev,      SYS_pread64,
    SYS_lseek,         SYS_close,          SYS_fstat,        SYS_mmap,        SYS_munmap,
    SYS_mprotect,      SYS_mremap,         SYS_madvise,      SYS_brk,         SYS_futex,
    SYS_clock_gettime, SYS_gettimeofday,   SYS_getrandom,    SYS_sched_yield, SYS_getrusage,
    SYS_rt_sigaction,  SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_restart_syscall,
    SYS_getpid,        SYS_gettid,         SYS_tgkill,       SYS_exit,        SYS_exit_group,
};

// Landlock's numbers, so that an old <linux/landlock.h> does not matter.
constexpr long kCreateRuleset = 444;
constexpr long kAddRule = 445;
constexpr long kRestrictSelf = 446;
constexpr unsigned kVersionFlag = 1;
constexpr int kPathBeneath = 1;
constexpr std::uint64_t kWriteFile = 2, kReadFile = 4, kReadDir = 8, kMakeDir = 128, kMakeFile = 256;
constexpr std::uint64_t kFilesOfFirst = (1u << 13) - 1;  // every right of ABI 1
constexpr std::uint64_t kTruncate = 1u << 14;            // ABI 3

int landlock_abi() {
    long const abi = ::syscall(kCreateRuleset, nullptr, 0, kVersionFlag);
    return abi > 0 ? static_cast<int>(abi) : 0;
}

Result<void> grant(int ruleset, std::string const& folder, std::uint64_t rights) {
    int const fd = ::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return fail(Errc::not_found, "open " + folder + ": " + std::strerror(errno));
    struct [[gnu::packed]] {
        std::uint64_t allowed;
        std::int32_t parent;
    } const rule{rights, fd};
    bool const done = ::syscall(kAddRule, ruleset, kPathBeneath, &rule, 0) == 0;
    int const error = errno;
    ::close(fd);
    if (!done) return fail(Errc::denied, "landlock: " + folder + ": " + std::strerror(error));
    return {};
}

/// `folder`, or the nearest of its parents that is there.
std::string existing(std::string const& folder) {
    std::error_code ec;
    auto path = std::filesystem::absolute(folder, ec).lexically_normal();
    while (!std::filesystem::is_directory(path, ec) && path.has_relative_path()) path = path.parent_path();
    return path.string();
}

}  // namespace

bool limit(int resource, unsigned long soft, unsigned long hard) {
    auto const which = static_cast<__rlimit_resource>(resource);
    rlimit before{};
    if (::getrlimit(which, &before) != 0) return false;
    rlimit const after{std::min<rlim_t>(soft, before.rlim_max), std::min<rlim_t>(hard, before.rlim_max)};
    return ::setrlimit(which, &after) == 0;
}

bool limit(int resource, unsigned long value) { return limit(resource, value, value); }

bool limit_wall(std::chrono::seconds wall_max) {
    itimerval wall{};
    wall.it_value.tv_sec = wall_max.count();
    return ::setitimer(ITIMER_REAL, &wall, nullptr) == 0;
}

std::string over(std::chrono::seconds limit, std::string_view what) {
    return "stopped: more than " + std::to_string(limit.count()) + " s of " + std::string{what};
}

bool limit_memory(std::size_t bytes) { return kSanitized || limit(RLIMIT_DATA, bytes); }

Result<int> close_files(Reach const* reach) {
    int const abi = landlock_abi();
    if (abi == 0) return 0;
    struct {
        std::uint64_t files;
        std::uint64_t network;
        std::uint64_t scopes;
    } rights{kFilesOfFirst, 0, 0};
    if (abi >= 2) rights.files |= 1u << 13;
    if (abi >= 3) rights.files |= kTruncate;
    if (abi >= 5) rights.files |= 1u << 15;
    if (abi >= 4) rights.network = 3;
    if (abi >= 6) rights.scopes = 3;
    bool const reads_anywhere = reach && !reach->read_beneath;
    if (reads_anywhere) rights.files &= ~(kReadFile | kReadDir);  // a right that is not handled is not taken
    std::size_t const size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
    int const ruleset = static_cast<int>(::syscall(kCreateRuleset, &rights, size, 0));
    if (ruleset < 0) return 0;
    Result<void> granted;
    if (reach && reach->read_beneath) granted = grant(ruleset, *reach->read_beneath, kReadFile | kReadDir);
    std::uint64_t const writing = (kWriteFile | kMakeDir | kMakeFile | kTruncate) & rights.files;
    for (std::size_t i = 0; reach && granted && i < reach->write_beneath.size(); ++i) {
        granted = grant(ruleset, existing(reach->write_beneath[i]), writing);
    }
    bool const done = granted && ::syscall(kRestrictSelf, ruleset, 0) == 0;
    ::close(ruleset);
    if (!granted) return fail(std::move(granted));
    return done ? abi : 0;
}

bool close_calls(std::span<int const> more, bool opens_read_only) {
    std::vector<sock_filter> program;
    program.reserve(16 + 2 * (std::size(kBasicCalls) + more.size()));
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    for (auto const calls : {std::span<int const>{kBasicCalls}, more}) {
        for (int const call : calls) {
            program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
            program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
        }
    }
    if (opens_read_only) {
        constexpr unsigned kChanges = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;
        program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 4));
        program.push_back(
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])));  // the low half; flags are an int
        program.push_back(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kChanges));
        program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1));
        program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    }
    // An error, not a kill: libraries that probe (a missing locale, a time zone) go on without.
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
    sock_fprog const filter{static_cast<unsigned short>(program.size()), program.data()};
    return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

bool no_new_privileges() { return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_DUMPABLE, 0) == 0; }

}  // namespace holdfast::sandbox::walls
