// tests/unit/cache/db/rescue_test.cpp: a damaged database costs what was on the damaged page, and no sequence is used twice.
// Goal: whatever is overwritten, cut off or gone, the daemon starts, goes on with what can be read, and says what it did.
// Method: real files of a few hundred rows; each page in turn is overwritten; deaths are copies of the directory.
#include "cache/db/rescue.hpp"

#include "cache/db/mark.hpp"
#include "cache/db/migrate.hpp"
#include "tests/support/sqlite_writes.hpp"
#include "tests/support/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <fstream>

namespace holdfast::cache::db {

namespace {

using test::TempDir;

constexpr std::int64_t kPageBytes = 4'096;
constexpr std::int64_t kRecords = 300;
constexpr std::int64_t kAcknowledged = 20;
constexpr std::int64_t kOnePageMax = 40;  // records that fit on one page
std::string const kSite(32, 'a');

RescueOptions options_of(TempDir const& dir) {
    return {.database = {},
            .blobs = dir / "blobs",
            .now = std::chrono::system_clock::time_point{std::chrono::seconds{1'790'000'000}}};
}

Opened open_ok(TempDir const& dir) {
    auto opened = open_or_rescue(dir / "holdfast.db", options_of(dir));
    if (!opened) FAIL(opened.error().message);
    return std::move(*opened);
}

std::int64_t number(Connection& db, std::string_view sql) {
    Statement select{db, sql};
    return select.scalar().value();
}

std::string text(Connection& db, std::string_view sql) {
    Statement select{db, sql};
    auto rows = select.rows();
    if (!rows.next().value()) return {};
    return rows.text(0);
}

void fill(Connection& db) {
    auto transaction = Transaction::begin(db);
    Statement record{db, "INSERT INTO outbox(stream, record_id, observed_at, queued_at, fields) "
                         "VALUES(?1 % 2, substr(printf('%032d', ?1), 1, 32), ?1, ?1, ?2)"};
    std::string const fields = R"({"ComplianceState":"Compliant","Message":")" + std::string(120, 'm') + "\"}";
    for (std::int64_t i = 1; i <= kRecords; ++i) REQUIRE(record.run(i, fields));
    REQUIRE(db.execute("DELETE FROM outbox WHERE sequence <= 20"));
    REQUIRE(db.execute("INSERT INTO dead_letters VALUES(7, 0, 'r', 1, '{}', 'why')"));
    REQUIRE(db.execute("INSERT INTO numbers VALUES('site', '" + kSite + "'), ('refused', 3)"));
    Statement object{db, "INSERT INTO objects VALUES('Kustomization', 'apps', ?1, ?2, '{}', '')"};
    Statement own{db, "INSERT INTO owned VALUES('Kustomization', 'apps', ?1, '', ?2, 'v1', 'u', '7', 1, 2)"};
    Statement state{db, "INSERT INTO last_states(stream, subject, digest) VALUES(0, ?1, 'd')"};
    Statement blob{db, "INSERT INTO blobs VALUES(?1, 1, 2)"};
    Statement artifact{db,
                       "INSERT INTO artifacts(source, revision, digest, size, stored_at) VALUES(?1, 'r', ?2, 1, 2)"};
    for (int i = 0; i < 40; ++i) {
        auto const name = "app" + std::to_string(100 + i);
        REQUIRE(object.run(name, R"({"spec":")" + std::string(600, 's') + "\"}"));
        for (int one = 0; one < 10; ++one) REQUIRE(own.run(name, "apps_c" + std::to_string(one) + "__ConfigMap"));
        REQUIRE(state.run(name));
        REQUIRE(blob.run("sha256:" + std::string(60, 'b') + std::to_string(1'000 + i)));
        REQUIRE(
            artifact.run("GitRepository/apps/" + name, "sha256:" + std::string(60, 'b') + std::to_string(1'000 + i)));
    }
    REQUIRE(transaction->commit());
}

/// A state directory as a running daemon leaves it, everything in the database file.
void make(TempDir const& dir, bool with_mark = true) {
    {
        auto opened = open_ok(dir);
        fill(opened.connection);
        Mark mark{.site = kSite, .issued = 320, .acknowledged = kAcknowledged};
        REQUIRE(describe(opened.connection, mark));
        if (with_mark) REQUIRE(write_mark(dir / "holdfast.db", mark));
    }
    REQUIRE_FALSE(std::filesystem::exists(dir / "holdfast.db-wal"));
}

void overwrite(std::filesystem::path const& file, std::int64_t page, std::string const& bytes) {
    std::fstream damaged{file, std::ios::in | std::ios::out | std::ios::binary};
    damaged.seekp(page * kPageBytes);
    damaged << bytes;
}

std::int64_t records_in(Connection& db) { return number(db, "SELECT count(*) FROM outbox"); }

std::int64_t next_sequence(Connection& db) {
    REQUIRE(
        db.execute("INSERT INTO outbox(stream, record_id, observed_at, queued_at, fields) VALUES(0, 'n', 1, 1, '{}')"));
    return db.last_insert_id();
}

std::int64_t damaged_files(TempDir const& dir) {
    std::int64_t found = 0;
    for (auto const& entry : std::filesystem::directory_iterator{dir.path()})
        found += entry.path().filename().string().contains(".damaged-") ? 1 : 0;
    return found;
}

}  // namespace

TEST_CASE("rescue: a sound database and a new directory are opened without a word", "[cache][db]") {
    TempDir dir;
    make(dir);

    auto opened = open_ok(dir);

    CHECK_FALSE(opened.rescue);
    CHECK(records_in(opened.connection) == kRecords - kAcknowledged);
    CHECK(next_sequence(opened.connection) == kRecords + 1);  // dense: the mark's reserve is not used up by a restart
    CHECK(damaged_files(dir) == 0);
}

TEST_CASE("rescue: any one page overwritten costs at most what was on it", "[cache][db]") {
    auto const bytes = GENERATE(std::string(kPageBytes, '\x55'), std::string(kPageBytes, '\0'));
    TempDir sound;
    make(sound);
    auto const pages = static_cast<std::int64_t>(std::filesystem::file_size(sound / "holdfast.db")) / kPageBytes;
    REQUIRE(pages > 40);
    int rescued = 0;
    for (std::int64_t page = 0; page < pages; ++page) {
        TempDir dir;
        std::filesystem::copy_file(sound / "holdfast.db", dir / "holdfast.db");
        std::filesystem::copy_file(sound / "holdfast.state", dir / "holdfast.state");
        overwrite(dir / "holdfast.db", page, bytes);
        INFO("page " << page << " of " << pages);

        auto opened = open_ok(dir);

        auto& db = opened.connection;
        if (!opened.rescue) {  // a page that was free
            CHECK(records_in(db) == kRecords - kAcknowledged);
            continue;
        }
        ++rescued;
        INFO(opened.rescue->text());
        CHECK(opened.rescue->records == records_in(db));
        CHECK(records_in(db) >= kRecords - kAcknowledged - kOnePageMax);
        CHECK(number(db, "SELECT count(*) FROM owned") >= 400 - 120);
        CHECK(number(db, "SELECT count(*) FROM objects") >= 40 - 8);
        CHECK(number(db, "SELECT count(*) FROM artifacts") >= 40 - 36);
        CHECK(number(db, "SELECT count(*) FROM outbox WHERE fields NOT LIKE '%mmm%'") == 0);
        CHECK(text(db, "SELECT value FROM numbers WHERE name = 'site'") == kSite);
        CHECK(opened.rescue->sequence >= kRecords);
        CHECK(next_sequence(db) == opened.rescue->sequence + 1);
        CHECK(db.check());
        CHECK(opened.rescue->set_aside == dir / "holdfast.db.damaged-20260921T141320Z");
        CHECK(std::filesystem::exists(opened.rescue->set_aside));
    }
    CHECK(rescued > 30);
}

TEST_CASE("rescue: a file of garbage is set aside, and the site goes on above every sequence it used", "[cache][db]") {
    TempDir dir;
    make(dir);
    std::ofstream{dir / "holdfast.db"} << std::string(100'000, 'x');

    auto opened = open_ok(dir);

    REQUIRE(opened.rescue);
    CHECK(opened.rescue->text().contains("kept as " + (dir / "holdfast.db.damaged-20260921T141320Z").string()));
    CHECK(opened.rescue->text().contains("0 records"));
    CHECK(std::filesystem::file_size(opened.rescue->set_aside) == 100'000);
    CHECK(text(opened.connection, "SELECT value FROM numbers WHERE name = 'site'") == kSite);
    CHECK(next_sequence(opened.connection) == 321);
}

TEST_CASE("rescue: without a mark and a counter the site gets a new id, for old numbers would be used again",
          "[cache][db]") {
    TempDir dir;
    make(dir, false);
    {
        auto opened = open_ok(dir);
        REQUIRE(opened.connection.execute("DELETE FROM outbox"));
    }
    std::ofstream{dir / "holdfast.db"} << std::string(100'000, 'x');

    auto opened = open_ok(dir);

    REQUIRE(opened.rescue);
    CHECK(opened.rescue->text().contains("the site gets a new id"));
    CHECK(text(opened.connection, "SELECT value FROM numbers WHERE name = 'site'").empty());
}

TEST_CASE("rescue: a file that was cut is read as far as it goes", "[cache][db]") {
    TempDir sound;
    make(sound);
    auto const pages = static_cast<std::int64_t>(std::filesystem::file_size(sound / "holdfast.db")) / kPageBytes;
    std::int64_t before = 0;
    for (std::int64_t page = 1; page < pages; page += 5) {
        TempDir dir;
        std::filesystem::copy_file(sound / "holdfast.db", dir / "holdfast.db");
        std::filesystem::copy_file(sound / "holdfast.state", dir / "holdfast.state");
        std::filesystem::resize_file(dir / "holdfast.db", static_cast<std::uintmax_t>(page * kPageBytes + 100));
        INFO("pages " << page);

        auto opened = open_ok(dir);

        REQUIRE(opened.rescue);
        CHECK(records_in(opened.connection) >= before);
        before = records_in(opened.connection);
        CHECK(next_sequence(opened.connection) == 321);
        CHECK(opened.connection.check());
    }
    CHECK(before > 0);
}

TEST_CASE("rescue: an empty or missing file is not new where there was one", "[cache][db]") {
    TempDir dir;
    make(dir);
    std::string found;
    SECTION("empty") {
        std::filesystem::resize_file(dir / "holdfast.db", 0);
        found = "it is empty";
    }
    SECTION("gone") {
        std::filesystem::remove(dir / "holdfast.db");
        found = "it is gone";
    }

    auto opened = open_ok(dir);

    REQUIRE(opened.rescue);
    CHECK(opened.rescue->found == found);
    CHECK(opened.rescue->text().contains("up to 300 records may be lost"));
    CHECK(next_sequence(opened.connection) == 321);
    CHECK(text(opened.connection, "SELECT value FROM numbers WHERE name = 'site'") == kSite);
}

TEST_CASE("rescue: an empty file beside a blob is said to be a loss, beside nothing it is new", "[cache][db]") {
    TempDir dir;
    std::filesystem::create_directories(dir / "blobs/tmp");
    std::ofstream{dir / "holdfast.db"};
    bool const has_blob = GENERATE(true, false);
    if (has_blob) std::ofstream{dir / ("blobs/" + std::string(64, 'c'))} << "x";

    auto opened = open_ok(dir);

    CHECK(opened.rescue.has_value() == has_blob);
}

TEST_CASE("rescue: a log beside an empty file is read", "[cache][db]") {
    TempDir dir;
    TempDir dead;
    {
        auto opened = open_ok(dir);
        fill(opened.connection);
        std::filesystem::copy_file(dir / "holdfast.db-wal", dead / "holdfast.db-wal");
        std::ofstream{dead / "holdfast.db"};
    }

    auto opened = open_ok(dead);

    REQUIRE(opened.rescue);
    CHECK(records_in(opened.connection) == kRecords - kAcknowledged);
    CHECK(next_sequence(opened.connection) == kRecords + 1);
    CHECK(std::filesystem::exists(opened.rescue->set_aside.string() + "-wal"));
    CHECK_FALSE(std::filesystem::exists(dead / "holdfast.db.rescue-copy"));
}

TEST_CASE("rescue: a copy older than the mark does not use its numbers again", "[cache][db]") {
    TempDir dir;
    make(dir);
    Mark mark{.site = kSite, .issued = 5'000, .acknowledged = 4'990};
    REQUIRE(write_mark(dir / "holdfast.db", mark));

    auto opened = open_ok(dir);

    REQUIRE(opened.rescue);
    CHECK(opened.rescue->set_aside.empty());
    CHECK(opened.rescue->text().contains("up to 10 records may be lost"));
    CHECK(records_in(opened.connection) == kRecords - kAcknowledged);
    CHECK(next_sequence(opened.connection) == 5'001);
}

TEST_CASE("rescue: rows of a damaged 0.1 file are carried into the newest schema", "[cache][db]") {
    TempDir dir;
    {
        auto db = Connection::open(dir / "holdfast.db");
        REQUIRE(db);
        REQUIRE(migrate(*db, all_migrations().first(2)));
        REQUIRE(db->execute("INSERT INTO objects VALUES('Kustomization', 'apps', 'web', '{}', 'not json', '')"));
        REQUIRE(db->execute("INSERT INTO owned VALUES('apps', 'web', 'x', 'v1', 'u', '7', 1, 2)"));
        Statement subject{*db, "INSERT INTO last_states(stream, subject, digest) VALUES(0, ?1, 'd')"};
        for (int i = 0; i < 400; ++i) REQUIRE(subject.run("s" + std::to_string(1'000 + i) + std::string(60, 's')));
    }
    auto const pages = static_cast<std::int64_t>(std::filesystem::file_size(dir / "holdfast.db")) / kPageBytes;
    overwrite(dir / "holdfast.db", pages - 2, std::string(kPageBytes, '\x55'));  // a leaf of last_states

    auto opened = open_ok(dir);

    REQUIRE(opened.rescue);
    CHECK(text(opened.connection, "SELECT concat_ws('|', kind, namespace, name, cluster, id) FROM owned") ==
          "Kustomization|apps|web||x");
    CHECK(text(opened.connection, "SELECT concat_ws('|', wish, status) FROM objects") == "{}|");
    auto const states = number(opened.connection, "SELECT count(*) FROM last_states");
    CHECK(states > 300);
    CHECK(states < 400);
}

// Method: the directory is copied before every write SQLite makes, and in the two states between the renames.
TEST_CASE("rescue: dying at any moment of it loses nothing that it would have carried", "[cache][db]") {
    TempDir dir;
    make(dir);
    overwrite(dir / "holdfast.db", 30, std::string(kPageBytes, '\x55'));
    std::vector<std::unique_ptr<TempDir>> deaths;
    auto const copy = [&] {
        deaths.push_back(std::make_unique<TempDir>());
        std::filesystem::copy(dir.path(), deaths.back()->path());
    };
    std::int64_t carried = 0;
    {
        int writes = 0;
        test::SqliteWrites const hook{[&] {
            if (++writes % 7 == 0) copy();
            return true;
        }};
        auto opened = open_ok(dir);
        REQUIRE(opened.rescue);
        carried = opened.rescue->records;
    }
    // The new one is whole, the damaged one is still in its place; then it is moved, its log is not.
    auto const damaged = dir / "holdfast.db.damaged-20260921T141320Z";
    std::filesystem::rename(dir / "holdfast.db", dir / "holdfast.db.rescue");
    std::filesystem::copy_file(damaged, dir / "holdfast.db");
    std::filesystem::rename(damaged, dir / "elsewhere");
    copy();
    std::filesystem::rename(dir / "holdfast.db", damaged);
    std::ofstream{dir / "holdfast.db-wal"} << std::string(200, 'w');
    copy();

    REQUIRE(deaths.size() > 5);
    for (auto const& death : deaths) {
        auto opened = open_ok(*death);
        REQUIRE(opened.rescue);
        CHECK(records_in(opened.connection) == carried);
        CHECK(opened.connection.check());
        CHECK_FALSE(std::filesystem::exists(*death / "holdfast.db.rescue"));
        CHECK(damaged_files(*death) >= 1);
    }
}

TEST_CASE("rescue: only the last few damaged files are kept", "[cache][db][limit]") {
    TempDir dir;
    make(dir);
    for (int i = 0; i < 5; ++i) {
        overwrite(dir / "holdfast.db", 0, std::string(kPageBytes, 'x'));
        auto options = options_of(dir);
        options.now += std::chrono::hours{i};
        auto opened = open_or_rescue(dir / "holdfast.db", options);
        REQUIRE(opened);
        REQUIRE(opened->rescue);
    }

    CHECK(damaged_files(dir) == 3);
    CHECK(std::filesystem::exists(dir / "holdfast.db.damaged-20260921T181320Z"));
}

TEST_CASE("rescue: a full disk leaves the damaged file where it is, to be tried again", "[cache][db][limit]") {
    TempDir dir;
    make(dir);
    overwrite(dir / "holdfast.db", 30, std::string(kPageBytes, '\x55'));
    {
        test::SqliteWrites const full{[] { return false; }};
        auto opened = open_or_rescue(dir / "holdfast.db", options_of(dir));
        REQUIRE_FALSE(opened);
        CHECK(opened.error().code == Errc::limit);
    }

    auto opened = open_ok(dir);

    REQUIRE(opened.rescue);
    CHECK(records_in(opened.connection) >= kRecords - kAcknowledged - kOnePageMax);
}

TEST_CASE("mark: comes back as it was written, and a changed byte or a missing end makes it none", "[cache][db]") {
    TempDir dir;
    Mark const mark{.site = kSite, .schema = 4, .issued = 64, .acknowledged = 9, .roots = {{"outbox", 7}}};
    REQUIRE(write_mark(dir / "holdfast.db", mark));
    REQUIRE(read_mark(dir / "holdfast.db") == mark);
    std::ifstream file{dir / "holdfast.state"};
    std::string const whole{std::istreambuf_iterator<char>{file}, {}};

    for (std::size_t i = 0; i < whole.size(); ++i) {
        auto changed = whole;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        std::ofstream{dir / "holdfast.state"} << changed;
        CHECK_FALSE(read_mark(dir / "holdfast.db"));
        std::ofstream{dir / "holdfast.state"} << whole.substr(0, i);
        CHECK_FALSE(read_mark(dir / "holdfast.db"));
    }
}

}  // namespace holdfast::cache::db
