// modules/sandbox/sandbox.hpp: runs one function over hostile bytes in a process that can do nothing else.
// A zygote is forked before the first thread; each job is a fork of it: own memory and time limits, no
// network, no files, no exec. A crash, a hang or a memory bomb costs that one job.
// Reading order: sandbox.hpp, zygote.cpp (fork and framing), confine.cpp (limits, seccomp, landlock).
#pragma once

#include "modules/base/error.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace holdfast::sandbox {

/// What a job may use. The numbers hold for one job; the caller bounds how many run at once.
struct Limits {
    std::size_t memory_bytes_max = 64u << 20;  // private memory: the heap and what the program writes to
    std::chrono::seconds cpu_max{10};
    std::chrono::seconds wall_max{20};  // 0: none
    std::size_t request_bytes_max = 4u << 20;
    std::size_t reply_bytes_max = 64u << 20;
};

/// The work, run inside the job. Returns the reply, or an error that travels back as it is.
/// `input_fd` is readable and positioned at 0, or -1 when the job has no input file.
using Work = Result<std::string> (*)(int input_fd, std::string_view request);

/// Which walls this kernel gives; shown on the status page.
struct Confinement {
    bool seccomp = false;
    int landlock_abi = 0;  // 0: not there
};

/// What `confine()` could put up on this machine, found by trying in a child. Call before threads start.
Confinement probe();

/// Takes every right from the calling process that a job does not need. Never returns to more rights.
/// Errors  denied  no seccomp in this kernel: nothing hostile may be parsed then
Result<Confinement> confine(Limits const& limits);

/// The parent of all jobs.
class Zygote {
public:
    /// Forks the zygote. Call before the first thread starts and before large memory is touched.
    /// Errors  limit  no process or socket left
    static Result<Zygote> start(Work work, Limits const& limits);

    Zygote(Zygote&& other) noexcept;
    Zygote& operator=(Zygote&&) = delete;
    ~Zygote();  // ends the zygote; running jobs die with it

    /// Starts a job and returns the socket its frames arrive on; read them with read_reply (job.hpp).
    /// Does not block longer than one sendmsg. `input_fd` stays the caller's.
    /// Errors  limit  the zygote is gone (the caller should stop: systemd starts the daemon again)
    Result<int> spawn(int input_fd);

    pid_t pid() const { return pid_; }
    Limits const& limits() const { return limits_; }

private:
    Zygote(pid_t pid, int control_fd, Limits limits) : pid_(pid), control_fd_(control_fd), limits_(limits) {}

    pid_t pid_;
    int control_fd_;
    Limits limits_;
};

/// Blocking form of one job, for the command line and tests: spawn, send, wait for the reply.
/// Errors  whatever the work returned; limit: memory, CPU or wall clock; invalid_input: the job crashed
Result<std::string> run(Zygote& zygote, int input_fd, std::string_view request);

/// Frames on a job's socket. Request: u32 length, bytes. Reply: type byte, u32 length, bytes.
///   'R' the work's reply   'E' error: one byte Errc, then the message   'X' wait status (i32), always last
///
/// What the last frames of a job mean. `frames` without 'X' means that the zygote died.
Result<std::string> outcome(std::string reply, char reply_type, int wait_status, Limits const& limits);

}  // namespace holdfast::sandbox
