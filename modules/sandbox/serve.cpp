// modules/sandbox/serve.cpp: the life of the zygote and of each job that it forks from itself.
#include "modules/sandbox/serve.hpp"

#include "modules/base/sanitized.hpp"
#include "modules/sandbox/frames.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <poll.h>
#include <span>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::sandbox {

namespace {

constexpr std::size_t kJobsMax = 64;
constexpr int kSocket = kJobSocket, kInput = kJobInput;

/// Nothing of what the zygote and the daemon hold is left: 0 to 2 lead nowhere, kSocket to the daemon, kInput to the input.
bool keep_only(int null, int socket, int input_fd) {
    constexpr int kAbove = 8;
    int const socket_copy = ::fcntl(socket, F_DUPFD, kAbove);
    int const input_copy = input_fd < 0 ? -1 : ::fcntl(input_fd, F_DUPFD, kAbove);
    // A sanitizer's last words are worth more than silence.
    for (int fd = 0; fd <= (kSanitized ? 1 : 2); ++fd) {
        if (::dup2(null, fd) < 0) return false;
    }
    if (::dup2(socket_copy, kSocket) < 0 || (input_fd >= 0 && ::dup2(input_copy, kInput) < 0)) return false;
    ::closefrom(input_fd < 0 ? kInput : kInput + 1);
    return true;
}

/// The whole life of a job. Never returns.
[[noreturn]] void live(Kind const& kind, Limits const& limits, int null, int inherited_socket, int inherited_input) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_NAME, "holdfast-job");
    ::setsid();
    for (int const signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTERM}) ::signal(signal, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (!keep_only(null, inherited_socket, inherited_input)) ::_exit(1);
    int const socket = kSocket;
    int const input_fd = inherited_input < 0 ? -1 : kInput;
    // A job that fetches works in its folder, and has no other files.
    bool const has_folder = kind.role == Role::fetch;
    if (has_folder && ::fchdir(input_fd) != 0) ::_exit(1);
    auto confined = confine(limits, kind.role, Reach{.folder = has_folder ? input_fd : -1});
    if (!confined) {
        write_frame(socket, 'E', std::string{static_cast<char>(confined.error().code)} + confined.error().message);
        ::_exit(1);
    }
    std::uint32_t size = 0;
    if (!read_all(socket, &size, sizeof size) || size > limits.request_bytes_max) ::_exit(1);
    try {
        std::string request(size, '\0');
        if (!read_all(socket, request.data(), size)) ::_exit(1);
        auto reply = kind.work(input_fd, request);
        if (reply && reply->size() <= limits.reply_bytes_max) {
            write_frame(socket, 'R', *reply);
        } else if (reply) {
            write_frame(socket, 'E',
                        std::string{static_cast<char>(Errc::limit)} + "the result is larger than " +
                            std::to_string(limits.reply_bytes_max) + " bytes");
        } else {
            write_frame(socket, 'E', std::string{static_cast<char>(reply.error().code)} + reply.error().message);
        }
    } catch (std::bad_alloc const&) {
        // No allocation here: the frame is built from constants.
        std::array<char, 1 + kOutOfMemory.size()> words{static_cast<char>(Errc::limit)};
        std::copy(kOutOfMemory.begin(), kOutOfMemory.end(), words.begin() + 1);
        write_frame(socket, 'E', {words.data(), words.size()});
    } catch (std::exception const& error) {
        write_frame(socket, 'E', std::string{static_cast<char>(Errc::invalid_input)} + error.what());
    }
    ::_exit(0);
}

using Clock = std::chrono::steady_clock;

struct Job {
    pid_t pid;
    int socket;
    Clock::time_point ends_at;
    std::chrono::seconds cpu_max;
    bool killed = false;
    bool overdue = false;
};

/// The kernel kills at the limit of processor time with the same signal as anybody else. It counts the ticks at which the job ran,
/// while rusage has what it ran between them: on a busy machine the two are far apart.
bool was_cpu_limit(Job const& job, rusage const& usage) {
    using std::chrono::microseconds, std::chrono::seconds;
    constexpr int kApart = 2;
    auto const used = seconds{usage.ru_utime.tv_sec + usage.ru_stime.tv_sec} +
                      microseconds{usage.ru_utime.tv_usec + usage.ru_stime.tv_usec};
    return kApart * used >= job.cpu_max;
}

