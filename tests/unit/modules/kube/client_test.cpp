// tests/unit/modules/kube/client_test.cpp: the client against an API server that misbehaves on request.
#include "modules/kube/client.hpp"

#include "modules/base/task_group.hpp"
#include "modules/http/server.hpp"
#include "modules/kube/watcher.hpp"
#include "tests/unit/modules/http/loop.hpp"

#include <boost/json/parse.hpp>

#include <deque>
#include <map>

namespace holdfast::kube {

using namespace std::chrono_literals;
using http::Answer;
using http::ServerRequest;

/// Answers from a script; what it was asked is kept.
struct FakeServer {
    test::Loop loop;
    http::Server server{loop.executor(), {.body_bytes_max = 1u << 20}};
    http::Client http{loop.executor()};
    std::vector<ServerRequest> asked;
    std::deque<Answer> script;
    std::unique_ptr<Client> client;

    explicit FakeServer(ClientSettings const& settings = {}, Credentials credentials = {}) {
        server.route("*", "/*", [this](ServerRequest request) -> asio::awaitable<Answer> {
            asked.push_back(std::move(request));
            if (script.empty()) co_return http::text_answer(599, "the script is over");
            auto answer = std::move(script.front());
            script.pop_front();
            co_return answer;
        });
        auto const port = server.listen_tcp("127.0.0.1", 0).value();
        Config config{.server = http::parse_url("http://127.0.0.1:" + std::to_string(port) + "/prefix/").value()};
        config.credentials = std::move(credentials);
        client = Client::make(loop.executor(), http, config, settings).value();
    }
    void answer(unsigned status, std::string body) { script.push_back(http::json_answer(status, std::move(body))); }
    void answer_later(unsigned status, std::string retry_after) {
        auto answer = http::text_answer(status, "");
        answer.headers.set("Retry-After", retry_after);
        script.push_back(answer);
    }
};

static Resource const kPods{.gvk = {"", "v1", "Pod"}, .plural = "pods", .namespaced = true, .verbs = {}};
static Target const kPod{kPods, "ns", "a"};

TEST_CASE("kube client: path, query, headers and body are what the API wants", "[kube]") {
    FakeServer fake{{}, {.token = "secret", .impersonate_user = "me", .impersonate_groups = {"g1", "g2"}}};
    Resource const roles{.gvk = {"rbac.authorization.k8s.io", "v1", "ClusterRole"}, .plural = "clusterroles"};
    fake.answer(200, "{}");

    auto const applied = fake.loop.run(fake.client->apply_to({roles, "", "a:b"}, Object{{"kind", "ClusterRole"}},
                                                             {.field_manager = "m", .dry_run = true, .force = true}));

    REQUIRE(applied);
    auto const& request = fake.asked.at(0);
    CHECK(request.method == "PATCH");
    CHECK(request.path == "/prefix/apis/rbac.authorization.k8s.io/v1/clusterroles/a:b");
    CHECK(request.parameter("fieldManager") == "m");
    CHECK(request.parameter("force") == "true");
    CHECK(request.parameter("dryRun") == "All");
    CHECK(request.headers.get("Content-Type") == "application/apply-patch+yaml");
    CHECK(request.headers.get("Authorization") == "Bearer secret");
    CHECK(request.headers.get("Impersonate-User") == "me");
    CHECK(request.body == R"({"kind":"ClusterRole"})");
    CHECK(fake.client->counts().of(Verb::apply) == 1);
}

TEST_CASE("kube client: 429 and a 503 that says when are repeated, a plain 500 is not", "[kube]") {
    FakeServer fake;
    fake.answer_later(429, "0");
    fake.answer_later(503, "0");
    fake.answer(200, R"({"kind":"Pod"})");
    CHECK(fake.loop.run(fake.client->get(kPod)));
    CHECK(fake.client->counts().throttled == 2);

    fake.answer(500, "broken");
    fake.answer(200, "{}");
    Refusal refusal;
    auto const failed = fake.loop.run(fake.client->get(kPod, {}, &refusal));
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == Errc::busy);
    CHECK(refusal.code == 500);
    CHECK(fake.asked.size() == 4);
}

