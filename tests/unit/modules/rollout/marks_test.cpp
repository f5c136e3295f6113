// tests/unit/modules/rollout/marks_test.cpp: what is ours is recognised, and so is who took it.
#include "modules/rollout/marks.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

namespace holdfast::rollout {

namespace {

Owner const kWeb{{model::Kind::kustomization, "apps", "web"}};
constexpr std::string_view kManager = "kustomize-controller";

kube::Object parse(std::string_view text) { return boost::json::parse(text).as_object(); }

kube::Object managed(std::string_view fields, std::string_view others = "") {
    return parse(
        R"({"metadata":{"managedFields":[{"manager":"kustomize-controller","operation":"Apply","time":"2026-01-01T00:00:00Z",
        "fieldsV1":)" +
        std::string{fields} + "}" + std::string{others} + "]}}");
}

}  // namespace

TEST_CASE("owner: stamping sets owner labels over common metadata", "[rollout]") {
    auto object = parse(R"({"metadata":{"name":"x","labels":{"kustomize.toolkit.fluxcd.io/name":"other"}}})");

    stamp(object, kWeb, {{"team", "blue"}}, {{"note", "n"}});

    CHECK(is_owned_by(object, kWeb));
    CHECK_FALSE(is_owned_by(object, {{model::Kind::kustomization, "apps", "api"}}));
    CHECK(kube::label(object, "team") == "blue");
    CHECK(kube::annotation(object, "note") == "n");
}

TEST_CASE("owner: marks count as label or annotation, in any case of letters", "[rollout]") {
    CHECK(is_marked(parse(R"({"metadata":{"annotations":{"kustomize.toolkit.fluxcd.io/prune":"Disabled"}}})"), kWeb,
                    "prune", "disabled"));
    CHECK(is_marked(parse(R"({"metadata":{"labels":{"kustomize.toolkit.fluxcd.io/reconcile":"disabled"}}})"), kWeb,
                    "reconcile", "disabled"));
    CHECK_FALSE(is_marked(parse(R"({"metadata":{"labels":{"kustomize.toolkit.fluxcd.io/prune":"enabled"}}})"), kWeb,
                          "prune", "disabled"));
}

TEST_CASE("owner: the digest changes when a field is taken, not when others write elsewhere", "[rollout]") {
    auto const ours = owned_fields(managed(R"({"f:spec":{"f:replicas":{}}})"), kManager);

    CHECK(ours != 0);
    CHECK(ours == owned_fields(
                      managed(R"({"f:spec":{"f:replicas":{}}})",
                              R"(,{"manager":"hpa","operation":"Update","time":"2026-01-02T00:00:00Z","fieldsV1":{}})"),
                      kManager));
    CHECK(ours != owned_fields(managed(R"({"f:spec":{}})"), kManager));
    auto earlier = managed(R"({"f:spec":{"f:replicas":{}}})");
    earlier["metadata"].as_object()["managedFields"].as_array()[0].as_object()["time"] = "2020-01-01T00:00:00Z";
    CHECK(ours != owned_fields(earlier, kManager));  // the datastore went back to it
    CHECK(owned_fields(parse(R"({"metadata":{}})"), kManager) == 0);
}

TEST_CASE("owner: the last other writer is named, writers of status are not", "[rollout]") {
    auto const object = managed("{}", R"(,{"manager":"kubectl-edit","operation":"Update","time":"2026-01-03T00:00:00Z"},
        {"manager":"older","operation":"Update","time":"2026-01-02T00:00:00Z"},
        {"manager":"kubelet","operation":"Update","time":"2026-01-09T00:00:00Z","subresource":"status"})");

    CHECK(last_other_manager(object, kManager) == "kubectl-edit (Update)");
    CHECK(last_other_manager(managed("{}"), kManager).empty());
}

}  // namespace holdfast::rollout
