// tests/unit/modules/model/model_test.cpp: wishes are read with Flux's defaults and statuses survive a round trip.
#include "modules/model/kinds.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

namespace holdfast::model {

namespace {

json::object object(std::string_view text) { return json::parse(text).as_object(); }

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

}  // namespace

TEST_CASE("duration: what Go prints is read back, and its odd forms too", "[model]") {
    CHECK(parse_duration("1h30m").value() == minutes{90});
    CHECK(parse_duration("1.5s").value() == milliseconds{1500});
    CHECK(parse_duration("250ms").value() == milliseconds{250});
    CHECK(format_duration(seconds{500}) == "8m20s");
    CHECK(format_duration(minutes{60}) == "1h0m0s");
    CHECK(format_duration(milliseconds{176}) == "176ms");
    CHECK(format_duration(milliseconds{1500}) == "1.5s");
    CHECK(parse_duration("10").error().message == "time: invalid duration \"10\"");
    CHECK_FALSE(parse_duration("5 m"));
    CHECK_FALSE(parse_duration(""));
}

TEST_CASE("time: RFC 3339 with fraction and offset", "[model]") {
    auto const time = parse_time("2026-08-22T12:00:00.25+02:00").value();

    CHECK(format_time(time) == "2026-08-22T10:00:00Z");
    CHECK(format_time_micro(time) == "2026-08-22T10:00:00.250000Z");
    CHECK_FALSE(parse_time("yesterday"));
}

TEST_CASE("spec: a Kustomization gets Flux's defaults", "[model]") {
    auto const spec = read_spec(Kind::kustomization, object(R"({
        "metadata": {"namespace": "apps", "name": "web"},
        "spec": {"interval": "10m", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "repo"},
                 "dependsOn": [{"name": "infra"}, {"name": "crds", "namespace": "platform"}]}})"));

    REQUIRE(spec);
    auto const& k = spec->as<KustomizationSpec>();
    CHECK(k.path == "./");
    CHECK(k.source.ns == "apps");
    CHECK(k.retry_interval == minutes{10});
    CHECK(k.timeout == minutes{9} + seconds{30});
    CHECK(k.depends_on.at(0).ns == "apps");
    CHECK(k.depends_on.at(1).ns == "platform");
}

TEST_CASE("spec: a wrong field is named with its path", "[model]") {
    auto const wrong = read_spec(Kind::kustomization, object(R"({"metadata": {"namespace": "a"}, "spec": {
        "interval": "often", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "repo"}}})"));

    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().message == "spec.interval: time: invalid duration \"often\"");
}

TEST_CASE("status: reading what was written gives the same text", "[model]") {
    Status status;
    auto const now = parse_time("2026-08-22T10:00:00Z").value();
    status.observed_generation = 3;
    status.conditions.set("Healthy", Truth::yes, "Succeeded", "Health check passed in 23ms", 3, now);
    status.conditions.set("Ready", Truth::yes, "ReconciliationSucceeded", "Applied revision: main@sha1:67", 3, now);
    auto& part = status.part<KustomizationStatus>();
    part.last_applied_revision = "main@sha1:67";
    part.inventory = {{"dev_frontend_apps_Deployment", "v1"}};
    part.remember("sha256:1", "ReconciliationSucceeded", {"main@sha1:67"}, milliseconds{176}, now);
    part.remember("sha256:1", "ReconciliationSucceeded", {"main@sha1:67"}, milliseconds{100}, now);

    auto const written = to_json(Kind::kustomization, status);
    auto const again = to_json(Kind::kustomization, read_status(Kind::kustomization, written));

    CHECK(json::serialize(written) == json::serialize(again));
    CHECK(status.conditions.all().front().type == "Ready");
    CHECK(written.at("history").as_array().size() == 1);
    CHECK(written.at("history").at(0).at("totalReconciliations").as_int64() == 2);
}

TEST_CASE("conditions: the transition time moves only with the status", "[model]") {
    Conditions conditions;
    auto const first = parse_time("2026-08-22T10:00:00Z").value();

    conditions.set("Ready", Truth::yes, "A", "one", 1, first);
    conditions.set("Ready", Truth::yes, "A", "two", 1, first + minutes{1});
    CHECK(conditions.find("Ready")->last_transition == first);
    conditions.set("Ready", Truth::no, "B", "three", 1, first + minutes{2});
    CHECK(conditions.find("Ready")->last_transition == first + minutes{2});
}

TEST_CASE("compliance: one failed child makes the configuration non-compliant", "[model]") {
    Conditions conditions;
    auto const now = WallTime{};

    CHECK(compliance_of(conditions, false) == Compliance::pending);
    conditions.set("Ready", Truth::no, "DependencyNotReady", "", 1, now);
    CHECK(compliance_of(conditions, false) == Compliance::pending);
    conditions.set("Ready", Truth::no, "BuildFailed", "", 1, now);
    CHECK(compliance_of(conditions, false) == Compliance::non_compliant);
    CHECK(compliance_of(conditions, true) == Compliance::suspended);
    CHECK(worst(Compliance::pending, Compliance::non_compliant) == Compliance::non_compliant);
    CHECK(worst(Compliance::compliant, Compliance::unknown) == Compliance::unknown);
}

}  // namespace holdfast::model
