// tests/unit/modules/source/hosts_test.cpp: whose turn it is at a host that gives no answer.
#include "modules/source/hosts.hpp"
#include "tests/support/story_world.hpp"

#include <catch2/catch.hpp>

namespace holdfast::source {

namespace {

using namespace std::chrono_literals;

constexpr auto kPatient = std::chrono::nanoseconds::max();
Error const kNoRoute{Errc::offline, "no route"};

struct World {
    test::FakeClock clock;
    Hosts hosts{clock, {.delay_min = 5s, .delay_max = 300s, .jitter = 0}};
    std::vector<std::string> heard;

    World() {
        hosts.listen([this](std::string const& host) { heard.push_back(host); });
    }
    bool may_ask(std::string const& host = "a:443") { return hosts.take_turn("apps", host, kPatient).has_value(); }
    void be_silent(std::string const& host = "a:443") {
        hosts.take_turn("apps", host, kPatient).value().silent(kNoRoute);
    }
};

}  // namespace

TEST_CASE("hosts: everyone may ask a host that answers", "[source][hosts]") {
    World world;
    auto first = world.hosts.take_turn("apps", "a:443", kPatient);
    auto second = world.hosts.take_turn("apps", "a:443", kPatient);
    REQUIRE(first);
    REQUIRE(second);
    first->answered();
    CHECK(world.heard.empty());
}

TEST_CASE("hosts: a silent host is left alone, then asked by one, and longer each time", "[source][hosts]") {
    World world;
    world.be_silent();

    auto refused = world.hosts.take_turn("apps", "a:443", kPatient);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().wait == 5s);
    CHECK(refused.error().error.message == "no route");
    CHECK(world.may_ask("b:443"));

    world.clock.now += 5s;
    {
        auto turn = world.hosts.take_turn("apps", "a:443", kPatient);
        REQUIRE(turn);
        CHECK_FALSE(world.may_ask());
        CHECK(turn->silent(kNoRoute) == 10s);
    }
    world.clock.now += 9s;
    CHECK_FALSE(world.may_ask());
    world.clock.now += 1s;
    CHECK(world.may_ask());
}

TEST_CASE("hosts: those who asked together found out one thing, not several", "[source][hosts]") {
    World world;
    auto first = world.hosts.take_turn("apps", "a:443", kPatient);
    auto second = world.hosts.take_turn("apps", "a:443", kPatient);
    world.clock.now += 30s;
    CHECK(first->silent(kNoRoute) == 5s);
    CHECK(second->silent(kNoRoute) == 5s);
}

TEST_CASE("hosts: one that answers again is heard of once, and everyone may ask", "[source][hosts]") {
    World world;
    world.be_silent();
    world.clock.now += 5s;
    world.hosts.take_turn("apps", "a:443", kPatient).value().answered();
    CHECK(world.heard == std::vector<std::string>{"a:443"});
    CHECK(world.may_ask());
    world.be_silent();
    CHECK(world.hosts.take_turn("apps", "a:443", kPatient).error().wait == 5s);
}

TEST_CASE("hosts: a turn that nobody used is given back", "[source][hosts]") {
    World world;
    world.be_silent();
    world.clock.now += 5s;
    { auto const unused = world.hosts.take_turn("apps", "a:443", kPatient); }
    CHECK(world.may_ask());
}

TEST_CASE("hosts: who has less patience than the pause asks earlier", "[source][hosts]") {
    World world;
    for (int i = 0; i < 6; ++i) {
        world.be_silent();
        world.clock.now += 300s;
    }
    world.be_silent();
    world.clock.now += 60s;
    CHECK_FALSE(world.may_ask());
    CHECK(world.hosts.take_turn("apps", "a:443", 60s).has_value());
}

TEST_CASE("hosts: a deadline of a moment says nothing about a host, a refused connection does", "[source][hosts]") {
    CHECK_FALSE(is_silence({Errc::timeout, ""}, 1ms));
    CHECK(is_silence({Errc::timeout, ""}, 10s));
    CHECK(is_silence({Errc::offline, ""}, 1ms));
    CHECK_FALSE(is_silence({Errc::busy, ""}, 60s));
    CHECK_FALSE(is_silence({Errc::denied, ""}, 60s));
}

TEST_CASE("hosts: what one namespace finds silent is silent for no other", "[source][hosts]") {
    World world;
    world.be_silent();
    auto other = world.hosts.take_turn("web", "a:443", kPatient);
    REQUIRE(other);

    other->answered();

    CHECK(world.may_ask());  // an answer is one for all
    CHECK(world.heard == std::vector<std::string>{"a:443"});
}

TEST_CASE("hosts: a moment too short is neither silence nor an answer", "[source][hosts]") {
    Error const late{Errc::timeout, "no complete answer within 1 ms"};
    CHECK_FALSE(is_silence(late, 1ms));
    CHECK(is_silence(late, 10s));
    CHECK_FALSE(is_answer(late));
    CHECK_FALSE(is_answer(kNoRoute));
    CHECK(is_answer({Errc::denied, "401"}));
    CHECK(is_answer({Errc::busy, "503"}));
}

}  // namespace holdfast::source
