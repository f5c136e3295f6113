// modules/sandbox/calls.cpp: the table of calls and the filter made of it.
#include "modules/sandbox/calls.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace holdfast::sandbox {

namespace {

constexpr std::uint64_t kAll = ~std::uint64_t{0};
constexpr std::uint64_t kInt = 0xffff'ffff;  // the kernel looks at no more of an int

// Memory that the limit on data counts: what is shared is not counted, nor what grows downwards like a stack.
constexpr std::uint64_t kMapFlags =
    MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK | MAP_POPULATE;
constexpr Check kPrivate{.argument = 3, .mask = kInt & ~kMapFlags, .value = MAP_PRIVATE};
constexpr Check kNoCode{.argument = 2, .mask = kInt & ~std::uint64_t{PROT_READ | PROT_WRITE}};

// Nothing here opens, connects, executes or reaches another process. The frequent ones come first.
constexpr Call kBasicCalls[] = {
    {SYS_read},
    {SYS_write},
    {SYS_brk},
    {SYS_munmap},
    {SYS_futex},
    {SYS_madvise},
    {SYS_readv},
    {SYS_writev},
    {SYS_pread64},
    {SYS_lseek},
    {SYS_close},
    {SYS_fstat},
    {SYS_mremap},
    {SYS_clock_gettime},
    {SYS_gettimeofday},
    {SYS_getrandom},
    {SYS_sched_yield},
    {SYS_getrusage},
    {SYS_rt_sigaction},
    {SYS_rt_sigprocmask},
    {SYS_rt_sigreturn},
    {SYS_sigaltstack},
    {SYS_restart_syscall},
    {SYS_getpid},
    {SYS_gettid},
    {SYS_exit},
    {SYS_exit_group},
    {SYS_mmap, {kPrivate, kNoCode}},
    {SYS_mprotect, {kNoCode}},
    {SYS_tgkill, {Check{.argument = 0, .mask = kInt, .own_pid = true}}},  // abort() and raise()
};

// What reading files takes beside openat().
constexpr auto kReading = std::to_array<Call>({
    {SYS_stat},
    {SYS_lstat},
    {SYS_newfstatat},
    {SYS_statx},
    {SYS_access},
    {SYS_faccessat},
    {SYS_faccessat2},
    {SYS_getdents64},
    {SYS_readlink},
    {SYS_readlinkat},
    {SYS_getcwd},
    {SYS_poll},                                                           // standard output that does not block
    {SYS_fcntl, {Check{.argument = 1, .mask = kInt, .value = F_GETFD}}},  // others send signals
    {SYS_fcntl, {Check{.argument = 1, .mask = kInt, .value = F_GETFL}}},
    {SYS_prlimit64, {Check{.argument = 0, .mask = kInt}, Check{.argument = 2, .mask = kAll}}},  // getrlimit()
});
constexpr auto kReadOnly = std::to_array<Call>(
    {{SYS_openat, {Check{.argument = 2, .mask = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND}}}});
constexpr auto kWriting = std::to_array<Call>({{SYS_openat}, {SYS_open}, {SYS_mkdir}, {SYS_mkdirat}, {SYS_ftruncate}});

// A job that fetches: sockets that are given to it, an event loop, and files of which only those in its folder can be opened.
constexpr Check kNoAddress{.argument = 4, .mask = kAll};  // to the peer and nobody else
constexpr Check kSharedFile{
    .argument = 3, .mask = kInt & ~(kMapFlags & ~std::uint64_t{MAP_ANONYMOUS}), .value = MAP_SHARED};
constexpr auto kFetching = std::to_array<Call>({
    {SYS_recvfrom},
    {SYS_recvmsg},
    {SYS_sendto, {kNoAddress}},
    {SYS_getsockopt},
    {SYS_shutdown},
    {SYS_epoll_create1},
    {SYS_epoll_ctl},
    {SYS_epoll_wait},
    {SYS_epoll_pwait},
    {SYS_eventfd2},
    {SYS_timerfd_create},
    {SYS_timerfd_settime},
    {SYS_ioctl, {Check{.argument = 1, .mask = kInt, .value = FIONBIO}}},
    {SYS_fcntl, {Check{.argument = 1, .mask = kInt, .value = F_SETFD}}},
    {SYS_fcntl, {Check{.argument = 1, .mask = kInt, .value = F_SETFL}, Check{.argument = 2, .mask = O_ASYNC}}},
    {SYS_mmap, {kSharedFile, kNoCode}},  // a pack is written through a mapping
    {SYS_pwrite64},
    {SYS_fsync},
    {SYS_rename},
    {SYS_unlink},
    {SYS_unlinkat},
    {SYS_rmdir},
    {SYS_fchmod},  // never by path: landlock does not look at modes
    {SYS_umask},
    {SYS_geteuid},
});

template <std::size_t A, std::size_t B>
constexpr std::array<Call, A + B> both(std::array<Call, A> const& a, std::array<Call, B> const& b) {
    std::array<Call, A + B> all{};
    std::copy(a.begin(), a.end(), all.begin());
    std::copy(b.begin(), b.end(), all.begin() + A);
    return all;
}
constexpr auto kCommand = both(kReading, kReadOnly);
constexpr auto kWritingCommand = both(kReading, kWriting);
constexpr auto kFetch = both(kWritingCommand, kFetching);

void load(std::vector<sock_filter>& program, std::size_t offset) {
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset)));
}

/// Goes on when (what is loaded & mask) == value; else to the end of its row, which is not known yet.
void require(std::vector<sock_filter>& program, std::vector<std::size_t>& to_end, std::uint64_t mask,
             std::uint64_t value) {
    program.push_back(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, static_cast<unsigned>(mask)));
    to_end.push_back(program.size());
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(value), 0, 0));
}

/// One row: allows, or goes on behind itself with the number of the call loaded again.
void add(std::vector<sock_filter>& program, Call const& call) {
    std::vector<std::size_t> to_end{program.size()};
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call.number), 0, 0));
    bool loaded_else = false;
    for (Check const& check : call.checks) {
        auto const value = check.own_pid ? static_cast<std::uint64_t>(::getpid()) : check.value;
        std::size_t const low = offsetof(seccomp_data, args) + sizeof(std::uint64_t) * check.argument;
        for (std::size_t half = 0; half < 2; ++half) {
            std::uint64_t const mask = (check.mask >> 32 * half) & kInt;
            if (mask == 0) continue;
            load(program, low + half * sizeof(std::uint32_t));
            require(program, to_end, mask, (value >> 32 * half) & kInt);
            loaded_else = true;
        }
    }
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    for (std::size_t const jump : to_end) program[jump].jf = static_cast<std::uint8_t>(program.size() - jump - 1);
    if (loaded_else) load(program, offsetof(seccomp_data, nr));
}

}  // namespace

std::span<Call const> calls_of(Role role) {
    switch (role) {
        case Role::render: return {};
        case Role::command: return kCommand;
        case Role::writing_command: return kWritingCommand;
        case Role::fetch: return kFetch;
    }
    return {};
}

bool close_calls(Role role) {
    std::vector<sock_filter> program;
    load(program, offsetof(seccomp_data, arch));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    load(program, offsetof(seccomp_data, nr));
    for (auto const calls : {std::span<Call const>{kBasicCalls}, calls_of(role)}) {
        for (Call const& call : calls) add(program, call);
    }
    // An error, not a kill: libraries that probe (a missing locale, a time zone) go on without.
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
    sock_fprog const filter{static_cast<unsigned short>(program.size()), program.data()};
    return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace holdfast::sandbox
