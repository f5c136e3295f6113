// tests/unit/cache/outbox/history_test.cpp: random histories of the queue and its lanes, against what they promise.
//
// Goal: whatever comes in whatever order (put, take back, send, answer, lose, refuse, kill, full disk, clock), every record that
// was queued arrives, in the order of its stream, without a hole, once after removing repeats by RecordId, and every loss is
// counted where Azure sees it.
// Method: the real outbox in SQLite and the real lanes; a service and a disk of dice; time jumps to the next try. Each history
// ends with good days, after which the books must agree.
#include "cache/db/migrate.hpp"
#include "cache/outbox/outbox.hpp"
#include "modules/uplink/drain.hpp"
#include "modules/uplink/lane.hpp"
#include "tests/support/sqlite_writes.hpp"
#include "tests/support/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <map>
#include <random>
#include <set>

namespace holdfast::cache {

using uplink::Lane;
using uplink::QueuedRecord;
using uplink::Setback;
using uplink::Verdict;

namespace {

constexpr std::array kStreams{model::Stream::compliance, model::Stream::object_status};

struct World {
    explicit World(std::uint32_t seed) : dice(seed) { open(); }

    int roll(int sides) { return std::uniform_int_distribution<int>{0, sides - 1}(dice); }
    bool chance(int in_a_hundred) { return roll(100) < in_a_hundred; }

    void open() {
        outbox.reset();
        connection.reset();
        connection.emplace(std::move(db::Connection::open(dir / "holdfast.db").value()));
        REQUIRE(connection->execute("PRAGMA synchronous=OFF"));  // processes die here, machines do not
        REQUIRE(db::migrate(*connection));
        outbox.emplace(*connection, OutboxLimits{.rows_max = 24}, [this] { return model::WallTime{now}; });
        REQUIRE(outbox->open());
        lanes.clear();
        for (auto const stream : kStreams) lanes.emplace_back(stream, settings, dice());
    }

    model::ComplianceRecord a_record() {
        std::string const subject = "object " + std::to_string(roll(6));
        std::string const state = "state " + std::to_string(roll(3)) + (chance(5) ? " poison" : "");
        model::ComplianceRecord record{.stream = kStreams[static_cast<std::size_t>(roll(2))],
                                       .subject = subject,
                                       .state_digest = state,
                                       .observed_at = model::WallTime{now}};
        record.fields = {{"Namespace", "ns" + std::to_string(roll(4))}, {"Message", state}};
        return record;
    }

    /// As the journal does: one transaction, perhaps taken back, perhaps failed by the disk.
    void put() {
        bool const last = chance(10);
        auto const record = a_record();
        std::optional<Outbox::Put> done;
        {
            auto transaction = db::Transaction::begin(*connection);
            if (!transaction) return;
            outbox->begin();
            auto const put = outbox->put(record, last ? Outbox::Word::last : Outbox::Word::change);
            bool const kept = put && !chance(5);
            if (kept && transaction->commit()) done = *put;
        }
        if (!done) return outbox->roll_back();
        if (*done == Outbox::Put::queued) ++queued;
    }

    /// The service takes what it is given, or not; the answer comes, or not.
    Verdict answer(model::Stream stream, std::vector<QueuedRecord> const& records) {
        auto const network = [](bool too_slow) {
            return Verdict{.reason = {}, .setback = {.message = "no answer", .retry_after = {}, .too_slow = too_slow}};
        };
        bool const good = good_days;
        if (!good && chance(10)) return network(false);
        if (!good && chance(5))
            return {.reason = {}, .setback = {.kind = Setback::Kind::refused, .message = "404", .retry_after = {}}};
        bool const is_bad = std::ranges::any_of(records, [](auto const& one) { return one.fields.contains("poison"); });
        bool const too_large = !good && chance(10) && records.size() > 2;
        if (is_bad || too_large) return {.kind = Verdict::Kind::bad, .reason = "400", .setback = {}};
        for (QueuedRecord const& record : records) take(stream, record);
        if (!good && chance(15)) return network(chance(50));
        return {.kind = Verdict::Kind::accepted, .reason = {}, .setback = {}};
    }

    void take(model::Stream stream, QueuedRecord const& record) {
        auto const [known, is_new] = arrived.emplace(record.record_id, record);
        if (is_new) {
            auto const [same, is_first] = id_of.emplace(record.sequence, record.record_id);
            CHECK(is_first);
            auto& newest = newest_arrived[static_cast<std::size_t>(stream)];
            CHECK(record.sequence > newest);
            newest = record.sequence;
        }
        CHECK(known->second.sequence == record.sequence);
        CHECK(known->second.count == record.count);
        CHECK(known->second.last_at == record.last_at);
        CHECK(known->second.fields == record.fields);
    }

