// tests/unit/modules/rollout/stages_test.cpp: definitions come first, webhooks last, and deletion goes backwards.
#include "modules/rollout/stages.hpp"

#include <catch2/catch.hpp>

namespace holdfast::rollout {

namespace {

Wish object(std::string_view api_version, std::string_view kind, std::string_view name, std::string_view ns = "a") {
    auto const gvk = kube::parse_api_version(api_version, kind);
    return {.id = {std::string{ns}, std::string{name}, gvk.group, gvk.kind}, .version = gvk.version, .object = {}};
}

std::vector<std::string> kinds(Stage const& stage) {
    std::vector<std::string> found;
    for (Wish const& one : stage.wishes) found.push_back(one.id.kind);
    return found;
}

}  // namespace

TEST_CASE("stages: definitions, classes, then everything else in Flux's order", "[rollout]") {
    auto const stages =
        stages_of({object("apps/v1", "Deployment", "d"), object("v1", "Service", "s"),
                   object("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "w", ""),
                   object("example.com/v1", "Widget", "x"), object("v1", "ConfigMap", "c"),
                   object("storage.k8s.io/v1", "StorageClass", "fast", ""), object("v1", "Namespace", "a", ""),
                   object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "widgets", "")});

    REQUIRE(stages.size() == 3);
    CHECK(kinds(stages[0]) == std::vector<std::string>{"CustomResourceDefinition", "Namespace"});
    CHECK(stages[0].wait);
    CHECK(kinds(stages[1]) == std::vector<std::string>{"StorageClass"});
    CHECK(stages[1].wait);
    CHECK(kinds(stages[2]) ==
          std::vector<std::string>{"ConfigMap", "Service", "Deployment", "Widget", "ValidatingWebhookConfiguration"});
    CHECK_FALSE(stages[2].wait);
}

TEST_CASE("stages: equal kinds are ordered by namespace and name, and empty stages are left out", "[rollout]") {
    auto const stages = stages_of({object("v1", "ConfigMap", "b", "z"), object("v1", "ConfigMap", "c", "a"),
                                   object("v1", "ConfigMap", "b", "a")});

    REQUIRE(stages.size() == 1);
    CHECK(stages[0].wishes[0].id.name == "b");
    CHECK(stages[0].wishes[0].id.ns == "a");
    CHECK(stages[0].wishes[1].id.name == "c");
    CHECK(stages[0].wishes[2].id.ns == "z");
}

TEST_CASE("stages: deletion is the reverse of applying", "[rollout]") {
    std::vector<kube::ObjectId> ids{
        {"", "a", "", "Namespace"}, {"a", "d", "apps", "Deployment"}, {"a", "c", "", "ConfigMap"}};

    sort_for_deletion(ids);

    CHECK(ids[0].kind == "Deployment");
    CHECK(ids[1].kind == "ConfigMap");
    CHECK(ids[2].kind == "Namespace");
}

TEST_CASE("stages: a kind that is only named like a definition is nothing special", "[rollout]") {
    auto const stages = stages_of({object("servicebus.azure.com/v1", "Namespace", "bus", "a"),
                                   object("v1", "Namespace", "a", ""), object("ex.io/v1", "ClusterRole", "r", "a")});

    REQUIRE(stages.size() == 2);
    CHECK(kinds(stages[0]) == std::vector<std::string>{"Namespace"});
    CHECK(stages[0].wishes[0].id.name == "a");
    CHECK(stages[1].wishes.size() == 2);
}

}  // namespace holdfast::rollout
