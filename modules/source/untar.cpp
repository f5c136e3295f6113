// modules/source/untar.cpp: libarchive's tar reader behind checks of every path, kind and size.
#include "modules/source/untar.hpp"

#include "modules/base/assert.hpp"
#include "modules/base/write_all.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <set>

namespace holdfast::source {

namespace {

struct CloseArchive {
    void operator()(archive* reader) const { archive_read_free(reader); }
};
using ArchivePtr = std::unique_ptr<archive, CloseArchive>;

/// Where entries go. `path` is clean: relative, no "." or "..", no trailing "/".
class Receiver {
public:
    virtual ~Receiver() = default;
    virtual Result<void> directory(std::string const& path) = 0;
    virtual Result<void> begin_file(std::string const& path, bool executable) = 0;
    virtual Result<void> content(std::string_view piece) = 0;
    virtual Result<void> end_file() = 0;
};

bool is_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        auto const lead = static_cast<unsigned char>(text[i]);
        std::size_t const more = lead < 0x80                   ? 0
                                 : lead >= 0xC2 && lead < 0xE0 ? 1
                                 : lead >= 0xE0 && lead < 0xF0 ? 2
                                 : lead >= 0xF0 && lead < 0xF5 ? 3
                                                               : 4;
        if (more == 4 || i + more >= text.size() + (more == 0 ? 1 : 0)) return false;
        for (std::size_t k = 1; k <= more; ++k) {
            if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
        }
        i += more + 1;
    }
    return true;
}

/// "./a//b/" becomes "a/b"; the root itself becomes "".
Result<std::string> clean_path(std::string_view raw, UntarLimits const& limits) {
    if (raw.empty()) return fail(Errc::invalid_input, "an entry without a name");
    if (raw.size() > limits.path_bytes_max)
        return fail(Errc::limit, "a path is longer than " + std::to_string(limits.path_bytes_max) + " bytes");
    std::string const shown{raw.substr(0, 200)};
    if (raw.starts_with('/')) return fail(Errc::invalid_input, "path '" + shown + "' is absolute");
    if (!is_utf8(raw)) return fail(Errc::invalid_input, "a path is not UTF-8");
    std::string clean;
    std::size_t depth = 0;
    while (!raw.empty()) {
        auto const component = raw.substr(0, raw.find('/'));
        raw.remove_prefix(std::min(raw.size(), component.size() + 1));
        if (component.empty() || component == ".") continue;
        if (component == "..") return fail(Errc::invalid_input, "path '" + shown + "' leaves the archive");
        if (++depth > limits.depth_max)
            return fail(Errc::limit,
                        "path '" + shown + "' is deeper than " + std::to_string(limits.depth_max) + " directories");
        if (!clean.empty()) clean += '/';
        clean += component;
    }
    return clean;
}

/// Where an archive comes from.
class Origin {
public:
    virtual ~Origin() = default;
    virtual bool is_gzip() const = 0;
    virtual int open(archive* reader) const = 0;
};

constexpr std::string_view kGzip = "\x1f\x8b";

class FromMemory final : public Origin {
public:
    explicit FromMemory(std::string_view bytes) : bytes_{bytes} {}
    bool is_gzip() const override { return bytes_.starts_with(kGzip); }
    int open(archive* reader) const override { return archive_read_open_memory(reader, bytes_.data(), bytes_.size()); }

private:
    std::string_view bytes_;
};

class FromFile final : public Origin {
public:
    explicit FromFile(int file) : file_{file} {}
    bool is_gzip() const override {
        std::array<char, kGzip.size()> first{};
        return ::pread(file_, first.data(), first.size(), 0) == static_cast<ssize_t>(first.size()) &&
               std::string_view{first.data(), first.size()} == kGzip;
    }
    int open(archive* reader) const override {
        constexpr std::size_t kPieceBytes = 64u << 10;
        return archive_read_open_fd(reader, file_, kPieceBytes);
    }

private:
    int file_;
};

class Untar {
public:
    Untar(Origin const& origin, UntarLimits const& limits, Links links, Receiver& receiver)
        : origin_{origin}, limits_{limits}, links_{links}, receiver_{receiver} {}

