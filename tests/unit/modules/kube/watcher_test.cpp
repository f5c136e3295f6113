// tests/unit/modules/kube/watcher_test.cpp: what a consumer knows after each way in which a list or a watch can end.
#include "modules/kube/watcher.hpp"

#include "modules/base/task_group.hpp"
#include "tests/unit/modules/kube/fake_server.hpp"

#include <functional>
#include <map>

namespace holdfast::kube {

namespace {

struct Names : WatchHandler {
    std::map<std::string, std::string> known;
    std::map<std::string, std::string> fresh;
    bool listing = false;
    int begins = 0;
    int ends = 0;
    std::string last_bookmark;
    std::vector<std::string> refusals;

    void list_begins() override {
        ++begins;
        fresh.clear();
        listing = true;
    }
    void changed(Object object) override {
        (listing ? fresh : known)[std::string{name_of(object)}] = resource_version_of(object);
    }
    void deleted(Object object) override { known.erase(std::string{name_of(object)}); }
    void list_ends() override {
        ++ends;
        known.swap(fresh);
        listing = false;
    }
    void bookmark(std::string_view version) override { last_bookmark = version; }
    void unwatchable(Error error) override { refusals.push_back(std::move(error.message)); }

    std::string text() const {
        std::string all;
        for (auto const& [name, version] : known) all += name;
        return all;
    }
};

std::string event(std::string const& type, std::string const& name, std::string const& version) {
    return R"({"type":")" + type + R"(","object":{"metadata":{"name":")" + name + R"(","resourceVersion":")" + version +
           "\"}}}\n";
}

std::string const kExpired =
    R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}})";

struct World {
    FakeServer fake;
    Names names;
    WatcherOptions options{
        .gvk = {"", "v1", "Pod"}, .backoff = {.delay_min = 1ms, .delay_max = 5ms}, .refused_delay = 5ms};
    std::unique_ptr<Watcher> watcher;
    TaskGroup group{fake.loop.executor(), 1};

    World() {
        fake.answer(
            200,
            R"({"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":""},"versions":[{"version":"v1","resources":[
            {"resource":"pods","responseKind":{"group":"","version":"v1","kind":"Pod"},"scope":"Namespaced","verbs":[]}]}]}]})");
        fake.answer(200, kNoGroups);
    }
    ~World() {
        group.cancel();
        fake.loop.run(group.join());
    }
    void run_until(std::function<bool()> const& holds) {
        if (!watcher) {
            watcher = std::make_unique<Watcher>(*fake.client, names, options);
            REQUIRE(group.start("watch", watcher->run()));
        }
        for (int i = 0; i < 5'000 && !holds(); ++i) fake.loop.run(sleep_for(2ms));
        REQUIRE(holds());
    }
    /// "list", or "watch <version>": what was asked after discovery.
    std::vector<std::string> asked() const {
        std::vector<std::string> all;
        for (std::size_t i = 2; i < fake.asked.size(); ++i) {
            auto const& request = fake.asked[i];
            bool const is_watch = request.parameter("watch") == "true";
            all.push_back(is_watch ? "watch " + std::string{request.parameter("resourceVersion")} : "list");
        }
        return all;
    }
};

}  // namespace

using Asked = std::vector<std::string>;

// A cluster that was restored or made anew counts versions from where it likes, so where a watch stood means nothing
// after a break: a watch from "12" would wait in silence until the new count passes it.
TEST_CASE("kube watcher: goes on after an asked-for end, and lists again after any other", "[kube]") {
    World world;
    world.options.watch_max = 1s;
    world.fake.answer(200, page("ab", ""));
    world.fake.answer(200, event("ADDED", "c", "10") + event("DELETED", "a", "11") + event("BOOKMARK", "", "12"));
    world.fake.answer(200, event("MODIFIED", "b", "13") + R"({"type":"ADDED","object":{"metadata":{"na)");  // cut off
    world.fake.answer(200, page("b", ""));
    world.fake.answer(200, kExpired);
    world.fake.answer(200, page("", ""));  // of a cluster made anew
    world.fake.answer(503, "down");
    world.fake.answer(200, page("xy", ""));
    world.fake.answer_never();

    world.run_until([&] { return world.names.known.contains("x"); });

    CHECK(world.names.text() == "xy");
    CHECK(world.names.last_bookmark == "12");
    world.run_until([&] { return world.asked().size() == 9; });
    CHECK(world.asked() ==
          Asked{"list", "watch 9", "watch 12", "list", "watch 9", "list", "watch 9", "list", "watch 9"});
    CHECK(world.watcher->state().synced);
    CHECK(world.watcher->state().last_error.empty());
    CHECK(world.fake.asked.at(2).parameter("limit") == "500");
}