TEST_CASE("kube client: a server that throttles for ever ends the tries with its refusal", "[kube]") {
    FakeServer fake{{.tries_max = 3}};
    for (int i = 0; i < 9; ++i) fake.answer_later(429, "0");

    auto const failed = fake.loop.run(fake.client->get(kPod));

    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == Errc::busy);
    CHECK(fake.asked.size() == 3);
}

TEST_CASE("kube client: an answer that is no JSON, too deep or too long is an error", "[kube]") {
    FakeServer fake{{.object_bytes_max = 10'000}};
    fake.answer(200, "<html>captive portal</html>");
    fake.answer(200, R"({"a":)" + std::string(2'000, '[') + std::string(2'000, ']') + "}");
    fake.answer(200, R"({"a":")" + std::string(20'000, 'x') + "\"}");
    fake.answer(200, "[]");

    CHECK(fake.loop.run(fake.client->get(kPod)).error().code == Errc::invalid_input);
    CHECK(fake.loop.run(fake.client->get(kPod)).error().code == Errc::invalid_input);
    CHECK(fake.loop.run(fake.client->get(kPod)).error().code == Errc::limit);
    CHECK(fake.loop.run(fake.client->get(kPod)).error().code == Errc::invalid_input);
}

static std::string page(std::string const& names, std::string const& continuation) {
    std::string items;
    for (char const name : names)
        items += (items.empty() ? "" : ",") + std::string{R"({"metadata":{"name":")"} + name + "\"}}";
    return R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9","continue":")" + continuation +
           R"("},"items":[)" + items + "]}";
}

TEST_CASE("kube client: a list whose continuation expired starts over", "[kube]") {
    FakeServer fake;
    fake.answer(200, page("ab", "next"));
    fake.answer(
        410,
        R"({"kind":"Status","code":410,"reason":"Expired","message":"The provided continue parameter is too old"})");
    fake.answer(200, page("ab", "again"));
    fake.answer(200, page("c", ""));
    std::string names;
    int begins = 0;
    auto take = [&names](Object object) -> Result<void> {
        names += name_of(object);
        CHECK(find_string(object, {"kind"}) == "Pod");
        return {};
    };

    auto const version = fake.loop.run(fake.client->list(
        kPods, {.label_selector = "a=b", .page_size = 2},
        [&] {
            names.clear();
            ++begins;
        },
        take));

    REQUIRE(version);
    CHECK(*version == "9");
    CHECK(names == "abc");
    CHECK(begins == 2);
    CHECK(fake.asked.at(0).parameter("labelSelector") == "a=b");
    CHECK(fake.asked.at(1).parameter("continue") == "next");
    CHECK(fake.asked.at(2).parameter("continue").empty());
}

TEST_CASE("kube client: a list cut off in the middle is an error, not a short list", "[kube]") {
    FakeServer fake;
    fake.answer(200, R"({"kind":"PodList","metadata":{"resourceVersion":"9"},"items":[{"metadata":{"name":"a"}})");
    auto take = [](Object) -> Result<void> { return {}; };

    auto const version = fake.loop.run(fake.client->list(kPods, {}, nullptr, take));

    REQUIRE_FALSE(version);
    CHECK(version.error().code == Errc::offline);
}

TEST_CASE("kube client: discovery is asked once for many unknown kinds in a row, and falls back to the legacy form",
          "[kube]") {
    FakeServer fake;
    fake.answer(200, R"({"kind":"APIVersions","versions":["v1"]})");
    fake.answer(
        200,
        R"({"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"pods","namespaced":true,"kind":"Pod","verbs":["get"]}]})");
    fake.answer(
        200,
        R"({"kind":"APIGroupList","groups":[{"name":"apps","versions":[{"groupVersion":"apps/v1"},{"groupVersion":"down/v1"}]}]})");
    fake.answer(
        200,
        R"({"kind":"APIResourceList","groupVersion":"apps/v1","resources":[{"name":"deployments","namespaced":true,"kind":"Deployment","verbs":[]}]})");
    fake.answer(503, "service unavailable");

    CHECK(fake.loop.run(fake.client->resource_for({"", "v1", "Pod"}))->plural == "pods");
    CHECK(fake.loop.run(fake.client->resource_for({"apps", "v1", "Deployment"}))->plural == "deployments");
    auto const asked = fake.asked.size();
    for (int i = 0; i < 5; ++i)
        CHECK_FALSE(fake.loop.run(fake.client->resource_for({"x", "v1", "Thing" + std::to_string(i)})));
    CHECK(fake.asked.size() == asked);
}

