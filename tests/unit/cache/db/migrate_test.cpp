// tests/unit/cache/db/migrate_test.cpp: the schema only goes forward, and schema.sql tells the truth.
#include "cache/db/migrate.hpp"

#include "tests/support/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <sstream>

namespace holdfast::cache::db {

using test::TempDir;

Connection open_file(std::filesystem::path const& file) {
    auto opened = Connection::open(file);
    if (!opened) FAIL(opened.error().message);
    return std::move(*opened);
}

std::string schema_of(Connection& db) {
    Statement select{
        db, "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"};
    std::string all;
    auto rows = select.rows();
    while (rows.next().value())
        all += rows.text(0) + " " + rows.text(1) + " " + rows.text(2) + ": " + rows.text(3) + "\n";
    return all;
}

TEST_CASE("migrate: schema.sql equals the sum of the migrations", "[cache][db]") {
    TempDir dir;
    auto migrated = open_file(dir / "migrated.db");
    auto written = open_file(dir / "written.db");
    std::ifstream file{HOLDFAST_SOURCE_ROOT "/cache/db/schema.sql"};
    std::stringstream schema;
    schema << file.rdbuf();

    REQUIRE(migrate(migrated));
    REQUIRE(written.execute(schema.str()));

    CHECK_FALSE(schema_of(written).empty());
    CHECK(schema_of(migrated) == schema_of(written));
}

TEST_CASE("migrate: running again changes nothing", "[cache][db]") {
    TempDir dir;
    {
        auto db = open_file(dir / "holdfast.db");
        REQUIRE(migrate(db));
    }
    auto db = open_file(dir / "holdfast.db");
    auto const before = schema_of(db);

    REQUIRE(migrate(db));

    CHECK(schema_of(db) == before);
    Statement version{db, "PRAGMA user_version"};
    CHECK(version.scalar().value() == static_cast<std::int64_t>(all_migrations().size()));
}

TEST_CASE("migrate: an older file gets only what it has not seen", "[cache][db]") {
    TempDir dir;
    auto db = open_file(dir / "holdfast.db");
    Migration const steps[] = {{1, "0001_a", "CREATE TABLE a(x)"},
                               {2, "0002_b", "CREATE TABLE b(x); INSERT INTO a VALUES(1)"}};
    REQUIRE(migrate(db, std::span{steps}.first(1)));

    REQUIRE(migrate(db, steps));
    REQUIRE(migrate(db, steps));

    Statement count{db, "SELECT count(*) FROM a"};
    CHECK(count.scalar().value() == 1);
}

TEST_CASE("migrate: a step that fails leaves the file at the step before", "[cache][db]") {
    TempDir dir;
    auto db = open_file(dir / "holdfast.db");
    Migration const steps[] = {{1, "0001_a", "CREATE TABLE a(x)"},
                               {2, "0002_b", "CREATE TABLE b(x); CREATE TABLE a(y)"}};

    auto failed = migrate(db, steps);

    REQUIRE_FALSE(failed);
    CHECK(failed.error().message == "migration 0002_b: table a already exists");
    Statement version{db, "PRAGMA user_version"};
    CHECK(version.scalar().value() == 1);
    Statement tables{db, "SELECT group_concat(name) FROM sqlite_schema"};
    auto rows = tables.rows();
    REQUIRE(rows.next().value());
    CHECK(rows.text(0) == "a");
}

TEST_CASE("migrate: a file written by a newer version is refused with both numbers", "[cache][db]") {
    TempDir dir;
    auto db = open_file(dir / "holdfast.db");
    REQUIRE(migrate(db));
    REQUIRE(db.execute("PRAGMA user_version=4711"));

    auto refused = migrate(db);

    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::invalid_input);
    CHECK(refused.error().message.starts_with(
        "the state directory was written by a newer holdfast (schema 4711, this one knows "));
}

TEST_CASE("migrate: a database of another program is refused", "[cache][db]") {
    TempDir dir;
    auto db = open_file(dir / "holdfast.db");
    REQUIRE(db.execute("PRAGMA application_id=99; CREATE TABLE theirs(x)"));

    auto refused = migrate(db);

    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::invalid_input);
}

}  // namespace holdfast::cache::db
