// tests/unit/modules/base/private_loop_test.cpp: a blocking caller gets what its coroutine returned, and nothing else.
#include "modules/base/private_loop.hpp"

#include <catch2/catch.hpp>

#include <new>
#include <stdexcept>

namespace holdfast {

using namespace std::chrono_literals;

static Task<int> after_steps(int steps, int value) {
    for (int i = 0; i < steps; ++i) co_await yield_once();
    co_return value;
}

static Task<int> after_wait(std::chrono::milliseconds delay, bool& unwound) {
    struct Flag {
        bool& raised;
        ~Flag() { raised = true; }
    };
    Flag const flag{unwound};
    co_await sleep_for(delay);
    co_return 1;
}

TEST_CASE("private loop: runs one after another and gives what each returned", "[base]") {
    PrivateLoop loop;
    auto const failing = []() -> Task<int> { co_return fail(Errc::denied, "no"); };

    CHECK(loop.run(after_steps(3, 7)).value() == 7);
    CHECK(loop.run(failing()).error().message == "no");
    CHECK(loop.run(after_steps(0, 8)).value() == 8);
    CHECK_FALSE(loop.running());
}

TEST_CASE("private loop: what is cancelled too late or too early leaves the next alone", "[base]") {
    for (int steps = 0; steps < 6; ++steps) {
        for (int taken = 0; taken <= steps + 2; ++taken) {
            INFO(steps << " steps, cancelled after " << taken);
            PrivateLoop loop;
            std::optional<Result<int>> first;
            std::optional<Result<int>> second;

            loop.start(after_steps(steps, 1), first);
            for (int i = 0; i < taken; ++i) loop.run_some();
            loop.start(after_steps(steps, 2), second);
            REQUIRE(first);
            CHECK((first->has_value() || first->error().message == "context canceled"));
            while (loop.running()) loop.run_some();

            CHECK(second->value() == 2);
        }
    }
}

TEST_CASE("private loop: stop cancels and unwinds what runs", "[base]") {
    PrivateLoop loop;
    std::stop_source source;
    bool unwound = false;
    auto const asks_for_it = [](std::stop_source& from, bool& flag) -> Task<int> {
        from.request_stop();
        auto waited = co_await after_wait(1h, flag);
        co_return std::move(waited);
    };

    auto const stopped = loop.run(asks_for_it(source, unwound), source.get_token());

    CHECK(stopped.error().code == Errc::timeout);
    CHECK(stopped.error().message == "context canceled");
    CHECK(unwound);
    CHECK(loop.run(after_steps(1, 3), source.get_token()).error().message == "context canceled");
    CHECK(loop.run(after_steps(1, 3)).value() == 3);
}

TEST_CASE("private loop: destroyed with work in it, it unwinds that first", "[base]") {
    bool unwound = false;
    std::optional<Result<int>> never;
    {
        PrivateLoop loop;
        loop.start(after_wait(1h, unwound), never);
        loop.run_ready();
        CHECK_FALSE(unwound);
    }
    CHECK(unwound);
    CHECK(never->error().message == "context canceled");
}

TEST_CASE("private loop: an exception is an error, never a result", "[base]") {
    PrivateLoop loop;
    auto const exhausted = []() -> Task<int> {
        co_await yield_once();
        throw std::bad_alloc{};
    };
    auto const broken = []() -> Task<int> {
        throw std::runtime_error{"broken"};
        co_return 1;
    };

    CHECK(loop.run(exhausted()).error().code == Errc::limit);
    CHECK(loop.run(broken()).error().message == "broken");
}

}  // namespace holdfast
