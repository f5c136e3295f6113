// modules/sandbox/frames.cpp: reads, writes and descriptors over sockets.
#include "modules/sandbox/frames.hpp"

#include "modules/base/write_all.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>

namespace holdfast::sandbox {

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

namespace {

/// `bytes` and descriptors in one message.
bool send_with(int socket, iovec bytes, int const* fds, std::size_t count) {
    alignas(cmsghdr) char space[CMSG_SPACE(2 * sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(head), fds, count * sizeof(int));
    return ::sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.iov_len);
}

int receive_with(int socket, iovec bytes, std::array<int, 2>& fds) {
    alignas(cmsghdr) char space[CMSG_SPACE(2 * sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    ssize_t const got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (got == 0) return 0;
    if (got < 0) return errno == EINTR ? -1 : 0;
    cmsghdr const* head = CMSG_FIRSTHDR(&message);
    if (head == nullptr || head->cmsg_type != SCM_RIGHTS) return -1;
    int const count = static_cast<int>((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(fds.data(), CMSG_DATA(head), static_cast<std::size_t>(count) * sizeof(int));
    return count;
}

}  // namespace

bool send_order(int control, Order const& order, int const* fds, std::size_t count) {
    Order sent = order;
    return send_with(control, {&sent, sizeof sent}, fds, count);
}

int receive_order(int control, Order& order, std::array<int, 2>& fds) {
    return receive_with(control, {&order, sizeof order}, fds);
}

bool send_descriptor(int socket, char type, int fd) { return send_with(socket, {&type, sizeof type}, &fd, 1); }

int receive_descriptor(int socket, char& type, std::array<int, 2>& fds) {
    return receive_with(socket, {&type, sizeof type}, fds);
}

}  // namespace holdfast::sandbox
