// cache/db/ballast.cpp: a file of blocks that are really there.
#include "cache/db/ballast.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace holdfast::cache::db {

static constexpr off_t kBallastBytes = 2 << 20;

Ballast::Ballast(std::filesystem::path const& database)
    : file_(std::filesystem::path{database}.replace_extension(".room")), log_(database.string() + "-wal") {}

Result<void> Ballast::hold() {
    if (is_held_) return {};
    std::error_code ec;
    auto const log_bytes = std::filesystem::file_size(log_, ec);
    int const fd = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int failed = fd < 0 ? errno : ::posix_fallocate(fd, 0, kBallastBytes);
    if (fd >= 0 && failed != 0 && ::ftruncate(fd, 0) != 0) failed = errno;
    if (fd >= 0) ::close(fd);
    if (failed == 0) {
        is_held_ = true;
        return {};
    }
    if (!ec && log_bytes >= static_cast<std::uintmax_t>(kBallastBytes)) return {};  // overwritten in place
    bool const is_full = failed == ENOSPC || failed == EDQUOT || failed == EFBIG;
    return fail(is_full ? Errc::limit : Errc::denied,
                is_full ? "the disk is full" : file_.string() + ": " + std::strerror(failed));
}

void Ballast::release() {
    is_held_ = false;
    std::error_code ignored;
    std::filesystem::remove(file_, ignored);
}

}  // namespace holdfast::cache::db
