// modules/base/memory_file.cpp: memfd_create, its seals and its mapping.
#include "modules/base/memory_file.hpp"

#include "modules/base/write_all.hpp"

#include <fcntl.h>
#include <memory>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>
#include <utility>

namespace holdfast {

static constexpr std::size_t kPieceBytes = 64u << 10;

MemoryFile::MemoryFile(MemoryFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), size_(std::exchange(other.size_, 0)) {}

MemoryFile& MemoryFile::operator=(MemoryFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(size_, other.size_);
    return *this;
}

MemoryFile::~MemoryFile() {
    if (fd_ >= 0) ::close(fd_);
}

Result<MemoryFile> MemoryFile::create() {
    MemoryFile file;
    file.fd_ = ::memfd_create("holdfast-input", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file.fd_ < 0) return fail(Errc::limit, "no memory file");
    return file;
}

Result<void> MemoryFile::append(std::string_view bytes) {
    if (!write_all(fd_, bytes)) return fail(Errc::limit, "no memory for the input of a render");
    size_ += bytes.size();
    return {};
}

Result<void> MemoryFile::append(MemoryFile const& other) {
    off_t from = 0;
    while (static_cast<std::size_t>(from) < other.size_) {
        ssize_t const sent = ::sendfile(fd_, other.fd_, &from, other.size_ - static_cast<std::size_t>(from));
        if (sent <= 0) return fail(Errc::limit, "no memory for the input of a render");
        size_ += static_cast<std::size_t>(sent);
    }
    return {};
}

Result<void> MemoryFile::each(std::function<Result<void>(std::string_view piece)> const& sink) const {
    auto const buffer = std::make_unique<char[]>(kPieceBytes);
    for (std::size_t at = 0; at < size_;) {
        auto const got = ::pread(fd_, buffer.get(), kPieceBytes, static_cast<off_t>(at));
        if (got <= 0) return fail(Errc::corrupt, "a memory file cannot be read");
        auto taken = sink({buffer.get(), static_cast<std::size_t>(got)});
        if (!taken) return taken;
        at += static_cast<std::size_t>(got);
    }
    return {};
}

void MemoryFile::seal() {
    ::fcntl(fd_, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
    ::lseek(fd_, 0, SEEK_SET);
}

Mapping::Mapping(Mapping&& other) noexcept
    : start_(std::exchange(other.start_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Mapping::~Mapping() {
    if (size_ > 0) ::munmap(start_, size_);
}

Result<Mapping> Mapping::of(int fd) {
    off_t const size = ::lseek(fd, 0, SEEK_END);  // a worker may not call what fstat() calls
    if (size < 0) return fail(Errc::corrupt, "the input of the render cannot be read");
    if (size == 0) return Mapping{nullptr, 0};
    void* const start = ::mmap(nullptr, static_cast<std::size_t>(size), PROT_READ, MAP_PRIVATE, fd, 0);
    if (start == MAP_FAILED) return fail(Errc::corrupt, "the input of the render cannot be read");
    return Mapping{start, static_cast<std::size_t>(size)};
}

}  // namespace holdfast
