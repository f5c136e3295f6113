// tests/unit/daemon/schedule_test.cpp: never two at once for a key, never more than a kind's bound, nothing forgotten.
#include "daemon/schedule.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>

#include <algorithm>

namespace holdfast::daemon {

namespace {

using namespace std::chrono_literals;
using model::Key;
using model::Kind;

class FakeClock final : public Clock {
public:
    std::chrono::nanoseconds now{1h};
    std::chrono::system_clock::time_point wall() const override { return {}; }
    std::chrono::nanoseconds boot() const override { return now; }
};

/// A schedule whose stories wait until they are let go.
struct World {
    asio::io_context io{1};
    FakeClock clock;
    std::vector<Key> started;
    std::map<Key, int> at_once;
    int at_once_max = 0;
    int total = 0;
    int total_max = 0;
    bool hold = false;
    story::Next next;
    std::vector<std::shared_ptr<asio::steady_timer>> held;
    Schedule schedule;

    explicit World(Schedule::Bounds bounds = {4, 8, 4, 4, 4})
        : schedule(io.get_executor(), clock, bounds, [this](Key key) { return story(std::move(key)); }) {
        asio::co_spawn(io, schedule.run(), [](std::exception_ptr error) {
            if (error) std::rethrow_exception(error);
        });
    }
    ~World() {
        hold = false;
        release();
        asio::co_spawn(io, schedule.stop(), [](std::exception_ptr) {});
        turn();
        io.run();
    }

    asio::awaitable<story::Next> story(Key key) {
        struct Count {
            int& one;
            int& all;
            Count(int& a, int& b) : one(a), all(b) { ++one, ++all; }
            ~Count() { --one, --all; }
        } count{at_once[key], total};
        at_once_max = std::max(at_once_max, at_once[key]);
        total_max = std::max(total_max, total);
        started.push_back(key);
        if (hold) {
            auto timer = std::make_shared<asio::steady_timer>(io, 1h);
            held.push_back(timer);
            boost::system::error_code ec;
            co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ec));
        }
        co_return next;
    }

    void turn() {
        io.restart();
        while (io.poll() > 0) {}
    }
    void release() {
        for (auto& timer : std::exchange(held, {})) timer->cancel();
        turn();
    }
    /// Time passes; the schedule's own timer runs on a real clock, so it is told by wanting something else.
    void pass(std::chrono::nanoseconds span) {
        clock.now += span;
        schedule.want(nobody, 100h);
        turn();
        schedule.forget(nobody);
    }
    std::size_t runs(Key const& key) const { return static_cast<std::size_t>(std::ranges::count(started, key)); }

    Key const nobody{Kind::flux_config, "none", "none"};
};

Key const kWeb{Kind::kustomization, "apps", "web"};
Key const kApi{Kind::kustomization, "apps", "api"};
Key const kGit{Kind::git_repository, "apps", "git"};

}  // namespace

TEST_CASE("schedule: what is wanted runs once", "[daemon][schedule]") {
    World world;

    world.schedule.want(kWeb);
    world.schedule.want(kWeb);
    world.turn();

    CHECK(world.runs(kWeb) == 1);
    CHECK(world.schedule.waiting() == 0);
    CHECK(world.schedule.passes() == 1);
}

TEST_CASE("schedule: never two at once for a key, and what was wanted meanwhile runs after", "[daemon][schedule]") {
    World world;
    world.hold = true;
    world.schedule.want(kWeb);
    world.turn();

    for (int i = 0; i < 5; ++i) world.schedule.want(kWeb);
    world.turn();
    CHECK(world.runs(kWeb) == 1);
    world.release();
    world.hold = false;
    world.release();

    CHECK(world.runs(kWeb) == 2);
    CHECK(world.at_once_max == 1);
    CHECK(world.schedule.running() == 0);
}

TEST_CASE("schedule: each kind has its own bound", "[daemon][schedule]") {
    World world{{1, 2, 1, 1, 1}};
    world.hold = true;

    for (int i = 0; i < 6; ++i)
        world.schedule.want({Kind::kustomization, i % 2 == 0 ? "apps" : "web", std::to_string(i)});
    for (int i = 0; i < 3; ++i) world.schedule.want({Kind::git_repository, "apps", std::to_string(i)});
    world.turn();

    CHECK(world.schedule.running() == 3);
    CHECK(world.total_max == 3);
    for (int i = 0; i < 6; ++i) world.release();
    CHECK(world.started.size() == 9);
    CHECK(world.total_max == 3);
    CHECK(world.schedule.running() == 0);
}

TEST_CASE("schedule: the interval a story asks for is kept on the boot clock, within the jitter",
          "[daemon][schedule]") {
    World world;
    world.next = {10min};
    world.schedule.want(kWeb);
    world.turn();
    REQUIRE(world.runs(kWeb) == 1);

    world.pass(9min + 29s);
    CHECK(world.runs(kWeb) == 1);
    world.pass(62s);

    CHECK(world.runs(kWeb) == 2);
}

