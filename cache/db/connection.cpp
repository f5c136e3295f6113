// cache/db/connection.cpp: opening, checking and closing the one database file.
#include "cache/db/db.hpp"

#include "cache/db/error.hpp"
#include "modules/base/assert.hpp"

#include <sqlite3.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace holdfast::cache::db {

namespace {

constexpr std::int64_t kPageBytes = 4'096;
constexpr std::int64_t kPagesMax = 4'294'967'294;  // SQLite's own bound
constexpr std::int64_t kWalBytesMax = 4 << 20;     // the WAL file is cut back to this after a checkpoint

/// SQLite would create the file readable by everyone; the WAL file takes its mode from it.
Result<void> create_private(std::filesystem::path const& file) {
    int const fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        int const error = errno;
        auto const code = error == ENOENT || error == ENOTDIR  ? Errc::not_found
                          : error == ENOSPC || error == EDQUOT ? Errc::limit
                                                               : Errc::denied;
        return fail(code, "open " + file.string() + ": " + std::strerror(error));
    }
    ::close(fd);
    return {};
}

std::string pragmas(Options const& options) {
    std::string sql =
        "PRAGMA locking_mode=EXCLUSIVE;"  // before the first read: no shared memory file, and a second daemon is refused
        "PRAGMA journal_mode=WAL;"
        "PRAGMA synchronous=FULL;"
        "PRAGMA foreign_keys=ON;"
        "PRAGMA trusted_schema=OFF;"
        "PRAGMA cell_size_check=ON;";
    // A page that many passes write goes from the log to its place once.
    sql += "PRAGMA wal_autocheckpoint=" + std::to_string(kWalBytesMax / kPageBytes) + ";";
    sql += "PRAGMA journal_size_limit=" + std::to_string(kWalBytesMax) + ";";
    sql += "PRAGMA cache_size=-" + std::to_string(options.cache_kib_max) + ";";
    return sql;
}

/// Runs a check pragma: one row "ok", or one row per finding.
Result<void> expect_ok(Connection& connection, std::string_view sql) {
    Statement statement{connection, sql};
    Rows rows = statement.rows();
    auto found = rows.next();
    if (!found) return fail(std::move(found));
    if (*found && rows.text(0) != "ok") return fail(Errc::corrupt, rows.text(0));
    return {};
}

Result<void> expect_no_row(Connection& connection, std::string_view sql) {
    Statement statement{connection, sql};
    Rows rows = statement.rows();
    auto found = rows.next();
    if (!found) return fail(std::move(found));
    if (*found) return fail(Errc::corrupt, "table " + rows.text(0) + ": a row refers to one that does not exist");
    return {};
}

}  // namespace

void Connection::Close::operator()(sqlite3* handle) const {
    HOLDFAST_ASSERT(sqlite3_close(handle) == SQLITE_OK);  // fails only while a Statement is alive
}

Result<Connection> Connection::open(std::filesystem::path const& file, Options options) {
    auto created = create_private(file);
    if (!created) return fail(std::move(created), "database");

    sqlite3* handle = nullptr;
    int const opened = sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, nullptr);
    Connection connection{handle};
    if (opened != SQLITE_OK) return std::unexpected{error_of(handle, opened).in("database " + file.string())};

    auto configured = connection.execute(pragmas(options));
    if (!configured) {
        if (configured.error().code == Errc::busy)
            configured.error().message += "; is another holdfast using this directory?";
        return fail(std::move(configured), "database " + file.string());
    }
    auto bounded = connection.bound(options.file_bytes_max);
    if (!bounded) return fail(std::move(bounded), "database " + file.string());
    if (options.check_on_open) {
        auto sound = expect_ok(connection, "PRAGMA quick_check(1)");
        if (!sound) return fail(std::move(sound), "database " + file.string());
    }
    return connection;
}

Result<void> Connection::execute(std::string const& sql) {
    int const code = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return std::unexpected{error_of(handle(), code)};
    return {};
}

Result<void> Connection::check() {
    auto sound = expect_ok(*this, "PRAGMA integrity_check(1)");
    if (!sound) return fail(std::move(sound), "integrity check");
    auto whole = expect_no_row(*this, "PRAGMA foreign_key_check");
    if (!whole) return fail(std::move(whole), "foreign key check");
    return {};
}

std::filesystem::path Connection::file() const { return sqlite3_db_filename(handle(), "main"); }

Result<void> Connection::bound(std::int64_t file_bytes_max) {
    auto const pages = file_bytes_max > 0 ? std::max<std::int64_t>(1, file_bytes_max / kPageBytes) : kPagesMax;
    return execute("PRAGMA max_page_count=" + std::to_string(pages));
}

std::int64_t Connection::last_insert_id() const { return sqlite3_last_insert_rowid(handle()); }

std::int64_t Connection::changes() const { return sqlite3_changes64(handle()); }

}  // namespace holdfast::cache::db
