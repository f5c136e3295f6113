// tests/unit/modules/sandbox/walls_test.cpp: each forbidden thing, tried from inside of each role.
#include "modules/sandbox/command.hpp"
#include "modules/sandbox/sandbox.hpp"

#include "modules/base/sanitized.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <linux/sched.h>
#include <poll.h>
#include <string>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace holdfast::sandbox {

namespace {

/// Who must not be reached: the daemon (this process), the zygote and a neighbour of the job. Set before anything is forked.
struct Others {
    pid_t daemon = 0;
    pid_t neighbour = 0;
    int socket = -1;  // open in the daemon when the zygote was forked
    std::string folder;
};
Others others;

enum class Ends { denied, done, killed };

struct Act {
    char const* name;
    Ends in_job;
    Ends in_command;           // reads files
    Ends in_writing_command;   // makes files as well
    bool (*act)();             // whether the kernel let it happen
    bool possible = true;      // without walls, for anybody, on every kernel
    bool by_landlock = false;  // what keeps a command that writes from it
};

bool done(long result) { return result >= 0; }

long mapped(int protection, int flags, int fd = -1) {
    void* const at = ::mmap(nullptr, 4096, protection, flags, fd, 0);
    return at == MAP_FAILED ? -1 : 0;
}

long signalled(long call, pid_t whom, pid_t thread) {
    switch (call) {
        case SYS_kill: return ::syscall(SYS_kill, whom, 0);
        case SYS_tkill: return ::syscall(SYS_tkill, whom, 0);
        default: return ::syscall(SYS_tgkill, whom, thread, 0);
    }
}

long queued(long call) {
    siginfo_t info{};
    info.si_code = SI_QUEUE;
    return call == SYS_rt_sigqueueinfo ? ::syscall(call, others.neighbour, 0, &info)
                                       : ::syscall(call, others.neighbour, others.neighbour, 0, &info);
}

long cloned(std::uint64_t flags) {
    clone_args arguments{};
    arguments.flags = flags;
    arguments.exit_signal = SIGCHLD;
    long const child = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0) ::_exit(0);
    return child;
}

long limited(int resource, pid_t whom, bool write) {
    rlimit before{};
    if (!write) return ::syscall(SYS_prlimit64, whom, resource, nullptr, &before);
    rlimit const after{1u << 30, 1u << 30};
    return ::syscall(SYS_prlimit64, whom, resource, &after, nullptr);
}

/// One byte and a descriptor to whoever has the other end.
long passed(int through) {
    char byte = 'x';
    iovec part{&byte, 1};
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    return ::sendmsg(through, &message, MSG_NOSIGNAL);
}

long compat_getpid() {
#if defined(__x86_64__)
    long result = 20;
    asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    return result;
#else
    return -1;
#endif
}

bool is_open(int fd, struct stat& info) { return ::syscall(SYS_fstat, fd, &info) == 0; }

/// Whether a descriptor is what 0, 1 and 2 are in a job.
bool leads_nowhere(int fd) {
    struct stat info{};
    return is_open(fd, info) && info.st_rdev == ::makedev(1, 3);
}

std::string at(char const* name) { return others.folder + "/" + name; }

constexpr auto kDenied = Ends::denied, kDone = Ends::done, kKilled = Ends::killed;

