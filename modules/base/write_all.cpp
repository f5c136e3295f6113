// modules/base/write_all.cpp: write(2) until nothing is left.
#include "modules/base/write_all.hpp"

#include <cerrno>
#include <unistd.h>

namespace holdfast {

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        auto const written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

}  // namespace holdfast
