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

TEST_CASE("object: labels and annotations are read, set and erased; an empty map goes away", "[kube]") {
    auto object =
        object_of(R"({"metadata":{"name":"a","labels":{"x":"1"},"annotations":null},"spec":{"n":5,"list":[1]}})");
    CHECK(label(object, "x") == "1");
    CHECK_FALSE(label(object, "y"));
    set_annotation(object, "k", "v");
    CHECK(annotation(object, "k") == "v");
    erase_label(object, "x");
    erase_label(object, "never");
    set_namespace(object, "ns");
    CHECK(json::serialize(object["metadata"]) == R"({"name":"a","annotations":{"k":"v"},"namespace":"ns"})");
    CHECK(find_integer(object, {"spec", "n"}) == 5);
    CHECK(find_array(object, {"spec", "list"})->size() == 1);
    CHECK(find(object, {"spec", "n", "deeper"}) == nullptr);
    CHECK(find_string(object, {"spec", "n"}).empty());
}

TEST_CASE("selector: each operator holds as in kubectl", "[kube]") {
    auto const object = object_of(R"({"metadata":{"labels":{"app":"web","tier":"front"}}})");
    for (auto const* yes : {"", "app=web", "app==web", "app!=db", "other!=x", "app in (db, web)", "app notin (db)",
                            "other notin (x)", "app", "!other", "app=web,tier in (front,back),!other", " app = web "}) {
        INFO(yes);
        CHECK(matches_selector(object, yes).value());
    }
    for (auto const* no :
         {"app=db", "app!=web", "app in (db)", "app notin (web)", "other", "!app", "app=web,tier=back"}) {
        INFO(no);
        CHECK_FALSE(matches_selector(object, no).value());
    }
    CHECK_FALSE(matches_selector(object, "app like (x)"));
    CHECK_FALSE(matches_selector(object, "a b"));
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

// Goal: lastTransitionTime tells when the status last changed, and nothing else moves it.
TEST_CASE("conditions: the transition time moves with the status only", "[kube]") {
    auto const first = parse_rfc3339("2026-01-01T00:00:00Z").value();
    auto const later = first + std::chrono::hours{1};
    json::array conditions;

    CHECK(set_condition(conditions, {.type = "Ready", .status = "Unknown", .reason = "Progressing", .message = "m"},
                        first));
    CHECK_FALSE(set_condition(conditions,
                              {.type = "Ready", .status = "Unknown", .reason = "Progressing", .message = "m"}, later));
    CHECK(set_condition(conditions, {.type = "Ready", .status = "Unknown", .reason = "Progressing", .message = "n"},
                        later));
    CHECK(find_condition(conditions, "Ready")->last_transition_time == "2026-01-01T00:00:00Z");
    CHECK(set_condition(conditions,
                        {.type = "Ready", .status = "True", .reason = "Done", .message = "n", .observed_generation = 2},
                        later));
    CHECK(find_condition(conditions, "Ready")->last_transition_time == "2026-01-01T01:00:00Z");
    CHECK(is_condition_true(conditions, "Ready"));
    CHECK(
        json::serialize(conditions) ==
        R"([{"lastTransitionTime":"2026-01-01T01:00:00Z","message":"n","observedGeneration":2,"reason":"Done","status":"True","type":"Ready"}])");
    CHECK(set_condition(conditions,
                        {.type = "Healthy", .status = "False", .last_transition_time = "2020-01-01T00:00:00Z"}, later));
    CHECK(find_condition(conditions, "Healthy")->last_transition_time == "2020-01-01T00:00:00Z");
    CHECK(remove_condition(conditions, "Ready"));
    CHECK_FALSE(remove_condition(conditions, "Ready"));
    CHECK(conditions.size() == 1);
}

TEST_CASE("events: refer to the object, and a long message is cut between characters", "[kube]") {
    auto const about = object_of(
        R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"apps","uid":"u","resourceVersion":"7"}})");
    std::string message(1023, 'a');
    message += "ä and more";

    auto const event =
        make_event({.about = &about, .type = "Warning", .reason = "R", .message = message, .component = "c"},
                   parse_rfc3339("2026-01-01T00:00:00Z").value(), "x1");

    CHECK(name_of(event) == "web.x1");
    CHECK(namespace_of(event) == "apps");
    CHECK(find_string(event, {"involvedObject", "uid"}) == "u");
    CHECK(find_string(event, {"message"}) == std::string(1023, 'a'));
    CHECK(find_string(event, {"firstTimestamp"}) == "2026-01-01T00:00:00Z");
    auto const cluster_scoped = object_of(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"n"}})");
    CHECK(namespace_of(make_event({.about = &cluster_scoped}, {}, "x")) == "default");
}

}  // namespace holdfast::kube
