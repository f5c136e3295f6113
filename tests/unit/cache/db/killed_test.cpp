// tests/unit/cache/db/killed_test.cpp: what a killed daemon and a failing disk leave behind never keeps the next one from starting.
// Goal: as rescue_test.cpp, for what lies around the database file. A program of its own: the rescue must be able to be the
// first that uses SQLite in a process.
// Method: a child process writes and ends without closing anything, before this process has used SQLite.
#include "cache/db/mark.hpp"
#include "cache/db/rescue.hpp"
#include "tests/support/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

namespace holdfast::cache::db {

namespace {

using test::TempDir;

constexpr std::int64_t kRecords = 40;
constexpr std::int64_t kIssued = 64;

RescueOptions options_of(TempDir const& dir) {
    return {.database = {}, .blobs = dir / "blobs", .now = std::chrono::system_clock::time_point{}};
}

bool write_records(TempDir const& dir, std::string const& site) {
    auto opened = open_or_rescue(dir / "holdfast.db", options_of(dir));
    if (!opened) return false;
    auto& db = opened->connection;
    Mark mark{.site = site, .issued = kIssued};
    if (!describe(db, mark) || !write_mark(dir / "holdfast.db", mark)) return false;
    Statement number{db, "INSERT INTO numbers VALUES('site', ?1)"};
    Statement record{db, "INSERT INTO outbox(stream, record_id, observed_at, queued_at, fields) "
                         "VALUES(0, printf('%032d', ?1), 1, 1, '{}')"};
    bool written = number.run(site).has_value();
    for (std::int64_t i = 1; i <= kRecords; ++i) written = written && record.run(i);
    if (written) ::_exit(0);
    return false;
}

/// A state directory as a daemon leaves it that was killed: most of it is in the log.
void kill_a_daemon(TempDir const& dir, std::string const& site) {
    auto const child = ::fork();
    if (child == 0) ::_exit(write_records(dir, site) ? 1 : 2);
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(status == 0);
    REQUIRE(std::filesystem::file_size(dir / "holdfast.db-wal") > 8'192);
}

std::int64_t number(Connection& db, std::string_view sql) {
    Statement select{db, sql};
    return select.scalar().value();
}

}  // namespace

// The first of this program.
TEST_CASE("killed: the log of a killed daemon is read where its database is empty", "[cache][db]") {
    TempDir dir;
    kill_a_daemon(dir, std::string(32, 'a'));
    std::filesystem::resize_file(dir / "holdfast.db", 0);

    auto opened = open_or_rescue(dir / "holdfast.db", options_of(dir));

    REQUIRE(opened);
    REQUIRE(opened->rescue);
    CHECK(opened->rescue->records == kRecords);
    CHECK(number(opened->connection, "SELECT count(*) FROM outbox") == kRecords);
    CHECK_FALSE(std::filesystem::exists(dir / "holdfast.db.rescue-copy"));
}

}  // namespace holdfast::cache::db
