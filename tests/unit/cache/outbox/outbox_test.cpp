// tests/unit/cache/outbox/outbox_test.cpp: nothing owed to Azure is lost, renumbered or sent for nothing.
#include "cache/outbox/outbox.hpp"

#include "cache/db/rescue.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/cache/outbox/opened.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>

namespace holdfast::cache {

namespace {

model::ComplianceRecord a_record(std::string subject, std::string state) {
    return {
        .subject = std::move(subject), .state_digest = state, .observed_at = a_time(), .fields = {{"State", state}}};
}

}  // namespace

// Goal: no record is lost, and none changes its id, between "sent" and "acknowledged".
// Method: a real SQLite file; the power cut is a reopen without acknowledge().
TEST_CASE("outbox: a record sent but not acknowledged is offered again after a restart", "[cache][outbox][req:R12]") {
    test::TempDir dir;
    uplink::QueuedRecord first;
    {
        Opened opened{dir / "holdfast.db"};
        REQUIRE(opened.outbox->put(a_record("pay", "Pending")));
        first = opened.outbox->oldest(model::Stream::compliance, 0, 10, 1'000'000).value().at(0);
    }

    Opened opened{dir / "holdfast.db"};
    auto const again = opened.outbox->oldest(model::Stream::compliance, 0, 10, 1'000'000).value();

    REQUIRE(again.size() == 1);
    CHECK(again.at(0).sequence == first.sequence);
    CHECK(again.at(0).record_id == first.record_id);
    CHECK(again.at(0).fields == R"({"State":"Pending"})");
    CHECK(again.at(0).observed_at == a_time());
}

TEST_CASE("outbox: sequences stay dense over acknowledgement, restart and a rolled back insert", "[cache][outbox]") {
    test::TempDir dir;
    {
        Opened opened{dir / "holdfast.db"};
        REQUIRE(opened.outbox->put(a_record("a", "1")));
        REQUIRE(opened.outbox->put(a_record("a", "2")));
        REQUIRE(opened.outbox->acknowledge({1, 2}));
        {
            auto transaction = db::Transaction::begin(opened.connection);
            REQUIRE(opened.outbox->put(a_record("a", "lost")));
        }
        REQUIRE(opened.outbox->reload());
    }

    Opened opened{dir / "holdfast.db"};
    REQUIRE(opened.outbox->put(a_record("a", "3")));

    CHECK(opened.outbox->oldest(model::Stream::compliance, 0, 10, 1'000'000).value().at(0).sequence == 3);
    CHECK(opened.outbox->state().value().waiting == 1);
}

TEST_CASE("outbox: a repeat of the same state is counted and not queued, a change back is queued", "[cache][outbox]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db"};

    CHECK(opened.outbox->put(a_record("a", "Compliant")).value() == Outbox::Put::queued);
    CHECK(opened.outbox->put(a_record("a", "Compliant")).value() == Outbox::Put::repeated);
    CHECK(opened.outbox->put(a_record("a", "Non-Compliant")).value() == Outbox::Put::queued);
    CHECK(opened.outbox->put(a_record("a", "Compliant")).value() == Outbox::Put::queued);

    auto const state = opened.outbox->state().value();
    CHECK(state.waiting == 3);
    CHECK(state.folded == 1);
}

TEST_CASE("outbox: put refuses when full, counts exactly, and takes the state again later", "[cache][outbox]") {
    test::TempDir dir;
    {
        Opened opened{dir / "holdfast.db", {.rows_max = 1}};
        CHECK(opened.outbox->put(a_record("a", "1")).value() == Outbox::Put::queued);
        CHECK(opened.outbox->put(a_record("b", "0")).value() == Outbox::Put::refused);
        CHECK(opened.outbox->put(a_record("b", "1")).value() == Outbox::Put::refused);
        CHECK(opened.outbox->put(a_record("b", "1")).value() ==
              Outbox::Put::refused);  // the same change, offered again
        CHECK(opened.outbox->state().value().refused == 2);
        CHECK(opened.outbox->are_repeats({a_record("b", "1")}).value());  // and it writes nothing
        REQUIRE(opened.outbox->acknowledge({1}));
        CHECK(opened.outbox->put(a_record("b", "1")).value() == Outbox::Put::queued);
    }

    Opened opened{dir / "holdfast.db"};
    CHECK(opened.outbox->state().value().refused == 2);
    CHECK(opened.outbox->state().value().first_sequence == 2);
}