static std::string group_item(std::string const& group, std::string const& version, std::string const& kind,
                              std::string const& freshness = "Current") {
    auto const resources = kind.empty()
                               ? ""
                               : R"({"resource":"things","responseKind":{"group":")" + group + R"(","version":")" +
                                     version + R"(","kind":")" + kind + R"("},"scope":"Namespaced","verbs":["get"]})";
    return R"({"version":")" + version + R"(","freshness":")" + freshness + R"(","resources":[)" + resources + "]}";
}

static std::string groups(std::string const& group, std::string const& versions) {
    return R"({"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":")" + group + R"("},"versions":[)" +
           versions + "]}]}";
}

static std::string const kNoGroups = R"({"kind":"APIGroupDiscoveryList","items":[]})";

TEST_CASE("kube client: a kind is found in the wished version, else in the one the server prefers", "[kube]") {
    FakeServer fake;
    fake.answer(200, kNoGroups);
    fake.answer(200, groups("a.io", group_item("a.io", "v2", "Thing") + "," + group_item("a.io", "v1", "Thing") + "," +
                                        group_item("a.io", "v1beta1", "Old")));

    CHECK(fake.loop.run(fake.client->any_version_of("a.io", "Thing", "v1"))->gvk.version == "v1");
    CHECK(fake.loop.run(fake.client->any_version_of("a.io", "Thing", "v1beta1"))->gvk.version == "v2");
    CHECK(fake.loop.run(fake.client->any_version_of("a.io", "Thing", ""))->gvk.version == "v2");
    CHECK(fake.loop.run(fake.client->any_version_of("a.io", "Old", "v1"))->gvk.version == "v1beta1");
    CHECK(fake.asked.size() == 2);
}

// Goal: what is pruned because "nothing serves it" is lost for ever, so only a whole answer may say so.
TEST_CASE("kube client: a kind is not found only when the group itself said so in full", "[kube]") {
    FakeServer fake;
    auto const find = [&fake] { return fake.loop.run(fake.client->any_version_of("a.io", "Thing", "v1")); };
    fake.answer(503, "starting");
    CHECK(find().error().code == Errc::busy);
    fake.answer(403, "no");
    CHECK(find().error().code == Errc::denied);

    // The sum of all groups lacks the group, as it does while a server starts: the group is asked.
    fake.answer(200, kNoGroups);
    fake.answer(200, kNoGroups);
    fake.answer(503, "paths are still being installed");
    CHECK(find().error().code == Errc::busy);
    fake.answer(403, "no");
    CHECK(find().error().code == Errc::denied);
    auto const group =
        R"({"kind":"APIGroup","name":"a.io","versions":[{"groupVersion":"a.io/v2"},{"groupVersion":"a.io/v1"}],
            "preferredVersion":{"groupVersion":"a.io/v2"}})";
    auto const other =
        R"({"kind":"APIResourceList","groupVersion":"a.io/v1","resources":[{"name":"others","kind":"Other"}]})";
    fake.answer(200, group);
    fake.answer(200, other);
    fake.answer(503, "the server behind it is down");
    CHECK(find().error().code == Errc::busy);
    fake.answer(200, group);
    fake.answer(200, other);
    fake.answer(404, "404 page not found");  // named by the group a moment ago
    CHECK(find().error().code == Errc::busy);

    fake.answer(200, group);
    fake.answer(200, other);
    fake.answer(200, R"({"kind":"APIResourceList","groupVersion":"a.io/v2","resources":[]})");
    CHECK(find().error().code == Errc::not_found);
    CHECK(fake.asked.at(fake.asked.size() - 2).path == "/prefix/apis/a.io/v1");  // the wished one first
    fake.answer(404, "404 page not found");
    CHECK(find().error().code == Errc::not_found);

    // Asked again each time, until it is there; then it is known.
    fake.answer(200, group);
    fake.answer(
        200, R"({"kind":"APIResourceList","groupVersion":"a.io/v1","resources":[{"name":"things","kind":"Thing"}]})");
    CHECK(find()->plural == "things");
    auto const asked = fake.asked.size();
    CHECK(find()->plural == "things");
    CHECK(fake.asked.size() == asked);
}

