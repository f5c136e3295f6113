// tests/unit/cache/journal/journal_test.cpp: a pass is in the journal as a whole or not at all.
#include "cache/journal/journal.hpp"

#include "cache/db/migrate.hpp"
#include "tests/support/sqlite_writes.hpp"
#include "tests/support/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace holdfast::cache {

namespace {

model::WallTime a_time() { return model::parse_time("2026-08-22T10:00:00Z").value(); }

struct Opened {
    explicit Opened(std::filesystem::path const& file, db::Options options = {}, OutboxLimits limits = {})
        : connection(std::move(db::Connection::open(file, options).value())) {
        REQUIRE(db::migrate(connection));
        outbox.emplace(connection, limits, a_time);
        REQUIRE(outbox->open());
        journal.emplace(connection, *outbox);
    }
    db::Connection connection;
    std::optional<Outbox> outbox;
    std::optional<Journal> journal;
};

model::Key const kKey{model::Kind::kustomization, "apps", "web"};

model::JournalWrite a_pass(std::string status, std::string id) {
    model::JournalWrite pass{.key = kKey};
    pass.status = status;
    pass.owned = std::vector<model::OwnedObject>{{.entry = {std::move(id), "v1"},
                                                  .uid = "u",
                                                  .resource_version = "7",
                                                  .wished = 0xffffffffffffffffULL,
                                                  .fields = 2}};
    pass.records.push_back({.subject = "apps/web", .state_digest = std::move(status), .observed_at = a_time()});
    return pass;
}

}  // namespace

static std::vector<model::JournalEntry> all(Journal& journal) {
    std::vector<model::JournalEntry> entries;
    REQUIRE(journal.load([&](model::JournalEntry entry) { entries.push_back(std::move(entry)); }));
    return entries;
}

TEST_CASE("journal: what save returned for is there after a restart", "[cache][journal]") {
    test::TempDir dir;
    {
        Opened opened{dir / "holdfast.db"};
        REQUIRE(opened.journal->save(a_pass("one", "a_x__ConfigMap")));
        REQUIRE(opened.journal->save(a_pass("two", "a_y__ConfigMap")));
    }

    Opened opened{dir / "holdfast.db"};
    auto const entries = all(*opened.journal);

    REQUIRE(entries.size() == 1);
    CHECK(entries[0].key == kKey);
    CHECK(entries[0].status == "two");
    REQUIRE(entries[0].owned.size() == 1);
    CHECK(entries[0].owned[0].entry.id == "a_y__ConfigMap");
    CHECK(entries[0].owned[0].wished == 0xffffffffffffffffULL);
    CHECK(opened.outbox->state().value().waiting == 2);
}

TEST_CASE("journal: a pass that does not fit the disk leaves the previous one whole", "[cache][journal]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db", {.file_bytes_max = 256 << 10}};
    REQUIRE(opened.journal->save(a_pass("good", "a_x__ConfigMap")));

    auto const refused = opened.journal->save(a_pass(std::string(1 << 20, 'x'), "a_y__ConfigMap"));

    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::limit);
    auto const entries = all(*opened.journal);
    CHECK(entries.at(0).status == "good");
    CHECK(entries.at(0).owned.at(0).entry.id == "a_x__ConfigMap");
    CHECK(opened.outbox->state().value().waiting == 1);
}

TEST_CASE("journal: a full outbox does not keep a pass from being recorded", "[cache][journal]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db", {}, {.rows_max = 1}};
    REQUIRE(opened.journal->save(a_pass("one", "a_x__ConfigMap")));

    REQUIRE(opened.journal->save(a_pass("two", "a_y__ConfigMap")));

    CHECK(all(*opened.journal).at(0).status == "two");
    CHECK(opened.outbox->state().value().refused == 1);
}

TEST_CASE("journal: an erased object leaves nothing but its last record", "[cache][journal]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db"};
    REQUIRE(opened.journal->save(a_pass("one", "a_x__ConfigMap")));

    REQUIRE(opened.journal->erase(kKey, {{.subject = "apps/web", .state_digest = "deleted", .observed_at = a_time()}}));

    CHECK(all(*opened.journal).empty());
    CHECK(opened.outbox->state().value().waiting == 2);
    REQUIRE(opened.journal->save(a_pass("deleted", "a_x__ConfigMap")));  // made again: recorded again
    CHECK(opened.outbox->state().value().waiting == 3);
}

TEST_CASE("journal: a save that changes nothing writes nothing, and repeats are still counted", "[cache][journal]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db"};
    auto pass = a_pass("one", "a_x__ConfigMap");
    pass.wish = "{}";
    pass.facts = "f";
    REQUIRE(opened.journal->save(pass));
    pass.owned->at(0).resource_version = "8";  // someone else's write

    test::SqliteWrites const writes;
    REQUIRE(opened.journal->save(pass));
    REQUIRE(opened.journal->save(pass));

    CHECK(writes.calls() == 0);
    CHECK(opened.outbox->state().value().folded == 2);
    CHECK(all(*opened.journal).at(0).owned.at(0).resource_version == "7");
}

