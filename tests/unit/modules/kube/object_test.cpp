// tests/unit/modules/kube/object_test.cpp: ids, fields, selectors, times and conditions.
#include "modules/kube/conditions.hpp"
#include "modules/kube/events.hpp"
#include "modules/kube/object.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <catch2/catch.hpp>

namespace holdfast::kube {

static Object object_of(char const* text) { return json::parse(text).get_object(); }

TEST_CASE("object id: text and parse agree with cli-utils, colons of RBAC names included", "[kube]") {
    struct Case {
        ObjectId id;
        char const* text;
    };
    for (auto const& c :
         std::initializer_list<Case>{{{"apps", "web", "apps", "Deployment"}, "apps_web_apps_Deployment"},
                                     {{"", "apps", "", "Namespace"}, "_apps__Namespace"},
                                     {{"", "system:node", "rbac.authorization.k8s.io", "ClusterRole"},
                                      "_system__node_rbac.authorization.k8s.io_ClusterRole"},
                                     {{"ns", "a.b-c", "", "ConfigMap"}, "ns_a.b-c__ConfigMap"}}) {
        CHECK(c.id.text() == c.text);
        CHECK(parse_object_id(c.text).value() == c.id);
    }
    CHECK(ObjectId{"ns", "a:b", "", "ConfigMap"}.text() == "ns_a:b__ConfigMap");
    CHECK(parse_object_id("no separators here").error().message ==
          "unable to parse stored object metadata: no separators here");
    CHECK_FALSE(parse_object_id("a_b"));
    CHECK_FALSE(parse_object_id("a_b_c"));
    CHECK(ObjectId{"apps", "web", "apps", "Deployment"}.display() == "Deployment/apps/web");
    CHECK(ObjectId{"", "apps", "", "Namespace"}.display() == "Namespace/apps");
}

TEST_CASE("object: kind and id need apiVersion, kind and name", "[kube]") {
    CHECK(kind_of(object_of(R"({"apiVersion":"apps/v1","kind":"Deployment"})")).value() ==
          GroupVersionKind{"apps", "v1", "Deployment"});
    CHECK(kind_of(object_of(R"({"apiVersion":"v1","kind":"Pod"})")).value().api_version() == "v1");
    CHECK_FALSE(kind_of(object_of(R"({"kind":"Pod"})")));
    CHECK_FALSE(kind_of(object_of(R"({"apiVersion":"a/b/c","kind":"Pod"})")));
    CHECK_FALSE(kind_of(object_of(R"({"apiVersion":"v1","kind":1})")));
    CHECK_FALSE(id_of(object_of(R"({"apiVersion":"v1","kind":"Pod","metadata":{}})")));
}

TEST_CASE("object: labels and annotations are read and set", "[kube]") {
    auto object =
        object_of(R"({"metadata":{"name":"a","labels":{"x":"1"},"annotations":null},"spec":{"n":5,"list":[1]}})");
    CHECK(label(object, "x") == "1");
    CHECK_FALSE(label(object, "y"));
    set_annotation(object, "k", "v");
    CHECK(annotation(object, "k") == "v");
    set_namespace(object, "ns");
    CHECK(json::serialize(object["metadata"]) ==
          R"({"name":"a","labels":{"x":"1"},"annotations":{"k":"v"},"namespace":"ns"})");
    CHECK(find_integer(object, {"spec", "n"}) == 5);
    CHECK(find_array(object, {"spec", "list"})->size() == 1);
    CHECK(find(object, {"spec", "n", "deeper"}) == nullptr);
    CHECK(find_string(object, {"spec", "n"}).empty());
}

TEST_CASE("time: RFC 3339 is written as metav1.Time and read with fractions and offsets", "[kube]") {
    auto const when = parse_rfc3339("2026-11-25T00:46:17Z").value();
    CHECK(rfc3339(when) == "2026-11-25T00:46:17Z");
    CHECK(parse_rfc3339("2026-11-25T02:46:17+02:00") == when);
    CHECK(parse_rfc3339("2026-11-25T00:46:17.250Z") == when + std::chrono::milliseconds{250});
    for (auto const* bad : {"", "2026-11-25", "2026-13-25T00:46:17Z", "2026-11-25T00:46:17", "2026-11-25 00:46:17Z",
                            "x026-11-25T00:46:17Z", "2026-11-25T00:46:17+0200"}) {
        INFO(bad);
        CHECK_FALSE(parse_rfc3339(bad));
    }
}

TEST_CASE("conditions: are read by type", "[kube]") {
    auto const object = object_of(
        R"({"status":{"conditions":[1,{"type":"Ready","status":"True","reason":"Done","message":"n","observedGeneration":2,
            "lastTransitionTime":"2026-01-01T01:00:00Z"}]}})");

    auto const ready = find_condition(conditions_of(object), "Ready");

    REQUIRE(ready);
    CHECK(ready->status == "True");
    CHECK(ready->reason == "Done");
    CHECK(ready->observed_generation == 2);
    CHECK(ready->last_transition_time == "2026-01-01T01:00:00Z");
    CHECK_FALSE(find_condition(conditions_of(object), "Healthy"));
    CHECK(conditions_of(object_of("{}")).empty());
}

TEST_CASE("events: refer to the object, and a long message is cut between characters", "[kube]") {
    auto const about = object_of(
        R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"apps","uid":"u","resourceVersion":"7"}})");
    std::string message(32'767, 'a');
    message += "ä and more";

    auto const event =
        make_event({.about = &about, .type = "Warning", .reason = "R", .message = message, .component = "c"},
                   parse_rfc3339("2026-01-01T00:00:00Z").value(), "x1");

    CHECK(name_of(event) == "web.x1");
    CHECK(namespace_of(event) == "apps");
    CHECK(find_string(event, {"involvedObject", "uid"}) == "u");
    CHECK(find_string(event, {"message"}) == std::string(32'767, 'a'));
    CHECK(find_string(event, {"firstTimestamp"}) == "2026-01-01T00:00:00Z");
    auto const cluster_scoped = object_of(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"n"}})");
    CHECK(namespace_of(make_event({.about = &cluster_scoped}, {}, "x")) == "default");
}

}  // namespace holdfast::kube
