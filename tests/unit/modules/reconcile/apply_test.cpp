// tests/unit/modules/reconcile/apply_test.cpp: nothing of a stage is written before all of it passed; pruning deletes only its own.
#include "modules/reconcile/apply.hpp"
#include "modules/reconcile/owner.hpp"
#include "modules/reconcile/prune.hpp"
#include "tests/support/fake_cluster.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

namespace holdfast::reconcile {

namespace {

model::Key const kOwner{model::Kind::kustomization, "apps", "web"};

kube::Object config_map(std::string name, std::string value = "1") {
    kube::Object object{{"apiVersion", "v1"},
                        {"kind", "ConfigMap"},
                        {"metadata", boost::json::object{{"name", std::move(name)}, {"namespace", "apps"}}},
                        {"data", boost::json::object{{"key", std::move(value)}}}};
    stamp(object, kOwner, {});
    return object;
}

Result<void> apply(test::FakeCluster& cluster, std::vector<kube::Object> objects, ApplyReport& report,
                   ApplyOptions options = {}) {
    return test::run_task(apply_staged(cluster, std::move(objects), std::move(options), report));
}

}  // namespace

TEST_CASE("apply: every object of a stage is tried before the first is written", "[reconcile]") {
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

TEST_CASE("apply: one refused object keeps its stage unwritten and names itself with the server's words",
          "[reconcile]") {
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

TEST_CASE("apply: what is known to be as wished costs no request", "[reconcile]") {
    test::FakeCluster cluster;
    ApplyReport first;
    REQUIRE(apply(cluster, {config_map("a"), config_map("b")}, first));
    cluster.log.clear();
    ApplyOptions options;
    options.known = [&](kube::ObjectId const& id, std::uint64_t wished) -> model::OwnedObject const* {
        for (Applied const& one : first.objects) {
            if (one.id == id && one.owned.wished == wished) return &one.owned;
        }
        return nullptr;
    };
    ApplyReport second;

    REQUIRE(apply(cluster, {config_map("a"), config_map("b", "2")}, second, options));

    CHECK(cluster.log ==
          std::vector<std::string>{"apply ConfigMap/apps/b"});  // alone in its stage: its apply is the trial
    CHECK(second.objects.size() == 2);
}

TEST_CASE("apply: a disabled object is skipped and stays in the report", "[reconcile]") {
    test::FakeCluster cluster;
    auto disabled = config_map("a");
    kube::set_annotation(disabled, "kustomize.toolkit.fluxcd.io/reconcile", "disabled");
    ApplyReport report;

    REQUIRE(apply(cluster, {disabled}, report));

    CHECK(cluster.log.empty());
    CHECK(report.objects.at(0).action == Action::skipped);
}

TEST_CASE("apply: an immutable field is an error, and with force the object is made again", "[reconcile]") {
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

TEST_CASE("prune: only objects with this owner's labels are deleted, in reverse order", "[reconcile]") {
    test::FakeCluster cluster;
    ApplyReport report;
    auto kept = config_map("kept");
    kube::set_annotation(kept, "kustomize.toolkit.fluxcd.io/prune", "disabled");
    REQUIRE(apply(cluster, {config_map("a"), config_map("b"), config_map("foreign"), kept}, report));
    kube::set_label(cluster.objects.at("apps_foreign__ConfigMap"), kOwnerName, "somebody-else");
    std::vector<model::OwnedObject> stale;
    for (Applied const& one : report.objects) stale.push_back(one.owned);
    stale.push_back({.entry = {"apps_never-there__ConfigMap", "v1"}});
    cluster.log.clear();

    auto const pruned = test::run_task(prune(cluster, kOwner, stale));

    REQUIRE(pruned);
    CHECK(pruned->survivors.empty());
    CHECK(pruned->deleted == std::vector<std::string>{"ConfigMap/apps/b", "ConfigMap/apps/a"});
    CHECK(cluster.objects.contains("apps_foreign__ConfigMap"));
    CHECK(cluster.objects.contains("apps_kept__ConfigMap"));
    CHECK(cluster.objects.size() == 2);
}

}  // namespace holdfast::reconcile
