// cache/db/files.cpp: durable renames and replacements of what lies in the state directory.
#include "cache/db/files.hpp"

#include "modules/base/write_all.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace holdfast::cache::db {

namespace {

Result<void> sync_at(std::filesystem::path const& path, int flags) {
    int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0) return file_failed("open", path);
    int const synced = ::fsync(fd);
    ::close(fd);
    if (synced != 0) return file_failed("fsync", path);
    return {};
}

}  // namespace

std::unexpected<Error> file_failed(std::string_view step, std::filesystem::path const& path) {
    int const error = errno;
    auto const code = error == ENOENT || error == ENOTDIR                    ? Errc::not_found
                      : error == ENOSPC || error == EDQUOT                   ? Errc::limit
                      : error == EACCES || error == EPERM || error == EROFS  ? Errc::denied
                      : error == ELOOP || error == EISDIR || error == EEXIST ? Errc::denied
                                                                             : Errc::busy;
    return fail(code, std::string{step} + " " + path.string() + ": " + std::strerror(error));
}

Result<void> replace_file(std::filesystem::path const& path, std::string_view text) {
    auto const next = path.string() + ".new";
    int const fd = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return file_failed("open", next);
    bool const written = write_all(fd, text) && ::fsync(fd) == 0;
    auto failed = file_failed("write", next);
    ::close(fd);
    if (!written) return failed;
    auto moved = move_file(next, path);
    if (!moved) return moved;
    return sync_directory(path);
}

Result<void> move_file(std::filesystem::path const& from, std::filesystem::path const& to) {
    if (std::rename(from.c_str(), to.c_str()) != 0) return file_failed("rename", from);
    return {};
}

Result<void> sync_file(std::filesystem::path const& path) { return sync_at(path, O_NOFOLLOW); }

Result<void> sync_directory(std::filesystem::path const& path) { return sync_at(path.parent_path(), O_DIRECTORY); }

}  // namespace holdfast::cache::db
