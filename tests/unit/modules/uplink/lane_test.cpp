// tests/unit/modules/uplink/lane_test.cpp: halving, doubting and waiting, on a clock that the test moves.
#include "modules/uplink/delivery.hpp"
#include "modules/uplink/lane.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <functional>
#include <map>

namespace holdfast::uplink {

using namespace std::chrono_literals;

namespace {

/// A queue of records 1 to `count` of one stream, a service that judges, and a clock that jumps to the next try.
struct World {
    Settings settings;
    std::map<std::int64_t, QueuedRecord> waiting;
    std::function<std::optional<Verdict>(std::int64_t first, std::int64_t last)> judge;
    std::vector<std::int64_t> taken;
    std::map<std::int64_t, std::chrono::nanoseconds> aside;
    std::size_t tries = 0;
    std::size_t refused_since_wait = 0;
    std::size_t refused_per_wait_max = 0;
    std::size_t waits = 0;
    std::chrono::nanoseconds now{1h};
    std::optional<Lane> lane;

    explicit World(std::int64_t count) {
        for (std::int64_t i = 1; i <= count; ++i) waiting[i] = {.sequence = i, .record_id = {}, .fields = "{}"};
    }

    static Verdict refused(std::string reason = "InvalidRecord: no") {
        return {.kind = Verdict::Kind::bad, .reason = std::move(reason), .setback = {}};
    }

    std::vector<QueuedRecord> read(Lane::Ask ask) const {
        std::vector<QueuedRecord> found;
        for (auto at = waiting.upper_bound(ask.after); at != waiting.end(); ++at) {
            if (static_cast<std::int64_t>(found.size()) == ask.rows_max) break;
            found.push_back(at->second);
        }
        return found;
    }

    /// One look and, when there is something, one try. Out  something was there
    bool step() {
        if (!lane) lane.emplace(model::Stream::compliance, settings, 1);
        if (lane->due() > now) {
            now = lane->due();
            ++waits;
            refused_since_wait = 0;
        }
        auto const records = read(lane->ask());
        if (records.empty()) {
            settle(lane->found_nothing(now));
            return lane->trouble().has_value() || !waiting.empty();
        }
        ++tries;
        auto verdict = judge(records.front().sequence, records.back().sequence)
                           .value_or(Verdict{.kind = Verdict::Kind::accepted, .reason = {}, .setback = {}});
        verdict.records = records.size();
        if (verdict.kind != Verdict::Kind::accepted) ++refused_since_wait;
        if (verdict.kind == Verdict::Kind::accepted) refused_since_wait = 0;
        refused_per_wait_max = std::max(refused_per_wait_max, refused_since_wait);
        settle(lane->answered(records, verdict, now));
        return true;
    }

    void settle(Lane::Settlement const& settlement) {
        for (auto const& one : settlement.aside) {
            aside[one.sequence] = now;
            waiting.erase(one.sequence);
        }
        for (auto const sequence : settlement.acknowledged) {
            taken.push_back(sequence);
            waiting.erase(sequence);
        }
    }

