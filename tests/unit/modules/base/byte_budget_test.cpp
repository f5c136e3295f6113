// tests/unit/modules/base/byte_budget_test.cpp: never more bytes than there are, and nobody waits for ever.
#include "modules/base/byte_budget.hpp"

#include "modules/base/task_group.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <catch2/catch.hpp>

#include <functional>
#include <vector>

namespace holdfast {

using namespace std::chrono_literals;

namespace {

void run(std::function<asio::awaitable<void>(asio::any_io_executor)> body) {
    asio::io_context loop{1};
    bool ended = false;
    asio::co_spawn(loop, body(loop.get_executor()), [&](std::exception_ptr failure) {
        ended = true;
        if (failure) std::rethrow_exception(failure);
    });
    loop.run_for(10s);
    REQUIRE(ended);
}

asio::awaitable<void> use(ByteBudget& budget, std::vector<std::size_t>& order, std::size_t bytes) {
    auto lease = co_await budget.take(bytes, 5s);
    if (lease) order.push_back(bytes);
    CHECK(budget.used() <= budget.bytes_max());
    co_await sleep_for(1ms);
}

}  // namespace

TEST_CASE("byte budget: the small do not overtake the large, and together they hold no more than there is", "[base]") {
    run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        ByteBudget budget{executor, 100};
        std::vector<std::size_t> order;
        TaskGroup group{executor, 10};
        auto held = co_await budget.take(60, 1s);
        REQUIRE(held);
        CHECK(group.start("large", use(budget, order, 90)));
        CHECK(group.start("small", use(budget, order, 30)));
        CHECK(group.start("smaller", use(budget, order, 10)));
        co_await sleep_for(1ms);
        CHECK(budget.waiting() == 3);  // 30 would fit, but 90 came first
        CHECK_FALSE(held->grow_to(70));
        held->shrink_to(20);
        co_await sleep_for(1ms);
        CHECK(order.empty());
        *held = ByteBudget::Lease{};
        co_await group.join();
        CHECK(order == std::vector<std::size_t>{90, 30, 10});
        CHECK(budget.used() == 0);
    });
}

TEST_CASE("byte budget: what can never fit is refused at once, what does not come free in time is late", "[base]") {
    run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        ByteBudget budget{executor, 100, 1};
        auto const never = co_await budget.take(101, 1s);
        REQUIRE_FALSE(never);
        CHECK(never.error().code == Errc::limit);
        CHECK(never.error().message == "101 bytes are more than all 100");

        auto held = co_await budget.take(40, 1s);
        CHECK(held->grow_to(100));
        auto const late = co_await budget.take(1, 5ms);
        CHECK(late.error().code == Errc::timeout);

        TaskGroup group{executor, 2};
        std::vector<std::size_t> order;
        CHECK(group.start("waits", use(budget, order, 50)));
        co_await sleep_for(1ms);
        auto const crowd = co_await budget.take(1, 1s);
        CHECK(crowd.error().code == Errc::limit);
        group.cancel();  // leaves the line, and those behind move up
        co_await group.join();
        CHECK(budget.waiting() == 0);
        CHECK(budget.used() == 100);
    });
}

TEST_CASE("byte budget: who leaves the line lets through who needs less", "[base]") {
    run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        ByteBudget budget{executor, 100};
        std::vector<std::size_t> order;
        TaskGroup large{executor, 1}, small{executor, 1};
        auto held = co_await budget.take(60, 1s);
        CHECK(large.start("large", use(budget, order, 90)));
        co_await sleep_for(1ms);
        CHECK(small.start("small", use(budget, order, 30)));
        co_await sleep_for(1ms);
        large.cancel();
        co_await large.join();
        co_await small.join();
        CHECK(order == std::vector<std::size_t>{30});
        CHECK(budget.used() == 60);
    });
}

}  // namespace holdfast
