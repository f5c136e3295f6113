// tests/unit/cache/outbox/desk_test.cpp: what an operator does with the queue loses, doubles and renumbers nothing.
#include "cache/outbox/outbox.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/cache/outbox/opened.hpp"

#include <catch2/catch.hpp>

#include <initializer_list>
#include <vector>

namespace holdfast::cache {

namespace {

model::ComplianceRecord a_record(std::string const& state) {
    return {.subject = "object " + state,
            .state_digest = state,
            .observed_at = a_time(),
            .fields = {{"Namespace", "apps"}, {"State", state}}};
}

using Shelf = Outbox::Shelf;

std::vector<Outbox::Shown> on(Opened& opened, Shelf shelf) {
    return opened.outbox->show(shelf, 0, 100, 1'000'000).value();
}

void put(Opened& opened, std::initializer_list<char const*> states) {
    for (auto const* state : states) REQUIRE(opened.outbox->put(a_record(state)).value() == Outbox::Put::queued);
}

}  // namespace

TEST_CASE("outbox: what is put back waits as it was, under its number and its id", "[cache][outbox][desk]") {
    test::TempDir dir;
    uplink::QueuedRecord before;
    {
        Opened opened{dir / "holdfast.db"};
        put(opened, {"1", "2", "3"});
        auto repeat = a_record("1");
        repeat.observed_at += std::chrono::seconds{9};
        REQUIRE(opened.outbox->put(repeat));
        before = opened.outbox->oldest(model::Stream::compliance, 0, 1, 1'000'000).value().at(0);
        REQUIRE(before.count == 2);
        REQUIRE(opened.outbox->set_aside(1, "400 InvalidRow"));
        REQUIRE(opened.outbox->acknowledge({2}));
        REQUIRE(on(opened, Shelf::aside).size() == 1);
        CHECK(on(opened, Shelf::aside).at(0).reason == "400 InvalidRow");

        CHECK(opened.outbox->put_back({1}).value() == 1);
        CHECK(on(opened, Shelf::aside).empty());
        CHECK(opened.outbox->state().value().dead == 0);
        CHECK(opened.outbox->state().value().waiting == 2);
        CHECK(db::read_mark(dir / "holdfast.db")->acknowledged == 0);
    }

    Opened opened{dir / "holdfast.db"};
    auto const again = opened.outbox->oldest(model::Stream::compliance, 0, 10, 1'000'000).value();
    REQUIRE(again.size() == 2);
    CHECK(again.at(0).sequence == 1);
    CHECK(again.at(0).record_id == before.record_id);
    CHECK(again.at(0).fields == before.fields);
    CHECK(again.at(0).count == before.count);
    CHECK(again.at(0).last_at == before.last_at);
    CHECK(again.at(0).observed_at == before.observed_at);
    CHECK(opened.outbox->check().value().empty());
}

TEST_CASE("outbox: all or none of those that are named is put back, and no more than find room",
          "[cache][outbox][desk]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db", {.rows_max = 4}};
    put(opened, {"1", "2", "3"});
    for (std::int64_t const sequence : {1, 2, 3}) REQUIRE(opened.outbox->set_aside(sequence, "400"));
    put(opened, {"4", "5", "6"});

    auto const unknown = opened.outbox->put_back({1, 9});
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().code == Errc::not_found);
    CHECK(unknown.error().message == "no record 9 was set aside");
    CHECK(on(opened, Shelf::aside).size() == 3);

    CHECK(opened.outbox->put_back({1, 2, 3}).value() == 1);
    CHECK(on(opened, Shelf::aside).size() == 2);
    CHECK(on(opened, Shelf::waiting).size() == 4);
    CHECK(opened.outbox->state().value().waiting == 4);
    CHECK(opened.outbox->state().value().dead == 2);
}

TEST_CASE("outbox: to be looked at does not close a record for what comes back to its state", "[cache][outbox][desk]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db"};
    put(opened, {"1"});

    CHECK(on(opened, Shelf::waiting).at(0).record.count == 1);
    REQUIRE(opened.outbox->put(a_record("1")));

    CHECK(opened.outbox->oldest(model::Stream::compliance, 0, 1, 1'000'000).value().at(0).count == 2);
}

TEST_CASE("outbox: a record whose fields are damaged stops no start, and leaves when it is set aside",
          "[cache][outbox][desk]") {
    test::TempDir dir;
    {
        Opened opened{dir / "holdfast.db"};
        put(opened, {"1"});
        put(opened, {"2"});
        REQUIRE(opened.connection.execute("UPDATE outbox SET fields = '{\"State' WHERE sequence = 1"));
    }

    Opened opened{dir / "holdfast.db"};
    CHECK(opened.outbox->check().value().size() == 1);
    REQUIRE(opened.outbox->set_aside(1, "the stored fields are not a JSON object"));
    REQUIRE(opened.outbox->acknowledge({2}));

    CHECK(opened.outbox->state().value().waiting == 0);
    CHECK(opened.outbox->state().value().bytes == 0);
    CHECK(on(opened, Shelf::aside).at(0).record.fields == "{\"State");
    CHECK(opened.outbox->put_back({1}).value() == 1);
    CHECK(opened.outbox->oldest(model::Stream::compliance, 0, 10, 1'000'000).value().at(0).fields == "{\"State");
}

}  // namespace holdfast::cache
