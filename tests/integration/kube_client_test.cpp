// tests/integration/kube_client_test.cpp: modules/kube against a real kube-apiserver.
//
// Goal: what the unit tests assume about an API server is so: discovery, writes, conflicts, watches that survive
// a restart, an expired version, a datastore restored from a copy and a lost permission, credentials that rotate, pages,
// and health of a real Deployment.
// Method: one control plane for the whole program; each case has a namespace of its own.
#define CATCH_CONFIG_RUNNER
#include "modules/base/base64.hpp"
#include "modules/base/task_group.hpp"
#include "modules/kube/client.hpp"
#include "modules/kube/events.hpp"
#include "modules/kube/kstatus.hpp"
#include "modules/kube/watcher.hpp"
#include "tests/integration/control_plane.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/modules/http/loop.hpp"

#include <boost/json/parse.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>

namespace holdfast::kube {

using namespace std::chrono_literals;

static std::unique_ptr<test::ControlPlane> plane;

static GroupVersionKind const kConfigMap{"", "v1", "ConfigMap"};
static GroupVersionKind const kDeployment{"apps", "v1", "Deployment"};
static WriteOptions const kManager{.field_manager = "holdfast-test", .force = true};

struct Bench {
    test::Loop loop;
    http::Client http{loop.executor()};
    std::unique_ptr<Client> client;
    std::string ns;

