// tests/unit/cache/db/db_test.cpp: connection, statements and transactions against real SQLite files.
#include "cache/db/db.hpp"

#include "tests/support/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::cache::db {

using test::TempDir;

Connection open_ok(std::filesystem::path const& file, Options options = {}) {
    auto opened = Connection::open(file, options);
    if (!opened) FAIL(opened.error().message);
    return std::move(*opened);
}

std::string text_of(Connection& db, std::string_view sql) {
    Statement statement{db, sql};
    auto rows = statement.rows();
    REQUIRE(rows.next().value());
    return rows.text(0);
}

TEST_CASE("db: a new file is private, in WAL mode, exclusive, and syncs in full", "[cache][db]") {
    TempDir dir;

    auto db = open_ok(dir / "holdfast.db");

    CHECK(text_of(db, "PRAGMA journal_mode") == "wal");
    CHECK(text_of(db, "PRAGMA locking_mode") == "exclusive");
    CHECK(text_of(db, "PRAGMA synchronous") == "2");
    CHECK(text_of(db, "PRAGMA foreign_keys") == "1");
    struct stat info{};
    REQUIRE(::stat((dir / "holdfast.db").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    CHECK_FALSE(std::filesystem::exists(dir / "holdfast.db-shm"));
}

TEST_CASE("db: values come back as they were bound", "[cache][db]") {
    TempDir dir;
    auto db = open_ok(dir / "holdfast.db");
    REQUIRE(db.execute("CREATE TABLE t(a, b, c, d, e)"));
    Statement insert{db, "INSERT INTO t VALUES(?1, ?2, ?3, ?4, ?5)"};
    Statement select{db, "SELECT a, b, c, d, e FROM t"};
    std::string const with_zero{"a\0b", 3};

    REQUIRE(insert.run(with_zero, INT64_MAX, 0.5, Blob{"\xff\xfe"}, std::optional<std::string>{}));
    auto rows = select.rows();

    REQUIRE(rows.next().value());
    CHECK(rows.text(0) == with_zero);
    CHECK(rows.integer(1) == INT64_MAX);
    CHECK(rows.real(2) == 0.5);
    CHECK(rows.text(3) == "\xff\xfe");
    CHECK(rows.is_null(4));
    CHECK_FALSE(rows.text_or_null(4));
    CHECK_FALSE(rows.next().value());
}

TEST_CASE("db: a statement can run again after its rows went out of scope half read", "[cache][db]") {
    TempDir dir;
    auto db = open_ok(dir / "holdfast.db");
    REQUIRE(db.execute("CREATE TABLE t(a); INSERT INTO t VALUES(1),(2),(3)"));
    Statement select{db, "SELECT a FROM t WHERE a >= ?1 ORDER BY a"};

    {
        auto rows = select.rows(1);
        REQUIRE(rows.next().value());
    }

    CHECK(select.scalar(2).value() == 2);
    CHECK(select.scalar(9).error().code == Errc::not_found);
    CHECK(db.execute("DROP TABLE t"));  // refused while a read is open
}

TEST_CASE("db: a transaction that is not committed leaves nothing", "[cache][db]") {
    TempDir dir;
    auto db = open_ok(dir / "holdfast.db");
    REQUIRE(db.execute("CREATE TABLE t(a)"));
    Statement insert{db, "INSERT INTO t VALUES(?1)"};
    Statement count{db, "SELECT count(*) FROM t"};

    {
        auto transaction = Transaction::begin(db);
        REQUIRE(transaction);
        REQUIRE(insert.run(1));
    }
    CHECK(count.scalar().value() == 0);
    {
        auto transaction = Transaction::begin(db);
        REQUIRE(transaction);
        REQUIRE(insert.run(2));
        REQUIRE(transaction->commit());
    }
    CHECK(count.scalar().value() == 1);
}

TEST_CASE("db: committed rows survive a process that dies without closing", "[cache][db]") {
    TempDir dir;
    auto const file = dir / "holdfast.db";
    pid_t const child = ::fork();
    if (child == 0) {
        auto db = Connection::open(file);
        if (!db || !db->execute("CREATE TABLE t(a); INSERT INTO t VALUES(7)")) ::_exit(1);
        if (!db->execute("BEGIN; INSERT INTO t VALUES(8)")) ::_exit(1);
        ::_exit(0);  // no destructor runs
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(status == 0);

    auto db = open_ok(file);

    CHECK(text_of(db, "SELECT group_concat(a) FROM t") == "7");
    CHECK(db.check());
}

TEST_CASE("db: a constraint is invalid_input and names it", "[cache][db]") {
    TempDir dir;
    auto db = open_ok(dir / "holdfast.db");
    REQUIRE(db.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b NOT NULL); CREATE TABLE u(a REFERENCES t(a))"));
    Statement insert{db, "INSERT INTO t VALUES(?1, ?2)"};
    Statement refer{db, "INSERT INTO u VALUES(?1)"};

    auto missing = insert.run(1, nullptr);
    auto dangling = refer.run(5);

    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == Errc::invalid_input);
    CHECK(missing.error().message == "NOT NULL constraint failed: t.b");
    CHECK(dangling.error().code == Errc::invalid_input);
    CHECK(insert.run(1, 2));  // usable after an error
}

TEST_CASE("db: a second process is refused as busy", "[cache][db]") {
    TempDir dir;
    auto const file = dir / "holdfast.db";
    auto db = open_ok(file);
    REQUIRE(db.execute("CREATE TABLE t(a)"));

    pid_t const child = ::fork();
    if (child == 0) {
        auto second = Connection::open(file);
        ::_exit(!second && second.error().code == Errc::busy ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

TEST_CASE("db: the bound on the file's size is a limit, and what was there stays", "[cache][db][limit]") {
    TempDir dir;
    auto db = open_ok(dir / "holdfast.db", {.file_bytes_max = 64 << 10});
    REQUIRE(db.execute("CREATE TABLE t(a)"));
    Statement insert{db, "INSERT INTO t VALUES(?1)"};
    REQUIRE(insert.run("kept"));

    auto refused = insert.run(std::string(200'000, 'x'));

    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::limit);
    CHECK(text_of(db, "SELECT a FROM t") == "kept");
    CHECK(insert.run("again"));
}

TEST_CASE("db: a file that is no database, or a damaged one, is corrupt", "[cache][db]") {
    TempDir dir;
    auto const file = dir / "holdfast.db";

    SECTION("text") { std::ofstream{file} << std::string(8'192, 'x'); }
    SECTION("a page overwritten") {
        {
            auto db = open_ok(file);
            REQUIRE(db.execute("CREATE TABLE t(a); CREATE INDEX i ON t(a)"));
            Statement insert{db, "INSERT INTO t VALUES(?1)"};
            for (int i = 0; i < 2'000; ++i) REQUIRE(insert.run(std::to_string(i) + std::string(40, 'k')));
        }
        std::fstream damaged{file, std::ios::in | std::ios::out | std::ios::binary};
        damaged.seekp(4'096 * 3);
        damaged << std::string(4'096, '\x55');
    }

    auto opened = Connection::open(file);

    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == Errc::corrupt);
}

TEST_CASE("db: the state directory may be reached through a link, the file itself may not be one", "[cache][db]") {
    TempDir dir;
    std::filesystem::create_directory(dir / "disk");
    std::filesystem::create_directory_symlink(dir / "disk", dir / "state");
    std::filesystem::create_symlink("/etc/hosts", dir / "disk/link.db");

    CHECK(Connection::open(dir / "state/holdfast.db"));
    CHECK(Connection::open(dir / "state/link.db").error().code == Errc::denied);
}

TEST_CASE("db: a file in a directory that does not exist is not_found", "[cache][db]") {
    TempDir dir;

    auto opened = Connection::open(dir / "missing/holdfast.db");

    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == Errc::not_found);
    CHECK(opened.error().message.contains("No such file or directory"));
}

}  // namespace holdfast::cache::db