TEST_CASE("journal: a record that is new is written though the pass changed nothing else", "[cache][journal]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db"};
    auto pass = a_pass("one", "a_x__ConfigMap");
    REQUIRE(opened.journal->save(pass));
    REQUIRE(opened.journal->save(pass));
    pass.records.at(0).state_digest = "two";

    REQUIRE(opened.journal->save(pass));

    CHECK(opened.outbox->state().value().waiting == 2);
    // The count of repeats went to the disk with the record.
    db::Statement folded{opened.connection, "SELECT value FROM numbers WHERE name = 'folded'"};
    CHECK(folded.scalar().value() == 1);
}

TEST_CASE("journal: of the owned objects only those that differ are written", "[cache][journal]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db"};
    auto const one = [](std::string id, std::uint64_t wished) {
        return model::OwnedObject{
            .entry = {std::move(id), "v1"}, .uid = "u", .resource_version = "7", .wished = wished, .fields = 2};
    };
    model::JournalWrite pass{.key = kKey};
    pass.owned = {one("a", 1), one("b", 1), one("c", 1)};
    REQUIRE(opened.journal->save(pass));
    REQUIRE(opened.connection.execute(
        "CREATE TEMP TABLE seen(what);"
        "CREATE TEMP TRIGGER i AFTER INSERT ON owned BEGIN INSERT INTO seen VALUES('+' || new.id); END;"
        "CREATE TEMP TRIGGER u AFTER UPDATE ON owned BEGIN INSERT INTO seen VALUES('=' || new.id); END;"
        "CREATE TEMP TRIGGER d AFTER DELETE ON owned BEGIN INSERT INTO seen VALUES('-' || old.id); END"));
    pass.owned = {one("d", 1), one("b", 9), one("a", 1)};

    REQUIRE(opened.journal->save(pass));

    {
        db::Statement seen{opened.connection,
                           "SELECT group_concat(what, ' ') FROM (SELECT what FROM seen ORDER BY what)"};
        auto rows = seen.rows();
        REQUIRE(rows.next().value());
        CHECK(rows.text(0) == "+d -c =b");
    }
    auto const owned = all(*opened.journal).at(0).owned;
    REQUIRE(owned.size() == 3);
    CHECK(owned.at(1).entry.id == "b");
    CHECK(owned.at(1).wished == 9);
}

TEST_CASE("journal: objects of one name but another kind or cluster have inventories of their own",
          "[cache][journal]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db"};
    model::Key const other{model::Kind::flux_config, kKey.ns, kKey.name};
    model::JournalWrite pass{.key = kKey};
    pass.owned = std::vector<model::OwnedObject>{{.entry = {"x", "v1"}}, {.entry = {"x", "v1"}, .cluster = "edge"}};
    REQUIRE(opened.journal->save(pass));
    pass.key = other;
    pass.owned->pop_back();
    REQUIRE(opened.journal->save(pass));

    REQUIRE(opened.journal->erase(other, {}));

    auto const entries = all(*opened.journal);
    REQUIRE(entries.size() == 1);
    REQUIRE(entries[0].owned.size() == 2);
    CHECK(entries[0].owned[0].cluster.empty());
    CHECK(entries[0].owned[1].cluster == "edge");
}

// Flash wears by what is written. A frame of the log is one page and 24 bytes; a row of more than 1 KB has a page beside its
// leaf, which an update frees and takes again: the list of free pages is written too.
TEST_CASE("journal: a pass that changes one status writes four pages at most", "[cache][journal]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db"};
    for (int i = 0; i < 200; ++i) {
        model::JournalWrite pass{.key = {model::Kind::kustomization, "apps", "app" + std::to_string(i)}};
        pass.wish = R"({"spec":")" + std::string(700, 's') + "\"}";
        pass.status = std::string(1'200, 'a');
        pass.facts = std::string(200, 'f');
        pass.owned = std::vector<model::OwnedObject>{{.entry = {"x", "v1"}}};
        REQUIRE(opened.journal->save(pass));
    }
    model::JournalWrite pass{.key = {model::Kind::kustomization, "apps", "app100"}};
    pass.status = std::string(1'200, 'b');
    REQUIRE(opened.journal->save(pass));  // what the first change moves about is not a typical one

    std::int64_t most = 0;
    for (char c = 'c'; c < 'm'; ++c) {
        pass.status = std::string(1'200 + static_cast<std::size_t>(c) * 3, c);  // another length: the row moves
        test::SqliteWrites const writes;
        REQUIRE(opened.journal->save(pass));
        most = std::max(most, writes.bytes());
    }
    INFO(most << " bytes");
    CHECK(most <= 4 * (4'096 + 24) + 32);
}

}  // namespace holdfast::cache
