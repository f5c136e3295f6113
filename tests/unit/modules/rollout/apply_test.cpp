// tests/unit/modules/rollout/apply_test.cpp: nothing of a stage is written before all of it passed; pruning deletes only its own.
#include "modules/rollout/apply.hpp"
#include "modules/rollout/marks.hpp"
#include "modules/rollout/prune.hpp"
#include "tests/support/fake_cluster.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

namespace holdfast::rollout {

namespace {

Owner const kOwner{{model::Kind::kustomization, "apps", "web"}};

kube::Object config_map(std::string name, std::string value = "1") {
    kube::Object object{{"apiVersion", "v1"},
                        {"kind", "ConfigMap"},
                        {"metadata", boost::json::object{{"name", std::move(name)}, {"namespace", "apps"}}},
                        {"data", boost::json::object{{"key", std::move(value)}}}};
    stamp(object, kOwner, {}, {});
    return object;
}

Result<void> apply(test::FakeCluster& cluster, std::vector<kube::Object> objects, ApplyReport& report,
                   ApplyOptions options = {}) {
    static SystemClock const clock;
    auto wishes = test::run_task(place(cluster, std::move(objects)));
    if (!wishes) return fail(std::move(wishes));
    return test::run_task(apply_staged(cluster, clock, kOwner, std::move(*wishes), std::move(options), report));
}

kube::Object parse(std::string_view text) { return boost::json::parse(text).as_object(); }

std::string shown(kube::Object const& object) { return boost::json::serialize(object); }

}  // namespace

TEST_CASE("apply: every object of a stage is tried before the first is written", "[rollout]") {
    test::FakeCluster cluster;
    ApplyReport report;

    REQUIRE(apply(cluster, {config_map("a"), config_map("b")}, report));

    CHECK(cluster.log == std::vector<std::string>{"dry-run ConfigMap/apps/a", "dry-run ConfigMap/apps/b",
                                                  "apply ConfigMap/apps/a", "apply ConfigMap/apps/b"});
    REQUIRE(report.objects.size() == 2);
    CHECK(report.objects[0].action == Action::created);
    CHECK(report.objects[0].owned.entry.id == "apps_a__ConfigMap");
    CHECK(report.objects[0].owned.fields != 0);
}

TEST_CASE("apply: one refused object keeps its stage unwritten and names itself with the server's words", "[rollout]") {
    test::FakeCluster cluster;
    cluster.refuse = [](kube::Object const& object) -> std::optional<kube::Refusal> {
        if (kube::name_of(object) != "b") return std::nullopt;
        return kube::Refusal{.code = 422, .reason = "Invalid", .message = "ConfigMap \"b\" is invalid: data: too long"};
    };
    ApplyReport report;

    auto const applied = apply(cluster, {config_map("a"), config_map("b"), config_map("c")}, report);

    REQUIRE_FALSE(applied);
    CHECK(applied.error().message ==
          "ConfigMap/apps/b dry-run failed (Invalid): ConfigMap \"b\" is invalid: data: too long");
    CHECK(cluster.objects.empty());
    CHECK(report.objects.empty());
}

TEST_CASE("apply: what is known to be as wished costs no request", "[rollout]") {
    test::FakeCluster cluster;
    ApplyReport first;
    REQUIRE(apply(cluster, {config_map("a"), config_map("b")}, first));
    cluster.log.clear();
    ApplyOptions options;
    options.known = [&](Wish const& wish) -> model::OwnedObject const* {
        for (Applied const& one : first.objects) {
            if (one.id == wish.id && one.owned.wished == wish.wished) return &one.owned;
        }
        return nullptr;
    };
    ApplyReport second;

    REQUIRE(apply(cluster, {config_map("a"), config_map("b", "2")}, second, options));

    CHECK(cluster.log == std::vector<std::string>{"dry-run ConfigMap/apps/b", "apply ConfigMap/apps/b"});
    CHECK(second.objects.size() == 2);
}

TEST_CASE("apply: a disabled object is skipped and stays in the report", "[rollout]") {
    test::FakeCluster cluster;
    auto disabled = config_map("a");
    kube::set_annotation(disabled, "kustomize.toolkit.fluxcd.io/reconcile", "disabled");
    ApplyReport report;

    REQUIRE(apply(cluster, {disabled}, report));

    CHECK(cluster.log.empty());
    CHECK(report.objects.at(0).action == Action::skipped);
}

TEST_CASE("apply: an immutable field is an error, and with force the object is made again", "[rollout]") {
    test::FakeCluster cluster;
    ApplyReport first;
    REQUIRE(apply(cluster, {config_map("a")}, first));
    cluster.refuse = [&](kube::Object const& object) -> std::optional<kube::Refusal> {
        if (!cluster.objects.contains(kube::id_of(object)->text())) return std::nullopt;
        return kube::Refusal{.code = 422, .reason = "Invalid", .message = "data: field is immutable"};
    };
    ApplyReport refused;
    ApplyReport forced;

    CHECK_FALSE(apply(cluster, {config_map("a", "2")}, refused));
    REQUIRE(apply(cluster, {config_map("a", "2")}, forced, {.force = true}));

    CHECK(kube::find_string(cluster.objects.at("apps_a__ConfigMap"), {"data", "key"}) == "2");
    CHECK(forced.objects.at(0).action == Action::created);
}

TEST_CASE("apply: force deletes the object that it looked at, and no other of its name", "[rollout]") {
    test::FakeCluster cluster;
    ApplyReport first;
    REQUIRE(apply(cluster, {config_map("a")}, first));
    kube::Refusal const immutable{.code = 422, .reason = "Invalid", .message = "data: field is immutable"};
    cluster.refuse = [&](kube::Object const&) { return std::optional{immutable}; };
    cluster.refuse_create = [&](kube::Object const&) {
        // Meanwhile somebody made it anew, by the same name.
        cluster.objects.at("apps_a__ConfigMap")["metadata"].as_object()["uid"] = "another";
        return std::optional{kube::Refusal{.code = 409, .reason = "AlreadyExists", .message = "exists"}};
    };
    ApplyReport second;

    CHECK_FALSE(apply(cluster, {config_map("a", "2")}, second, {.force = true}));

    REQUIRE(cluster.objects.contains("apps_a__ConfigMap"));
    CHECK(kube::uid_of(cluster.objects.at("apps_a__ConfigMap")) == "another");
    CHECK(std::ranges::count(cluster.log, "delete ConfigMap/apps/a") == 0);
}

TEST_CASE("prune: only objects with this owner's labels are deleted, in reverse order", "[rollout]") {
    test::FakeCluster cluster;
    ApplyReport report;
    auto kept = config_map("kept");
    kube::set_annotation(kept, "kustomize.toolkit.fluxcd.io/prune", "disabled");
    REQUIRE(apply(cluster, {config_map("a"), config_map("b"), config_map("foreign"), kept}, report));
    kube::set_label(cluster.objects.at("apps_foreign__ConfigMap"), kOwner.name_label(), "somebody-else");
    std::vector<model::OwnedObject> stale;
    for (Applied const& one : report.objects) stale.push_back(one.owned);
    stale.push_back({.entry = {"apps_gone-by-itself__ConfigMap", "v1"}, .uid = "u9", .wished = 9});
    stale.push_back({.entry = {"apps_never-there__ConfigMap", "v1"}});
    cluster.log.clear();

    auto const pruned = test::run_task(prune(cluster, kOwner, stale));

    REQUIRE(pruned);
    CHECK(pruned->survivors.empty());
    CHECK(pruned->changes == std::vector<std::string>{"ConfigMap/apps/kept skipped",
                                                      "ConfigMap/apps/gone-by-itself deleted",
                                                      "ConfigMap/apps/foreign skipped", "ConfigMap/apps/b deleted",
                                                      "ConfigMap/apps/a deleted"});
    CHECK(cluster.objects.contains("apps_foreign__ConfigMap"));
    CHECK(cluster.objects.contains("apps_kept__ConfigMap"));
    CHECK(cluster.objects.size() == 2);
}

TEST_CASE("apply: what is cluster-scoped loses the namespace that its manifest carries", "[rollout]") {
    test::FakeCluster cluster;
    ApplyReport report;

    REQUIRE(apply(cluster,
                  {parse(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop","namespace":"default"}})")},
                  report));

    REQUIRE(report.objects.size() == 1);
    CHECK(report.objects[0].owned.entry.id == "_shop__Namespace");
    CHECK(cluster.objects.contains("_shop__Namespace"));
}

TEST_CASE("apply: a kind that is only defined along with it gets its scope from the definition", "[rollout]") {
    test::FakeCluster cluster;
    cluster.serve({"apiextensions.k8s.io", "v1", "CustomResourceDefinition"}, false);
    auto const wishes = test::run_task(place(
        cluster,
        {parse(
             R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"gadgets.ex.io"},
                   "spec":{"group":"ex.io","scope":"Cluster","names":{"kind":"Gadget"}}})"),
         parse(R"({"apiVersion":"ex.io/v1","kind":"Gadget","metadata":{"name":"g","namespace":"default"}})")}));

    REQUIRE(wishes);
    CHECK((*wishes)[1].id.text() == "_g_ex.io_Gadget");
    CHECK(kube::namespace_of((*wishes)[1].object).empty());
}

