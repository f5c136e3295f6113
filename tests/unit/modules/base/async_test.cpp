// tests/unit/modules/base/async_test.cpp: coroutines end when they should, and nobody is left waiting.
#include "modules/base/async.hpp"

#include "modules/base/backoff.hpp"
#include "modules/base/on_pool.hpp"
#include "modules/base/slots.hpp"
#include "modules/base/task_group.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <catch2/catch.hpp>

#include <functional>
#include <optional>
#include <thread>
#include <vector>

namespace holdfast {

using namespace std::chrono_literals;

/// Runs the body to its end; what it left behind is cancelled with the loop.
static void run(std::function<asio::awaitable<void>(asio::any_io_executor)> body) {
    asio::io_context loop{1};
    bool ended = false;
    asio::co_spawn(loop, body(loop.get_executor()), [&](std::exception_ptr failure) {
        ended = true;
        if (failure) std::rethrow_exception(failure);
    });
    loop.run_for(10s);
    REQUIRE(ended);
}

struct Flag {
    bool& raised;
    ~Flag() { raised = true; }
};

static Task<int> after(std::chrono::milliseconds delay, int value, bool& unwound) {
    Flag const flag{unwound};
    co_await sleep_for(delay);
    co_return value;
}

TEST_CASE("within: gives the result in time, and cancels and unwinds work that is late", "[base]") {
    run([](asio::any_io_executor) -> asio::awaitable<void> {
        bool first = false;
        bool second = false;
        auto const fast = co_await within(5s, after(1ms, 7, first), "fast");
        auto const slow = co_await within(10ms, after(5s, 7, second), "slow");
        CHECK(fast.value() == 7);
        REQUIRE_FALSE(slow);
        CHECK(slow.error().code == Errc::timeout);
        CHECK(slow.error().message.starts_with("slow: "));
        CHECK(second);
    });
}

TEST_CASE("within: a cancelled caller cancels the work inside", "[base]") {
    run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        bool unwound = false;
        TaskGroup group{executor, 1};
        auto outer = [](bool& flag) -> asio::awaitable<void> {
            auto const result = co_await within(5s, after(5s, 1, flag), "inner");
            static_cast<void>(result);
            FAIL("went on after its cancellation");
        };
        CHECK(group.start("outer", outer(unwound)));
        co_await sleep_for(5ms);
        group.cancel();
        co_await group.join();
        CHECK(unwound);
    });
}

TEST_CASE("task group: refuses more than its bound and after cancel, joins all", "[base]") {
    run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        TaskGroup group{executor, 2};
        bool first = false;
        bool second = false;
        auto wait = [](std::chrono::milliseconds delay, bool& flag) -> asio::awaitable<void> {
            auto const value = co_await after(delay, 0, flag);
            static_cast<void>(value);
        };
        CHECK(group.start("first", wait(1ms, first)));
        CHECK(group.start("second", wait(10s, second)));
        CHECK(group.running() == "first, second");
        CHECK(group.start("third", wait(1ms, first)).error().code == Errc::limit);
        co_await sleep_for(20ms);
        CHECK(group.size() == 1);
        group.cancel();
        co_await group.join();
        CHECK(first);
        CHECK(second);
        CHECK(group.start("late", wait(1ms, first)).error().code == Errc::limit);
    });
}

// What follows ends the process when a cancellation reaches a coroutine that has not begun, has ended, or never waits.
TEST_CASE("task group: a task may be cancelled before its first step, by itself, and as it ends", "[base]") {
    asio::io_context loop{1};
    TaskGroup group{loop.get_executor(), 3};
    bool begun = false;
    auto never = [](bool& flag) -> asio::awaitable<void> {
        flag = true;
        co_return;
    };
    auto step = []() -> asio::awaitable<void> { co_await yield_once(); };

    SECTION("before its first step") {
        CHECK(group.start("early", never(begun)));
        group.cancel();
        loop.run();
        CHECK_FALSE(begun);
    }
    SECTION("as it ends: from outside the loop, behind its last step in the queue") {
        CHECK(group.start("late", step()));
        CHECK(group.start("later", step()));
        loop.run_one();
        loop.run_one();
        group.cancel();
        loop.run();
    }
    SECTION("by itself") {
        bool const waits = GENERATE(false, true);
        auto cancels = [](TaskGroup& own, bool wait) -> asio::awaitable<void> {
            own.cancel();
            if (wait) co_await yield_once();
        };
        CHECK(group.start("own", cancels(group, waits)));
        loop.run();
    }
    CHECK(group.size() == 0);
}

