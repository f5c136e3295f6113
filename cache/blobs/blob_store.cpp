// cache/blobs/blob_store.cpp: temporary file, fsync, rename, fsync of the directory; digest checked on every read.
#include "cache/blobs/blob_store.hpp"

#include "modules/base/assert.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace holdfast::cache {

namespace {

constexpr std::string_view kPrefix = "sha256:";
constexpr std::size_t kHexDigits = 64;
constexpr std::size_t kPieceBytes = 64 << 10;
constexpr std::size_t kShownMax = 80;  // of a text that is no digest
constexpr int kQuarantinedMax = 4;     // enough to look at; the rest is deleted at once

std::unexpected<Error> failed(std::string_view step) {
    int const error = errno;
    auto const code = error == ENOSPC || error == EDQUOT || error == EMFILE || error == ENFILE ? Errc::limit
                      : error == ENOENT || error == ENOTDIR                                    ? Errc::not_found
                      : error == EACCES || error == EPERM || error == EROFS                    ? Errc::denied
                                                                                               : Errc::busy;
    return fail(code, std::string{step} + ": " + std::strerror(error));
}

bool is_name(std::string_view name) {
    return name.size() == kHexDigits && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// "sha256:<hex>" to the file's name. A digest comes from a status in the cluster or from the database: anybody's text.
/// No blob can have another name, so to the caller it is one that is not there.
Result<std::string> name_of(std::string_view digest) {
    if (!digest.starts_with(kPrefix) || !is_name(digest.substr(kPrefix.size()))) {
        return fail(Errc::corrupt, "blob \"" + std::string{digest.substr(0, kShownMax)} +
                                       "\": the digest is not sha256: and 64 hexadecimal digits");
    }
    return std::string{digest.substr(kPrefix.size())};
}

Result<int> open_directory(int parent, std::string const& name) {
    if (::mkdirat(parent, name.c_str(), 0700) != 0 && errno != EEXIST) return failed("create " + name);
    int const fd = ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return failed("open " + name);
    return fd;
}

/// Calls `visit(name)` for every entry but "." and "..".
Result<void> for_each(int directory, std::function<void(std::string const&)> const& visit) {
    int const copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* const stream = copy < 0 ? nullptr : ::fdopendir(copy);
    if (stream == nullptr) return failed("read directory");
    std::unique_ptr<DIR, int (*)(DIR*)> const close{stream, ::closedir};
    for (;;) {
        errno = 0;
        auto const* entry = ::readdir(stream);
        if (entry == nullptr) break;
        std::string const name = entry->d_name;
        if (name != "." && name != "..") visit(name);
    }
    if (errno != 0) return failed("read directory");
    return {};
}

std::uint64_t size_at(int directory, std::string const& name) {
    struct stat info{};
    return ::fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0
               ? static_cast<std::uint64_t>(info.st_size)
               : 0;
}

}  // namespace

Result<std::unique_ptr<BlobStore>> BlobStore::open(std::filesystem::path const& directory, std::uint64_t bytes_max) {
    auto root = open_directory(AT_FDCWD, directory.string());
    if (!root) return fail(std::move(root), "blobs");
    std::unique_ptr<BlobStore> store{new BlobStore{*root, -1, -1, bytes_max}};
    auto tmp = open_directory(*root, "tmp");
    if (!tmp) return fail(std::move(tmp), "blobs");
    store->tmp_ = *tmp;
    auto quarantine = open_directory(*root, "quarantine");
    if (!quarantine) return fail(std::move(quarantine), "blobs");
    store->quarantine_ = *quarantine;
    auto counted = store->count();
    if (!counted) return fail(std::move(counted), "blobs");
    return store;
}

BlobStore::~BlobStore() {
    HOLDFAST_ASSERT(held_.empty());
    for (int fd : {directory_, tmp_, quarantine_}) {
        if (fd >= 0) ::close(fd);
    }
}

Result<void> BlobStore::count() {
    auto emptied = for_each(tmp_, [&](std::string const& name) { ::unlinkat(tmp_, name.c_str(), 0); });
    if (!emptied) return emptied;
    auto counted = for_each(quarantine_, [&](std::string const& name) { bytes_used_ += size_at(quarantine_, name); });
    if (!counted) return counted;
    return for_each(directory_, [&](std::string const& name) {
        if (is_name(name)) bytes_used_ += size_at(directory_, name);
    });
}

Result<void> BlobStore::reserve(std::uint64_t bytes) {
    std::scoped_lock const lock{mutex_};
    if (bytes_used_ + bytes > bytes_max_) {
        return fail(Errc::limit, "the cache is full: " + std::to_string(bytes_used_) + " of " +
                                     std::to_string(bytes_max_) + " bytes are used");
    }
    bytes_used_ += bytes;
    return {};
}

void BlobStore::release(std::uint64_t bytes) {
    std::scoped_lock const lock{mutex_};
    forget(bytes);
}

void BlobStore::forget(std::uint64_t bytes) { bytes_used_ -= std::min(bytes_used_, bytes); }

std::uint64_t BlobStore::bytes_used() const {
    std::scoped_lock const lock{mutex_};
    return bytes_used_;
}

Result<std::unique_ptr<BlobWriter>> BlobStore::begin() {
    std::string name;
    {
        std::scoped_lock const lock{mutex_};
        name = std::to_string(next_tmp_++);
    }
    int const file = ::openat(tmp_, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return failed("blob: create");
    return std::unique_ptr<BlobWriter>{new BlobWriter{*this, std::move(name), file}};
}

bool BlobStore::has(std::string_view digest) const {
    auto const name = name_of(digest);
    return name && ::faccessat(directory_, name->c_str(), R_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<std::uint64_t> BlobStore::size(std::string const& digest) const {
    auto const name = name_of(digest);
    if (!name) return std::unexpected{name.error()};
    struct stat info{};
    if (::fstatat(directory_, name->c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
        return static_cast<std::uint64_t>(info.st_size);
    }
    if (errno == ENOENT) return fail(Errc::corrupt, "blob " + digest + " is missing");
    return failed("blob " + digest);
}

Result<void> BlobStore::read(std::string const& digest, Sink const& sink) {
    auto const name = name_of(digest);
    if (!name) return std::unexpected{name.error()};
    int const file = ::openat(directory_, name->c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0 && errno == ENOENT) return fail(Errc::corrupt, "blob " + digest + " is missing");
    if (file < 0) return failed("blob " + digest);
    std::unique_ptr<int const, void (*)(int const*)> const close{&file, [](int const* fd) { ::close(*fd); }};

    crypto::Sha256 hash;
    auto const buffer = std::make_unique<char[]>(kPieceBytes);
    for (;;) {
        auto const got = ::read(file, buffer.get(), kPieceBytes);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno != EIO) return failed("blob " + digest);
        if (got <= 0) break;  // a sector that cannot be read ends as a wrong digest
        std::string_view const piece{buffer.get(), static_cast<std::size_t>(got)};
        hash.update(piece);
        auto taken = sink(piece);
        if (!taken) return taken;
    }
    auto const found = hash.finish();
    if (crypto::hex(found.data(), found.size()) == *name) return {};
    set_aside(*name);
    return fail(Errc::corrupt, "blob " + digest + " does not match its digest; moved to quarantine");
}

void BlobStore::set_aside(std::string const& name) {
    std::scoped_lock const lock{mutex_};
    int kept = 0;
    auto const counted = for_each(quarantine_, [&](std::string const&) { ++kept; });
    auto const size = size_at(directory_, name);
    auto const replaced = size_at(quarantine_, name);
    if (counted && kept < kQuarantinedMax && ::renameat(directory_, name.c_str(), quarantine_, name.c_str()) == 0) {
        forget(replaced);
    } else if (::unlinkat(directory_, name.c_str(), 0) == 0) {
        forget(size);
    }
    ::fsync(directory_);
}

Result<bool> BlobStore::remove(std::string const& digest) {
    auto const name = name_of(digest);
    if (!name) return true;  // no file has such a name: what called it a blob may forget it
    std::scoped_lock const lock{mutex_};
    if (held_.contains(*name)) return false;
    auto const size = size_at(directory_, *name);
    if (::unlinkat(directory_, name->c_str(), 0) != 0) {
        if (errno == ENOENT) return true;
        return failed("blob " + digest);
    }
    forget(size);
    return true;
}

Result<std::vector<std::string>> BlobStore::list() const {
    std::vector<std::string> digests;
    auto listed = for_each(directory_, [&](std::string const& name) {
        if (is_name(name)) digests.push_back(std::string{kPrefix} + name);
    });
    if (!listed) return fail(std::move(listed), "blobs");
    return digests;
}

BlobWriter::~BlobWriter() {
    if (file_ >= 0) ::close(file_);
    if (name_.empty()) {
        ::unlinkat(store_.tmp_, tmp_name_.c_str(), 0);
        store_.release(size_);
        return;
    }
    std::scoped_lock const lock{store_.mutex_};
    store_.held_.extract(name_);
}

Result<void> BlobWriter::write(std::string_view piece) {
    HOLDFAST_ASSERT(name_.empty());
    auto reserved = store_.reserve(piece.size());
    if (!reserved) return fail(std::move(reserved), "blob");
    size_ += piece.size();  // released by the destructor, written or not
    hash_.update(piece);
    while (!piece.empty()) {
        auto const written = ::write(file_, piece.data(), piece.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return failed("blob: write");
        piece.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Result<std::string> BlobWriter::finish() {
    HOLDFAST_ASSERT(name_.empty());
    if (::fsync(file_) != 0) return failed("blob: fsync");
    auto const digest = hash_.finish();
    auto const name = crypto::hex(digest.data(), digest.size());
    auto published = publish(name);
    if (!published) return fail(std::move(published));
    return std::string{kPrefix} + name;
}

Result<void> BlobWriter::publish(std::string const& name) {
    {
        std::scoped_lock const lock{store_.mutex_};
        auto const replaced = size_at(store_.directory_, name);
        if (::renameat(store_.tmp_, tmp_name_.c_str(), store_.directory_, name.c_str()) != 0)
            return failed("blob: rename");
        store_.forget(replaced);
        store_.held_.insert(name);
        name_ = name;
    }
    if (::fsync(store_.directory_) != 0) return failed("blob: fsync of the directory");
    return {};
}

}  // namespace holdfast::cache