    void send(Lane& lane) {
        Lane::Time const time = std::chrono::duration_cast<Lane::Time>(now);
        auto const ask = lane.ask();
        auto const records = outbox->oldest(lane.stream(), ask.after, ask.rows_max, 900'000);
        if (!records)
            return lane.set_back({.kind = Setback::Kind::queue, .message = records.error().message, .retry_after = {}},
                                 time);
        if (records->empty()) return bring(lane, lane.found_nothing(time));
        auto verdict = answer(lane.stream(), *records);
        verdict.records = records->size();
        if (!good_days && chance(3)) return open();  // killed before the answer reached the queue
        bring(lane, lane.answered(*records, verdict, time));
    }

    void bring(Lane& lane, Lane::Settlement const& settlement) {
        Lane::Time const time = std::chrono::duration_cast<Lane::Time>(now);
        for (auto const& one : settlement.aside) {
            if (!outbox->set_aside(one.sequence, one.reason)) return open();
            aside.insert(one.sequence);
        }
        if (settlement.acknowledged.empty()) return;
        auto const acknowledged = outbox->acknowledge(settlement.acknowledged);
        if (!acknowledged)
            lane.set_back({.kind = Setback::Kind::queue, .message = acknowledged.error().message, .retry_after = {}},
                          time);
    }

    void step() {
        now += std::chrono::seconds{roll(100)};
        int const what = roll(100);
        if (what < 60) return put();
        if (what < 62) return open();
        if (what < 68) return put_on_a_full_disk();
        Lane& lane = lanes[static_cast<std::size_t>(roll(2))];
        if (lane.due() > now && chance(70)) now = std::chrono::ceil<std::chrono::seconds>(lane.due());
        if (lane.due() <= now) send(lane);
    }

    void put_on_a_full_disk() {
        int left = roll(4);
        test::SqliteWrites const writes{[&] { return left-- > 0; }};
        for (int i = 0; i < 3; ++i) put();
        if (chance(50)) send(lanes[static_cast<std::size_t>(roll(2))]);
    }

    /// Good days until nothing waits, then the books.
    void settle() {
        good_days = true;
        int turns = 0;
        while (outbox->state().value().waiting > 0) {
            REQUIRE(++turns < 5'000);
            Lane& lane = lanes[static_cast<std::size_t>(turns % 2)];
            now = std::max<std::chrono::microseconds>(now, std::chrono::ceil<std::chrono::seconds>(lane.due()));
            send(lane);
        }
        good_days = false;
        auto const state = outbox->state().value();
        std::int64_t missing = 0, not_recorded = 0;
        for (std::int64_t sequence = 1; sequence <= state.last_sequence; ++sequence) {
            if (id_of.contains(sequence) == aside.contains(sequence)) ++missing;  // lost, or both
        }
        for (auto const& [id, record] : arrived) {
            if (record.fields.contains("NotRecorded")) not_recorded += record.count;
        }
        CHECK(missing == 0);
        CHECK(not_recorded == state.refused);
        CHECK(state.bytes == 0);
        auto const gaps =
            std::ranges::count_if(arrived, [](auto const& one) { return one.second.fields.contains("NotRecorded"); });
        CHECK(queued + gaps == state.last_sequence);  // dense: nothing else was ever numbered
        CHECK(state.dead == static_cast<std::int64_t>(aside.size()));
    }

    test::TempDir dir;
    std::mt19937 dice;
    std::chrono::microseconds now{std::chrono::hours{24 * 365 * 50}};
    uplink::Settings settings;
    std::optional<db::Connection> connection;
    std::optional<Outbox> outbox;
    std::vector<Lane> lanes;
    bool good_days = false;
    std::int64_t queued = 0;
    std::map<std::string, QueuedRecord> arrived;  // by RecordId
    std::map<std::int64_t, std::string> id_of;
    std::set<std::int64_t> aside;
    std::array<std::int64_t, 2> newest_arrived{};
};

}  // namespace

TEST_CASE("outbox: in every history what was queued arrives, in order, without a hole, and every loss is counted",
          "[cache][outbox][history][req:R12]") {
    char const* const wanted = std::getenv("HOLDFAST_TEST_ALL");
    bool const all = wanted != nullptr && std::string_view{wanted} == "1";
    int const histories = all ? 100'000 : 2'000;
    constexpr int kHistoriesOfAWorld = 50;  // one after the other in the same file
    for (int world_number = 0; world_number < histories / kHistoriesOfAWorld; ++world_number) {
        std::uint32_t const seed = 4'711u + static_cast<std::uint32_t>(world_number);
        INFO("seed " << seed);
        World world{seed};
        for (int history = 0; history < kHistoriesOfAWorld; ++history) {
            int const steps = 20 + world.roll(60);
            for (int i = 0; i < steps; ++i) world.step();
            world.settle();
        }
    }
}

}  // namespace holdfast::cache