TEST_CASE("apply: a live object that wants to be left alone is, whatever the manifest says", "[rollout]") {
    auto const mark = GENERATE(std::pair{"kustomize.toolkit.fluxcd.io/reconcile", "disabled"},
                               std::pair{"kustomize.toolkit.fluxcd.io/ssa", "Ignore"});
    test::FakeCluster cluster;
    ApplyReport first;
    REQUIRE(apply(cluster, {config_map("a")}, first));
    kube::set_annotation(cluster.objects.at("apps_a__ConfigMap"), mark.first, mark.second);
    ApplyReport second;

    REQUIRE(apply(cluster, {config_map("a", "2")}, second));

    CHECK(second.objects.at(0).action == Action::skipped);
    CHECK(kube::find_string(cluster.objects.at("apps_a__ConfigMap"), {"data", "key"}) == "1");
}

TEST_CASE("apply: ssa IfNotPresent creates, and leaves what is there", "[rollout]") {
    test::FakeCluster cluster;
    auto seed = config_map("a");
    kube::set_annotation(seed, "kustomize.toolkit.fluxcd.io/ssa", "IfNotPresent");
    ApplyReport first;
    REQUIRE(apply(cluster, {seed}, first));
    CHECK(first.objects.at(0).action == Action::created);
    auto again = seed;
    again["data"].as_object()["key"] = "2";
    ApplyReport second;

    REQUIRE(apply(cluster, {again}, second));

    CHECK(second.objects.at(0).action == Action::skipped);
    CHECK(kube::find_string(cluster.objects.at("apps_a__ConfigMap"), {"data", "key"}) == "1");
}