TEST_CASE("schedule: a short interval has no jitter", "[daemon][schedule]") {
    World world;
    world.next = {30s};
    world.schedule.want(kWeb);
    world.turn();

    world.pass(29s);
    CHECK(world.runs(kWeb) == 1);
    world.pass(1s);

    CHECK(world.runs(kWeb) == 2);
}

TEST_CASE("schedule: the sooner of two due times counts, and a forgotten key does not run", "[daemon][schedule]") {
    World world;
    world.schedule.want(kWeb, 10min);
    world.schedule.want(kWeb, 1min);
    world.schedule.want(kWeb, 5min);
    world.schedule.want(kApi, 1min);
    world.schedule.forget(kApi);

    world.pass(1min);

    CHECK(world.runs(kWeb) == 1);
    CHECK(world.runs(kApi) == 0);
    CHECK(world.schedule.waiting() == 0);
}

TEST_CASE("schedule: late is what could run and does not; waiting for a place is not", "[daemon][schedule]") {
    World world{{1, 1, 1, 1, 1}};
    world.hold = true;
    world.schedule.want(kGit);
    world.turn();
    world.schedule.want({Kind::git_repository, "apps", "behind"});
    world.schedule.want(kGit, 1s);
    world.turn();

    world.clock.now += 11min;
    CHECK(world.schedule.lateness() == 0s);
    world.schedule.want(kWeb);
    world.clock.now += 1min;

    CHECK(world.schedule.lateness() == 1min);
}

TEST_CASE("schedule: a full class that gives no place back is late all the same", "[daemon][schedule]") {
    World world{{1, 1, 1, 1, 1}};
    world.hold = true;
    world.schedule.want(kGit);
    world.turn();
    world.schedule.want({Kind::git_repository, "apps", "behind"});
    world.turn();

    world.clock.now += 22min;
    CHECK(world.schedule.lateness() >= 10min);
    world.release();  // the other one has the place now
    world.schedule.want(kGit);
    world.turn();
    world.clock.now += 5min;
    CHECK(world.schedule.lateness() == 0s);
}

TEST_CASE("schedule: a namespace that wants everything leaves a place to another", "[daemon][schedule][shares]") {
    World world;
    world.hold = true;
    for (int i = 0; i < 50; ++i) world.schedule.want({Kind::git_repository, "flood", std::to_string(i)});
    world.turn();
    CHECK(world.schedule.running() == 3);
    world.clock.now += 1h;
    CHECK(world.schedule.lateness() == 0s);  // its own doing

    world.schedule.want(kGit);
    world.turn();

    CHECK(world.runs(kGit) == 1);
    world.hold = false;
    for (int i = 0; i < 50; ++i) world.release();
    CHECK(world.started.size() == 51);
}

TEST_CASE("schedule: whoever holds least is next, however long the queue before it", "[daemon][schedule][shares]") {
    World world{{1, 1, 1, 1, 1}};
    world.hold = true;
    world.schedule.want({Kind::kustomization, "flood", "first"});
    world.turn();
    for (int i = 0; i < 50; ++i) world.schedule.want({Kind::kustomization, "flood", std::to_string(i)});
    world.clock.now += 1s;
    world.schedule.want(kWeb);
    world.schedule.want(kApi);
    world.turn();

    for (int i = 0; i < 4; ++i) world.release();

    std::vector<std::string> order;
    for (Key const& key : world.started) order.push_back(key.ns);
    CHECK(order == std::vector<std::string>{"flood", "apps", "flood", "apps", "flood"});
}

TEST_CASE("schedule: stories that end at once and come back at once leave others their turn",
          "[daemon][schedule][shares]") {
    World world;
    world.next = {0ns};
    for (int i = 0; i < 20; ++i) world.schedule.want({Kind::kustomization, "flood", std::to_string(i)});
    for (int i = 0; i < 20; ++i) world.io.poll_one();
    std::size_t const before = world.started.size();

    world.schedule.want(kWeb);
    for (int i = 0; i < 20 && world.runs(kWeb) == 0; ++i) world.io.poll_one();

    REQUIRE(world.runs(kWeb) > 0);
    auto const found = std::ranges::find(world.started, kWeb) - world.started.begin();
    CHECK(static_cast<std::size_t>(found) <= before + 8);
    world.next = {};
}

TEST_CASE("schedule: stopping unwinds what runs and starts nothing more", "[daemon][schedule]") {
    World world;
    world.hold = true;
    world.schedule.want(kWeb);
    world.turn();
    bool stopped = false;

    asio::co_spawn(world.io, world.schedule.stop(), [&](std::exception_ptr) { stopped = true; });
    world.turn();
    world.schedule.want(kApi);
    world.turn();

    CHECK(stopped);
    CHECK(world.schedule.running() == 0);
    CHECK(world.runs(kApi) == 0);
}

}  // namespace holdfast::daemon
