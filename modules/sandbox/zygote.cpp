// modules/sandbox/zygote.cpp: the process that is forked once, early and small, and forks every job from itself.
#include "modules/sandbox/sandbox.hpp"

#include "modules/base/write_all.hpp"
#include "modules/sandbox/walls.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace holdfast::sandbox {

namespace {

constexpr std::size_t kJobsMax = 64;

bool read_all(int fd, void* data, std::size_t size) {
    auto* at = static_cast<char*>(data);
    while (size > 0) {
        ssize_t const got = ::read(fd, at, size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        size -= static_cast<std::size_t>(got);
    }
    return true;
}

bool write_frame(int fd, char type, std::string_view body) {
    std::array<char, 5> head{type};
    auto const size = static_cast<std::uint32_t>(body.size());
    std::memcpy(head.data() + 1, &size, sizeof size);
    return write_all(fd, {head.data(), head.size()}) && write_all(fd, body);
}

/// Sends up to two descriptors with one byte.
bool send_fds(int control, int const* fds, std::size_t count) {
    char byte = static_cast<char>('0' + count);
    iovec part{&byte, 1};
    alignas(cmsghdr) char space[CMSG_SPACE(2 * sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(head), fds, count * sizeof(int));
    return ::sendmsg(control, &message, MSG_NOSIGNAL) == 1;
}

/// 0 at the end of the stream, else the number of descriptors received; -1 when nothing usable came.
int receive_fds(int control, std::array<int, 2>& fds) {
    char byte = 0;
    iovec part{&byte, 1};
    alignas(cmsghdr) char space[CMSG_SPACE(2 * sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    ssize_t const got = ::recvmsg(control, &message, MSG_CMSG_CLOEXEC);
    if (got == 0) return 0;
    if (got < 0) return errno == EINTR ? -1 : 0;
    cmsghdr const* head = CMSG_FIRSTHDR(&message);
    if (head == nullptr || head->cmsg_type != SCM_RIGHTS) return -1;
    int const count = static_cast<int>((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(fds.data(), CMSG_DATA(head), static_cast<std::size_t>(count) * sizeof(int));
    return count;
}

/// The whole life of a job. Never returns.
[[noreturn]] void live(Work work, Limits const& limits, int socket, int input_fd) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_NAME, "holdfast-job");
    for (int const signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTERM}) ::signal(signal, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    auto confined = confine(limits);
    if (!confined) {
        write_frame(socket, 'E', std::string{static_cast<char>(confined.error().code)} + confined.error().message);
        ::_exit(1);
    }
    std::uint32_t size = 0;
    if (!read_all(socket, &size, sizeof size) || size > limits.request_bytes_max) ::_exit(1);
    try {
        std::string request(size, '\0');
        if (!read_all(socket, request.data(), size)) ::_exit(1);
        auto reply = work(input_fd, request);
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
        constexpr std::string_view kOut = "\x06"
                                          "out of memory";
        static_assert(static_cast<int>(Errc::limit) == 6);
        write_frame(socket, 'E', kOut);
    } catch (std::exception const& error) {
        write_frame(socket, 'E', std::string{static_cast<char>(Errc::invalid_input)} + error.what());
    }
    ::_exit(0);
}

struct Job {
    pid_t pid;
    int socket;
};

/// Tells the daemon how each ended job ended.
void reap(std::vector<Job>& jobs) {
    int status = 0;
    for (pid_t pid = ::waitpid(-1, &status, WNOHANG); pid > 0; pid = ::waitpid(-1, &status, WNOHANG)) {
        for (auto job = jobs.begin(); job != jobs.end(); ++job) {
            if (job->pid != pid) continue;
            std::int32_t const wait_status = status;
            write_frame(job->socket, 'X', {reinterpret_cast<char const*>(&wait_status), sizeof wait_status});
            ::close(job->socket);
            jobs.erase(job);
            break;
        }
    }
}

/// The zygote's loop: one byte with descriptors starts a job, the end of the stream ends everything.
[[noreturn]] void serve(Work work, Limits const& limits, int control) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_NAME, "holdfast-zygote");
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGINT, SIG_IGN);  // the daemon decides when the zygote ends
    ::signal(SIGTERM, SIG_IGN);
    sigset_t child_ended;
    sigemptyset(&child_ended);
    sigaddset(&child_ended, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &child_ended, nullptr);
    int const signals = ::signalfd(-1, &child_ended, SFD_CLOEXEC | SFD_NONBLOCK);
    std::vector<Job> jobs;
    jobs.reserve(kJobsMax);
    for (;;) {
        std::array<pollfd, 2> waiting{{{control, POLLIN, 0}, {signals, POLLIN, 0}}};
        if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) ::_exit(1);
        if (waiting[1].revents != 0) {
            signalfd_siginfo info;
            while (::read(signals, &info, sizeof info) > 0) {}
            reap(jobs);
        }
        if (waiting[0].revents == 0) continue;
        std::array<int, 2> fds{-1, -1};
        int const count = receive_fds(control, fds);
        if (count == 0) ::_exit(0);
        if (count < 0) continue;
        pid_t const pid = jobs.size() < kJobsMax ? ::fork() : -1;
        if (pid == 0) {
            ::close(control);
            ::close(signals);
            for (Job const& other : jobs) ::close(other.socket);
            live(work, limits, fds[0], fds[1]);
        }
        if (fds[1] >= 0) ::close(fds[1]);
        if (pid > 0) {
            jobs.push_back({pid, fds[0]});
        } else {
            ::close(fds[0]);  // the daemon sees a socket without any frame
        }
    }
}

}  // namespace

