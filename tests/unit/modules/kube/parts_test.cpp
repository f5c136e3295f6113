// tests/unit/modules/kube/parts_test.cpp: refusals, discovery documents and the splitting of lists.
#include "modules/kube/discovery.hpp"
#include "modules/kube/item_splitter.hpp"
#include "modules/kube/refusal.hpp"

#include <boost/json/parse.hpp>

#include <catch2/catch.hpp>

namespace holdfast::kube {

TEST_CASE("refusal: a Status is passed on as it is", "[kube]") {
    http::Response const response{.status = 422,
                                  .headers = {{"Retry-After", "3"}},
                                  .body = R"({"kind":"Status","apiVersion":"v1","status":"Failure",
        "message":"Deployment.apps \"a\" is invalid: spec.selector: Invalid value: x: field is immutable","reason":"Invalid",
        "details":{"name":"a","group":"apps","kind":"Deployment"},"code":422})"};

    auto const refusal = refusal_of(response, {"PATCH", "deployments.apps", "a"});

    CHECK(refusal.code == 422);
    CHECK(refusal.reason == "Invalid");
    CHECK(refusal.says_immutable());
    CHECK(refusal.retry_after == std::chrono::seconds{3});
    CHECK(find_string(refusal.details, {"name"}) == "a");
    CHECK(to_error(refusal).code == Errc::invalid_input);
    CHECK(to_error(refusal).message.starts_with("Deployment.apps \"a\" is invalid"));
}

TEST_CASE("refusal: an answer that is no Status gets client-go's words", "[kube]") {
    struct Case {
        unsigned status;
        char const* method;
        char const* body;
        char const* reason;
        char const* message;
        Errc code;
    };
    for (auto const& c : std::initializer_list<Case>{
             {404, "GET", "404 page not found\n", "NotFound",
              "the server could not find the requested resource (get pods a)", Errc::not_found},
             {401, "GET", "", "Unauthorized", "the server has asked for the client to provide credentials (get pods a)",
              Errc::denied},
             {403, "GET", "no", "Forbidden", "no (get pods a)", Errc::denied},
             {409, "POST", "", "AlreadyExists", "the server reported a conflict (post pods a)", Errc::busy},
             {429, "GET", "slow down", "TooManyRequests",
              "the server has received too many requests and has asked us to try again later (get pods a)", Errc::busy},
             {503, "GET", "<html>", "ServiceUnavailable",
              "the server is currently unable to handle the request (get pods a)", Errc::busy},
             {500, "GET", "boom\nmore", "InternalError",
              "an error on the server (\"boom\") has prevented the request from succeeding (get pods a)", Errc::busy},
             {418, "GET", "", "",
              "the server responded with the status code 418 but did not return more information (get pods a)",
              Errc::invalid_input}}) {
        INFO(c.status);
        auto const refusal =
            refusal_of(http::Response{.status = c.status, .headers = {}, .body = c.body}, {c.method, "pods", "a"});
        CHECK(refusal.reason == c.reason);
        CHECK(refusal.message == c.message);
        CHECK(to_error(refusal).code == c.code);
    }
}

TEST_CASE("refusal: a deep Status is read, and a pause without end is a day", "[kube]") {
    std::string const deep = std::string(40, '[') + std::string(40, ']');
    auto const refusal =
        refusal_of(http::Response{.status = 422,
                                  .headers = {},
                                  .body = R"({"kind":"Status","reason":"Invalid","message":"m","details":{"causes":)" +
                                          deep + R"(,"retryAfterSeconds":9000000000000000000}})"},
                   {"PATCH", "pods", "a"});
    auto const by_header =
        refusal_of(http::Response{.status = 503, .headers = {{"Retry-After", "9000000000000000000"}}, .body = ""},
                   {"GET", "", ""});

    CHECK(refusal.reason == "Invalid");
    CHECK(refusal.message == "m");
    CHECK(refusal.retry_after == std::chrono::days{1});
    CHECK(by_header.retry_after == std::chrono::days{1});
}

static std::vector<std::string> split(std::string const& document, std::size_t piece, std::string& rest) {
    std::vector<std::string> items;
    ItemSplitter splitter{1'000, [&items](std::string_view item) -> Result<void> {
                              items.emplace_back(item);
                              return {};
                          }};
    for (std::size_t at = 0; at < document.size(); at += piece)
        REQUIRE(splitter.feed(std::string_view{document}.substr(at, piece)));
    REQUIRE(splitter.complete());
    rest = splitter.rest();
    return items;
}