TEST_CASE("kube client: a kind of a group whose server is down is not unknown", "[kube]") {
    FakeServer fake;
    fake.answer(200, kNoGroups);
    fake.answer(200, groups("metrics.k8s.io", group_item("metrics.k8s.io", "v1", "", "Stale")));

    CHECK(fake.loop.run(fake.client->resource_for({"metrics.k8s.io", "v1", "PodMetrics"})).error().code == Errc::busy);
    CHECK(fake.loop.run(fake.client->resource_for({"other.io", "v1", "Thing"})).error().code == Errc::not_found);
}

TEST_CASE("kube client: delete sends preconditions and policy", "[kube]") {
    FakeServer fake;
    fake.answer(200, R"({"kind":"Status","status":"Success"})");

    CHECK(fake.loop.run(fake.client->remove(kPod, {.uid = "u", .resource_version = "7", .propagation = "Foreground"})));

    auto const body = json::parse(fake.asked.at(0).body).get_object();
    CHECK(find_string(body, {"preconditions", "uid"}) == "u");
    CHECK(find_string(body, {"preconditions", "resourceVersion"}) == "7");
    CHECK(find_string(body, {"propagationPolicy"}) == "Foreground");
}

struct Names : WatchHandler {
    std::map<std::string, std::string> known;
    std::map<std::string, std::string> fresh;
    bool listing = false;
    std::string last_bookmark;

    void list_begins() override {
        fresh.clear();
        listing = true;
    }
    void changed(Object object) override {
        (listing ? fresh : known)[std::string{name_of(object)}] = resource_version_of(object);
    }
    void deleted(Object object) override { known.erase(std::string{name_of(object)}); }
    void list_ends() override {
        known.swap(fresh);
        listing = false;
    }
    void bookmark(std::string_view version) override { last_bookmark = version; }
};

// Goal: what a consumer knows is right after each way in which a watch can end.
TEST_CASE("kube watcher: resumes after a clean end and a cut, lists again after 410", "[kube]") {
    FakeServer fake;
    auto const discover = [&fake] {
        fake.answer(
            200,
            R"({"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":""},"versions":[{"version":"v1","resources":[
            {"resource":"pods","responseKind":{"group":"","version":"v1","kind":"Pod"},"scope":"Namespaced","verbs":[]}]}]}]})");
        fake.answer(200, R"({"kind":"APIGroupDiscoveryList","items":[]})");
    };
    auto const event = [](std::string const& type, std::string const& name, std::string const& version) {
        return R"({"type":")" + type + R"(","object":{"metadata":{"name":")" + name + R"(","resourceVersion":")" +
               version + "\"}}}\n";
    };
    discover();
    fake.answer(200, page("ab", ""));
    fake.answer(200, event("ADDED", "c", "10") + event("DELETED", "a", "11") + event("BOOKMARK", "", "12"));
    fake.answer(200, event("MODIFIED", "b", "13") + R"({"type":"ADDED","object":{"metadata":{"na)");  // cut off
    fake.answer(
        200,
        R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}})");
    fake.answer(200, page("xy", ""));
    Names names;
    Watcher watcher{*fake.client, names, {.gvk = {"", "v1", "Pod"}, .backoff = {.delay_min = 1ms, .delay_max = 5ms}}};
    TaskGroup group{fake.loop.executor(), 1};
    REQUIRE(group.start("watch", watcher.run()));

    std::vector<std::string> versions;
    for (int i = 0; i < 500 && !names.known.contains("x"); ++i) fake.loop.run(sleep_for(2ms));
    group.cancel();
    fake.loop.run(group.join());

    CHECK(names.known.size() == 2);
    CHECK(names.known.contains("x"));
    CHECK(names.last_bookmark == "12");
    REQUIRE(fake.asked.size() >= 7);
    CHECK(fake.asked.at(3).parameter("resourceVersion") == "9");
    CHECK(fake.asked.at(3).parameter("allowWatchBookmarks") == "true");
    CHECK(fake.asked.at(4).parameter("resourceVersion") == "12");
    CHECK(fake.asked.at(5).parameter("resourceVersion") == "13");
    CHECK(watcher.state().lists == 2);
}

}  // namespace holdfast::kube