// A server that shuts down ends its watches without an error, and may come back restored.
TEST_CASE("kube watcher: an end long before the time that was asked for is a break", "[kube]") {
    World world;
    world.fake.answer(200, page("ab", ""));
    world.fake.answer(200, event("ADDED", "c", "10"));
    world.fake.answer(200, page("x", ""));
    world.fake.answer_never();

    world.run_until([&] { return world.asked().size() == 4; });

    CHECK(world.asked() == Asked{"list", "watch 9", "list", "watch 9"});
    CHECK(world.fake.asked.at(3).parameter("timeoutSeconds") == "3600");
    CHECK(world.fake.asked.at(3).parameter("allowWatchBookmarks") == "true");
    CHECK(world.names.text() == "x");
}

TEST_CASE("kube watcher: a list that fails half way is not a list, and one that lost its place starts over", "[kube]") {
    World world;
    world.fake.answer(200, page("ab", "next"));
    world.fake.answer(500, "broken");
    world.fake.answer(200, page("ac", "next"));
    world.fake.answer(410, R"({"kind":"Status","code":410,"reason":"Expired","message":"too old"})");
    world.fake.answer(200, page("d", "next"));
    world.fake.answer(200, page("e", ""));
    world.fake.answer_never();

    world.run_until([&] { return world.asked().size() == 7; });

    CHECK(world.names.ends == 1);
    CHECK(world.names.begins == 3);
    CHECK(world.names.text() == "de");
    CHECK(world.asked().back() == "watch 9");  // the version of all pages: a delete between them comes as an event
}

TEST_CASE("kube watcher: a kind that we may not watch is said once, listed on, and followed when we may", "[kube]") {
    World world;
    for (char const* name : {"a", "b", "c"}) {
        world.fake.answer(200, page(name, ""));
        world.fake.answer(403, "pods is forbidden");
    }
    world.fake.answer(405, "no list either");
    world.fake.answer(200, page("d", ""));
    world.fake.answer_never();

    world.run_until([&] { return world.names.known.contains("d"); });

    CHECK(world.names.refusals == Asked{"pods is forbidden (get pods)"});
    CHECK(world.watcher->state().refused);
    CHECK_FALSE(world.watcher->state().synced);  // the list never was what was refused
    CHECK(world.watcher->state().last_code == 405);
}

TEST_CASE("kube watcher: an event shows that a refused kind is followed again", "[kube]") {
    World world;
    world.fake.answer(200, page("a", ""));
    world.fake.answer(403, "no");
    world.fake.answer(200, page("a", ""));
    world.fake.answer(200, event("ADDED", "b", "10"));
    world.fake.answer(200, page("ab", ""));
    world.fake.answer_never();

    world.run_until([&] { return world.asked().size() == 6; });

    CHECK(world.names.refusals.size() == 1);
    CHECK_FALSE(world.watcher->state().refused);
    CHECK(world.watcher->state().synced);
    CHECK(world.watcher->state().since);
}

TEST_CASE("kube watcher: a refusal is no sign of life", "[kube]") {
    World world;
    world.fake.answer(401, "who are you");
    world.fake.answer(500, "broken");
    world.fake.answer_never();

    world.run_until([&] { return world.asked().size() == 3; });

    auto const& state = world.watcher->state();
    CHECK_FALSE(state.heard_at);
    CHECK_FALSE(state.synced);
    CHECK_FALSE(state.refused);
    CHECK(state.last_code == 500);
    CHECK(state.last_error.contains("broken"));
    CHECK(state.since);
}

TEST_CASE("kube watcher: a server without bookmarks is asked for short watches, whose end is the sign of life",
          "[kube]") {
    World world;
    world.options.silence_max = 20ms;
    world.fake.answer(200, page("a", ""));
    world.fake.answer_never();
    world.fake.answer(200, page("b", ""));
    world.fake.answer_never();

    world.run_until([&] { return world.asked().size() == 4; });

    CHECK(world.asked() == Asked{"list", "watch 9", "list", "watch 9"});
    CHECK(world.fake.asked.at(3).parameter("timeoutSeconds") == "3600");
    CHECK(world.fake.asked.at(5).parameter("timeoutSeconds") == "290");
}

}  // namespace holdfast::kube