// clang-format off
Act const kActs[] = {
    // Files.
    {"open a file to read", kDenied, kDone, kDone, [] { return done(::open(at("file").c_str(), O_RDONLY)); }},
    {"open a file to write", kDenied, kDenied, kDone, [] { return done(::open(at("file").c_str(), O_WRONLY)); }},
    {"make a file", kDenied, kDenied, kDone, [] { return done(::open(at("new").c_str(), O_CREAT | O_WRONLY, 0600)); }},
    {"make a file with creat()", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_creat, at("new").c_str(), 0600)); }},
    {"open with openat2()", kDenied, kDenied, kDenied, [] { std::uint64_t how[3]{}; return done(::syscall(437, AT_FDCWD, at("file").c_str(), how, sizeof how)); }, false},
    {"open by handle", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_open_by_handle_at, AT_FDCWD, nullptr, 0)); }, false},
    {"make a folder", kDenied, kDenied, kDone, [] { return done(::mkdir(at("folder").c_str(), 0700)); }},
    {"remove a file", kDenied, kDenied, kDenied, [] { return done(::unlink(at("removed").c_str())); }},
    {"rename a file", kDenied, kDenied, kDenied, [] { return done(::rename(at("renamed").c_str(), at("other").c_str())); }},
    {"link a file", kDenied, kDenied, kDenied, [] { return done(::link(at("file").c_str(), at("hard").c_str())); }},
    {"make a symbolic link", kDenied, kDenied, kDenied, [] { return done(::symlink("file", at("soft").c_str())); }},
    {"make a pipe in a folder", kDenied, kDenied, kDenied, [] { return done(::mknod(at("pipe").c_str(), S_IFIFO | 0600, 0)); }},
    {"change a mode", kDenied, kDenied, kDenied, [] { return done(::chmod(at("file").c_str(), 0644)); }},
    {"change times", kDenied, kDenied, kDenied, [] { return done(::utimensat(AT_FDCWD, at("file").c_str(), nullptr, 0)); }},
    {"cut a file short by name", kDenied, kDenied, kDenied, [] { return done(::truncate(at("file").c_str(), 0)); }},
    {"look at a file", kDenied, kDone, kDone, [] { struct stat info{}; return done(::stat(at("file").c_str(), &info)); }},
    {"read /proc/self/maps", kDenied, kDone, kDone, [] { return done(::open("/proc/self/maps", O_RDONLY)); }},
    {"write /proc/self/oom_score_adj", kDenied, kDenied, kDenied, [] { return done(::open("/proc/self/oom_score_adj", O_WRONLY)); }, true, true},
    {"open /dev/null", kDenied, kDenied, kDenied, [] { return done(::open("/dev/null", O_RDWR)); }, true, true},
    {"change the directory", kDenied, kDenied, kDenied, [] { return done(::chdir("/")); }},
    {"watch files", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_inotify_init1, 0)); }},
    {"lock a descriptor", kDenied, kDenied, kDenied, [] { return done(::flock(0, LOCK_UN)); }, false},
    // The network and other descriptors.
    {"make an internet socket", kDenied, kDenied, kDenied, [] { return done(::socket(AF_INET, SOCK_STREAM, 0)); }},
    {"make a unix socket", kDenied, kDenied, kDenied, [] { return done(::socket(AF_UNIX, SOCK_STREAM, 0)); }},
    {"make a netlink socket", kDenied, kDenied, kDenied, [] { return done(::socket(AF_NETLINK, SOCK_RAW, 0)); }},
    {"make a pair of sockets", kDenied, kDenied, kDenied, [] { int fds[2]; return done(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds)); }},
    {"make a pipe", kDenied, kDenied, kDenied, [] { int fds[2]; return done(::pipe(fds)); }},
    {"connect", kDenied, kDenied, kDenied, [] { sockaddr address{.sa_family = AF_UNSPEC, .sa_data = {}}; return done(::connect(others.socket, &address, sizeof address)); }, false},
    {"bind", kDenied, kDenied, kDenied, [] { sockaddr address{.sa_family = AF_UNIX, .sa_data = {}}; return done(::bind(others.socket, &address, sizeof address)); }, false},
    {"listen", kDenied, kDenied, kDenied, [] { return done(::listen(others.socket, 1)); }, false},
    {"pass a descriptor on", kDenied, kDenied, kDenied, [] { return done(passed(others.socket)); }},
    {"pass a descriptor to the daemon", kDenied, kDenied, kDenied, [] { return done(passed(3)); }, false},
    {"receive a descriptor", kDenied, kDenied, kDenied, [] { msghdr message{}; return done(::recvmsg(others.socket, &message, MSG_DONTWAIT)); }, false},
    {"send without sendmsg()", kDenied, kDenied, kDenied, [] { return done(::send(others.socket, "x", 1, MSG_NOSIGNAL)); }},
    {"copy a descriptor", kDenied, kDenied, kDenied, [] { return done(::dup(0)); }},
    {"take a descriptor of the daemon", kDenied, kDenied, kDenied, [] { int const pid = static_cast<int>(::syscall(434, others.daemon, 0)); return done(::syscall(438, pid, 0, 0)); }, false},
    {"ask a device", kDenied, kDenied, kDenied, [] { int waiting = 0; return done(::syscall(SYS_ioctl, others.socket, 0x541B, &waiting)); }},
    {"let a descriptor send signals", kDenied, kDenied, kDenied, [] { return done(::fcntl(others.socket, F_SETOWN, others.daemon)); }},
    {"choose the signal of a descriptor", kDenied, kDenied, kDenied, [] { return done(::fcntl(others.socket, F_SETSIG, SIGKILL)); }},
    {"make a descriptor asynchronous", kDenied, kDenied, kDenied, [] { return done(::fcntl(others.socket, F_SETFL, O_ASYNC)); }},
    {"ask for the flags of a descriptor", kDenied, kDone, kDone, [] { return done(::fcntl(0, F_GETFL)); }},
    {"poll", kDenied, kDone, kDone, [] { pollfd one{0, 0, 0}; return done(::syscall(SYS_poll, &one, 1, 0)); }},
    // Processes.
    {"fork", kDenied, kDenied, kDenied, [] { long const child = ::syscall(SYS_fork); if (child == 0) ::_exit(0); return done(child); }},
    {"clone a thread", kDenied, kDenied, kDenied, [] { long const child = ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr); if (child == 0) ::_exit(0); return done(child); }},
    {"clone3", kDenied, kDenied, kDenied, [] { return done(cloned(0)); }},
    {"execute a program", kDenied, kDenied, kDenied, [] { char* const arguments[]{const_cast<char*>("true"), nullptr}; return done(::execve(at("missing").c_str(), arguments, nullptr)) || errno == ENOENT; }},
    {"execute a descriptor", kDenied, kDenied, kDenied, [] { char* const arguments[]{const_cast<char*>("true"), nullptr}; return done(::syscall(SYS_execveat, 0, "missing", arguments, nullptr, 0)) || errno == ENOTDIR; }},
    {"wait for a process", kDenied, kDenied, kDenied, [] { return done(::waitpid(-1, nullptr, WNOHANG)) || errno == ECHILD; }},
    {"trace itself", kDenied, kDenied, kDenied, [] { return done(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }},
    {"trace the neighbour", kDenied, kDenied, kDenied, [] { return done(::ptrace(PTRACE_SEIZE, others.neighbour, nullptr, nullptr)); }, false},
    {"read the memory of the daemon", kDenied, kDenied, kDenied, [] { char byte = 0; iovec const part{&byte, 1}; return done(::process_vm_readv(others.daemon, &part, 1, &part, 1, 0)); }, false},
    {"write the memory of the daemon", kDenied, kDenied, kDenied, [] { char byte = 0; iovec const part{&byte, 1}; return done(::process_vm_writev(others.daemon, &part, 1, &part, 1, 0)); }, false},
    {"read the memory of its parent by kcmp", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_kcmp, others.daemon, others.daemon, 0, 0, 0)); }, false},
    {"open a process", kDenied, kDenied, kDenied, [] { return done(::syscall(434, others.daemon, 0)); }},
    {"leave its session", kDenied, kDenied, kDenied, [] { return done(::setpgid(0, 0)); }},
    {"change its user", kDenied, kDenied, kDenied, [] { return done(::setuid(::getuid())) ; }, false},
    {"take capabilities", kDenied, kDenied, kDenied, [] { std::uint32_t header[2]{0x20080522, 0}; std::uint32_t sets[6]{}; return done(::syscall(SYS_capset, header, sets)); }, false},
    // Signals: only to itself.
    {"signal itself", kDone, kDone, kDone, [] { return done(signalled(SYS_tgkill, ::getpid(), static_cast<pid_t>(::syscall(SYS_gettid)))); }},
    {"signal itself by kill()", kDenied, kDenied, kDenied, [] { return done(signalled(SYS_kill, ::getpid(), 0)); }},
    {"tgkill the daemon", kDenied, kDenied, kDenied, [] { return done(signalled(SYS_tgkill, others.daemon, others.daemon)); }},
    {"tgkill the neighbour", kDenied, kDenied, kDenied, [] { return done(signalled(SYS_tgkill, others.neighbour, others.neighbour)); }},
    {"tgkill its parent", kDenied, kDenied, kDenied, [] { auto const parent = static_cast<pid_t>(::syscall(SYS_getppid)); return done(signalled(SYS_tgkill, parent > 0 ? parent : others.daemon, parent > 0 ? parent : others.daemon)); }},
    {"tgkill the neighbour's thread in its own name", kDenied, kDenied, kDenied, [] { return done(signalled(SYS_tgkill, ::getpid(), others.neighbour)); }, false},
    {"kill the daemon", kDenied, kDenied, kDenied, [] { return done(signalled(SYS_kill, others.daemon, 0)); }},
    {"kill everybody", kDenied, kDenied, kDenied, [] { return done(signalled(SYS_kill, -1, 0)); }, false},
    {"kill its group", kDenied, kDenied, kDenied, [] { return done(signalled(SYS_kill, 0, 0)); }},
    {"tkill the daemon", kDenied, kDenied, kDenied, [] { return done(signalled(SYS_tkill, others.daemon, 0)); }},
    {"queue a signal to the neighbour", kDenied, kDenied, kDenied, [] { return done(queued(SYS_rt_sigqueueinfo)); }},
    {"queue a signal to the neighbour's thread", kDenied, kDenied, kDenied, [] { return done(queued(SYS_rt_tgsigqueueinfo)); }},
    {"signal by descriptor", kDenied, kDenied, kDenied, [] { return done(::syscall(424, 0, 0, nullptr, 0)); }, false},
    {"set an alarm", kDenied, kDenied, kDenied, [] { ::alarm(0); itimerval none{}; return done(::setitimer(ITIMER_REAL, &none, nullptr)); }},
    {"set a timer", kDenied, kDenied, kDenied, [] { int timer = 0; return done(::syscall(SYS_timer_create, 0, nullptr, &timer)); }},
    // Memory: what the limit on data counts, never code.
    {"map private memory", kDone, kDone, kDone, [] { return done(mapped(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)); }},
    {"map its input private", kDone, kDone, kDone, [] { int const fd = 4; return done(mapped(PROT_READ, MAP_PRIVATE, fd)); }, false},
    {"map shared memory", kDenied, kDenied, kDenied, [] { return done(mapped(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS)); }},
    {"map shared memory, validated", kDenied, kDenied, kDenied, [] { return done(mapped(PROT_READ | PROT_WRITE, MAP_SHARED_VALIDATE | MAP_ANONYMOUS)); }, false},
    {"map memory that grows downwards", kDenied, kDenied, kDenied, [] { return done(mapped(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN)); }},
    {"map huge pages", kDenied, kDenied, kDenied, [] { return done(mapped(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB)); }, false},
    {"map locked memory", kDenied, kDenied, kDenied, [] { return done(mapped(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED)); }, false},
    {"map code", kDenied, kDenied, kDenied, [] { return done(mapped(PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS)); }},
    {"make memory code", kDenied, kDenied, kDenied, [] { void* const page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); return done(::mprotect(page, 4096, PROT_READ | PROT_EXEC)); }},
    {"make memory code with a key", kDenied, kDenied, kDenied, [] { void* const page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); return done(::syscall(SYS_pkey_mprotect, page, 4096, PROT_READ | PROT_EXEC, -1)); }},
    {"protect memory", kDone, kDone, kDone, [] { void* const page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); return done(::mprotect(page, 4096, PROT_READ)); }},
    {"make a memory file", kDenied, kDenied, kDenied, [] { return done(::memfd_create("outside the limit", 0)); }},
    {"make secret memory", kDenied, kDenied, kDenied, [] { return done(::syscall(447, 0)); }, false},
    {"make a System V segment", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_shmget, 0, 4096, 0600)); }, false},
    {"lock memory", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_mlockall, MCL_FUTURE)); }, false},
    {"change its personality", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_personality, 0xffffffff)); }},
    // Its limits.
    {"read a limit", kDenied, kDone, kDone, [] { return done(limited(RLIMIT_DATA, 0, false)); }},
    {"set a limit", kDenied, kDenied, kDenied, [] { rlimit const value{1u << 30, 1u << 30}; return done(::setrlimit(RLIMIT_STACK, &value)); }},
    {"set a limit with the old call", kDenied, kDenied, kDenied, [] { rlimit const value{1u << 30, 1u << 30}; return done(::syscall(SYS_setrlimit, RLIMIT_STACK, &value)); }},
    {"set a limit of the neighbour", kDenied, kDenied, kDenied, [] { return done(limited(RLIMIT_STACK, others.neighbour, true)); }},
    {"read a limit of the neighbour", kDenied, kDenied, kDenied, [] { return done(limited(RLIMIT_STACK, others.neighbour, false)); }},
    {"outlive its parent", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_prctl, 1 /*PR_SET_PDEATHSIG*/, 0, 0, 0, 0)); }},
    {"be dumped", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_prctl, 4 /*PR_SET_DUMPABLE*/, 1, 0, 0, 0)); }},
    {"change its priority", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_setpriority, PRIO_PROCESS, 0, 5)); }},
    {"choose its processors", kDenied, kDenied, kDenied, [] { std::uint64_t mask[16]{1}; return done(::syscall(SYS_sched_setaffinity, 0, sizeof mask, mask)); }},
    {"add another filter", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_seccomp, 2 /*SECCOMP_GET_ACTION_AVAIL*/, 0, "\0\0\0")) || errno == EOPNOTSUPP; }},
    // The rest of the kernel.
    {"io_uring", kDenied, kDenied, kDenied, [] { char setup[120]{}; return done(::syscall(425, 1, setup)); }, false},
    {"bpf", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_bpf, 0, nullptr, 0)); }, false},
    {"userfaultfd", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_userfaultfd, 1)); }, false},
    {"perf_event_open", kDenied, kDenied, kDenied, [] { char attributes[128]{}; return done(::syscall(SYS_perf_event_open, attributes, 0, -1, -1, 0)); }, false},
    {"keyctl", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_keyctl, 0, -3, 0)); }, false},
    {"add a key", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_add_key, "user", "x", "x", 1, -2)); }, false},
    {"make a user namespace", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_unshare, 0x10000000)); }, false},
    {"enter a namespace", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_setns, 0, 0)); }, false},
    {"mount", kDenied, kDenied, kDenied, [] { return done(::mount("none", others.folder.c_str(), "nosuch", 0, nullptr)); }, false},
    {"unmount", kDenied, kDenied, kDenied, [] { return done(::umount2(others.folder.c_str(), MNT_DETACH)); }, false},
    {"open a mount tree", kDenied, kDenied, kDenied, [] { return done(::syscall(428, AT_FDCWD, "/", 0)); }, false},
    {"change the root", kDenied, kDenied, kDenied, [] { return done(::chroot(others.folder.c_str())); }, false},
    {"pivot the root", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_pivot_root, ".", ".")); }, false},
    {"load a module", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_finit_module, -1, "", 0)); }, false},
    {"load a kernel", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_kexec_load, 0, 0, nullptr, 1)); }, false},
    {"restart the machine", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_reboot, 0, 0, 0, nullptr)); }, false},
    {"name the machine", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_sethostname, "", -1)); }, false},
    {"read the kernel's log", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_syslog, 10, nullptr, 0)); }, false},
    {"set the clock", kDenied, kDenied, kDenied, [] { return done(::syscall(SYS_clock_settime, -1, nullptr)); }, false},
    {"sleep", kDenied, kDenied, kDenied, [] { timespec const none{}; return done(::syscall(SYS_nanosleep, &none, nullptr)); }},
    {"call by an x32 number", kDenied, kDenied, kDenied, [] { return done(::syscall(0x40000000 | SYS_getpid)); }, false},
    {"open by an x32 number", kDenied, kDenied, kDenied, [] { return done(::syscall(0x40000000 | SYS_openat, AT_FDCWD, at("file").c_str(), O_RDONLY)); }, false},
    {"call a number that is none", kDenied, kDenied, kDenied, [] { return done(::syscall(100'000)); }, false},
    {"call the 32-bit table", kKilled, kKilled, kKilled, [] { return done(compat_getpid()); }, false},
    // What the work needs.
    {"read the clock", kDone, kDone, kDone, [] { timespec now{}; return done(::syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now)); }},
    {"get random bytes", kDone, kDone, kDone, [] { char byte = 0; return done(::syscall(SYS_getrandom, &byte, 1, 0)); }},
    {"grow memory", kDone, kDone, kDone, [] { std::vector<std::string> some; for (int i = 0; i < 8; ++i) some.emplace_back(1u << 20, 'x'); return some.size() == 8; }},
    {"throw", kDone, kDone, kDone, [] { try { throw 1; } catch (int) { return true; } }},
};
// clang-format on

Act const* act_of(std::string_view name) {
    for (Act const& act : kActs) {
        if (act.name == name) return &act;
    }
    return nullptr;
}

/// The work of the jobs of this file.
Result<std::string> try_it(int input_fd, std::string_view request) {
    if (auto const* act = act_of(request)) return std::string{act->act() ? "done" : "denied"};
    if (request == "descriptors") {
        std::string open;
        for (int fd = 0; fd < 64; ++fd) {
            struct stat info{};
            if (is_open(fd, info)) open += std::to_string(fd) + (leads_nowhere(fd) ? "n " : " ");
        }
        return open;
    }
    if (request == "sleep deaf" || request == "stop" || request == "wait") {
        sigset_t all;
        sigfillset(&all);
        ::sigprocmask(SIG_SETMASK, &all, nullptr);
        for (int signal = 1; signal < 32; ++signal) ::signal(signal, SIG_IGN);
        if (request == "stop") ::syscall(SYS_tgkill, ::getpid(), ::getpid(), SIGSTOP);
        pid_t const own = ::getpid();
        if (input_fd >= 0 && ::write(input_fd, &own, sizeof own) < 0) return fail(Errc::not_found, "no input");
        int nobody_wakes = 0;
        for (;;) ::syscall(SYS_futex, &nobody_wakes, 0 /*FUTEX_WAIT*/, 0, nullptr, nullptr, 0);
    }
    if (request == "read only memory") {
        // Pages of zeros are no data, their page tables are: 4 KiB for every 2 MiB looked at.
        constexpr std::size_t kPiece = std::size_t{1} << 30;
        std::size_t pieces = 0;
        while (::mmap(nullptr, kPiece, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED) {
            if (++pieces == 64) break;
        }
        return std::to_string(pieces);
    }
    return fail(Errc::invalid_input, "nobody knows how to " + std::string{request});
}

/// What libgit2 does with files, and what a job may never do to those of others.
Result<std::string> try_in_folder(int input_fd, std::string_view request) {
    auto const worked = [](bool done) { return std::string{done ? "done" : "denied"}; };
    if (request == "work in the folder") {
        int const file = ::open("new", O_CREAT | O_RDWR | O_EXCL, 0600);
        bool const mapped_shared =
            ::ftruncate(file, 4096) == 0 && done(mapped(PROT_READ | PROT_WRITE, MAP_SHARED, file));
        return worked(mapped_shared && ::mkdir("sub", 0700) == 0 && ::rename("new", "sub/moved") == 0 &&
                      ::rename("sub/moved", "kept") == 0 && ::rmdir("sub") == 0);
    }
    if (request == "leave the folder") return worked(done(::open("../file", O_RDONLY)));
    return try_it(input_fd, request);
}

/// A process that is there to be reached, and a folder with something in it.
class Neighbours {
public:
    Neighbours() {
        char name[] = "/tmp/holdfast-walls-XXXXXX";
        others.folder = ::mkdtemp(name);
        for (char const* file : {"file", "removed", "renamed"}) std::ofstream{at(file)} << "text";
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets_) == 0);
        others.socket = sockets_[0];
        others.daemon = ::getpid();
        others.neighbour = ::fork();
        if (others.neighbour == 0) {
            for (;;) ::pause();
        }
    }
    ~Neighbours() {
        ::kill(others.neighbour, SIGKILL);
        ::waitpid(others.neighbour, nullptr, 0);
        for (int const fd : sockets_) ::close(fd);
        std::filesystem::remove_all(others.folder);
    }
    Neighbours(Neighbours const&) = delete;
    Neighbours& operator=(Neighbours const&) = delete;

private:
    int sockets_[2]{-1, -1};
};

bool no_walls() { return true; }
bool reading_command() { return confine_command({.reads_anywhere = true}, {}).has_value(); }
bool writing_command() {
    return confine_command({.reads_anywhere = true, .write_beneath = {others.folder}}, {}).has_value();
}

Ends ends_of(Act const& act, bool (*confine)()) {
    pid_t const child = ::fork();
    if (child == 0) {
        if (!confine()) ::_exit(9);
        ::_exit(act.act() ? 1 : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFEXITED(status)) return Ends::killed;
    CHECK(WEXITSTATUS(status) != 9);
    return WEXITSTATUS(status) == 1 ? Ends::done : Ends::denied;
}

Limits limits_of(std::chrono::seconds wall_max) {
    Limits limits;
    limits.memory_bytes_max = 32u << 20;
    limits.wall_max = wall_max;
    return limits;
}

Limits fetch_limits_here() {
    auto limits = limits_of(std::chrono::seconds{60});
    limits.file_bytes_max = 1u << 20;
    limits.files_max = 64;
    return limits;
}

/// A pipe of which a job gets the end that is written to.
class Pipe {
public:
    Pipe() { REQUIRE(::pipe2(fds_, O_CLOEXEC) == 0); }
    ~Pipe() {
        ::close(fds_[0]);
        close_writer();
    }
    Pipe(Pipe const&) = delete;
    Pipe& operator=(Pipe const&) = delete;
    int writer() const { return fds_[1]; }
    void close_writer() {
        if (fds_[1] >= 0) ::close(fds_[1]);
        fds_[1] = -1;
    }
    pid_t pid() {
        pid_t pid = -1;
        return ::read(fds_[0], &pid, sizeof pid) == static_cast<ssize_t>(sizeof pid) ? pid : -1;
    }
    /// Returns when nobody has the other end any more.
    bool ended() {
        char byte = 0;
        return ::read(fds_[0], &byte, 1) == 0;
    }

private:
    int fds_[2]{-1, -1};
};

std::string first_line(std::string const& path) {
    std::ifstream file{path};
    std::string line;
    std::getline(file, line);
    return line;
}

}  // namespace

TEST_CASE("walls: from inside a job and a command only what the table allows happens", "[sandbox][req:R-22]") {
    // Goal: every forbidden thing fails because of the walls, and what the work needs goes on.
    // Method: each act is tried in a job, in a command that reads, in one that writes, and, where anybody can do it, in a
    // process without walls, where it must succeed: an act that fails anyway would prove nothing.
    Neighbours neighbours;
    auto zygote = Zygote::start({{try_it, limits_of(std::chrono::seconds{60})}});
    REQUIRE(zygote);
    bool const landlock = probe().landlock_abi > 0;
    std::ofstream{at("input")} << "input";
    int const input = ::open(at("input").c_str(), O_RDONLY | O_CLOEXEC);

    for (Act const& act : kActs) {
        CAPTURE(act.name);
        auto const tried = run(*zygote, input, act.name);
        if (act.in_job == Ends::killed) {
            REQUIRE_FALSE(tried);
            CHECK(tried.error().message.find("crashed") != std::string::npos);
        } else {
            REQUIRE(tried);
            CHECK(*tried == (act.in_job == Ends::done ? "done" : "denied"));
        }
        if (act.name == std::string_view{"map its input private"}) continue;  // a command has none
        CHECK(ends_of(act, reading_command) == act.in_command);
        if (landlock || !act.by_landlock) CHECK(ends_of(act, writing_command) == act.in_writing_command);
        if (act.possible) {
            std::filesystem::remove(at("new"));
            std::filesystem::remove(at("folder"));
            CHECK(ends_of(act, no_walls) == Ends::done);
            for (char const* file : {"file", "removed", "renamed"}) std::ofstream{at(file)} << "text";
            for (char const* file : {"new", "folder", "other", "hard", "soft", "pipe"})
                std::filesystem::remove(at(file));
        }
    }

    CHECK(::kill(others.neighbour, 0) == 0);
    CHECK(::kill(zygote->pid(), 0) == 0);
    ::close(input);
}

TEST_CASE("walls: a job that fetches may do what any job may, what a list adds, and files in its folder",
          "[sandbox][req:R-22]") {
    Neighbours neighbours;
    auto zygote = Zygote::start(
        {{try_it, limits_of(std::chrono::seconds{60})}, {try_in_folder, fetch_limits_here(), Role::fetch}});
    REQUIRE(zygote);
    std::filesystem::create_directory(at("own"));
    int const own = ::open(at("own").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    // By seccomp, or by landlock where what is tried is a file outside of the folder.
    constexpr std::string_view kMore[] = {"look at a file", "ask for the flags of a descriptor", "poll",
                                          "read a limit"};
    constexpr std::string_view kByLandlock[] = {
        "open a file to read", "open a file to write", "make a file",          "make a folder",
        "remove a file",       "rename a file",        "read /proc/self/maps", "write /proc/self/oom_score_adj",
        "open /dev/null"};
    bool const landlock = probe().landlock_abi > 0;

    for (Act const& act : kActs) {
        std::string_view const name = act.name;
        CAPTURE(name);
        if (name == "map its input private") continue;   // its input is a folder
        if (name == "send without sendmsg()") continue;  // it talks over sockets that it is given
        if (!landlock && std::ranges::find(kByLandlock, name) != std::end(kByLandlock)) continue;
        auto const tried = run(*zygote, own, name, {.kind = 1});
        bool const more = std::ranges::find(kMore, name) != std::end(kMore);
        if (act.in_job == Ends::killed) {
            REQUIRE_FALSE(tried);
            continue;
        }
        REQUIRE(tried);
        CHECK(*tried == (act.in_job == Ends::done || more ? "done" : "denied"));
    }
    CHECK(run(*zygote, own, "work in the folder", {.kind = 1}).value() == "done");
    CHECK(std::filesystem::exists(at("own/kept")));
    CHECK(run(*zygote, own, "leave the folder", {.kind = 1}).value() == (landlock ? "denied" : "done"));
    ::close(own);
}

TEST_CASE("walls: a job that is deaf to every signal, or stopped, ends by the zygote's clock", "[sandbox][req:R-22]") {
    auto zygote = Zygote::start({{try_it, limits_of(std::chrono::seconds{1})}});
    REQUIRE(zygote);
    for (char const* act : {"sleep deaf", "stop"}) {
        CAPTURE(act);
        auto const tried = run(*zygote, -1, act);
        REQUIRE_FALSE(tried);
        CHECK(tried.error().code == Errc::limit);
        CHECK(tried.error().message == "stopped: more than 1 s of wall-clock time");
    }
}

TEST_CASE("walls: a job ends when nobody waits for it any more", "[sandbox]") {
    auto zygote = Zygote::start({{try_it, limits_of(std::chrono::seconds{0})}});  // no clock
    REQUIRE(zygote);
    Pipe pipe;
    auto socket = zygote->spawn(pipe.writer());
    REQUIRE(socket);
    pipe.close_writer();
    std::uint32_t const size = 4;
    REQUIRE(::write(*socket, &size, sizeof size) == 4);
    REQUIRE(::write(*socket, "wait", 4) == 4);
    pid_t const job = pipe.pid();
    REQUIRE(job > 0);

    // Of its own session and group, and the first that the kernel ends.
    auto const stat = first_line("/proc/" + std::to_string(job) + "/stat");
    CAPTURE(stat);
    auto const own = std::to_string(job);
    CHECK(stat.find(" " + std::to_string(zygote->pid()) + " " + own + " " + own + " ") != std::string::npos);
    if (probe().dies_first) CHECK(first_line("/proc/" + own + "/oom_score_adj") == "1000");

    ::close(*socket);
    CHECK(pipe.ended());
}

TEST_CASE("walls: a job has its two descriptors and nothing that the daemon had open", "[sandbox][req:R-22]") {
    Neighbours neighbours;
    auto zygote = Zygote::start({{try_it, limits_of(std::chrono::seconds{60})}});
    REQUIRE(zygote);
    std::string const streams = kSanitized ? "0n 1n 2 " : "0n 1n 2n ";
    Pipe pipe;

    auto const with = run(*zygote, pipe.writer(), "descriptors");
    auto const without = run(*zygote, -1, "descriptors");

    REQUIRE(with);
    CHECK(*with == streams + "3 4 ");
    REQUIRE(without);
    CHECK(*without == streams + "3 ");
}

TEST_CASE("walls: memory that no limit counts is bounded by address space", "[sandbox]") {
    if (kSanitized) return;
    auto zygote = Zygote::start({{try_it, limits_of(std::chrono::seconds{60})}});
    REQUIRE(zygote);
    auto const pieces = run(*zygote, -1, "read only memory");
    REQUIRE(pieces);
    CHECK((*pieces == "0" || *pieces == "1"));
}

TEST_CASE("walls: each kind of job has its own work and limits, and each job what its order leaves of them",
          "[sandbox]") {
    Work const first = [](int, std::string_view) -> Result<std::string> { return "first"; };
    Work const third = [](int, std::string_view) -> Result<std::string> {
        return std::to_string(std::string(16u << 20, 'x').size());
    };
    Work const second = [](int, std::string_view) -> Result<std::string> { return std::string(100, 'x'); };
    auto small = limits_of(std::chrono::seconds{60});
    small.reply_bytes_max = 10;
    auto zygote = Zygote::start({{first, small},
                                 {second, limits_of(std::chrono::seconds{60})},
                                 {second, small},
                                 {third, limits_of(std::chrono::seconds{60})}});
    REQUIRE(zygote);
    CHECK(run(*zygote, -1, "", {.kind = 0}).value_or("") == "first");
    CHECK(run(*zygote, -1, "", {.kind = 1}).value_or("").size() == 100);
    CHECK_FALSE(run(*zygote, -1, "", {.kind = 2}));
    CHECK_FALSE(run(*zygote, -1, "", {.kind = 1, .reply_bytes_max = 99}));
    if (kSanitized) return;
    auto const cramped = run(*zygote, -1, "", {.kind = 3, .memory_bytes_max = 8u << 20});
    REQUIRE_FALSE(cramped);
    CHECK(cramped.error().message == kOutOfMemory);
    CHECK(run(*zygote, -1, "", {.kind = 3}));
}

TEST_CASE("walls: a folder that is handed over open is all that a process reaches", "[sandbox]") {
    if (probe().landlock_abi == 0) return;
    Neighbours neighbours;
    std::filesystem::create_directory(at("inside"));
    std::ofstream{at("inside/file")} << "text";
    int const folder = ::open(at("inside").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(folder >= 0);
    struct Try {
        char const* path;
        int flags;
        bool opens;
    };
    auto const tried = GENERATE(Try{"inside/file", O_RDONLY, true}, Try{"inside/file", O_RDWR, true},
                                Try{"inside/new", O_CREAT | O_WRONLY, true}, Try{"file", O_RDONLY, false},
                                Try{"new", O_CREAT | O_WRONLY, false}, Try{"inside/../file", O_RDONLY, false});
    CAPTURE(tried.path, tried.flags);
    pid_t const child = ::fork();
    if (child == 0) {
        auto limits = limits_of(std::chrono::seconds{60});
        if (!confine(limits, Role::writing_command, {.folder = folder})) ::_exit(9);
        ::_exit(::open(at(tried.path).c_str(), tried.flags, 0600) >= 0 ? 1 : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(WEXITSTATUS(status) == (tried.opens ? 1 : 0));
    ::close(folder);
}

}  // namespace holdfast::sandbox
