// modules/base/read_file.cpp: open and read until the end.
#include "modules/base/read_file.hpp"

#include "modules/base/errno_text.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace holdfast {

Result<std::string> read_descriptor(int fd, std::string const& name, std::size_t bytes_max) {
    std::string data;
    char buffer[64 << 10];
    for (;;) {
        auto const got = ::read(fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(Errc::invalid_input, "read " + name + ": " + errno_text(errno));
        if (got == 0) return data;
        data.append(buffer, static_cast<std::size_t>(got));
        if (data.size() > bytes_max)
            return fail(Errc::limit, name + " is larger than " + std::to_string(bytes_max) + " bytes");
    }
}

Result<std::string> read_file(std::string const& path, std::size_t bytes_max) {
    int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail(Errc::not_found, "open " + path + ": " + errno_text(errno));
    auto data = read_descriptor(fd, path, bytes_max);
    ::close(fd);
    return data;
}

}  // namespace holdfast