    Result<void> run() {
        if (!origin_.is_gzip()) return fail(Errc::invalid_input, "not a gzip file");
        ArchivePtr reader{archive_read_new()};
        HOLDFAST_ASSERT(reader != nullptr);
        archive_read_support_filter_gzip(reader.get());
        archive_read_support_format_tar(reader.get());
        if (origin_.open(reader.get()) != ARCHIVE_OK) return failed(reader.get());
        for (;;) {
            archive_entry* entry = nullptr;
            int const code = archive_read_next_header(reader.get(), &entry);
            if (code == ARCHIVE_EOF) return {};
            // A warning is a name that libarchive could not convert to the locale; we read its bytes.
            if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return failed(reader.get());
            if (++entries_ > limits_.entries_max)
                return fail(Errc::limit, "more than " + std::to_string(limits_.entries_max) + " entries");
            auto taken = take(reader.get(), entry);
            if (!taken) return taken;
        }
    }

private:
    static std::unexpected<Error> failed(archive* reader) {
        char const* text = archive_error_string(reader);
        return fail(Errc::invalid_input, std::string{"not a tar.gz: "} + (text != nullptr ? text : "unknown format"));
    }

    Result<void> take(archive* reader, archive_entry* entry) {
        char const* raw = archive_entry_pathname(entry);
        auto path = clean_path(raw != nullptr ? raw : "", limits_);
        if (!path) return fail(std::move(path));
        if (archive_entry_hardlink(entry) != nullptr || archive_entry_filetype(entry) == AE_IFLNK) {
            if (links_ == Links::skip) return {};
            return fail(Errc::invalid_input, "'" + *path + "' is a link");
        }
        switch (archive_entry_filetype(entry)) {
            case AE_IFDIR: return path->empty() ? Result<void>{} : receiver_.directory(*path);
            case AE_IFREG: break;
            default: return fail(Errc::invalid_input, "'" + *path + "' is neither a file nor a directory");
        }
        if (path->empty()) return fail(Errc::invalid_input, "the root is a file");
        if (archive_entry_sparse_count(entry) > 0) return fail(Errc::invalid_input, "'" + *path + "' is a sparse file");
        auto begun = receiver_.begin_file(*path, (archive_entry_perm(entry) & 0111) != 0);
        if (!begun) return begun;
        return copy(reader, *path);
    }

    Result<void> copy(archive* reader, std::string const& path) {
        std::uint64_t file_bytes = 0;
        for (;;) {
            void const* data = nullptr;
            std::size_t size = 0;
            la_int64_t offset = 0;
            int const code = archive_read_data_block(reader, &data, &size, &offset);
            if (code == ARCHIVE_EOF) return receiver_.end_file();
            if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return failed(reader);
            if (offset < 0 || static_cast<std::uint64_t>(offset) != file_bytes)
                return fail(Errc::invalid_input, "'" + path + "' has a hole");
            file_bytes += size;
            bytes_out_ += size;
            if (file_bytes > limits_.file_bytes_max)
                return fail(Errc::limit,
                            "'" + path + "' is larger than " + std::to_string(limits_.file_bytes_max) + " bytes");
            if (bytes_out_ > limits_.bytes_max)
                return fail(Errc::limit, "more than " + std::to_string(limits_.bytes_max) + " bytes of files");
            auto taken = receiver_.content({static_cast<char const*>(data), size});
            if (!taken) return taken;
        }
    }

    Origin const& origin_;
    UntarLimits const& limits_;
    Links links_;
    Receiver& receiver_;
    std::size_t entries_ = 0;
    std::uint64_t bytes_out_ = 0;
};

/// What comes of an archive. An entry of one header may stand for a hundred directories above it.
class Places {
public:
    explicit Places(UntarLimits const& limits) : limits_{limits} {}

    Result<void> add(std::string_view path) {
        bytes_ += path.size();
        if (++count_ > limits_.entries_max)
            return fail(Errc::limit, "more than " + std::to_string(limits_.entries_max) + " entries");
        if (bytes_ > limits_.paths_bytes_max)
            return fail(Errc::limit, "more than " + std::to_string(limits_.paths_bytes_max) + " bytes of paths");
        return {};
    }

private:
    UntarLimits const& limits_;
    std::size_t count_ = 0;
    std::size_t bytes_ = 0;
};

/// The names of what comes of an archive, with something for each file.
template <class Value> class Named {
public:
    explicit Named(UntarLimits const& limits) : places_{limits} {}

    std::map<std::string, Value> files;

    /// A name that comes again replaces the earlier one, as tar does.
    Result<Value*> file(std::string const& path) {
        auto made = parents(path);
        if (!made) return std::unexpected{made.error()};
        if (files.contains(path + "/")) return fail(Errc::invalid_input, "'" + path + "' is a file and a directory");
        auto const [at, fresh] = files.try_emplace(path);
        if (fresh)
            if (auto added = places_.add(path); !added) return std::unexpected{added.error()};
        at->second = Value{};
        return &at->second;
    }

    /// Enters every directory above `path`.
    Result<void> parents(std::string const& path) {
        if (files.contains(path.substr(0, path.rfind('/') + 1))) return {};  // and so are those above it
        for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
            auto const name = path.substr(0, slash);
            if (files.contains(name)) return fail(Errc::invalid_input, "'" + name + "' is a file and a directory");
            if (!files.try_emplace(name + "/").second) continue;
            if (auto added = places_.add(name); !added) return added;
        }
        return {};
    }

