// tests/unit/cache/db/killed_test.cpp: what a killed daemon and a failing disk leave behind never keeps the next one from starting.
// Goal: as rescue_test.cpp, for what lies around the database file. A program of its own: the rescue must be able to be the
// first that uses SQLite in a process.
// Method: a child process writes and ends without closing anything, before this process has used SQLite.
#include "cache/db/mark.hpp"
#include "cache/db/rescue.hpp"
#include "tests/support/sqlite_writes.hpp"
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

void copy_if_there(std::filesystem::path const& from, std::filesystem::path const& to) {
    if (std::filesystem::exists(from)) std::filesystem::copy_file(from, to);
}

void cut(std::filesystem::path const& file, std::uintmax_t bytes) {
    if (std::filesystem::exists(file)) std::filesystem::resize_file(file, bytes);
}

/// A file of `kind` at `to`; `ours` and `other` are files of that name of two killed daemons.
void place(std::string const& kind, std::filesystem::path const& ours, std::filesystem::path const& other,
           std::filesystem::path const& to) {
    if (kind == "whole" || kind.starts_with("cut")) copy_if_there(ours, to);
    if (kind == "cut early") cut(to, 20);
    if (kind == "cut late") cut(to, 9'000);
    if (kind == "of another site") copy_if_there(other, to);
    if (kind == "empty") std::ofstream{to};
    if (kind == "zeros") std::ofstream{to} << std::string(12'288, '\0');
    if (kind == "garbage") std::ofstream{to} << std::string(40'000, 'g');
}

void write_at(std::filesystem::path const& file, std::int64_t offset, std::string const& bytes) {
    std::fstream changed{file, std::ios::in | std::ios::out | std::ios::binary};
    changed.seekp(offset);
    changed << bytes;
}

/// Everything is in the database file, and nothing lies beside it but the mark.
void close_a_daemon(TempDir const& dir) {
    kill_a_daemon(dir, std::string(32, 'a'));
    REQUIRE(open_or_rescue(dir / "holdfast.db", options_of(dir)));
    REQUIRE_FALSE(std::filesystem::exists(dir / "holdfast.db-wal"));
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

TEST_CASE("killed: every combination of a database, a log and what a rescue left is started from", "[cache][db]") {
    TempDir ours;
    TempDir other;
    kill_a_daemon(ours, std::string(32, 'a'));
    kill_a_daemon(other, std::string(32, 'b'));
    std::vector<std::string> const databases{"gone",     "empty",           "whole", "cut early",
                                             "cut late", "of another site", "zeros", "garbage"};
    std::vector<std::string> const logs{"gone", "whole", "empty", "cut late", "of another site", "garbage"};
    bool has_left = false;
    for (bool const has_mark : {true, false}) {
        for (auto const& database : databases) {
            has_left = !has_left;
            for (auto const& log : has_mark ? logs : std::vector<std::string>{"gone", "whole"}) {
                has_left = !has_left;
                INFO("mark " << has_mark << ", database " << database << ", log " << log << ", left " << has_left);
                TempDir dir;
                place(database, ours / "holdfast.db", other / "holdfast.db", dir / "holdfast.db");
                place(log, ours / "holdfast.db-wal", other / "holdfast.db-wal", dir / "holdfast.db-wal");
                if (has_mark) copy_if_there(ours / "holdfast.state", dir / "holdfast.state");
                for (auto const* end : {"-shm", "-journal", ".rescue-copy", ".rescue-copy-wal", ".rescue-copy-scratch",
                                        ".rescue-copy-scratch-head", ".rescue-part", ".rescue-part-wal"}) {
                    if (has_left) std::ofstream{dir / ("holdfast.db" + std::string{end})} << std::string(5'000, 'l');
                }

                auto opened = open_or_rescue(dir / "holdfast.db", options_of(dir));

                if (!opened) FAIL(opened.error().message);
                auto& db = opened->connection;
                CHECK(db.check());
                REQUIRE(db.execute("INSERT INTO outbox(stream, record_id, observed_at, queued_at, fields) "
                                   "VALUES(0, 'n', 1, 1, '{}')"));
                bool const is_read = log == "whole" && database != "of another site" && database != "garbage";
                if (is_read) CHECK(number(db, "SELECT count(*) FROM outbox") == kRecords + 1);
                if (has_mark && opened->rescue) CHECK(db.last_insert_id() > kRecords);
                for (auto const* end : {".rescue-copy", ".rescue-part", ".rescue", ".rescue-attempts"})
                    CHECK_FALSE(std::filesystem::exists(dir / ("holdfast.db" + std::string{end})));
            }
        }
    }
}

TEST_CASE("killed: a header with another number or another program's name costs no row", "[cache][db]") {
    constexpr std::int64_t kVersionAt = 60;
    constexpr std::int64_t kProgramAt = 68;
    TempDir dir;
    close_a_daemon(dir);
    SECTION("negative") { write_at(dir / "holdfast.db", kVersionAt, std::string("\x80\0\0\x03", 4)); }
    SECTION("huge") { write_at(dir / "holdfast.db", kVersionAt, std::string("\x40\0\0\x03", 4)); }
    SECTION("lower") { write_at(dir / "holdfast.db", kVersionAt, std::string("\0\0\0\x01", 4)); }
    SECTION("none") { write_at(dir / "holdfast.db", kVersionAt, std::string(4, '\0')); }
    SECTION("another program") { write_at(dir / "holdfast.db", kProgramAt, "Gold"); }
    SECTION("another program, and no mark") {
        write_at(dir / "holdfast.db", kProgramAt, "Gold");
        std::filesystem::remove(dir / "holdfast.state");
    }

    auto opened = open_or_rescue(dir / "holdfast.db", options_of(dir));

    if (!opened) FAIL(opened.error().message);
    REQUIRE(opened->rescue);
    CHECK(number(opened->connection, "SELECT count(*) FROM outbox") == kRecords);
}

TEST_CASE("killed: a database on which rescues die is set aside unread after a few", "[cache][db][limit]") {
    TempDir dir;
    close_a_daemon(dir);
    write_at(dir / "holdfast.db", 0, std::string(100, 'x'));
    int const died = GENERATE(2, 3);
    std::ofstream{dir / "holdfast.db.rescue-attempts"} << std::string(static_cast<std::size_t>(died), '.');

    auto opened = open_or_rescue(dir / "holdfast.db", options_of(dir));

    REQUIRE(opened);
    REQUIRE(opened->rescue);
    bool const is_read = died < 3;
    CHECK(opened->rescue->records == (is_read ? kRecords : 0));
    CHECK(opened->rescue->text().contains("up to 64 records may be lost") == !is_read);
    CHECK(opened->rescue->sequence == kIssued);
    CHECK(std::filesystem::exists(opened->rescue->set_aside));
    CHECK_FALSE(std::filesystem::exists(dir / "holdfast.db.rescue-attempts"));
}

// Method: the child is killed by the first thing that its rescue writes.
TEST_CASE("killed: a rescue that dies leaves its count behind", "[cache][db]") {
    TempDir dir;
    close_a_daemon(dir);
    write_at(dir / "holdfast.db", 0, std::string(100, 'x'));
    for (std::uintmax_t died = 1; died <= 3; ++died) {
        auto const child = ::fork();
        if (child == 0) {
            test::SqliteWrites const hook{[]() -> bool { ::_exit(9); }};
            ::_exit(open_or_rescue(dir / "holdfast.db", options_of(dir)) ? 1 : 2);
        }
        int status = -1;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WEXITSTATUS(status) == 9);
        CHECK(std::filesystem::file_size(dir / "holdfast.db.rescue-attempts") == died);
    }

    auto opened = open_or_rescue(dir / "holdfast.db", options_of(dir));

    REQUIRE(opened);
    CHECK(opened->rescue.value().text().contains("3 rescues of it did not come to their end"));
}

// Method: a directory that is not empty stands where the copy goes, so nothing can be copied.
TEST_CASE("killed: a database that cannot be read at all is set aside, and a new one begun", "[cache][db]") {
    TempDir dir;
    close_a_daemon(dir);
    write_at(dir / "holdfast.db", 0, std::string(100, 'x'));
    std::filesystem::create_directories(dir / "holdfast.db.rescue-copy/x");

    auto opened = open_or_rescue(dir / "holdfast.db", options_of(dir));

    if (!opened) FAIL(opened.error().message);
    REQUIRE(opened->rescue);
    CHECK(opened->rescue->text().contains("it could not be read: copy"));
    CHECK(opened->rescue->text().contains("up to 64 records may be lost"));
    CHECK(std::filesystem::exists(opened->rescue->set_aside));
    REQUIRE(opened->connection.execute("INSERT INTO outbox(stream, record_id, observed_at, queued_at, fields) "
                                       "VALUES(0, 'n', 1, 1, '{}')"));
    CHECK(opened->connection.last_insert_id() == kIssued + 1);
}

}  // namespace holdfast::cache::db