    Bench() {
        static int count = 0;
        ns = "case-" + std::to_string(++count);
        auto config = load_kubeconfig(plane->kubeconfig(), "");
        REQUIRE(config);
        client = Client::make(loop.executor(), http, *config).value();
        auto made = loop.run(
            client->create(Object{{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", ns}}}}, {}));
        REQUIRE((made || made.error().code == Errc::busy));
    }

    Resource resource(GroupVersionKind const& gvk) {
        auto found = loop.run(client->resource_for(gvk));
        REQUIRE(found);
        return *found;
    }
    Target target(GroupVersionKind const& gvk, std::string name) { return {resource(gvk), ns, std::move(name)}; }
    Object config_map(std::string const& name, std::string const& value) const {
        return {{"apiVersion", "v1"},
                {"kind", "ConfigMap"},
                {"metadata", {{"name", name}, {"namespace", ns}, {"labels", {{"from", "test"}}}}},
                {"data", {{"key", value}}}};
    }
    void wait_until(std::function<bool()> const& holds, std::chrono::seconds limit = 20s) {
        auto const deadline = std::chrono::steady_clock::now() + limit;
        while (!holds() && std::chrono::steady_clock::now() < deadline) loop.run(sleep_for(10ms));
        REQUIRE(holds());
    }
};

TEST_CASE("kube client: discovery knows built-in kinds, and an unknown one is reported as kubectl does", "[kube]") {
    Bench bench;

    auto const deployment = bench.resource(kDeployment);
    auto const role = bench.resource({"rbac.authorization.k8s.io", "v1", "ClusterRole"});
    auto const unknown = bench.loop.run(bench.client->resource_for({"nope.example", "v1", "Thing"}));

    CHECK(deployment.plural == "deployments");
    CHECK(deployment.namespaced);
    CHECK(deployment.can("watch"));
    CHECK_FALSE(role.namespaced);
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().code == Errc::not_found);
    CHECK(unknown.error().message == "no matches for kind \"Thing\" in version \"nope.example/v1\"");
    CHECK(bench.client->counts().of(Verb::discovery) <= 4);
}

TEST_CASE("kube client: a new kind is found after its CRD was established", "[kube]") {
    Bench bench;
    GroupVersionKind const widget{"test.holdfast.dev", "v1", "Widget"};
    CHECK_FALSE(bench.loop.run(bench.client->resource_for(widget)));
    auto const crd = json::parse(R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
        "metadata":{"name":"widgets.test.holdfast.dev"},"spec":{"group":"test.holdfast.dev","scope":"Namespaced",
        "names":{"kind":"Widget","plural":"widgets"},"versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{}},
        "schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}})")
                         .get_object();
    auto const applied = bench.loop.run(bench.client->apply(crd, kManager));
    REQUIRE(applied);
    Target const at{bench.resource({"apiextensions.k8s.io", "v1", "CustomResourceDefinition"}), "",
                    "widgets.test.holdfast.dev"};

    bench.wait_until([&] {
        auto const read = bench.loop.run(bench.client->get(at));
        return read && status_of(*read, std::chrono::system_clock::now()).message == "CRD is established";
    });
    bench.wait_until([&] {
        bench.client->forget_discovery();
        return bench.loop.run(bench.client->resource_for(widget)).has_value();
    });

    // The status subresource takes a merge patch and leaves the spec alone.
    auto const made = bench.loop.run(bench.client->apply(Object{{"apiVersion", "test.holdfast.dev/v1"},
                                                                {"kind", "Widget"},
                                                                {"metadata", {{"name", "w"}, {"namespace", bench.ns}}},
                                                                {"spec", {{"a", 1}}}},
                                                         kManager));
    REQUIRE(made);
    auto at_status = bench.target(widget, "w");
    at_status.subresource = "status";
    auto const patched = bench.loop.run(bench.client->patch(
        at_status, Patch::merge, json::object{{"status", {{"observedGeneration", 1}}}}, {.field_manager = "gotk"}));
    REQUIRE(patched);
    CHECK(find_integer(*patched, {"status", "observedGeneration"}) == 1);
    CHECK(find_integer(*patched, {"spec", "a"}) == 1);
}

TEST_CASE("kube client: create, read, patch and delete", "[kube]") {
    Bench bench;
    auto const created =
        bench.loop.run(bench.client->create(bench.config_map("a", "1"), {.field_manager = "holdfast-test"}));
    REQUIRE(created);
    auto const at = bench.target(kConfigMap, "a");

    Refusal refusal;
    CHECK_FALSE(bench.loop.run(bench.client->create(bench.config_map("a", "1"), {}, &refusal)));
    CHECK(refusal.reason == "AlreadyExists");
    CHECK(refusal.message == "configmaps \"a\" already exists");

    auto const merged =
        bench.loop.run(bench.client->patch(at, Patch::merge, json::object{{"data", {{"key", "2"}}}}, {}));
    REQUIRE(merged);
    CHECK(find_string(*merged, {"data", "key"}) == "2");
    auto const by_json = bench.loop.run(bench.client->patch(
        at, Patch::json, json::array{json::object{{"op", "replace"}, {"path", "/data/key"}, {"value", "3"}}}, {}));
    REQUIRE(by_json);
    CHECK(find_string(*by_json, {"data", "key"}) == "3");

    json::object const stale{{"metadata", {{"resourceVersion", resource_version_of(*created)}}}};
    auto const conflict = bench.loop.run(bench.client->patch(at, Patch::merge, stale, {}, &refusal));
    REQUIRE_FALSE(conflict);
    CHECK(conflict.error().code == Errc::busy);
    CHECK(refusal.is("Conflict"));
    CHECK(refusal.message.contains("the object has been modified"));

    auto const small = bench.loop.run(bench.client->get(at, {.metadata_only = true}));
    REQUIRE(small);
    CHECK(name_of(*small) == "a");
    CHECK(find(*small, {"data"}) == nullptr);
    CHECK(find_string(*small, {"kind"}) == "ConfigMap");

    CHECK_FALSE(bench.loop.run(bench.client->remove(at, {.uid = "11111111-1111-1111-1111-111111111111"}, &refusal)));
    CHECK(refusal.is("Conflict"));
    CHECK(bench.loop.run(bench.client->remove(at, {.uid = std::string{uid_of(*by_json)}})));
    auto const gone = bench.loop.run(bench.client->get(at, {}, &refusal));
    REQUIRE_FALSE(gone);
    CHECK(gone.error().code == Errc::not_found);
    CHECK(gone.error().message == "configmaps \"a\" not found");
    CHECK(refusal.code == 404);
}

TEST_CASE("kube client: server-side apply owns fields, refuses another owner's without force, and repeats as a no-op",
          "[kube]") {
    Bench bench;
    auto const first = bench.loop.run(bench.client->apply(bench.config_map("a", "1"), kManager));
    REQUIRE(first);

    Refusal refusal;
    auto const other =
        bench.loop.run(bench.client->apply(bench.config_map("a", "2"), {.field_manager = "someone-else"}, &refusal));
    REQUIRE_FALSE(other);
    CHECK(refusal.is("Conflict"));
    CHECK(refusal.message.contains("conflict with \"holdfast-test\""));

    auto const dry = bench.loop.run(bench.client->apply(
        bench.config_map("a", "3"), {.field_manager = "holdfast-test", .dry_run = true, .force = true}));
    REQUIRE(dry);
    CHECK(find_string(*dry, {"data", "key"}) == "3");
    auto const again = bench.loop.run(bench.client->apply(bench.config_map("a", "1"), kManager));
    REQUIRE(again);
    CHECK(resource_version_of(*again) == resource_version_of(*first));
    auto const small = bench.loop.run(bench.client->apply(
        bench.config_map("a", "1"), {.field_manager = "holdfast-test", .force = true, .metadata_only = true}));
    REQUIRE(small);
    CHECK(uid_of(*small) == uid_of(*first));
    CHECK(find(*small, {"data"}) == nullptr);
}

TEST_CASE("kube client: what the server rejects comes back in its own words", "[kube]") {
    Bench bench;
    Refusal refusal;
    auto invalid = bench.config_map("Not_A_Name", "1");
    auto const rejected = bench.loop.run(bench.client->apply(invalid, kManager, &refusal));
    REQUIRE_FALSE(rejected);
    CHECK(rejected.error().code == Errc::invalid_input);
    CHECK(refusal.reason == "Invalid");
    CHECK(rejected.error().message.starts_with("ConfigMap \"Not_A_Name\" is invalid: metadata.name: Invalid value"));

    auto frozen = bench.config_map("frozen", "1");
    frozen["immutable"] = true;
    REQUIRE(bench.loop.run(bench.client->apply(frozen, kManager)));
    frozen["data"].get_object()["key"] = "2";
    CHECK_FALSE(bench.loop.run(bench.client->apply(frozen, kManager, &refusal)));
    CHECK(refusal.says_immutable());

    auto const nobody = bench.client->as("nobody", {});
    auto const denied = bench.loop.run(nobody->get(bench.target(kConfigMap, "a"), {}, &refusal));
    REQUIRE_FALSE(denied);
    CHECK(denied.error().code == Errc::denied);
    CHECK(refusal.reason == "Forbidden");
    CHECK(refusal.message.contains("User \"nobody\" cannot get resource \"configmaps\""));
}

TEST_CASE("kube client: a list comes in pages", "[kube]") {
    Bench bench;
    for (int i = 0; i < 25; ++i) {
        auto const made = bench.loop.run(
            bench.client->create(bench.config_map("m" + std::to_string(i), "x"), {.metadata_only = true}));
        REQUIRE(made);
    }
    auto const before = bench.client->counts().of(Verb::list);
    std::set<std::string> names;
    std::string kind;
    auto take = [&](Object object) -> Result<void> {
        names.emplace(name_of(object));
        kind = find_string(object, {"kind"});
        return {};
    };

    auto const version = bench.loop.run(bench.client->list(
        bench.resource(kConfigMap),
        {.ns = bench.ns, .label_selector = "from=test", .metadata_only = true, .page_size = 10}, [&] { names.clear(); },
        take));

    REQUIRE(version);
    CHECK_FALSE(version->empty());
    CHECK(names.size() == 25);
    CHECK(kind == "ConfigMap");
    CHECK(bench.client->counts().of(Verb::list) - before == 3);
}

/// Keeps names and values, as a consumer would.
struct Mirror : WatchHandler {
    std::map<std::string, std::string> known;
    std::map<std::string, std::string> fresh;
    bool listing = false;
    int lists = 0;
    int bookmarks = 0;
    std::vector<std::string> refusals;

    void list_begins() override {
        listing = true;
        fresh.clear();
    }
    void changed(Object object) override {
        (listing ? fresh : known)[std::string{name_of(object)}] = find_string(object, {"data", "key"});
    }
    void deleted(Object object) override { known.erase(std::string{name_of(object)}); }
    void list_ends() override {
        listing = false;
        ++lists;
        known.swap(fresh);
    }
    void bookmark(std::string_view) override { ++bookmarks; }
    void unwatchable(Error error) override { refusals.push_back(std::move(error.message)); }
};

TEST_CASE("kube watcher: sees every change, also those made across a restart of the API server", "[kube]") {
    Bench bench;
    Mirror mirror;
    Watcher watcher{*bench.client, mirror, {.gvk = kConfigMap, .ns = bench.ns, .label_selector = "from=test"}};
    TaskGroup group{bench.loop.executor(), 1};
    REQUIRE(bench.loop.run(bench.client->apply(bench.config_map("a", "1"), kManager)));
    REQUIRE(group.start("watch", watcher.run()));
    bench.wait_until([&] { return mirror.known.contains("a"); });

    REQUIRE(bench.loop.run(bench.client->apply(bench.config_map("b", "1"), kManager)));
    bench.wait_until([&] { return mirror.known.contains("b"); });
    CHECK(watcher.state().synced);
    CHECK(mirror.lists == 1);

    REQUIRE(plane->command("kill apiserver") == "ok");
    bench.wait_until([&] { return !watcher.state().synced; });
    CHECK_FALSE(watcher.state().last_error.empty());
    CHECK(mirror.known.size() == 2);  // nothing is forgotten because the server is down
    REQUIRE(plane->command("start apiserver") == "ok");
    bench.wait_until([&] {
        auto const applied = bench.loop.run(bench.client->apply(bench.config_map("a", "2"), kManager));
        return applied.has_value();
    });
    REQUIRE(bench.loop.run(bench.client->remove(bench.target(kConfigMap, "b"), {})));
    bench.wait_until([&] { return mirror.known.size() == 1 && mirror.known["a"] == "2"; }, 30s);
    CHECK(watcher.state().synced);

    group.cancel();
    bench.loop.run(group.join());
}

TEST_CASE("kube watcher: a kind that RBAC closes is said once, and followed when it opens", "[kube]") {
    Bench bench;
    auto const user = "reader-" + bench.ns;
    auto const limited = bench.client->as(user, {});
    Mirror mirror;
    Watcher watcher{*limited,
                    mirror,
                    {.gvk = kConfigMap,
                     .ns = bench.ns,
                     .label_selector = "from=test",
                     .metadata_only = true,
                     .backoff = {.delay_min = 20ms, .delay_max = 100ms},
                     .refused_delay = 100ms}};
    TaskGroup group{bench.loop.executor(), 1};
    REQUIRE(bench.loop.run(bench.client->apply(bench.config_map("a", "1"), kManager)));
    REQUIRE(group.start("watch", watcher.run()));
    bench.wait_until([&] { return watcher.state().lists >= 3; });
    CHECK(mirror.refusals.size() == 1);
    CHECK(mirror.refusals.front().contains("cannot list resource \"configmaps\""));
    CHECK(watcher.state().refused);
    CHECK(watcher.state().last_code == 403);
    CHECK_FALSE(watcher.state().heard_at);

    auto const grant = [&](json::array verbs) {
        auto const granted = bench.loop.run(
            bench.client->apply(Object{{"apiVersion", "rbac.authorization.k8s.io/v1"},
                                       {"kind", "Role"},
                                       {"metadata", {{"name", "reader"}, {"namespace", bench.ns}}},
                                       {"rules", json::array{json::object{{"apiGroups", json::array{""}},
                                                                          {"resources", json::array{"configmaps"}},
                                                                          {"verbs", std::move(verbs)}}}}},
                                kManager));
        REQUIRE(granted);
    };
    grant({"list"});
    REQUIRE(bench.loop.run(bench.client->apply(
        Object{{"apiVersion", "rbac.authorization.k8s.io/v1"},
               {"kind", "RoleBinding"},
               {"metadata", {{"name", "reader"}, {"namespace", bench.ns}}},
               {"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "Role"}, {"name", "reader"}}},
               {"subjects", json::array{json::object{
                                {"kind", "User"}, {"apiGroup", "rbac.authorization.k8s.io"}, {"name", user}}}}},
        kManager)));
    bench.wait_until([&] { return mirror.lists >= 3; });  // it may list now, and goes on asking for the watch
    CHECK(watcher.state().refused);
    CHECK_FALSE(watcher.state().synced);
    CHECK(watcher.state().last_error.contains("cannot watch resource \"configmaps\""));
    CHECK(mirror.refusals.size() == 1);
    grant({"list", "watch"});
    int written = 0;
    bench.wait_until([&] {
        REQUIRE(bench.loop.run(bench.client->apply(bench.config_map("b", std::to_string(++written)), kManager)));
        return watcher.state().synced && mirror.known.contains("b");
    });
    CHECK_FALSE(watcher.state().refused);

    group.cancel();
    bench.loop.run(group.join());
}

TEST_CASE("kube client: a token that is renewed in the kubeconfig is used after the 401", "[kube]") {
    Bench bench;
    auto const made =
        bench.loop.run(bench.client->create(Object{{"apiVersion", "v1"},
                                                   {"kind", "ServiceAccount"},
                                                   {"metadata", {{"name", "robot"}, {"namespace", bench.ns}}}},
                                            {}));
    REQUIRE(made);
    REQUIRE(bench.loop.run(
        bench.client->create(Object{{"apiVersion", "v1"},
                                    {"kind", "Secret"},
                                    {"type", "kubernetes.io/service-account-token"},
                                    {"metadata",
                                     {{"name", "robot"},
                                      {"namespace", bench.ns},
                                      {"annotations", {{"kubernetes.io/service-account.name", "robot"}}}}}},
                             {})));
    std::string token;
    bench.wait_until([&] {
        auto const secret = bench.loop.run(bench.client->get(bench.target({"", "v1", "Secret"}, "robot")));
        if (secret) token = base64_decode(find_string(*secret, {"data", "token"})).value_or("");
        return !token.empty();
    });
    auto const& trust = bench.client->config();
    test::TempDir dir;
    auto const write = [&](std::string const& bearer) {
        std::ofstream{dir / "config"} << "current-context: m\ncontexts: [{name: m, context: {cluster: c, user: u}}]\n"
                                      << "clusters: [{name: c, cluster: {server: 'https://" << trust.server.authority()
                                      << "', certificate-authority-data: " << base64_encode(trust.tls.ca_pem)
                                      << "}}]\nusers: [{name: u, user: {token: '" << bearer << "'}}]\n";
    };
    write("of-last-year");
    auto const robot = Client::make(bench.loop.executor(), bench.http, load_kubeconfig(dir / "config", "").value(),
                                    {.credentials_pause = 1h})
                           .value();
    Refusal refusal;
    CHECK_FALSE(bench.loop.run(robot->get(bench.target(kConfigMap, "a"), {}, &refusal)));
    CHECK(refusal.code == 401);
    CHECK_FALSE(robot->contact().heard_at);

    write(token);
    CHECK_FALSE(bench.loop.run(robot->get(bench.target(kConfigMap, "a"), {}, &refusal)));

    CHECK(refusal.code == 403);  // known now, and allowed nothing
    CHECK(refusal.message.contains("system:serviceaccount:" + bench.ns + ":robot"));
}

TEST_CASE("kube client: a kind is found in another version when the server stops serving the one of the inventory",
          "[kube]") {
    Bench bench;
    auto const group = bench.ns + ".holdfast.dev";
    auto const crd = [&](bool old_served) {
        auto const version = [](char const* name, bool served, bool storage) {
            return json::object{{"name", name},
                                {"served", served},
                                {"storage", storage},
                                {"schema", {{"openAPIV3Schema", {{"type", "object"}}}}}};
        };
        return Object{{"apiVersion", "apiextensions.k8s.io/v1"},
                      {"kind", "CustomResourceDefinition"},
                      {"metadata", {{"name", "gears." + group}}},
                      {"spec",
                       {{"group", group},
                        {"scope", "Namespaced"},
                        {"names", {{"kind", "Gear"}, {"plural", "gears"}}},
                        {"versions", json::array{version("v1beta1", old_served, false), version("v1", true, true)}}}}};
    };
    auto const find = [&](std::string version) {
        return bench.loop.run(bench.client->any_version_of(group, "Gear", version));
    };
    CHECK(find("v1beta1").error().code == Errc::not_found);
    REQUIRE(bench.loop.run(bench.client->apply(crd(true), kManager)));
    bench.wait_until([&] { return find("v1beta1").has_value(); });
    auto const old = find("v1beta1").value();
    Object const gear{
        {"apiVersion", group + "/v1beta1"}, {"kind", "Gear"}, {"metadata", {{"name", "g"}, {"namespace", bench.ns}}}};
    bench.wait_until([&] { return bench.loop.run(bench.client->apply(gear, kManager)).has_value(); });
    CHECK(find("v9")->gvk.version == old.gvk.version);

    REQUIRE(bench.loop.run(bench.client->apply(crd(false), kManager)));

    // The old path goes away: that is no word about the object, which is found on another.
    bench.wait_until([&] { return !bench.loop.run(bench.client->get({old, bench.ns, "g"})).has_value(); });
    CHECK(bench.loop.run(bench.client->remove({old, bench.ns, "g"}, {})).error().code == Errc::busy);
    std::optional<Resource> now;
    bench.wait_until([&] {
        auto const found = find("v1beta1");
        if (found && found->gvk.version == "v1") now = *found;
        return now.has_value();
    });
    REQUIRE(bench.loop.run(bench.client->remove({*now, bench.ns, "g"}, {})));
    REQUIRE(bench.loop.run(bench.client->remove(
        {bench.resource({"apiextensions.k8s.io", "v1", "CustomResourceDefinition"}), "", "gears." + group}, {})));
    bench.wait_until([&] {
        auto const known = find("v1");
        if (known)
            static_cast<void>(bench.loop.run(bench.client->get({*known, bench.ns, "g"})));  // 404: forgets the kind
        return !known && known.error().code == Errc::not_found;
    });
}

TEST_CASE("kube client: a watch from a version the server no longer knows is refused as Expired", "[kube]") {
    Bench bench;
    auto const made = bench.loop.run(bench.client->apply(bench.config_map("a", "1"), kManager));
    REQUIRE(made);
    REQUIRE(plane->command("stop apiserver") == "ok");  // the history it keeps for watches goes with it
    REQUIRE(plane->command("start apiserver") == "ok");
    Refusal refusal;
    auto ignore = [](Event, Object) -> Result<void> { return {}; };

    auto const watched = bench.loop.run(bench.client->watch(
        bench.resource(kConfigMap), {.ns = bench.ns, .resource_version = "1", .server_timeout = 5s}, ignore, &refusal));

    REQUIRE_FALSE(watched);
    CHECK(watched.error().code == Errc::not_found);
    CHECK(refusal.code == 410);
    CHECK((refusal.is("Expired") || refusal.is("Gone")));
}

TEST_CASE("kstatus: a real Deployment with no replicas becomes Current, and a deleted one is gone", "[kube]") {
    Bench bench;
    auto deployment =
        json::parse(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":0,
        "selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"none"}]}}}})")
            .get_object();
    set_namespace(deployment, bench.ns);
    auto const applied = bench.loop.run(bench.client->apply(deployment, kManager));
    REQUIRE(applied);
    CHECK(status_of(*applied, std::chrono::system_clock::now()).health == Health::in_progress);
    auto const at = bench.target(kDeployment, "web");

    std::string message;
    bench.wait_until([&] {
        auto const read = bench.loop.run(bench.client->get(at));
        if (read) message = status_of(*read, std::chrono::system_clock::now()).message;
        return message == "Deployment is available. Replicas: 0";
    });

    CHECK(bench.loop.run(bench.client->remove(at, {.propagation = "Foreground"})));
    bench.wait_until([&] { return !bench.loop.run(bench.client->get(at)).has_value(); });
}

TEST_CASE("kube events: an event about an object is accepted", "[kube]") {
    Bench bench;
    auto const about = bench.loop.run(bench.client->apply(bench.config_map("a", "1"), kManager));
    REQUIRE(about);
    EventDraft const draft{
        .about = &*about, .reason = "ReconciliationSucceeded", .message = "done", .component = "kustomize-controller"};

    auto const recorded =
        bench.loop.run(record_event(*bench.client, make_event(draft, std::chrono::system_clock::now(), "1")));

    if (!recorded) FAIL(recorded.error().message);
}

// The last case: controllers of the plane that watched the newer store do not find their way back by themselves.
// The restored server counts from below where the watch stood; what came after the copy never was.
TEST_CASE("kube watcher: a datastore restored from an older copy is seen as it is", "[kube]") {
    Bench bench;
    Mirror mirror;
    Watcher watcher{*bench.client, mirror, {.gvk = kConfigMap, .ns = bench.ns, .label_selector = "from=test"}};
    TaskGroup group{bench.loop.executor(), 1};
    REQUIRE(bench.loop.run(bench.client->apply(bench.config_map("a", "old"), kManager)));
    REQUIRE(bench.loop.run(bench.client->apply(bench.config_map("later-deleted", "1"), kManager)));
    auto const identity = bench.loop.run(identity_of(*bench.client));
    REQUIRE(identity);
    auto const data = plane->kubeconfig().parent_path() / "etcd";
    test::TempDir copy;
    auto const with_stopped_store = [](std::function<void()> const& work) {
        for (auto const* command : {"stop apiserver", "stop etcd"}) REQUIRE(plane->command(command) == "ok");
        work();
        for (auto const* command : {"start etcd", "start apiserver"}) REQUIRE(plane->command(command) == "ok");
    };
    with_stopped_store([&] { std::filesystem::copy(data, copy / "etcd", std::filesystem::copy_options::recursive); });
    bench.wait_until(
        [&] { return bench.loop.run(bench.client->apply(bench.config_map("a", "new"), kManager)).has_value(); });
    REQUIRE(bench.loop.run(bench.client->apply(bench.config_map("b", "1"), kManager)));
    REQUIRE(bench.loop.run(bench.client->remove(bench.target(kConfigMap, "later-deleted"), {})));
    for (int i = 0; i < 20; ++i)  // versions go on
        REQUIRE(bench.loop.run(bench.client->apply(bench.config_map("a", "new" + std::to_string(i)), kManager)));
    REQUIRE(group.start("watch", watcher.run()));
    bench.wait_until([&] { return mirror.known == std::map<std::string, std::string>{{"a", "new19"}, {"b", "1"}}; });

    with_stopped_store([&] {
        std::filesystem::remove_all(data);
        std::filesystem::copy(copy / "etcd", data, std::filesystem::copy_options::recursive);
    });

    bench.wait_until(
        [&] {
            return mirror.known == std::map<std::string, std::string>{{"a", "old"}, {"later-deleted", "1"}} &&
                   watcher.state().synced;
        },
        60s);
    REQUIRE(bench.loop.run(bench.client->apply(bench.config_map("a", "again"), kManager)));
    bench.wait_until([&] { return mirror.known["a"] == "again"; });
    CHECK(bench.loop.run(identity_of(*bench.client)).value() == *identity);  // a restored cluster is the same one

    group.cancel();
    bench.loop.run(group.join());
}

}  // namespace holdfast::kube

int main(int argc, char** argv) {
    auto const binary = holdfast::test::control_plane_binary();
    if (binary.empty()) {
        std::puts("skipped: kube client: HOLDFAST_CONTROLPLANE is not set");
        return 77;  // how Meson is told
    }
    holdfast::kube::plane = std::make_unique<holdfast::test::ControlPlane>(binary);
    int const failed = Catch::Session().run(argc, argv);
    holdfast::kube::plane.reset();
    return failed;
}