TEST_CASE("apply: what kubectl added is handed to our manager before the apply, unless the object says Merge",
          "[rollout]") {
    bool const merges = GENERATE(false, true);
    test::FakeCluster cluster;
    ApplyReport first;
    REQUIRE(apply(cluster, {config_map("a")}, first));
    auto& live = cluster.objects.at("apps_a__ConfigMap");
    kube::set_annotation(live, "kubectl.kubernetes.io/last-applied-configuration", "{}");
    live["metadata"].as_object()["managedFields"].as_array().push_back(
        parse(R"({"manager":"kubectl-edit","operation":"Update","fieldsV1":{"f:data":{"f:added":{}}}})"));
    auto wish = config_map("a", "2");
    if (merges) kube::set_annotation(wish, "kustomize.toolkit.fluxcd.io/ssa", "Merge");
    cluster.log.clear();
    ApplyReport second;

    REQUIRE(apply(cluster, {wish}, second));

    bool const cleaned = std::ranges::count(cluster.log, "json-patch ConfigMap/apps/a") == 1;
    CHECK(cleaned == !merges);
    bool const kept = shown(cluster.objects.at("apps_a__ConfigMap")).find("kubectl-edit") != std::string::npos;
    CHECK(kept == merges);
}

TEST_CASE("apply: force deletes nothing that could not be created again", "[rollout]") {
    test::FakeCluster cluster;
    ApplyReport first;
    REQUIRE(apply(cluster, {config_map("a")}, first));
    kube::Refusal const denied{.code = 422, .reason = "Invalid", .message = "admission webhook denied the request"};
    cluster.refuse = [&](kube::Object const&) { return std::optional{denied}; };
    cluster.refuse_create = [&](kube::Object const&) { return std::optional{denied}; };
    ApplyReport second;

    auto const applied = apply(cluster, {config_map("a", "2")}, second, {.force = true});

    REQUIRE_FALSE(applied);
    CHECK(applied.error().message.find("admission webhook denied") != std::string::npos);
    CHECK(cluster.objects.contains("apps_a__ConfigMap"));
    CHECK(std::ranges::count(cluster.log, "delete ConfigMap/apps/a") == 0);
}

