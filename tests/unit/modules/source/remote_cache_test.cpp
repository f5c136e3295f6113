// tests/unit/modules/source/remote_cache_test.cpp: what a kustomization names by URL, with a fake network and a store in memory.
#include "modules/source/remote_cache.hpp"
#include "tests/support/memory_bytes.hpp"
#include "tests/support/story_world.hpp"
#include "tests/unit/modules/source/memory_store.hpp"

#include <catch2/catch.hpp>

namespace holdfast::source {

namespace {

using namespace std::chrono_literals;

struct World : test::StoryWorld {
    MemoryStore store;
    Hosts hosts{clock, {.delay_min = 5s, .delay_max = 300s, .jitter = 0}};
    std::vector<std::string> asked;
    Result<RemoteContent> answer = RemoteContent{.version = "1", .bytes = test::memory_bytes("kind: A\n")};
    RemoteCache cache{{pool, db, store, hosts, log, clock},
                      {},
                      http::Reach::of_operator(),
                      {},
                      [this](kustomize::Remote const& remote, RemoteOptions const& options) {
                          asked.push_back(remote.url + " " + options.known);
                          return answer;
                      }};

    Result<RemoteContent> get(std::string const& url = "https://example.com/a.yaml", std::string const& ns = "apps",
                              std::chrono::nanoseconds timeout = 27s) {
        return test::run_task(cache.fetch(ns, {.url = url, .timeout = timeout}, 1 << 20));
    }
};

}  // namespace

TEST_CASE("remote cache: what was fetched is kept, and served when its host is silent", "[source][remote_cache]") {
    World world;
    REQUIRE(world.get());
    REQUIRE(world.store.rows.size() == 1);
    world.answer = fail(Errc::offline, "no route");

    auto const served = world.get();

    REQUIRE(served);
    CHECK(test::text_of(*served->bytes) == "kind: A\n");
    CHECK(world.asked.back() == "https://example.com/a.yaml 1");
    CHECK(world.store.rows.size() == 1);
}

TEST_CASE("remote cache: a host that gave no answer is not asked again at once, whatever is wanted of it",
          "[source][remote_cache]") {
    World world;
    world.answer = fail(Errc::offline, "no route");
    CHECK_FALSE(world.get());
    auto const asked = world.asked.size();

    auto const other = world.get("https://example.com/b.yaml");

    CHECK(world.asked.size() == asked);
    REQUIRE_FALSE(other);
    CHECK(other.error().code == Errc::offline);
    CHECK(other.error().message ==
          "'https://example.com/b.yaml': example.com:443 gives no answer to another that asked it");
    world.clock.now += 5s;
    world.answer = RemoteContent{.version = "1", .bytes = test::memory_bytes("kind: A\n")};
    CHECK(world.get("https://example.com/b.yaml"));
}

TEST_CASE("remote cache: it waits with the sources of the host, and they with it", "[source][remote_cache]") {
    World world;
    world.hosts.take_turn("apps", "example.com:443", std::chrono::nanoseconds::max())
        .value()
        .silent({Errc::timeout, "slow"});
    CHECK_FALSE(world.get());
    CHECK(world.asked.empty());
    world.clock.now += 5s;
    std::vector<std::string> heard;
    world.hosts.listen([&](std::string const& host) { heard.push_back(host); });
    CHECK(world.get());
    CHECK(heard == std::vector<std::string>{"example.com:443"});
}

TEST_CASE("remote cache: kept bytes that are damaged are fetched again, but not from a host that is left alone",
          "[source][remote_cache]") {
    World world;
    REQUIRE(world.get());
    world.store.blobs.clear();
    REQUIRE(world.get());
    CHECK(world.asked.back() == "https://example.com/a.yaml ");
    world.store.blobs.clear();
    world.answer = fail(Errc::offline, "no route");
    CHECK_FALSE(world.get());
    auto const asked = world.asked.size();
    CHECK_FALSE(world.get());
    CHECK(world.asked.size() == asked);
}

TEST_CASE("remote cache: no login of a URL stands in an error", "[source][remote_cache]") {
    World world;
    world.answer = fail(Errc::denied, "Get \"https://bot:s3cr3t@example.com/a.yaml\": no");
    auto const refused = world.get("https://bot:s3cr3t@example.com/a.yaml");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message == "Get \"https://xxxxx@example.com/a.yaml\": no");
    world.answer = fail(Errc::offline, "no route");
    CHECK_FALSE(world.get("https://bot:s3cr3t@example.com/a.yaml"));
    auto const waits = world.get("https://bot:s3cr3t@example.com/a.yaml");
    REQUIRE_FALSE(waits);
    CHECK(waits.error().message.find("s3cr3t") == std::string::npos);
}

TEST_CASE("remote cache: two logins are two contents, and none is written down", "[source][remote_cache]") {
    World world;
    auto const get = [&](std::string const& login, std::string const& bytes) {
        world.answer = RemoteContent{.version = "1", .bytes = test::memory_bytes(bytes)};
        return world.get("https://" + login + "@example.com/a.yaml?sshkey=s3cr3t");
    };

    REQUIRE(get("bot:s3cr3t", "kind: A\n"));
    REQUIRE(get("bot:s3cr3t2", "kind: B\n"));

    CHECK(world.asked.back().ends_with("sshkey=s3cr3t "));  // nothing is known under the second login
    REQUIRE(world.store.rows.size() == 2);
    for (auto const& row : world.store.rows) {
        CHECK(row.source.starts_with("Remote/https://xxxxx@example.com/a.yaml?sshkey=xxxxx sha256:"));
    }
    CHECK(world.store.rows[0].source != world.store.rows[1].source);
    CHECK(kept_name({.url = "https://example.com/a.yaml"}) == "https://example.com/a.yaml");
}

TEST_CASE("remote cache: a look-up that was given a moment makes its host silent for nobody",
          "[source][remote_cache][shares]") {
    World world;
    world.answer = fail(Errc::timeout, "no complete answer within 1 ms");
    CHECK_FALSE(world.get("https://example.com/a.yaml", "flood", 1ms));
    CHECK_FALSE(world.get("https://example.com/a.yaml", "flood", 1ms));
    CHECK(world.asked.size() == 2);

    // Nor does it say that a silent one answers again.
    world.answer = fail(Errc::offline, "no route");
    CHECK_FALSE(world.get());
    std::vector<std::string> heard;
    world.hosts.listen([&](std::string const& host) { heard.push_back(host); });
    world.answer = fail(Errc::timeout, "no complete answer within 1 ms");
    CHECK_FALSE(world.get("https://example.com/a.yaml", "flood", 1ms));
    CHECK(heard.empty());
    auto const asked = world.asked.size();
    CHECK_FALSE(world.get());
    CHECK(world.asked.size() == asked);
}

TEST_CASE("remote cache: what one namespace waits for in vain holds up no other", "[source][remote_cache][shares]") {
    World world;
    world.answer = fail(Errc::timeout, "no complete answer within 600000 ms");
    CHECK_FALSE(world.get("https://example.com/huge", "flood", 10min));
    world.answer = RemoteContent{.version = "1", .bytes = test::memory_bytes("kind: A\n")};
    CHECK(world.get());
}

}  // namespace holdfast::source