TEST_CASE("outbox: one namespace alone does not fill it for the others, before and after a restart",
          "[cache][outbox][shares]") {
    test::TempDir dir;
    auto const record_of = [](std::string const& ns, int change) {
        auto record = a_record(ns + "/object", std::to_string(change));
        record.fields["Namespace"] = ns;
        record.fields["ConfigurationNamespace"] = "what a label says";
        return record;
    };
    OutboxLimits const limits{.rows_max = 40};
    std::int64_t queued = 0;
    {
        Opened opened{dir / "holdfast.db", limits};
        for (int i = 0; i < 100; ++i) {
            if (opened.outbox->put(record_of("flood", i)).value() == Outbox::Put::queued) ++queued;
        }
        CHECK(queued == 30);
        CHECK(opened.outbox->put(record_of("calm", 1)).value() == Outbox::Put::queued);
    }

    Opened opened{dir / "holdfast.db", limits};
    CHECK(opened.outbox->put(record_of("flood", 200)).value() == Outbox::Put::refused);
    CHECK(opened.outbox->put(record_of("calm", 2)).value() == Outbox::Put::queued);
    CHECK(opened.outbox->state().value().waiting ==
          queued + 2 + 2);  // and what says how much was refused, before and after the start
    REQUIRE(opened.outbox->acknowledge({1, 2, 3, 4}));
    CHECK(opened.outbox->put(record_of("flood", 201)).value() == Outbox::Put::queued);
    REQUIRE(opened.outbox->set_aside(5, "too large"));
    CHECK(opened.outbox->state().value().waiting == queued - 2 + 2);
}