TEST_CASE("apply: a Secret's stringData is data, and status is nobody's wish", "[rollout]") {
    test::FakeCluster cluster;
    ApplyReport report;

    REQUIRE(apply(
        cluster,
        {parse(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","namespace":"apps"},"data":{"b":"MQ=="},
                             "stringData":{"a":"x","b":"y"}})"),
         parse(R"({"apiVersion":"ex.io/v1","kind":"Thing","metadata":{"name":"t","namespace":"apps"},
                             "spec":{},"status":{"phase":"Pending"}})")},
        report));

    auto const& secret = cluster.objects.at("apps_s__Secret");
    CHECK(kube::find_string(secret, {"data", "a"}) == "eA==");
    CHECK(kube::find_string(secret, {"data", "b"}) == "eQ==");
    CHECK_FALSE(secret.contains("stringData"));
    CHECK_FALSE(cluster.objects.at("apps_t_ex.io_Thing").contains("status"));
}

TEST_CASE("apply: a Secret that SOPS encrypted is refused in Flux's words", "[rollout]") {
    test::FakeCluster cluster;
    ApplyReport report;

    auto const applied = apply(
        cluster,
        {parse(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","namespace":"apps"},"data":{"a":"ENC[x]"},
                             "sops":{"mac":"ENC[y]"}})")},
        report);

    REQUIRE_FALSE(applied);
    CHECK(applied.error().message ==
          "Secret/apps/s is SOPS encrypted, configuring decryption is required for this secret to be reconciled");
    CHECK(cluster.objects.empty());
}

TEST_CASE("apply: of a refused Secret the reason is told and not the words", "[rollout]") {
    auto const [reason, words, told] = GENERATE(table<std::string, std::string, std::string>(
        {{"Invalid", "data[a]: Invalid value: \"s3cr3t\"",
          "Secret/apps/s dry-run failed (Invalid): the server refused the Secret"},
         {"BadRequest", "illegal base64 data: s3cr3t",
          "Secret/apps/s dry-run failed (BadRequest): the server refused the Secret"},
         {"Forbidden", "admission webhook \"w\" denied the request: s3cr3t",
          "Secret/apps/s dry-run failed (Forbidden): the server refused the Secret"},
         {"NotFound", "namespaces \"s3cr3t x\" not found", "Secret/apps/s not found: the server refused the Secret"},
         {"NotFound", "namespaces \"apps\" not found", "Secret/apps/s not found: namespaces \"apps\" not found"},
         {"Forbidden", "secrets \"s\" is forbidden: User \"u\" cannot patch resource \"secrets\"",
          "Secret/apps/s dry-run failed (Forbidden): secrets \"s\" is forbidden: User \"u\" cannot patch resource \"secrets\""}}));
    test::FakeCluster cluster;
    cluster.refuse = [&](kube::Object const&) {
        return kube::Refusal{.code = 422, .reason = reason, .message = words};
    };
    ApplyReport report;

    auto const applied = apply(
        cluster,
        {parse(
            R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","namespace":"apps"},"data":{"a":"eA=="}})")},
        report);

    REQUIRE_FALSE(applied);
    CHECK(applied.error().message == told);
}

TEST_CASE("apply: what the schema of a built-in kind does not declare is dropped", "[rollout]") {
    test::FakeCluster cluster;
    cluster.refuse = [](kube::Object const& object) -> std::optional<kube::Refusal> {
        std::string message = "failed to create typed patch object (apps/a; /v1, Kind=ConfigMap): ";
        if (object.contains("surprise")) {
            return kube::Refusal{.code = 500, .message = message + ".surprise: field not declared in schema"};
        }
        return std::nullopt;
    };
    auto object = config_map("a");
    object["surprise"] = 1;
    ApplyReport report;

    REQUIRE(apply(cluster, {object}, report));

    CHECK_FALSE(cluster.objects.at("apps_a__ConfigMap").contains("surprise"));
}

TEST_CASE("prune: what this pass applied is never deleted, under whatever id the inventory names it", "[rollout]") {
    test::FakeCluster cluster;
    auto space = parse(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}})");
    stamp(space, kOwner, {}, {});
    ApplyReport report;
    REQUIRE(apply(cluster, {space}, report));

    auto const pruned =
        test::run_task(prune(cluster, kOwner, {{.entry = {"default_shop__Namespace", "v1"}}}, {"_shop__Namespace"}));

    REQUIRE(pruned);
    CHECK(pruned->changes.empty());
    CHECK(cluster.objects.contains("_shop__Namespace"));
}

