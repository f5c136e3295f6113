// tests/unit/modules/kube/client_test.cpp: the client against an API server that misbehaves on request.
#include "tests/support/fake_cluster.hpp"
#include "tests/unit/modules/kube/fake_server.hpp"

#include <boost/json/parse.hpp>

namespace holdfast::kube {

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

TEST_CASE("kube client: a list of a server that is not trusted has an end, whether its pages hold something or nothing",
          "[kube]") {
    FakeServer fake;
    std::string const letters = GENERATE("ab", "");
    for (int i = 0; i < 20; ++i) fake.answer(200, page(letters, "next"));
    std::size_t taken = 0;
    auto take = [&taken](Object) -> Result<void> {
        ++taken;
        return {};
    };

    auto const listed = fake.loop.run(fake.client->list(kPods, {.page_size = 20, .items_max = 9}, [] {}, take));

    REQUIRE_FALSE(listed);
    CHECK(listed.error().code == Errc::limit);
    CHECK(listed.error().message.contains("list pods: more than 9 objects"));
    CHECK(taken == (letters.empty() ? 0 : 9));
    CHECK(fake.asked.size() == 5);
}

TEST_CASE("kube client: as many objects as a list may hold are a list", "[kube]") {
    FakeServer fake;
    fake.answer(200, page("ab", "next"));
    fake.answer(200, page("c", ""));
    std::string names;
    auto take = [&names](Object object) -> Result<void> {
        names += name_of(object);
        return {};
    };

    CHECK(fake.loop.run(fake.client->list(kPods, {.page_size = 2, .items_max = 3}, [] {}, take)));
    CHECK(names == "abc");
}

TEST_CASE("kube client: a list cut off in the middle is an error, not a short list", "[kube]") {
    FakeServer fake;
    fake.answer(200, R"({"kind":"PodList","metadata":{"resourceVersion":"9"},"items":[{"metadata":{"name":"a"}})");
    auto take = [](Object) -> Result<void> { return {}; };

    auto const version = fake.loop.run(fake.client->list(kPods, {}, nullptr, take));

    REQUIRE_FALSE(version);
    CHECK(version.error().code == Errc::offline);
}

TEST_CASE("kube client: an answer that is no list is an error, not an empty list", "[kube]") {
    auto const answer = GENERATE(std::string{R"({"kind":"PodList","metadata":{"resourceVersion":"9"}})"},
                                 std::string{R"({"kind":"PodList","items":[]})"},
                                 std::string{R"({"metadata":{"resourceVersion":"9"},"items":[]})"}, std::string{"{}"},
                                 std::string{R"({"message":"welcome to the portal","items":null})"});
    INFO(answer);
    FakeServer fake;
    fake.answer(200, answer);
    auto take = [](Object) -> Result<void> { return {}; };

    auto const version = fake.loop.run(fake.client->list(kPods, {}, nullptr, take));

    REQUIRE_FALSE(version);
    CHECK(version.error().code == Errc::busy);
    CHECK(version.error().message == "list pods: the answer is not a list");
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

TEST_CASE("kube client: what was refused of a Secret is in no error and not what the status page shows", "[kube]") {
    FakeServer fake;
    Resource const secrets{.gvk = {"", "v1", "Secret"}, .plural = "secrets", .namespaced = true, .verbs = {}};
    auto const refusal_text =
        R"({"kind":"Status","reason":"Invalid","code":422,"message":"Secret \"s\" is invalid: data[a]: \"s3cr3t\""})";
    fake.answer(422, refusal_text);
    fake.answer(422, refusal_text);
    Refusal refusal;

    auto const applied =
        fake.loop.run(fake.client->apply_to({secrets, "ns", "s"}, Object{{"kind", "Secret"}}, {}, &refusal));
    auto const said = fake.client->contact().last_error;
    auto const other = fake.loop.run(fake.client->apply_to(kPod, Object{{"kind", "Pod"}}, {}, nullptr));

    REQUIRE_FALSE(applied);
    CHECK(applied.error().message == "the server refused the Secret");
    CHECK(said == "the server refused the Secret");
    CHECK(refusal.message.contains("s3cr3t"));  // for who must read it to act on it, and tells nobody
    REQUIRE_FALSE(other);
    CHECK(other.error().message.contains("data[a]"));
}

