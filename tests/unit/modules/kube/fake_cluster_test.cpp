// tests/unit/modules/kube/fake_cluster_test.cpp: the cluster of other modules' tests does what a real one does.
#include "tests/support/fake_cluster.hpp"

#include <boost/json/parse.hpp>

#include <catch2/catch.hpp>

namespace holdfast::kube {

using test::FakeCluster;
using test::run_task;

static Target at(FakeCluster& cluster, std::string name, std::string subresource = "") {
    return {run_task(cluster.resource_for({"a.io", "v1", "Thing"})).value(), "ns", std::move(name),
            std::move(subresource)};
}

static Object thing(std::string const& more) {
    return json::parse(R"({"apiVersion":"a.io/v1","kind":"Thing","metadata":{"name":"a","namespace":"ns"})" + more +
                       "}")
        .get_object();
}

TEST_CASE("fake cluster: serves what a test declared, in its versions and scope", "[kube]") {
    FakeCluster cluster;
    CHECK(run_task(cluster.resource_for({"a.io", "v9", "Anything"})));
    cluster.serve({"a.io", "v2", "Thing"}, false);
    cluster.serve({"a.io", "v1", "Thing"}, false);

    CHECK_FALSE(run_task(cluster.resource_for({"a.io", "v1", "Thing"}))->namespaced);
    CHECK(run_task(cluster.resource_for({"a.io", "v9", "Thing"})).error().code == Errc::not_found);
    CHECK(run_task(cluster.any_version_of("a.io", "Thing", "v1"))->gvk.version == "v1");
    CHECK(run_task(cluster.any_version_of("a.io", "Thing", "v9"))->gvk.version == "v2");
    cluster.stop_serving({"a.io", "v2", "Thing"});
    CHECK(run_task(cluster.any_version_of("a.io", "Thing", "v2"))->gvk.version == "v1");
    cluster.stop_serving({"a.io", "", "Thing"});
    CHECK(run_task(cluster.any_version_of("a.io", "Thing", "v1")).error().code == Errc::not_found);
    cluster.discovery_fails = Error{Errc::busy, "503"};
    CHECK(run_task(cluster.any_version_of("a.io", "Thing", "v1")).error().code == Errc::busy);
}

TEST_CASE("fake cluster: a merge patch changes what its path may change", "[kube]") {
    FakeCluster cluster;
    auto const made = run_task(cluster.apply(thing(R"(,"spec":{"a":1,"b":{"c":1}},"status":{"old":1})"), {}, nullptr));
    REQUIRE(made);

    auto const spec = json::parse(R"({"spec":{"a":null,"b":{"d":2}},"status":{"no":1}})");
    auto const patched = run_task(cluster.patch(at(cluster, "a"), Patch::merge, spec, {}, nullptr));
    REQUIRE(patched);
    CHECK(patched->at("spec") == json::parse(R"({"b":{"c":1,"d":2}})"));
    CHECK(patched->at("status") == json::parse(R"({"old":1})"));
    CHECK(generation_of(*patched) == 2);
    CHECK(resource_version_of(*patched) != resource_version_of(*made));

    auto const status = json::parse(R"({"spec":{"no":1},"status":{"old":null,"new":[1]}})");
    auto const told = run_task(cluster.patch(at(cluster, "a", "status"), Patch::merge, status, {}, nullptr));
    REQUIRE(told);
    CHECK(told->at("spec") == patched->at("spec"));
    CHECK(told->at("status") == json::parse(R"({"new":[1]})"));
    CHECK(generation_of(*told) == 2);

    Refusal refusal;
    auto const stale = json::parse(R"({"metadata":{"resourceVersion":"1"},"spec":{"a":2}})");
    CHECK_FALSE(run_task(cluster.patch(at(cluster, "a"), Patch::merge, stale, {}, &refusal)));
    CHECK(refusal.is("Conflict"));
    CHECK(run_task(cluster.patch(at(cluster, "b"), Patch::merge, spec, {}, &refusal)).error().code == Errc::not_found);
    CHECK(refusal.code == 404);
    cluster.refuse_patch = [](Target const&, json::value const&) { return Refusal{.code = 403, .message = "no"}; };
    CHECK(run_task(cluster.patch(at(cluster, "a"), Patch::merge, spec, {}, &refusal)).error().code == Errc::denied);
}

TEST_CASE("fake cluster: finalizers keep an object until the last one is taken off", "[kube]") {
    FakeCluster cluster;
    REQUIRE(run_task(cluster.apply(thing(""), {}, nullptr)));
    auto const add = json::parse(R"({"metadata":{"finalizers":["mine"]}})");
    REQUIRE(run_task(cluster.patch(at(cluster, "a"), Patch::merge, add, {}, nullptr)));

    REQUIRE(run_task(cluster.remove(at(cluster, "a"), {}, nullptr)));
    auto const dying = run_task(cluster.get(at(cluster, "a"), {}, nullptr));
    REQUIRE(dying);
    CHECK(is_being_deleted(*dying));
    auto const take = json::parse(R"({"metadata":{"finalizers":null}})");
    REQUIRE(run_task(cluster.patch(at(cluster, "a"), Patch::merge, take, {}, nullptr)));
    CHECK(cluster.objects.empty());
}

}  // namespace holdfast::kube
