// tests/unit/modules/base/shares_test.cpp: nobody alone takes all of it, and who waits longest with least is next.
#include "modules/base/async.hpp"
#include "modules/base/shares.hpp"
#include "modules/base/slots.hpp"
#include "modules/base/task_group.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace holdfast {

namespace {

using namespace std::chrono_literals;

std::uint64_t most_of(Shares& shares, std::string const& party) {
    while (shares.may_take(party)) shares.take(party);
    return shares.held(party);
}

}  // namespace

TEST_CASE("shares: one party alone takes all but a reserve, and the next one finds a place", "[base][shares]") {
    struct Row {
        std::uint64_t whole, first, second;
    };
    for (Row const row : {Row{1, 1, 0}, Row{2, 1, 1}, Row{4, 3, 1}, Row{8, 6, 1}, Row{1'000, 750, 187}}) {
        Shares shares{row.whole};
        CHECK(most_of(shares, "flood") == row.first);
        CHECK(most_of(shares, "calm") == row.second);
        CHECK(shares.used() <= row.whole);
    }
}

TEST_CASE("shares: many parties together leave something to one that comes late", "[base][shares]") {
    Shares shares{1'000'000};
    for (int i = 0; i < 6; ++i) most_of(shares, "flood-" + std::to_string(i));
    CHECK(shares.may_take("late", 200));
}

TEST_CASE("shares: what is given back may be taken again, and bytes that would not fit are not taken",
          "[base][shares]") {
    Shares shares{100};
    shares.take("a", 70);
    CHECK_FALSE(shares.may_take("a", 6));
    CHECK(shares.may_take("a", 5));
    CHECK(shares.may_take("b", 30));
    CHECK_FALSE(shares.may_take("b", 31));
    CHECK_FALSE(shares.may_take("b", UINT64_MAX));
    shares.give_back("a", 70);
    CHECK(shares.used() == 0);
    CHECK(shares.may_take("a", 75));
}

TEST_CASE("shares: who holds less goes first, then who had its turn longer ago", "[base][shares]") {
    Shares shares{10};
    shares.take("a");
    shares.take("b");
    CHECK(shares.comes_before("new", "a"));
    CHECK(shares.comes_before("a", "b"));
    shares.give_back("b");
    CHECK(shares.comes_before("b", "a"));
    shares.give_back("a");
    CHECK(shares.comes_before("a", "b"));
    CHECK_FALSE(shares.comes_before("a", "a"));
}

TEST_CASE("slots: one party's queue does not stand before another's", "[base][shares]") {
    asio::io_context loop{1};
    std::vector<std::string> order;
    auto scenario = [&]() -> asio::awaitable<void> {
        auto const executor = loop.get_executor();
        Slots slots{executor, 1};
        TaskGroup group{executor, 64};
        auto use = [&](std::string party) -> asio::awaitable<void> {
            auto lease = co_await slots.take(1h, party);
            order.push_back(party);
            co_await yield_once();
        };
        auto held = co_await slots.take(1h, "flood");
        for (int i = 0; i < 20; ++i) CHECK(group.start("flood", use("flood")));
        for (int i = 0; i < 3; ++i) CHECK(group.start("calm", use("calm")));
        CHECK(slots.waiting() == 23);
        *held = Slots::Lease{};
        co_await group.join();
        CHECK(slots.used() == 0);
    };
    asio::co_spawn(loop, scenario(), [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);
    });
    loop.run();
    REQUIRE(order.size() == 23);
    CHECK(std::vector(order.begin(), order.begin() + 6) ==
          std::vector<std::string>{"calm", "flood", "calm", "flood", "calm", "flood"});
}

TEST_CASE("slots: a party never holds the last place, and an unnamed one is held to no share", "[base][shares]") {
    asio::io_context loop{1};
    auto scenario = [&]() -> asio::awaitable<void> {
        Slots slots{loop.get_executor(), 4};
        std::vector<Slots::Lease> leases;
        for (int i = 0; i < 3; ++i) {
            auto lease = co_await slots.take(1h, "flood");
            REQUIRE(lease);
            leases.push_back(std::move(*lease));
        }
        auto const fourth = co_await slots.take(1ms, "flood");
        CHECK(fourth.error().code == Errc::timeout);
        auto other = co_await slots.take(1h, "calm");
        CHECK(other);
        *other = Slots::Lease{};
        leases.clear();
        for (int i = 0; i < 4; ++i) {
            auto lease = co_await slots.take(1ms);
            REQUIRE(lease);
            leases.push_back(std::move(*lease));
        }
        CHECK(slots.used() == 4);
    };
    asio::co_spawn(loop, scenario(), [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);
    });
    loop.run();
}

}  // namespace holdfast
