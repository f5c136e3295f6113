// modules/base/write_all.cpp: write(2) until nothing is left.
#include "modules/base/write_all.hpp"

#include <cerrno>
#include <poll.h>
#include <unistd.h>

namespace holdfast {

namespace {

/// A pipe or terminal that someone else has set to non-blocking.
bool wait_for_room(int fd) {
    pollfd room{.fd = fd, .events = POLLOUT, .revents = 0};
    return ::poll(&room, 1, -1) >= 0 || errno == EINTR;
}

}  // namespace

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        auto const written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0 && errno == EAGAIN && wait_for_room(fd)) continue;
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

}  // namespace holdfast
