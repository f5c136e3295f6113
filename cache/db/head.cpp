// cache/db/head.cpp: lets SQLite write the page that is missing, into an empty database, and copies it.
#include "cache/db/head.hpp"

#include "cache/db/files.hpp"
#include "cache/db/migrate.hpp"
#include "modules/base/write_all.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace holdfast::cache::db {

namespace {

constexpr std::size_t kPageBytes = 4'096;
constexpr std::size_t kSizeOffset = 28;  // of the header: pages of the file, big-endian
constexpr std::size_t kFreeOffset = 32;  // of the header: the first page of the list of free ones
constexpr unsigned char kLeafOfTable = 0x0d;
constexpr unsigned char kLeafOfIndex = 0x0a;

/// Zeros where nothing can be read: a page of no kind.
std::string page_at(int fd, std::int64_t number) {
    std::string page(kPageBytes, '\0');
    auto const got = ::pread(fd, page.data(), page.size(), (number - 1) * static_cast<off_t>(kPageBytes));
    if (got != static_cast<ssize_t>(page.size())) page.assign(kPageBytes, '\0');
    return page;
}

std::int64_t number_in(std::string const& page, std::size_t offset) {
    std::int64_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(page[offset + i]);
    return value;
}

/// Comments and layout off: all definitions must fit into the one page.
std::string shortened(std::string const& sql) {
    std::string text;
    for (std::size_t i = 0; i < sql.size(); ++i) {
        if (sql.compare(i, 2, "--") == 0) i = std::min(sql.find('\n', i), sql.size() - 1);
        bool const is_space = sql[i] == ' ' || sql[i] == '\n';
        if (!is_space) text += sql[i];
        if (is_space && !text.empty() && text.back() != ' ') text += ' ';
    }
    return text;
}

/// table -> its definition, of the newest schema.
Result<std::map<std::string, std::string>> definitions(std::filesystem::path const& scratch) {
    auto connection = Connection::open(scratch);
    if (!connection) return fail(std::move(connection));
    auto migrated = migrate(*connection);
    if (!migrated) return fail(std::move(migrated));
    std::map<std::string, std::string> found;
    Statement tables{*connection, "SELECT name, sql FROM sqlite_schema WHERE type = 'table'"};
    auto rows = tables.rows();
    for (;;) {
        auto row = rows.next();
        if (!row) return fail(std::move(row));
        if (!*row) return found;
        found[rows.text(0)] = shortened(rows.text(1));
    }
}

/// The bytes of page 1 of a database that has these tables at these pages.
Result<std::string> head_of(std::filesystem::path const& scratch, std::map<std::string, std::int64_t> const& roots) {
    auto known = definitions(scratch);
    if (!known) return fail(std::move(known));
    auto const file = scratch.string() + "-head";
    {
        auto connection = Connection::open(file);
        if (!connection) return fail(std::move(connection));
        auto writable = connection->execute("PRAGMA writable_schema=ON");
        if (!writable) return fail(std::move(writable));
        Statement insert{*connection, "INSERT INTO sqlite_schema VALUES('table', ?1, ?1, ?2, ?3)"};
        for (auto const& [table, page] : roots) {
            auto const definition = known->find(table);
            if (definition == known->end()) continue;
            auto inserted = insert.run(table, page, definition->second);
            if (!inserted) return fail(std::move(inserted));
        }
    }
    std::string page(kPageBytes, '\0');
    int const fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return file_failed("open", file);
    auto const got = ::pread(fd, page.data(), page.size(), 0);
    ::close(fd);
    if (got != static_cast<ssize_t>(page.size())) return fail(Errc::corrupt, "the new first page cannot be read");
    return page;
}

void remove_scratch(std::filesystem::path const& scratch) {
    std::error_code ignored;
    for (auto const* end : {"", "-wal", "-head", "-head-wal"}) std::filesystem::remove(scratch.string() + end, ignored);
}

}  // namespace

Result<void> lead_to(std::filesystem::path const& file, std::map<std::string, std::int64_t> const& roots) {
    auto const scratch = file.string() + "-scratch";
    remove_scratch(scratch);
    auto page = head_of(scratch, roots);
    remove_scratch(scratch);
    if (!page) return fail(std::move(page), "first page");

    int const fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return file_failed("open", file);
    struct stat info{};
    ::fstat(fd, &info);
    auto const pages = static_cast<std::uint32_t>(info.st_size / static_cast<off_t>(kPageBytes));
    for (std::size_t i = 0; i < 4; ++i) (*page)[kSizeOffset + i] = static_cast<char>(pages >> (8 * (3 - i)) & 0xff);
    auto const written = ::pwrite(fd, page->data(), page->size(), 0);
    auto failed = file_failed("write", file);
    ::close(fd);
    if (written != static_cast<ssize_t>(page->size())) return failed;
    return {};
}

std::string read_head(std::filesystem::path const& file) {
    int const fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return {};
    auto page = page_at(fd, 1);
    ::close(fd);
    return page;
}

void write_head(std::filesystem::path const& file, std::string const& page) {
    int const fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return;
    write_all(fd, page);
    ::close(fd);
}

Result<Leaves> Leaves::open(std::filesystem::path const& file, Of of) {
    int const fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return file_failed("open", file);
    Leaves leaves{fd, of == Of::table ? kLeafOfTable : kLeafOfIndex};
    leaves.read_free();
    return leaves;
}

Leaves::~Leaves() {
    if (fd_ >= 0) ::close(fd_);
}

/// A chain of trunk pages: the next one, a count, the numbers of free pages. Each page is in it at most once.
void Leaves::read_free() {
    for (std::int64_t trunk = number_in(page_at(fd_, 1), kFreeOffset); trunk > 0 && free_.insert(trunk).second;) {
        auto const page = page_at(fd_, trunk);
        auto const count = std::min<std::int64_t>(number_in(page, 4), static_cast<std::int64_t>(kPageBytes / 4 - 2));
        for (std::int64_t i = 0; i < count; ++i) free_.insert(number_in(page, static_cast<std::size_t>(8 + 4 * i)));
        trunk = number_in(page, 0);
    }
}

std::optional<std::int64_t> Leaves::next() {
    for (;;) {
        unsigned char type = 0;
        auto const got = ::pread(fd_, &type, 1, page_ * static_cast<off_t>(kPageBytes));
        if (got < 0 && errno == EIO) type = 0;  // a sector that cannot be read is no leaf
        if (got == 0 || (got < 0 && errno != EIO)) return std::nullopt;
        ++page_;
        if (type == type_) return page_;
    }
}

}  // namespace holdfast::cache::db
