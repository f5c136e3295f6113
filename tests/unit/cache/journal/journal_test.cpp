// tests/unit/cache/journal/journal_test.cpp: a pass is in the journal as a whole or not at all.
#include "cache/journal/journal.hpp"

#include "cache/db/migrate.hpp"
#include "tests/support/temp_dir.hpp"

#include <catch2/catch.hpp>

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

TEST_CASE("journal: what save returned for is there after a restart", "[cache][journal]") {
    test::TempDir dir;
    {
        Opened opened{dir / "holdfast.db"};
        REQUIRE(opened.journal->save(a_pass("one", "a_x__ConfigMap")));
        REQUIRE(opened.journal->save(a_pass("two", "a_y__ConfigMap")));
    }

    Opened opened{dir / "holdfast.db"};
    auto const entries = opened.journal->load().value();

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
    auto const entries = opened.journal->load().value();
    CHECK(entries.at(0).status == "good");
    CHECK(entries.at(0).owned.at(0).entry.id == "a_x__ConfigMap");
    CHECK(opened.outbox->state().value().waiting == 1);
}

TEST_CASE("journal: a full outbox does not keep a pass from being recorded", "[cache][journal]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db", {}, {.rows_max = 1}};
    REQUIRE(opened.journal->save(a_pass("one", "a_x__ConfigMap")));

    REQUIRE(opened.journal->save(a_pass("two", "a_y__ConfigMap")));

    CHECK(opened.journal->load().value().at(0).status == "two");
    CHECK(opened.outbox->state().value().refused == 1);
}

TEST_CASE("journal: an erased object leaves nothing but its last record", "[cache][journal]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db"};
    REQUIRE(opened.journal->save(a_pass("one", "a_x__ConfigMap")));

    REQUIRE(opened.journal->erase(kKey, {{.subject = "apps/web", .state_digest = "deleted", .observed_at = a_time()}}));

    CHECK(opened.journal->load().value().empty());
    CHECK(opened.outbox->state().value().waiting == 2);
    REQUIRE(opened.journal->save(a_pass("deleted", "a_x__ConfigMap")));  // made again: recorded again
    CHECK(opened.outbox->state().value().waiting == 3);
}

}  // namespace holdfast::cache
