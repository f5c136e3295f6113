// tests/unit/modules/patch/schema_test.cpp: what is known of types, builtin and from a user's document.
#include "modules/base/limits.hpp"
#include "modules/patch/schema.hpp"

#include <catch2/catch.hpp>

using namespace holdfast;
using Keys = std::vector<std::string_view>;

TEST_CASE("schema: containers of a Deployment merge by name", "[patch]") {
    auto const type = patch::Schema{}.type("apps/v1", "Deployment");
    auto const containers = type.field("spec").field("template").field("spec").field("containers");

    CHECK(containers.merges());
    CHECK(containers.strategy() == "merge");
    CHECK(containers.merge_keys() == Keys{"name"});
    CHECK(containers.elements().field("ports").merge_keys() == Keys{"containerPort", "protocol"});
    CHECK_FALSE(containers.elements().field("envFrom").merges());
    CHECK_FALSE(containers.elements().field("nothing"));
}

TEST_CASE("schema: kinds later than 1.21 are not known, as in kustomize", "[patch]") {
    CHECK_FALSE(patch::Schema{}.type("autoscaling/v2", "HorizontalPodAutoscaler"));
    CHECK_FALSE(patch::Schema{}.is_namespaced("resource.k8s.io/v1", "DeviceClass"));
}

TEST_CASE("schema: cluster-wide kinds are told apart", "[patch]") {
    patch::Schema const schema;
    CHECK(schema.is_cluster_scoped("v1", "Namespace"));
    CHECK(schema.is_cluster_scoped("rbac.authorization.k8s.io/v1", "ClusterRole"));
    CHECK_FALSE(schema.is_cluster_scoped("v1", "Secret"));
    CHECK_FALSE(schema.is_cluster_scoped("example.com/v1", "Thing"));
}

TEST_CASE("schema: a user's document replaces the builtin one unless it stands beside it", "[patch]") {
    constexpr auto kText = R"({"definitions": {
        "own.Thing": {"properties": {"template": {"$ref": "#/definitions/io.k8s.api.core.v1.PodTemplateSpec"}},
                      "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Thing"}]}},
      "paths": {"/apis/example.com/v1/clusterthings": {"get": {
                    "x-kubernetes-group-version-kind": {"group": "example.com", "version": "v1", "kind": "ClusterThing"}}}}})";
    auto const containers = [](patch::TypeSchema type) { return type.field("spec").field("containers"); };

    auto const alone = patch::Schema::parse(kText).value();
    CHECK(alone.type("example.com/v1", "Thing"));
    CHECK_FALSE(alone.type("example.com/v1", "Thing").field("template"));
    CHECK_FALSE(alone.type("v1", "Pod"));
    CHECK(alone.is_cluster_scoped("example.com/v1", "ClusterThing"));
    CHECK(alone.is_cluster_scoped("v1", "Node"));

    auto const beside = patch::Schema::parse(kText, patch::Schema::Builtin::below).value();
    CHECK(containers(beside.type("example.com/v1", "Thing").field("template")).merges());
    CHECK(containers(beside.type("v1", "Pod")).merges());
}

TEST_CASE("schema: a document in YAML, and what is none", "[patch]") {
    CHECK(patch::Schema::parse("definitions: {}\n"));
    CHECK_FALSE(patch::Schema::parse("[]"));
    CHECK_FALSE(patch::Schema::parse("{"));
    CHECK_FALSE(patch::Schema::of_version("v1.20.4"));
    CHECK(patch::Schema::of_version("v1.21.2"));
    auto const large = patch::Schema::parse(std::string(limits::kPatchSchemaBytesMax + 1, ' '));
    REQUIRE_FALSE(large);
    CHECK(large.error().code == Errc::limit);
}