    void run(std::chrono::nanoseconds until) {
        while (now < until && step()) continue;
    }
};

std::size_t log2_up(std::size_t n) { return static_cast<std::size_t>(std::ceil(std::log2(n))); }

}  // namespace

TEST_CASE("lane: one bad record among many is found with at most 1 + log2 n refusals", "[uplink][lane]") {
    std::int64_t const bad = GENERATE(1, 2, 700, 1024, 1999, 2000);
    World world{2'000};
    world.judge = [&](std::int64_t first, std::int64_t last) -> std::optional<Verdict> {
        if (first <= bad && bad <= last) return World::refused();
        return std::nullopt;
    };

    world.run(3h);

    CHECK(world.taken.size() == 1'999);
    CHECK(std::ranges::is_sorted(world.taken));
    CHECK(world.aside.size() == 1);
    CHECK(world.aside.contains(bad));
    CHECK(world.refused_per_wait_max <= 1 + log2_up(2'000));
    CHECK(world.tries <= 50);
    CHECK(world.now <= 1h + 1min);  // nobody waits long for one bad record
}

TEST_CASE("lane: one refusal sets nothing aside, whoever is taken before and behind it", "[uplink][lane]") {
    World world{100};
    std::map<std::int64_t, int> refusals;
    world.judge = [&](std::int64_t first, std::int64_t last) -> std::optional<Verdict> {
        bool const once = first == last && first % 10 == 0 && refusals[first]++ == 0;
        bool const is_among_others = first < last && first / 10 != last / 10;
        if (once || is_among_others) return World::refused("413");
        return std::nullopt;
    };

    world.run(2h);

    CHECK(world.taken.size() == 100);
    CHECK(world.aside.empty());
}

TEST_CASE("lane: two refusals in one moment are one", "[uplink][lane]") {
    World world{3};
    bool is_mended = false;
    world.judge = [&](std::int64_t first, std::int64_t) -> std::optional<Verdict> {
        if (first == 1 && !is_mended) return World::refused();
        return std::nullopt;
    };
    while (world.taken.size() < 2) world.step();
    std::size_t const tries = world.tries;
    world.lane->hurry(world.now);
    while (world.tries < tries + 2) {
        world.step();
        world.lane->hurry(world.now);
    }
    CHECK(world.aside.empty());

    is_mended = true;
    world.run(2h);
    CHECK(world.taken.size() == 3);
    CHECK(world.aside.empty());
}

TEST_CASE("lane: a record that is put back in front of a suspect is not taken for it", "[uplink][lane]") {
    World world{10};
    QueuedRecord const back = world.waiting.at(1);
    world.waiting.erase(1);
    world.judge = [&](std::int64_t first, std::int64_t last) -> std::optional<Verdict> {
        if (first <= 5 && 5 <= last) return World::refused();
        return std::nullopt;
    };
    while (world.taken.size() < 8) world.step();
    world.waiting[1] = back;
    world.judge = [&](std::int64_t first, std::int64_t) -> std::optional<Verdict> {
        if (first == 1) return World::refused();
        return std::nullopt;
    };

    world.run(3h);

    CHECK(world.aside.size() == 1);
    CHECK(world.aside.contains(1));
    CHECK(std::ranges::find(world.taken, 5) != world.taken.end());
}

TEST_CASE("lane: what is mended before the second look sets none of the others aside", "[uplink][lane]") {
    World world{20};
    bool is_mended = false;
    world.judge = [&](std::int64_t first, std::int64_t last) -> std::optional<Verdict> {
        if (!is_mended && (first < last || first <= 10)) return World::refused();
        return std::nullopt;
    };
    while (world.taken.empty()) world.step();
    CHECK(world.aside.empty());

    is_mended = true;
    world.run(3h);

    CHECK(world.taken.size() == 20);
    CHECK(world.aside.empty());
}

// Goal: a mistake in the configuration that the service words like one in the records empties no queue and is no storm.
TEST_CASE("lane: while every record is refused there are at most 1 + log2 n tries a wait, and waits grow",
          "[uplink][lane]") {
    World world{2'500};
    world.judge = [](auto, auto) { return std::optional{World::refused()}; };

    world.run(1h + 50min);

    CHECK(world.taken.empty());
    CHECK(world.aside.empty());
    CHECK(world.refused_per_wait_max <= 1 + log2_up(2'000));
    CHECK(world.waits <= 10);
    CHECK(world.tries <= (world.waits + 1) * (1 + log2_up(2'000)));
    REQUIRE(world.lane->trouble());
    CHECK(world.lane->trouble()->kind == Setback::Kind::refused);
    CHECK(world.lane->trouble()->message.starts_with("InvalidRecord: no"));

    while (world.lane->due() <= world.now) world.step();
    world.judge = [](auto, auto) { return std::nullopt; };  // somebody mends it: nothing was wrong with any record
    world.run(5h);
    CHECK(world.taken.size() == 2'500);
    CHECK(std::ranges::is_sorted(world.taken));
    CHECK(world.aside.empty());
}

TEST_CASE("lane: 2,500 bad records in front keep the good ones behind them waiting, but not for ever",
          "[uplink][lane]") {
    World world{2'600};
    world.judge = [&](std::int64_t first, std::int64_t) -> std::optional<Verdict> {
        if (first <= 2'500) return World::refused();
        return std::nullopt;
    };

    world.run(1h + 7 * 24h);

    CHECK(world.taken.size() == 100);
    CHECK(world.aside.size() == 2'500);
    CHECK(world.refused_per_wait_max <= 1 + log2_up(2'600));
    for (auto const& [sequence, at] : world.aside) {  // never more than the share in any hour
        auto const same_hour =
            std::ranges::count_if(world.aside, [&](auto const& other) { return other.second == at; });
        CHECK(same_hour <= 201);
    }
}

TEST_CASE("lane: a service that refuses everything for its size sets nothing aside", "[uplink][lane]") {
    World world{1'000};
    world.judge = [](auto, auto) { return std::optional{World::refused("413")}; };

    world.run(1h + 55min);

    CHECK(world.aside.empty());
    CHECK(world.tries < 120);
}

TEST_CASE("lane: a queue of nothing but bad records empties, after the hour of doubt", "[uplink][lane]") {
    World world{3};
    world.judge = [](auto, auto) { return std::optional{World::refused()}; };

    world.run(1h + 58min);
    CHECK(world.aside.empty());
    world.run(6h);

    CHECK(world.aside.size() == 3);
    CHECK(world.waits < 60);
}

TEST_CASE("lane: what is refused beyond the share waits, and the stream says so", "[uplink][lane]") {
    World world{1'000};
    world.judge = [](std::int64_t first, std::int64_t last) -> std::optional<Verdict> {
        bool const holds_bad = last - first > 0 || first % 2 == 0;  // every other one, alone
        if (holds_bad) return World::refused();
        return std::nullopt;
    };

    std::size_t said = 0;
    while (world.now < 1h + 59min && world.step()) {
        auto const& trouble = world.lane->trouble();
        if (trouble && trouble->message.contains("the stream waits")) ++said;
    }

    CHECK(world.aside.size() >= 100);
    CHECK(world.aside.size() <= 101 + 1'000 / 4);
    CHECK(said > 0);
    CHECK(std::ranges::is_sorted(world.taken));
}

TEST_CASE("lane: after a timeout half is sent, and more again when it goes well", "[uplink][lane]") {
    World world{4'000};
    world.judge = [](std::int64_t first, std::int64_t last) -> std::optional<Verdict> {
        if (last - first + 1 <= 300 || first > 2'000) return std::nullopt;
        return Verdict{.reason = {}, .setback = {.message = "no answer in time", .retry_after = {}, .too_slow = true}};
    };

    world.run(2h);

    CHECK(world.taken.size() == 4'000);
    CHECK(world.tries < 30);
    CHECK(world.lane->ask().rows_max == 2'000);
}

TEST_CASE("lane: Retry-After never makes a try earlier than the back-off, nor later than an hour", "[uplink][lane]") {
    Settings settings;
    Patience patience{settings, 1};
    Patience same{settings, 1};
    for (int i = 0; i < 30; ++i) {
        auto const asked = GENERATE(0s, 1s, 3'600s, 86'400s, std::chrono::seconds::max());
        auto const planned = same.after({.message = {}, .retry_after = {}});
        auto const got = patience.after({.message = {}, .retry_after = asked});
        CHECK(got >= planned);
        CHECK(got <= std::max<std::chrono::milliseconds>(planned, 1h));
    }
}

TEST_CASE("lane: only the service's own words are a refusal", "[uplink][lane]") {
    auto const answer = [](unsigned status, bool from_service, std::string code = "Code") {
        azure::PostAnswer answered{.refusal = {.status = status, .code = std::move(code), .from_service = from_service},
                                   .message = "words"};
        return verdict_of(answered);
    };
    for (unsigned const status : {100u, 200u, 201u, 302u, 400u, 401u, 403u, 404u, 407u, 410u, 500u, 511u}) {
        CHECK(answer(status, false).kind == Verdict::Kind::setback);
        CHECK(answer(status, false).setback.kind == Setback::Kind::network);
        CHECK_FALSE(answer(status, false).setback.message.empty());
    }
    CHECK(answer(413, false).setback.kind == Setback::Kind::network);
    CHECK(answer(403, true).setback.kind == Setback::Kind::refused);
    CHECK(answer(400, true).kind == Verdict::Kind::bad);
    CHECK(answer(400, true, "InvalidStream").setback.kind == Setback::Kind::refused);
    CHECK(answer(400, true, "InvalidStream").kind == Verdict::Kind::setback);
    CHECK(answer(429, true).setback.kind == Setback::Kind::network);
}

}  // namespace holdfast::uplink
