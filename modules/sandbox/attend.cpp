// modules/sandbox/attend.cpp: the frames of a job that is served while it runs, each read under a clock.
#include "modules/sandbox/attend.hpp"

#include "modules/sandbox/frames.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace holdfast::sandbox {

namespace {

constexpr int kAskedMax = 32;
constexpr std::size_t kNameBytesMax = 255;

/// Our end of the job's socket. Closing it ends the job.
class Socket {
public:
    Socket(int fd, Patience const& patience) : fd_{fd}, patience_{patience} {
        ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    }
    ~Socket() { ::close(fd_); }
    Socket(Socket const&) = delete;
    Socket& operator=(Socket const&) = delete;
    int fd() const { return fd_; }

    /// Out  false: the other end is closed
    Result<bool> read(void* into, std::size_t size) {
        for (auto* at = static_cast<char*>(into); size > 0;) {
            ssize_t const got = ::recv(fd_, at, size, MSG_DONTWAIT);
            if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return false;
            if (got > 0) {
                at += got;
                size -= static_cast<std::size_t>(got);
                continue;
            }
            auto waited = wait(POLLIN);
            if (!waited) return fail(std::move(waited));
        }
        return true;
    }

    Result<bool> write(std::string_view bytes) {
        while (!bytes.empty()) {
            ssize_t const sent = ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
            if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
            if (sent >= 0) {
                bytes.remove_prefix(static_cast<std::size_t>(sent));
                continue;
            }
            auto waited = wait(POLLOUT);
            if (!waited) return fail(std::move(waited));
        }
        return true;
    }

private:
    Result<void> wait(short events) {
        constexpr int kStopCheckMs = 100;
        pollfd one{fd_, events, 0};
        ::poll(&one, 1, kStopCheckMs);
        if (patience_.stop.stop_requested()) return fail(Errc::timeout, "context canceled");
        if (std::chrono::steady_clock::now() > patience_.until) return fail(Errc::timeout, "context deadline exceeded");
        return {};
    }

    int fd_;
    Patience const& patience_;
};

/// Type byte, u32 length, bytes.
std::string frame(char type, std::string_view body) {
    auto const size = static_cast<std::uint32_t>(body.size());
    std::string text(1, type);
    text.append(reinterpret_cast<char const*>(&size), sizeof size);
    return text.append(body);
}

Result<int> answer_to(char type, std::string const& question, Attendant& attendant) {
    if (type == 'O') return attendant.open(question.substr(0, kNameBytesMax));
    std::uint16_t port = 0;
    if (question.size() <= sizeof port || question.size() > sizeof port + kNameBytesMax)
        return fail(Errc::invalid_input, "no host");
    std::memcpy(&port, question.data(), sizeof port);
    return attendant.connect(question.substr(sizeof port), port);
}

/// Answers 'C' or 'O'. Out  false: the other end is closed
Result<bool> hand_over(Socket& socket, Result<int> const& answer) {
    if (!answer) {
        auto const& error = answer.error();
        return socket.write(frame('N', static_cast<char>(error.code) + error.message.substr(0, kPieceBytesMax - 1)));
    }
    int const fd = *answer;
    bool const sent = send_descriptor(socket.fd(), 'F', fd);
    ::close(fd);
    return sent;
}

/// One frame of a job.
struct Frame {
    char type = 0;
    std::string body;
};

/// Out  nothing at the end of the stream
Result<std::optional<Frame>> next_frame(Socket& socket, std::size_t bytes_max) {
    std::array<char, 5> head{};
    auto read = socket.read(head.data(), head.size());
    if (!read) return fail(std::move(read));
    if (!*read) return std::nullopt;
    std::uint32_t length = 0;
    std::memcpy(&length, head.data() + 1, sizeof length);
    if (length > bytes_max)
        return fail(Errc::limit, "the job says more than " + std::to_string(bytes_max) + " bytes at once");
    Frame frame{.type = head[0], .body = std::string(length, '\0')};
    read = socket.read(frame.body.data(), length);
    if (!read) return fail(std::move(read));
    if (!*read) return std::nullopt;
    return frame;
}

}  // namespace

Result<std::string> attend(Zygote& zygote, Order order, int folder_fd, std::string_view request, Attendant& attendant,
                           Patience const& patience) {
    auto const limits = zygote.limits(order);
    auto spawned = zygote.spawn(folder_fd, order);
    if (!spawned) return fail(std::move(spawned));
    Socket socket{*spawned, patience};
    auto const size = static_cast<std::uint32_t>(request.size());
    // A job that refuses the request has closed its end; its 'X' frame says why.
    auto sent = socket.write({reinterpret_cast<char const*>(&size), sizeof size});
    if (sent && *sent) sent = socket.write(request);
    if (!sent) return fail(std::move(sent));

    Frame reply;
    std::int32_t wait_status = 0;
    for (int asked = 0;;) {
        auto frame = next_frame(socket, std::max(kPieceBytesMax, limits.reply_bytes_max));
        if (!frame) return fail(std::move(frame));
        // Killed while it wrote: what is left of a frame swallows the zygote's last word.
        if (!*frame) return fail(Errc::limit, "the fetch process ended in the middle of its work");
        auto& [type, body] = **frame;
        if (type == 'X' && body.size() == sizeof wait_status) {
            std::memcpy(&wait_status, body.data(), sizeof wait_status);
            break;
        }
        if (reply.type != 0) return fail(Errc::invalid_input, "the job says something behind its answer");
        if (type == 'D') {
            auto taken = attendant.take(body);
            if (!taken) return fail(std::move(taken));
        } else if (type == 'C' || type == 'O') {
            if (++asked > kAskedMax)
                return fail(Errc::limit, "the job asks for more than " + std::to_string(kAskedMax) + " descriptors");
            auto handed = hand_over(socket, answer_to(type, body, attendant));
            if (!handed) return fail(std::move(handed));
        } else if (type == 'R' || type == 'E') {
            reply = std::move(**frame);
        } else {
            return fail(Errc::invalid_input, "the job says what no job says");
        }
    }
    return outcome(std::move(reply.body), reply.type, wait_status, limits, "fetch");
}

}  // namespace holdfast::sandbox