/// Never waits for the daemon, nor for room that a job has filled: whoever misses the last frame sees the end of the stream.
void say_last(int socket, std::int32_t wait_status) {
    std::array<char, 9> frame{'X', sizeof wait_status};
    std::memcpy(frame.data() + 5, &wait_status, sizeof wait_status);
    ::send(socket, frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    ::close(socket);
}

/// Tells the daemon how each ended job ended.
void reap(std::vector<Job>& jobs) {
    int status = 0;
    rusage usage{};
    for (pid_t pid = ::wait4(-1, &status, WNOHANG, &usage); pid > 0; pid = ::wait4(-1, &status, WNOHANG, &usage)) {
        auto const job = std::ranges::find(jobs, pid, &Job::pid);
        if (job == jobs.end()) continue;
        bool const by_limit = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && was_cpu_limit(*job, usage);
        say_last(job->socket, job->overdue ? SIGALRM : by_limit ? SIGXCPU : status);
        jobs.erase(job);
    }
}

/// The clock is here and not in the job, which could block or ignore any signal but this one.
void end_overdue(std::vector<Job>& jobs) {
    auto const now = Clock::now();
    for (Job& job : jobs) {
        if (job.killed || job.ends_at > now) continue;
        job.killed = job.overdue = true;
        ::kill(job.pid, SIGKILL);
    }
}

/// Milliseconds until a job is overdue; -1: none will be.
int until_overdue(std::vector<Job> const& jobs) {
    auto next = Clock::time_point::max();
    for (Job const& job : jobs) {
        if (!job.killed) next = std::min(next, job.ends_at);
    }
    if (next == Clock::time_point::max()) return -1;
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));  // asked again until it is so
}

/// A job that nobody waits for any more holds memory for nothing.
void end_abandoned(std::vector<Job>& jobs, std::span<pollfd const> heard) {
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (jobs[i].killed || (heard[i].revents & (POLLHUP | POLLERR)) == 0) continue;
        jobs[i].killed = true;
        ::kill(jobs[i].pid, SIGKILL);
    }
}

/// SIGCHLD as a descriptor.
int ends_of_children() {
    sigset_t child_ended;
    sigemptyset(&child_ended);
    sigaddset(&child_ended, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &child_ended, nullptr);
    return ::signalfd(-1, &child_ended, SFD_CLOEXEC | SFD_NONBLOCK);
}

}  // namespace

void serve(std::vector<Kind> const& kinds, int control, int null) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_NAME, "holdfast-zygote");
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGINT, SIG_IGN);  // the daemon decides when the zygote ends
    ::signal(SIGTERM, SIG_IGN);
    int const signals = ends_of_children();
    std::vector<Job> jobs;
    jobs.reserve(kJobsMax);
    std::vector<pollfd> waiting;
    waiting.reserve(2 + kJobsMax);
    for (;;) {
        waiting.assign({{control, POLLIN, 0}, {signals, POLLIN, 0}});
        for (Job const& job : jobs) waiting.push_back({job.killed ? -1 : job.socket, 0, 0});
        if (::poll(waiting.data(), waiting.size(), until_overdue(jobs)) < 0 && errno != EINTR) ::_exit(1);
        end_abandoned(jobs, std::span{waiting}.subspan(2));
        end_overdue(jobs);
        if (waiting[1].revents != 0) {
            signalfd_siginfo info;
            while (::read(signals, &info, sizeof info) > 0) {}
            reap(jobs);
        }
        if (waiting[0].revents == 0) continue;
        Order order;
        std::array<int, 2> fds{-1, -1};
        int const count = receive_order(control, order, fds);
        if (count == 0) ::_exit(0);
        if (count < 0) continue;
        auto const* const kind = order.kind < kinds.size() ? &kinds[order.kind] : nullptr;
        pid_t const pid = kind && jobs.size() < kJobsMax ? ::fork() : -1;
        if (pid == 0) live(*kind, limits_of(*kind, order), null, fds[0], fds[1]);
        if (fds[1] >= 0) ::close(fds[1]);
        if (pid > 0) {
            auto const wall_max = kind->limits.wall_max;
            jobs.push_back({.pid = pid,
                            .socket = fds[0],
                            .ends_at = wall_max.count() == 0 ? Clock::time_point::max() : Clock::now() + wall_max,
                            .cpu_max = kind->limits.cpu_max});
        } else {
            ::close(fds[0]);  // the daemon sees a socket without any frame
        }
    }
}

}  // namespace holdfast::sandbox
