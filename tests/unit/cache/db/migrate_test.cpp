// tests/unit/cache/db/migrate_test.cpp: the schema only goes forward, and schema.sql tells the truth.
#include "cache/db/migrate.hpp"

#include "tests/support/sqlite_writes.hpp"
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

/// Everything in the tables that 0.1 wrote, as 0.1 wrote it.
void write_0_1(std::filesystem::path const& file) {
    auto db = open_file(file);
    REQUIRE(migrate(db, all_migrations().first(2)));
    REQUIRE(db.execute("INSERT INTO objects VALUES('Kustomization', 'apps', 'web', '{}', '{}', ''),"
                       "('GitRepository', 'apps', 'web', '{}', '{}', '')"));
    Statement own{db, "INSERT INTO owned VALUES('apps', ?1, ?2, 'v1', 'uid', '7', ?3, -2)"};
    for (int i = 0; i < 200; ++i) {
        REQUIRE(own.run(i % 2 == 0 ? "web" : "db", "apps_c" + std::to_string(i) + "__ConfigMap", i));
    }
    REQUIRE(
        db.execute("INSERT INTO outbox(stream, record_id, observed_at, queued_at, fields) VALUES(0, 'r', 1, 2, '{}')"));
}

std::string rows_of(Connection& db, std::string_view sql) {
    Statement select{db, sql};
    std::string all;
    auto rows = select.rows();
    while (rows.next().value()) all += rows.text(0) + "\n";
    return all;
}

constexpr auto kOwnedBefore =
    "SELECT concat_ws('|', namespace, name, id, version, uid, resource_version, wished, fields) FROM owned ORDER BY 1";
constexpr auto kOwnedAfter =
    "SELECT concat_ws('|', namespace, name, id, version, uid, resource_version, wished, fields) "
    "FROM owned WHERE kind = 'Kustomization' AND cluster = '' ORDER BY 1";

void copy_state(std::filesystem::path const& from, std::filesystem::path const& to) {
    for (auto const* name : {"holdfast.db", "holdfast.db-wal"}) {
        if (std::filesystem::exists(from / name)) std::filesystem::copy_file(from / name, to / name);
    }
}

// Goal: whatever moment the process dies at, the file holds each owned row once, in the old table or in the new one.
// Method: the database and its WAL are copied before every write call of the migration; each copy is opened as the
// next start would.
TEST_CASE("migrate: owned rows of 0.1 are a Kustomization's, and dying at any write loses none", "[cache][db]") {
    TempDir dir;
    std::filesystem::create_directory(dir / "state");
    write_0_1(dir / "state/holdfast.db");
    std::string before;
    int steps = 0;
    {
        auto db = open_file(dir / "state/holdfast.db");
        before = rows_of(db, kOwnedBefore);
        test::SqliteWrites const writes{[&] {
            auto const copy = dir / ("step" + std::to_string(steps++));
            std::filesystem::create_directory(copy);
            copy_state(dir / "state", copy);
            return true;
        }};

        REQUIRE(migrate(db));

        CHECK(rows_of(db, kOwnedAfter) == before);
        CHECK(rows_of(db, "SELECT count(*) FROM owned") == "200\n");
        CHECK(rows_of(db, "SELECT record_id FROM outbox") == "r\n");
    }
    REQUIRE(steps > 10);
    for (int step = 0; step < steps; ++step) {
        auto db = open_file(dir / ("step" + std::to_string(step)) / "holdfast.db");
        if (rows_of(db, "PRAGMA user_version") == "2\n") CHECK(rows_of(db, kOwnedBefore) == before);
        REQUIRE(migrate(db));
        CHECK(rows_of(db, kOwnedAfter) == before);
        CHECK(rows_of(db, "SELECT count(*) FROM objects") == "2\n");
        CHECK(db.check());
    }
}

TEST_CASE("migrate: a disk that is full at any write leaves the file of before, whole", "[cache][db][limit]") {
    bool went_through = false;
    for (int free = 0; !went_through; ++free) {
        REQUIRE(free < 200);
        TempDir dir;
        write_0_1(dir / "holdfast.db");
        auto db = open_file(dir / "holdfast.db");
        auto const before = rows_of(db, kOwnedBefore);
        {
            int left = free;
            test::SqliteWrites const writes{[&] { return left-- > 0; }};
            auto migrated = migrate(db);
            went_through = migrated.has_value();
            if (!migrated) CHECK(migrated.error().code == Errc::limit);
        }
        bool const is_old = rows_of(db, "PRAGMA user_version") == "2\n";
        if (!went_through) CHECK(rows_of(db, is_old ? kOwnedBefore : kOwnedAfter) == before);

        REQUIRE(migrate(db));

        CHECK(rows_of(db, kOwnedAfter) == before);
        CHECK(db.check());
    }
}

}  // namespace holdfast::cache::db
