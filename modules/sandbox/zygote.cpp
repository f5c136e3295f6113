// modules/sandbox/zygote.cpp: the daemon's side of the process that is forked once, early and small, and forks every job.
#include "modules/sandbox/sandbox.hpp"

#include "modules/base/write_all.hpp"
#include "modules/sandbox/frames.hpp"
#include "modules/sandbox/serve.hpp"
#include "modules/sandbox/walls.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace holdfast::sandbox {

namespace {
constexpr std::size_t kMessageBytesMax = 64u << 10;  // an error ends in a condition
}

Result<Zygote> Zygote::start(std::vector<Kind> kinds) {
    int const null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) return fail(Errc::limit, std::string{"sandbox: open /dev/null: "} + std::strerror(errno));
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        ::close(null);
        return fail(Errc::limit, std::string{"sandbox: socketpair: "} + std::strerror(errno));
    }
    pid_t const pid = ::fork();
    if (pid == 0) {
        ::close(pair[0]);
        serve(kinds, pair[1], null);
    }
    ::close(null);
    ::close(pair[1]);
    if (pid > 0) return Zygote{pid, pair[0], std::move(kinds)};
    ::close(pair[0]);
    return fail(Errc::limit, std::string{"sandbox: fork: "} + std::strerror(errno));
}

Zygote::Zygote(Zygote&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), control_fd_(std::exchange(other.control_fd_, -1)),
      kinds_(std::move(other.kinds_)) {}

Zygote::~Zygote() {
    if (control_fd_ >= 0) ::close(control_fd_);
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
}

Limits Zygote::limits(Order const& order) const { return limits_of(kinds_[order.kind], order); }

Result<int> Zygote::spawn(int input_fd, Order order) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return fail(Errc::limit, std::string{"sandbox: socketpair: "} + std::strerror(errno));
    }
    int const fds[2]{pair[1], input_fd};
    bool const sent = send_order(control_fd_, order, fds, input_fd >= 0 ? 2 : 1);
    ::close(pair[1]);
    if (sent) return pair[0];
    ::close(pair[0]);
    return fail(Errc::limit, "sandbox: the render process is gone");
}

Result<std::string> outcome(std::string reply, char reply_type, int wait_status, Limits const& limits,
                            std::string_view what) {
    if (reply_type == 'R') return reply;
    if (reply_type == 'E' && !reply.empty()) {
        auto const code = static_cast<Errc>(reply[0]);  // what a job says may be anything
        bool const known = code >= Errc::offline && code <= Errc::corrupt;
        return fail(known ? code : Errc::invalid_input, reply.substr(1, kMessageBytesMax));
    }
    if (WIFSIGNALED(wait_status)) {
        switch (WTERMSIG(wait_status)) {
            case SIGXCPU: return fail(Errc::limit, walls::over(limits.cpu_max, "CPU time"));
            case SIGKILL:
                return fail(Errc::busy,
                            "the " + std::string{what} +
                                " process was killed, by nothing of ours: the machine may be short of memory");
            case SIGALRM: return fail(Errc::limit, walls::over(limits.wall_max, "wall-clock time"));
            default:
                return fail(Errc::invalid_input, "the " + std::string{what} + " process crashed (" +
                                                     ::strsignal(WTERMSIG(wait_status)) + ")");
        }
    }
    return fail(Errc::limit, "the " + std::string{what} + " process could not be started");
}

Result<std::string> run(Zygote& zygote, int input_fd, std::string_view request, Order order) {
    auto socket = zygote.spawn(input_fd, order);
    auto const limits = zygote.limits(order);
    if (!socket) return fail(std::move(socket));
    auto const size = static_cast<std::uint32_t>(request.size());
    // A job that refuses the request has closed its end; its 'X' frame says why.
    if (write_all(*socket, {reinterpret_cast<char const*>(&size), sizeof size})) write_all(*socket, request);
    std::string reply;
    char reply_type = 0;
    std::int32_t wait_status = 0;
    for (;;) {
        std::array<char, 5> head{};
        if (!read_all(*socket, head.data(), head.size())) break;
        std::uint32_t length = 0;
        std::memcpy(&length, head.data() + 1, sizeof length);
        if (length > (reply_type == 0 ? limits.reply_bytes_max : sizeof wait_status)) break;
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
    return outcome(std::move(reply), reply_type, wait_status, limits);
}

}  // namespace holdfast::sandbox