private:
    Places places_;
};

class IntoMemory final : public Receiver {
public:
    explicit IntoMemory(UntarLimits const& limits) : named{limits} {}

    Named<File> named;

    Result<void> directory(std::string const& path) override { return named.parents(path + "/"); }

    Result<void> begin_file(std::string const& path, bool executable) override {
        auto file = named.file(path);
        if (!file) return fail(std::move(file));
        current_ = *file;
        current_->executable = executable;
        return {};
    }

    Result<void> content(std::string_view piece) override {
        current_->content += piece;
        return {};
    }

    Result<void> end_file() override { return {}; }

private:
    File* current_ = nullptr;
};

std::unexpected<Error> not_written(std::string_view what) {
    int const error = errno;
    auto const code =
        error == ENOSPC || error == EDQUOT || error == EMFILE || error == EFBIG ? Errc::limit : Errc::invalid_input;
    return fail(code, std::string{what} + ": " + std::strerror(error));
}

class IntoSpool final : public Receiver {
public:
    IntoSpool(int spool, UntarLimits const& limits) : named{limits}, spool_{spool} {}

    Named<Spooled> named;

    Result<void> directory(std::string const& path) override { return named.parents(path + "/"); }

    Result<void> begin_file(std::string const& path, bool executable) override {
        auto file = named.file(path);
        if (!file) return fail(std::move(file));
        current_ = *file;
        *current_ = {.offset = end_, .size = 0, .executable = executable};
        return {};
    }

    Result<void> content(std::string_view piece) override {
        if (!write_all(spool_, piece)) return not_written("write");
        current_->size += piece.size();
        end_ += piece.size();
        return {};
    }

    Result<void> end_file() override { return {}; }

private:
    int spool_;
    std::uint64_t end_ = 0;
    Spooled* current_ = nullptr;
};

class IntoDirectory final : public Receiver {
public:
    IntoDirectory(int root, UntarLimits const& limits) : root_{root}, places_{limits} {}
    ~IntoDirectory() override {
        if (file_ >= 0) ::close(file_);
    }

    Result<void> directory(std::string const& path) override { return make(path); }

    /// Every directory was made here and no link is ever made, so no component can lead outside.
    Result<void> begin_file(std::string const& path, bool executable) override {
        auto const slash = path.rfind('/');
        if (slash != std::string::npos) {
            auto made = make(path.substr(0, slash));
            if (!made) return made;
        }
        file_ = ::openat(root_, path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                         executable ? 0700 : 0600);
        if (file_ < 0) return not_written(path);
        return {};
    }

    Result<void> content(std::string_view piece) override {
        if (!write_all(file_, piece)) return not_written("write");
        return {};
    }

    Result<void> end_file() override {
        int const fd = std::exchange(file_, -1);
        if (::close(fd) != 0) return not_written("close");
        return {};
    }

private:
    Result<void> make(std::string const& path) {
        if (made_.contains(path)) return {};
        for (auto slash = path.find('/');; slash = path.find('/', slash + 1)) {
            auto const name = path.substr(0, slash);
            if (made_.insert(name).second) {
                if (auto added = places_.add(name); !added) return added;
                if (::mkdirat(root_, name.c_str(), 0750) != 0) return not_written(name);
            }
            if (slash == std::string::npos) return {};
        }
    }

    int root_;
    Places places_;
    int file_ = -1;
    std::set<std::string> made_;
};

}  // namespace

Result<FileMap> untar(std::string_view bytes, UntarLimits const& limits, Links links) {
    IntoMemory receiver{limits};
    auto done = Untar{FromMemory{bytes}, limits, links, receiver}.run();
    if (!done) return fail(std::move(done), "untar");
    return std::move(receiver.named.files);
}

Result<void> untar_into(int directory, std::string_view bytes, UntarLimits const& limits, Links links) {
    IntoDirectory receiver{directory, limits};
    auto done = Untar{FromMemory{bytes}, limits, links, receiver}.run();
    if (!done) return fail(std::move(done), "untar");
    return {};
}

Result<SpoolMap> untar_spool(int archive, int spool, UntarLimits const& limits, Links links) {
    IntoSpool receiver{spool, limits};
    auto done = Untar{FromFile{archive}, limits, links, receiver}.run();
    if (!done) return fail(std::move(done), "untar");
    return std::move(receiver.named.files);
}

}  // namespace holdfast::source