TEST_CASE("prune: an object is found in another served version, and kept while the server cannot say", "[rollout]") {
    test::FakeCluster cluster;
    cluster.serve({"ex.io", "v1", "Thing"});
    auto thing = parse(R"({"apiVersion":"ex.io/v1","kind":"Thing","metadata":{"name":"t","namespace":"apps"}})");
    stamp(thing, kOwner, {}, {});
    ApplyReport report;
    REQUIRE(apply(cluster, {thing}, report));
    model::OwnedObject const old{.entry = {"apps_t_ex.io_Thing", "v1beta1"}};

    SECTION("served in another version: it goes") {
        auto const pruned = test::run_task(prune(cluster, kOwner, {old}));
        REQUIRE(pruned);
        CHECK(pruned->changes == std::vector<std::string>{"Thing/apps/t deleted"});
    }
    SECTION("discovery fails: it stays in the inventory") {
        cluster.discovery_fails = Error{Errc::busy, "503"};
        auto const pruned = test::run_task(prune(cluster, kOwner, {old}));
        REQUIRE(pruned);
        CHECK(pruned->survivors.size() == 1);
        CHECK(pruned->error == "delete failed, errors: Thing/apps/t query failed: 503;");
    }
    SECTION("the kind is gone: so is the object") {
        cluster.stop_serving({"ex.io", "", "Thing"});
        auto const pruned = test::run_task(prune(cluster, kOwner, {old}));
        REQUIRE(pruned);
        CHECK(pruned->survivors.empty());
        CHECK(pruned->terminating.empty());
    }
}

TEST_CASE("prune: two ids that name one object delete it once", "[rollout]") {
    test::FakeCluster cluster;
    ApplyReport report;
    REQUIRE(apply(cluster, {config_map("a:b")}, report));
    std::vector<model::OwnedObject> const twice{{.entry = {"apps_a:b__ConfigMap", "v1"}},
                                                {.entry = {"apps_a:b__ConfigMap", "v1"}}};

    auto const pruned = test::run_task(prune(cluster, kOwner, twice));

    REQUIRE(pruned);
    CHECK(pruned->changes == std::vector<std::string>{"ConfigMap/apps/a:b deleted"});
}

TEST_CASE("apply: a name that no object can have is refused before anything is planned, and pruned without a question",
          "[rollout]") {
    test::FakeCluster cluster;
    auto const wishes = test::run_task(place(cluster, {config_map("a/b")}));
    REQUIRE_FALSE(wishes);
    CHECK(wishes.error().message == "ConfigMap/apps/a/b: invalid resource name \"a/b\": [may not contain '/']");

    auto const pruned = test::run_task(prune(cluster, kOwner, {{.entry = {"apps_a/b__ConfigMap", "v1"}}}));

    REQUIRE(pruned);
    CHECK(pruned->survivors.empty());
}

TEST_CASE("prune: an object without the namespace that its kind needs was never made", "[rollout]") {
    test::FakeCluster cluster;
    cluster.serve({"", "v1", "ConfigMap"});
    cluster.serve({"", "v1", "Node"}, false);

    auto const pruned = test::run_task(prune(
        cluster, kOwner, {{.entry = {"_a__ConfigMap", "v1"}, .uid = "u"}, {.entry = {"_n__Node", "v1"}, .uid = "u"}}));

    REQUIRE(pruned);
    CHECK(pruned->survivors.empty());
    CHECK(pruned->changes == std::vector<std::string>{"Node/n deleted"});  // looked at, and absent
}

TEST_CASE("apply: fields of an older version are carried to the one that is applied", "[rollout]") {
    test::FakeCluster cluster;
    auto const server = [](std::string version) {
        auto object = parse(R"({"kind":"Server","metadata":{"name":"s","namespace":"apps"},"spec":{"port":"p"}})");
        object["apiVersion"] = "ex.io/" + version;
        return object;
    };
    ApplyReport first;
    REQUIRE(apply(cluster, {server("v1beta1")}, first));
    auto& live = cluster.objects.at("apps_s_ex.io_Server");
    live["metadata"].as_object()["managedFields"].as_array()[0].as_object()["apiVersion"] = "ex.io/v1beta1";
    cluster.refuse = [&](kube::Object const&) -> std::optional<kube::Refusal> {
        bool const old = shown(cluster.objects.at("apps_s_ex.io_Server")["metadata"].as_object()).find("v1beta1") !=
                         std::string::npos;
        if (!old) return std::nullopt;
        return kube::Refusal{.code = 500, .message = ".spec.accessPolicy: field not declared in schema"};
    };
    ApplyReport second;

    REQUIRE(apply(cluster, {server("v1")}, second));

    CHECK(std::ranges::count(cluster.log, "json-patch Server/apps/s") == 1);
    CHECK(second.objects.at(0).action == Action::configured);
}

}  // namespace holdfast::rollout