TEST_CASE("item splitter: the cuts do not depend on how the bytes arrive", "[kube]") {
    std::string const document =
        R"({"kind":"List","metadata":{"resourceVersion":"5","items":[{"no":1}]}, "items" : [ {"a":"}]\"{","items":[{"x":[1,2]}]}, {"b":{"c":[]}} ,{} ],"after":[{"d":1}]})";
    for (std::size_t const piece : {1u, 2u, 3u, 7u, 1000u}) {
        std::string rest;
        auto const items = split(document, piece, rest);
        REQUIRE(items.size() == 3);
        CHECK(items[0] == R"({"a":"}]\"{","items":[{"x":[1,2]}]})");
        CHECK(items[1] == R"({"b":{"c":[]}})");
        CHECK(items[2] == "{}");
        CHECK(
            rest ==
            R"({"kind":"List","metadata":{"resourceVersion":"5","items":[{"no":1}]}, "items" : [],"after":[{"d":1}]})");
    }
    std::string rest;
    CHECK(split(R"({"items":null})", 3, rest).empty());
    CHECK(split(R"({"items":[]})", 3, rest).empty());
}

TEST_CASE("item splitter: an item longer than the bound and a stray bracket are errors", "[kube]") {
    auto ignore = [](std::string_view) -> Result<void> { return {}; };
    ItemSplitter small{10, ignore};
    CHECK(small.feed(R"({"items":[{"a":"0123456789"}]})").error().code == Errc::limit);
    ItemSplitter stray{100, ignore};
    CHECK(stray.feed("}").error().code == Errc::invalid_input);
    ItemSplitter cut{100, ignore};
    REQUIRE(cut.feed(R"({"items":[{"a":1})"));
    CHECK_FALSE(cut.complete());
}

TEST_CASE("discovery: aggregated and legacy documents give the same kinds", "[kube]") {
    auto const aggregated =
        json::parse(R"({"metadata":{"name":"apps"},"versions":[{"version":"v1","freshness":"Current","resources":[
        {"resource":"deployments","responseKind":{"group":"apps","version":"v1","kind":"Deployment"},"scope":"Namespaced","verbs":["get","list"],
         "subresources":[{"subresource":"scale","responseKind":{"group":"autoscaling","version":"v1","kind":"Scale"},"verbs":["get"]}]},
        {"resource":"odd","scope":"Cluster","verbs":[]}]},
        {"version":"v2","freshness":"Stale"}]})")
            .get_object();
    auto const legacy = json::parse(R"({"kind":"APIResourceList","groupVersion":"apps/v1","resources":[
        {"name":"deployments","namespaced":true,"kind":"Deployment","verbs":["get","list"]},
        {"name":"deployments/scale","namespaced":true,"group":"autoscaling","version":"v1","kind":"Scale","verbs":["get"]}]})")
                            .get_object();

    auto const group = read_group_discovery(aggregated);
    auto const list = read_resource_list(legacy);

    REQUIRE(group.resources.size() == 1);
    REQUIRE(list.size() == 1);
    CHECK(group.stale == std::vector<std::string>{"apps/v2"});
    for (auto const& found : {group.resources[0], list[0]}) {
        CHECK(found.gvk == GroupVersionKind{"apps", "v1", "Deployment"});
        CHECK(found.plural == "deployments");
        CHECK(found.namespaced);
        CHECK(found.can("list"));
        CHECK_FALSE(found.can("watch"));
    }
}

// Absence is not an instruction: an aggregated API whose server is down keeps its kinds.
TEST_CASE("discovery: kinds of a stale group are kept, of a vanished group are not", "[kube]") {
    Resource const metrics{
        .gvk = {"metrics.k8s.io", "v1", "PodMetrics"}, .plural = "pods", .namespaced = true, .verbs = {}};
    Resource const pods{.gvk = {"", "v1", "Pod"}, .plural = "pods", .namespaced = true, .verbs = {}};
    KnownKinds known;
    known.replace({pods, metrics}, {});
    CHECK(known.find(metrics.gvk));

    known.replace({pods}, {"metrics.k8s.io/v1"});
    CHECK(known.find(metrics.gvk));
    known.replace({pods}, {});
    CHECK_FALSE(known.find(metrics.gvk));
    CHECK(known.find(pods.gvk));
}

}  // namespace holdfast::kube