Result<Zygote> Zygote::start(Work work, Limits const& limits) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return fail(Errc::limit, std::string{"sandbox: socketpair: "} + std::strerror(errno));
    }
    pid_t const pid = ::fork();
    if (pid < 0) {
        ::close(pair[0]);
        ::close(pair[1]);
        return fail(Errc::limit, std::string{"sandbox: fork: "} + std::strerror(errno));
    }
    if (pid == 0) {
        ::close(pair[0]);
        serve(work, limits, pair[1]);
    }
    ::close(pair[1]);
    return Zygote{pid, pair[0], limits};
}

Zygote::Zygote(Zygote&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), control_fd_(std::exchange(other.control_fd_, -1)), limits_(other.limits_) {}

Zygote::~Zygote() {
    if (control_fd_ >= 0) ::close(control_fd_);
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
}

Result<int> Zygote::spawn(int input_fd) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return fail(Errc::limit, std::string{"sandbox: socketpair: "} + std::strerror(errno));
    }
    int const fds[2]{pair[1], input_fd};
    bool const sent = send_fds(control_fd_, fds, input_fd >= 0 ? 2 : 1);
    ::close(pair[1]);
    if (sent) return pair[0];
    ::close(pair[0]);
    return fail(Errc::limit, "sandbox: the render process is gone");
}

Result<std::string> outcome(std::string reply, char reply_type, int wait_status, Limits const& limits) {
    if (reply_type == 'R') return reply;
    if (reply_type == 'E' && !reply.empty()) {
        return fail(static_cast<Errc>(reply[0]), reply.substr(1));
    }
    if (WIFSIGNALED(wait_status)) {
        switch (WTERMSIG(wait_status)) {
            case SIGXCPU:
            case SIGKILL: return fail(Errc::limit, walls::over(limits.cpu_max, "CPU time"));
            case SIGALRM: return fail(Errc::limit, walls::over(limits.wall_max, "wall-clock time"));
            default:
                return fail(Errc::invalid_input,
                            std::string{"the render process crashed ("} + ::strsignal(WTERMSIG(wait_status)) + ")");
        }
    }
    return fail(Errc::limit, "the render process could not be started");
}

Result<std::string> run(Zygote& zygote, int input_fd, std::string_view request) {
    auto socket = zygote.spawn(input_fd);
    if (!socket) return fail(std::move(socket));
    auto const size = static_cast<std::uint32_t>(request.size());
    // A job that refuses the request has closed its end; its 'X' frame says why.
    if (write_all(*socket, {reinterpret_cast<char const*>(&size), sizeof size})) write_all(*socket, request);
    std::string reply;
    char reply_type = 0;
    int wait_status = 0;
    for (;;) {
        std::array<char, 5> head{};
        if (!read_all(*socket, head.data(), head.size())) break;
        std::uint32_t length = 0;
        std::memcpy(&length, head.data() + 1, sizeof length);
        if (length > zygote.limits().reply_bytes_max) break;
        std::string body(length, '\0');
        if (!read_all(*socket, body.data(), length)) break;
        if (head[0] == 'X' && body.size() == sizeof(std::int32_t)) {
            std::memcpy(&wait_status, body.data(), sizeof wait_status);
            break;
        }
        reply_type = head[0];
        reply = std::move(body);
    }
    ::close(*socket);
    return outcome(std::move(reply), reply_type, wait_status, zygote.limits());
}

}  // namespace holdfast::sandbox