TEST_CASE("outbox: bytes are shared as rows are", "[cache][outbox][shares]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db", {.bytes_max = 100'000}};
    auto const big = [](std::string const& ns, int change) {
        auto record = a_record(ns, std::to_string(change) + std::string(10'000, 'x') + "ü");
        record.fields["ConfigurationNamespace"] = ns;
        return record;
    };
    for (int i = 0; i < 20; ++i) REQUIRE(opened.outbox->put(big("flood", i)));
    CHECK(opened.outbox->state().value().bytes <= 75'000);
    CHECK(opened.outbox->put(big("calm", 1)).value() == Outbox::Put::queued);
    REQUIRE(opened.outbox->acknowledge({1, 2, 3, 4, 5, 6, 7, 8, 9}));  // one of them says what was refused
    CHECK(opened.outbox->state().value().bytes == 0);
}

TEST_CASE("outbox: a record set aside no longer blocks the queue and is kept with its reason", "[cache][outbox]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db"};
    REQUIRE(opened.outbox->put(a_record("a", "1")));
    REQUIRE(opened.outbox->put(a_record("b", "1")));

    REQUIRE(opened.outbox->set_aside(1, "400: not a column"));

    CHECK(opened.outbox->oldest(model::Stream::compliance, 0, 10, 1'000'000).value().at(0).sequence == 2);
    auto const state = opened.outbox->state().value();
    CHECK(state.dead == 1);
    CHECK(state.waiting == 1);
}

TEST_CASE("outbox: a batch stops before its byte bound but always has one record", "[cache][outbox]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db"};
    for (int i = 0; i < 5; ++i) REQUIRE(opened.outbox->put(a_record("s" + std::to_string(i), "x")));

    std::int64_t const one = static_cast<std::int64_t>(std::string{R"({"State":"x"})"}.size());
    CHECK(opened.outbox->oldest(model::Stream::compliance, 0, 10, 3 * one).value().size() == 3);
    CHECK(opened.outbox->oldest(model::Stream::compliance, 0, 10, 1).value().size() == 1);
    CHECK(opened.outbox->oldest(model::Stream::compliance, 0, 2, 1'000'000).value().size() == 2);
}

TEST_CASE("outbox: dead letters are bounded: the oldest go, and are still counted", "[cache][outbox][limit]") {
    test::TempDir dir;
    {
        Opened opened{dir / "holdfast.db", {.dead_max = 2}};
        for (std::int64_t i = 1; i <= 5; ++i) {
            REQUIRE(opened.outbox->put(a_record("s" + std::to_string(i), "x")));
            REQUIRE(opened.outbox->set_aside(i, "400"));
        }
        CHECK(opened.outbox->state().value().dead == 5);
    }

    Opened opened{dir / "holdfast.db", {.dead_max = 2}};

    CHECK(opened.outbox->state().value().dead == 5);
    db::Statement kept{opened.connection, "SELECT group_concat(sequence) FROM dead_letters"};
    auto rows = kept.rows();
    REQUIRE(rows.next().value());
    CHECK(rows.text(0) == "4,5");
}

TEST_CASE("outbox: a database at its bound refuses with limit, loses nothing, and can still shrink",
          "[cache][outbox][limit]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db"};
    REQUIRE(opened.connection.bound(256 << 10));
    std::int64_t queued = 0;
    for (;; ++queued) {
        REQUIRE(queued < 2'000);
        auto transaction = db::Transaction::begin(opened.connection);
        REQUIRE(transaction);
        auto put = opened.outbox->put(a_record("s" + std::to_string(queued), std::string(500, 'x')));
        if (put) {
            REQUIRE(transaction->commit());
            continue;
        }
        CHECK(put.error().code == Errc::limit);
        break;
    }
    REQUIRE(opened.outbox->reload());
    CHECK(opened.outbox->state().value().waiting == queued);

    std::vector<std::int64_t> half;
    for (std::int64_t i = 1; i <= queued / 2; ++i) half.push_back(i);
    REQUIRE(opened.outbox->acknowledge(half));

    REQUIRE(opened.outbox->put(a_record("again", "1")));
    CHECK(opened.outbox->state().value().last_sequence == queued + 1);
}

// Goal: a sequence is used once, whatever becomes of the database file. Method: the file is removed between two starts.
TEST_CASE("outbox: the mark keeps the site and its sequences when the database is gone", "[cache][outbox]") {
    test::TempDir dir;
    std::string site;
    {
        Opened opened{dir / "holdfast.db"};
        site = opened.outbox->site();
        for (int i = 1; i <= 70; ++i) REQUIRE(opened.outbox->put(a_record("a", std::to_string(i))));
        REQUIRE(opened.outbox->acknowledge({1, 2, 3}));
    }
    auto const mark = db::read_mark(dir / "holdfast.db");
    REQUIRE(mark);
    CHECK(mark->issued == 128);
    std::filesystem::remove(dir / "holdfast.db");

    auto rescued = db::open_or_rescue(dir / "holdfast.db", {.database = {}, .blobs = dir / "blobs", .now = {}});

    REQUIRE(rescued);
    REQUIRE(rescued->rescue);
    Outbox outbox{rescued->connection, {}, a_time};
    REQUIRE(outbox.open());
    CHECK(outbox.site() == site);
    REQUIRE(outbox.put(a_record("a", "70")));  // nothing is remembered of it any more
    CHECK(outbox.oldest(model::Stream::compliance, 0, 1, 1).value().at(0).sequence == 129);
    CHECK(db::read_mark(dir / "holdfast.db")->issued == 192);
}

TEST_CASE("outbox: the mark is written once for many records, and a start writes none", "[cache][outbox]") {
    test::TempDir dir;
    auto const inode = [&] {
        struct stat info{};
        REQUIRE(::stat((dir / "holdfast.state").c_str(), &info) == 0);
        return info.st_ino;
    };
    int written = 0;
    {
        Opened opened{dir / "holdfast.db"};
        auto last = inode();
        for (int i = 1; i <= 128; ++i) {
            REQUIRE(opened.outbox->put(a_record("a", std::to_string(i))));
            written += inode() != last ? 1 : 0;
            last = inode();
        }
    }
    auto const before = inode();
    Opened opened{dir / "holdfast.db"};

    CHECK(written == 2);
    CHECK(inode() == before);
}

// Goal: whoever counts rows in Azure sees how much is missing, and of when, though the queue was full.
TEST_CASE("outbox: one record of each stream says how many changes were refused, from when to when",
          "[cache][outbox]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db", {.rows_max = 3}};
    Outbox& outbox = *opened.outbox;
    auto const at = [](int minute, std::string subject, std::string state) {
        auto record = a_record(std::move(subject), std::move(state));
        record.observed_at += std::chrono::minutes{minute};
        return record;
    };
    auto const of = [&](std::string ns) {
        auto record = at(0, ns, "1");
        record.fields["Namespace"] = ns;
        return record;
    };
    for (auto const* ns : {"x", "y", "z"}) REQUIRE(outbox.put(of(ns)).value() == Outbox::Put::queued);

    for (int i = 1; i <= 5; ++i) REQUIRE(outbox.put(at(i, "c", std::to_string(i))).value() == Outbox::Put::refused);

    auto rows = outbox.oldest(model::Stream::compliance, 0, 10, 1'000'000).value();
    REQUIRE(rows.size() == 4);
    CHECK(rows.at(3).count == 5);
    CHECK(rows.at(3).observed_at == a_time() + std::chrono::minutes{1});
    CHECK(rows.at(3).last_at == a_time() + std::chrono::minutes{5});
    CHECK(rows.at(3).fields.contains("NotRecorded"));
    CHECK(outbox.state().value().refusing);

    // Handed out it changes no more: what is refused from here on is another record.
    REQUIRE(outbox.put(at(6, "c", "6")).value() == Outbox::Put::refused);
    rows = outbox.oldest(model::Stream::compliance, 0, 10, 1'000'000).value();
    REQUIRE(rows.size() == 5);
    CHECK(rows.at(3).count == 5);
    CHECK(rows.at(4).count == 1);
    CHECK(outbox.state().value().refused == 6);
    REQUIRE(outbox.acknowledge({1, 2, 3, 4, 5}));
    CHECK(outbox.state().value().waiting == 0);
    CHECK(outbox.put(at(7, "c", "6")).value() == Outbox::Put::queued);
    CHECK_FALSE(outbox.state().value().refusing);
}

TEST_CASE("outbox: the last word about an object has room in a full queue", "[cache][outbox]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db", {.rows_max = 2}};
    REQUIRE(opened.outbox->put(a_record("a", "1")));
    REQUIRE(opened.outbox->put(a_record("b", "1")).value() == Outbox::Put::refused);  // one alone has not all of it
    int kept = 0;
    for (int i = 0; i < 100; ++i) {
        auto const put = opened.outbox->put(a_record("x" + std::to_string(i), "Deleted"), Outbox::Word::last).value();
        if (put == Outbox::Put::queued) ++kept;
    }

    CHECK(kept == 17);  // the last row, and the reserve
    CHECK(opened.outbox->put(a_record("c", "1")).value() == Outbox::Put::refused);
}

