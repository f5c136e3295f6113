// modules/sandbox/sandbox.hpp: runs one function over hostile bytes in a process that can do nothing else.
// A zygote is forked before the first thread; each job is a fork of it: own memory and time limits, no
// network, no files, no exec. A crash, a hang or a memory bomb costs that one job.
// Reading order: sandbox.hpp, zygote.cpp (fork and framing), confine.cpp (the walls of a job), calls.cpp (who may call what).
#pragma once

#include "modules/base/error.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace holdfast::sandbox {

/// What a job may use. The numbers hold for one job; the caller bounds how many run at once.
struct Limits {
    std::size_t memory_bytes_max = 64u << 20;  // private memory: the heap and what the program writes to
    std::chrono::seconds cpu_max{10};
    std::chrono::seconds wall_max{20};  // 0: none
    std::size_t request_bytes_max = 4u << 20;
    std::size_t reply_bytes_max = 64u << 20;
    std::size_t file_bytes_max = 0;  // of one file that a job writes
    std::size_t files_max = 16;      // descriptors
};

/// The kinds of confined processes: calls.cpp says which calls each may make beside those that all make.
enum class Role {
    render,           // a job that has its descriptors and nothing else
    command,          // reads files and prints
    writing_command,  // makes files too
    fetch,            // a job that talks over sockets it is given, and keeps files in its folder: see attend.hpp
};

/// The files that a process still opens once its walls stand, where the kernel has landlock; which calls there are for
/// that is its role's. Descriptors that are open stay usable.
struct Reach {
    bool reads_anywhere = false;
    std::string read_beneath;                // only what is beneath this folder; empty: nothing
    std::vector<std::string> write_beneath;  // folders in which files can be made, or their nearest parents
    int folder = -1;                         // an open directory: what is beneath it is read, made, moved and removed
};

/// The work, run inside the job. Returns the reply, or an error that travels back as it is.
/// `input_fd` is readable and positioned at 0, or -1 when the job has no input file; of Role::fetch it is the job's folder,
/// where it stands.
using Work = Result<std::string> (*)(int input_fd, std::string_view request);

/// Which walls this kernel gives; shown on the status page.
struct Confinement {
    bool seccomp = false;
    int landlock_abi = 0;          // 0: not there
    bool landlock_scopes = false;  // no signal and no abstract socket leads out
    bool dies_first = false;       // oom_score_adj: memory that runs out costs a job, not the daemon
};

/// What `confine()` could put up on this machine, found by trying in a child. Call before threads start.
Confinement probe();

/// Takes every right from the calling process that a job of `role` does not need. Never returns to more rights.
/// The wall clock is the zygote's: what runs in here could take one of its own away.
/// Errors  denied     no seccomp in this kernel: nothing hostile may be parsed then
///         not_found  a folder of `reach` cannot be opened
Result<Confinement> confine(Limits const& limits, Role role = Role::render, Reach const& reach = {});

/// One kind of job: its work, what that may use, and the walls around it.
struct Kind {
    Work work;
    Limits limits;
    Role role = Role::render;
};

/// Which job, and what of its kind's limits this one gets: never more than those.
struct Order {
    std::uint32_t kind = 0;  // its place among the zygote's kinds
    std::size_t memory_bytes_max = SIZE_MAX;
    std::size_t reply_bytes_max = SIZE_MAX;
};

/// The parent of all jobs.
class Zygote {
public:
    /// Forks the zygote. Call before the first thread starts and before large memory is touched.
    /// In      a job is asked for by its place among the kinds
    /// Errors  limit  no process or socket left, no /dev/null
    static Result<Zygote> start(std::vector<Kind> kinds);

    Zygote(Zygote&& other) noexcept;
    Zygote& operator=(Zygote&&) = delete;
    ~Zygote();  // ends the zygote; running jobs die with it

    /// Starts a job and returns the socket its frames arrive on (job.hpp). Who closes it ends the job.
    /// Does not block longer than one sendmsg. `input_fd` stays the caller's.
    /// Errors  limit  the zygote is gone (the caller should stop: systemd starts the daemon again)
    Result<int> spawn(int input_fd, Order order = {});

    pid_t pid() const { return pid_; }
    /// Those of the kind, cut to what the order gives.
    Limits limits(Order const& order) const;

private:
    Zygote(pid_t pid, int control_fd, std::vector<Kind> kinds)
        : pid_(pid), control_fd_(control_fd), kinds_(std::move(kinds)) {}

    pid_t pid_;
    int control_fd_;
    std::vector<Kind> kinds_;
};

/// Blocking form of one job, for the command line and tests: spawn, send, wait for the reply.
/// Errors  whatever the work returned; limit: memory, CPU or wall clock; invalid_input: the job crashed
Result<std::string> run(Zygote& zygote, int input_fd, std::string_view request, Order order = {});

/// What a job says that ended for want of memory.
inline constexpr std::string_view kOutOfMemory = "out of memory";

/// Frames on a job's socket. Request: u32 length, bytes. Reply: type byte, u32 length, bytes.
///   'R' the work's reply   'E' error: one byte Errc, then the message   'X' wait status (i32), always last
/// Before that, of Role::fetch:   'D' a piece of the result   'C' u16 port, host, 'O' a name: answered by 'F' with a descriptor, or 'N' with
/// u32 length, one byte Errc and the message
/// The job itself may be what its input made of it: whoever reads takes one 'R' or 'E', no longer than the limits, and 'X'.
///
/// What the last frames of a job mean. 'X' says SIGALRM when the zygote's clock ended it.
/// `what`: how the message calls the process.
Result<std::string> outcome(std::string reply, char reply_type, int wait_status, Limits const& limits,
                            std::string_view what = "render");

}  // namespace holdfast::sandbox