TEST_CASE("kube client: a name that is no single segment of a path is refused before anything is sent", "[kube]") {
    FakeServer fake;
    auto const refused = [&fake](Target const& target) {
        auto const read = fake.loop.run(fake.client->get(target));
        auto const removed = fake.loop.run(fake.client->remove(target, {}));
        auto const patched = fake.loop.run(fake.client->patch(target, Patch::merge, json::object{}, {}));
        auto const applied = fake.loop.run(fake.client->apply_to(target, {}, {}));
        for (auto const code : {read.error().code, removed.error().code, patched.error().code, applied.error().code})
            CHECK(code == Errc::invalid_input);
        return read.error().message;
    };

    CHECK(refused({kPods, "ns", ".."}) == "invalid resource name \"..\": [may not be '..']");
    CHECK(refused({kPods, "ns", "."}) == "invalid resource name \".\": [may not be '.']");
    CHECK(refused({kPods, "ns", "a/b"}) == "invalid resource name \"a/b\": [may not contain '/']");
    CHECK(refused({kPods, "ns", "%2e%2e"}) == "invalid resource name \"%2e%2e\": [may not contain '%']");
    CHECK(refused({kPods, "..", "a"}) == "invalid namespace \"..\": [may not be '..']");
    CHECK(refused({{.gvk = {"a.io", "..", "Pod"}, .plural = "pods"}, "", "a"}).contains("invalid resource"));
    CHECK_FALSE(fake.loop.run(fake.client->list(kPods, {.ns = ".."}, nullptr, nullptr)));
    CHECK(fake.asked.empty());
}

// Goal: "your object is gone" is never concluded from "I do not know that path": its kind may be served in another version.
TEST_CASE("kube client: a 404 for the path and a 404 for the object are told apart", "[kube]") {
    FakeServer fake;
    fake.answer(200, kNoGroups);
    fake.answer(200, groups("a.io", group_item("a.io", "v1beta1", "Thing")));
    auto const old = fake.loop.run(fake.client->any_version_of("a.io", "Thing", "v1beta1")).value();
    fake.answer(404, R"({"kind":"Status","code":404,"reason":"NotFound","message":"things.a.io \"a\" not found",
                        "details":{"name":"a","group":"a.io","kind":"things"}})");
    fake.answer(404, "404 page not found\n");
    fake.answer(200, kNoGroups);
    fake.answer(200, groups("a.io", group_item("a.io", "v1", "Thing")));

    CHECK(fake.loop.run(fake.client->remove({old, "ns", "a"}, {})).error().code == Errc::not_found);
    CHECK(fake.loop.run(fake.client->remove({old, "ns", "a"}, {})).error().code == Errc::busy);
    CHECK(fake.loop.run(fake.client->any_version_of("a.io", "Thing", "v1beta1"))->gvk.version == "v1");
}

TEST_CASE("kube client: the identity of a cluster is the uid of its kube-system", "[kube]") {
    FakeServer fake;
    fake.answer(200, R"({"kind":"PartialObjectMetadata","metadata":{"name":"kube-system","uid":"c-1"}})");
    fake.answer(403, "no");
    fake.answer(200, R"({"metadata":{"name":"kube-system"}})");

    CHECK(fake.loop.run(identity_of(*fake.client)).value() == "c-1");
    CHECK(fake.asked.at(0).path == "/prefix/api/v1/namespaces/kube-system");
    CHECK(fake.asked.at(0).headers.get("Accept").contains("as=PartialObjectMetadata"));
    CHECK(fake.loop.run(identity_of(*fake.client)).error().code == Errc::denied);
    CHECK(fake.loop.run(identity_of(*fake.client)).error().code == Errc::invalid_input);
}

TEST_CASE("kube client: only a good answer is a sign of life", "[kube]") {
    FakeServer fake;
    for (unsigned const status : {401u, 403u, 500u}) {
        fake.answer(status, "no");
        CHECK_FALSE(fake.loop.run(fake.client->get(kPod)));
        CHECK_FALSE(fake.client->contact().heard_at);
        CHECK(fake.client->contact().last_code == status);
    }
    fake.answer(200, "{}");
    CHECK(fake.loop.run(fake.client->get(kPod)));
    CHECK(fake.client->contact().heard_at);
    CHECK(fake.client->contact().last_error.empty());
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

}  // namespace holdfast::kube