TEST_CASE("within: work that cancels its caller in its first step is unwound with it", "[base]") {
    run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        TaskGroup group{executor, 1};
        auto cancels = [](TaskGroup& own) -> Task<int> {
            own.cancel();
            co_return 7;
        };
        bool went_on = false;
        auto outer = [&]() -> asio::awaitable<void> {
            co_await yield_once();
            auto const value = co_await within(5s, cancels(group), "inner");
            CHECK(value.value() == 7);
            co_await yield_once();
            went_on = true;
        };
        CHECK(group.start("outer", outer()));
        co_await group.join();
        CHECK_FALSE(went_on);
    });
}

TEST_CASE("task group: outlives the loop its tasks were on", "[base]") {
    std::optional<TaskGroup> group;
    bool unwound = false;
    {
        asio::io_context loop{1};
        group.emplace(loop.get_executor(), 1);
        auto wait = [](bool& flag) -> asio::awaitable<void> {
            auto const value = co_await after(10s, 0, flag);
            static_cast<void>(value);
        };
        CHECK(group->start("waits", wait(unwound)));
        loop.poll();
    }
    CHECK(unwound);
    group->cancel();
}

TEST_CASE("slots: the first to wait is the first to be served, and leaving the line frees it", "[base]") {
    run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        Slots slots{executor, 1, 2};
        std::vector<int> order;
        TaskGroup group{executor, 10};
        auto use = [](Slots& from, std::vector<int>& log, int me) -> asio::awaitable<void> {
            auto lease = co_await from.take(5s);
            if (lease) log.push_back(me);
            co_await sleep_for(1ms);
        };
        auto held = co_await slots.take(1s);
        CHECK(group.start("1", use(slots, order, 1)));
        CHECK(group.start("2", use(slots, order, 2)));
        co_await sleep_for(1ms);
        auto const refused = co_await slots.take(1s);
        CHECK(refused.error().code == Errc::limit);
        *held = Slots::Lease{};
        co_await group.join();
        CHECK(order == std::vector{1, 2});
        CHECK(slots.used() == 0);

        auto again = co_await slots.take(1s);
        auto const late = co_await slots.take(5ms);
        CHECK(late.error().code == Errc::timeout);
        CHECK(slots.waiting() == 0);
        TaskGroup waiting{executor, 1};
        CHECK(waiting.start("3", use(slots, order, 3)));
        co_await sleep_for(1ms);
        waiting.cancel();
        co_await waiting.join();
        CHECK(slots.waiting() == 0);
        CHECK(slots.used() == 1);
    });
}

TEST_CASE("on_pool: works on another thread and comes back", "[base]") {
    asio::thread_pool pool{1};
    run([&pool](asio::any_io_executor) -> asio::awaitable<void> {
        auto const here = std::this_thread::get_id();
        std::thread::id there;
        auto work = [&there]() -> Result<int> {
            there = std::this_thread::get_id();
            return 3;
        };
        auto const value = co_await on_pool(pool, work);
        CHECK(value.value() == 3);
        CHECK(there != here);
        CHECK(std::this_thread::get_id() == here);
    });
    pool.join();
}

TEST_CASE("backoff: doubles up to its bound, with jitter, and starts again after a success", "[base]") {
    Backoff backoff{{.delay_min = 100ms, .delay_max = 1000ms, .jitter = 0.1}, 1};
    std::chrono::milliseconds last{0};
    for (auto const base : {100, 200, 400, 800, 1000, 1000}) {
        last = backoff.next();
        CHECK(last.count() >= base * 0.9 - 1);
        CHECK(last.count() <= base * 1.1);
    }
    CHECK(backoff.failures() == 6);
    backoff.reset();
    CHECK(backoff.next() <= 110ms);
}

}  // namespace holdfast