TEST_CASE("outbox: an object that goes to and fro is counted in the records that wait", "[cache][outbox]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db"};
    Outbox& outbox = *opened.outbox;
    auto const put = [&](int second, std::string state) {
        auto record = a_record("a", std::move(state));
        record.observed_at += std::chrono::seconds{second};
        return outbox.put(record).value();
    };
    for (int i = 0; i < 100; ++i) {
        auto const expected = i < 4 ? Outbox::Put::queued : Outbox::Put::repeated;
        CHECK(put(10 * i, i % 2 == 0 ? "Ready" : "Failed") == expected);
    }
    CHECK(put(995, "Failed") == Outbox::Put::repeated);

    auto const rows = outbox.oldest(model::Stream::compliance, 0, 10, 1'000'000).value();
    REQUIRE(rows.size() == 4);
    CHECK(rows.at(2).count + rows.at(3).count == 2 + 97);
    CHECK(rows.at(3).last_at == a_time() + std::chrono::seconds{995});  // the newest of all is the state it is in
    CHECK(rows.at(2).last_at < rows.at(3).last_at);
    CHECK(put(1'000, "Ready") == Outbox::Put::queued);  // what was handed out changes no more
    CHECK(outbox.oldest(model::Stream::compliance, 0, 10, 1'000'000).value().at(3).count == rows.at(3).count);
    CHECK(put(1'001, "Third") == Outbox::Put::queued);
    CHECK(outbox.state().value().folded == 97);
}

TEST_CASE("outbox: a record that waits counts its repeats, and says the same however often it is sent",
          "[cache][outbox]") {
    test::TempDir dir;
    {
        Opened opened{dir / "holdfast.db"};
        for (int i = 0; i < 5; ++i) {
            auto record = a_record("a", "1");
            record.observed_at += std::chrono::minutes{i};
            REQUIRE(opened.outbox->put(record));
        }
        CHECK(opened.outbox->oldest(model::Stream::compliance, 0, 10, 1'000'000).value().at(0).count == 5);
    }
    Opened opened{dir / "holdfast.db"};
    REQUIRE(opened.outbox->put(a_record("a", "1")));

    auto const row = opened.outbox->oldest(model::Stream::compliance, 0, 10, 1'000'000).value().at(0);
    CHECK(row.count == 5);
    CHECK(row.last_at == a_time() + std::chrono::minutes{4});
}

TEST_CASE("outbox: what a transaction put is taken back with it, in counters and in memory", "[cache][outbox]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db", {.rows_max = 12}};
    Outbox& outbox = *opened.outbox;
    for (int i = 0; i < 4; ++i) REQUIRE(outbox.put(a_record("a", std::to_string(i % 2))));
    auto const before = outbox.state().value();
    {
        auto transaction = db::Transaction::begin(opened.connection);
        outbox.begin();
        REQUIRE(outbox.put(a_record("a", "0")).value() == Outbox::Put::repeated);
        REQUIRE(outbox.put(a_record("b", "0")).value() == Outbox::Put::queued);
        while (outbox.put(a_record("c" + std::to_string(outbox.state().value().waiting), "0")).value() ==
               Outbox::Put::queued)
            continue;
    }
    outbox.roll_back();

    auto const after = outbox.state().value();
    CHECK(after.waiting == before.waiting);
    CHECK(after.bytes == before.bytes);
    CHECK(after.refused == before.refused);
    CHECK(after.folded == before.folded);
    REQUIRE(outbox.reload());
    CHECK(outbox.state().value().waiting == before.waiting);
    CHECK(outbox.put(a_record("d", "0")).value() == Outbox::Put::queued);
    CHECK(outbox.oldest(model::Stream::compliance, 4, 10, 1'000'000).value().at(0).sequence == 5);
}

TEST_CASE("outbox: what one stream holds costs the other nothing", "[cache][outbox]") {
    test::TempDir dir;
    Opened opened{dir / "holdfast.db"};
    for (int i = 0; i < 20; ++i) REQUIRE(opened.outbox->put(a_record("a" + std::to_string(i), "1")));
    auto other = a_record("z", "1");
    other.stream = model::Stream::object_status;
    REQUIRE(opened.outbox->put(other));

    auto const rows = opened.outbox->oldest(model::Stream::object_status, 0, 5, 1'000'000).value();
    REQUIRE(rows.size() == 1);
    CHECK(rows.at(0).sequence == 21);
    CHECK(opened.outbox->oldest(model::Stream::compliance, 18, 5, 1'000'000).value().size() == 2);
    db::Statement plan{opened.connection, "EXPLAIN QUERY PLAN SELECT sequence FROM outbox INDEXED BY outbox_by_stream "
                                          "WHERE stream = 1 AND sequence > 0 ORDER BY sequence LIMIT 5"};
    auto row = plan.rows();
    REQUIRE(row.next().value());
    CHECK(row.text(3).find("stream=? AND sequence>?") != std::string::npos);
}

}  // namespace holdfast::cache
