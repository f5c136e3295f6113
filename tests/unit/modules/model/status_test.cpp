// tests/unit/modules/model/status_test.cpp: .status may say anything; what is written replaces what is no longer true.
#include "modules/model/kinds.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

namespace holdfast::model {

namespace {

json::object object(std::string_view text) { return json::parse(text).as_object(); }

Status read(Kind kind, std::string_view text) { return read_status(kind, object(text)); }

std::string const kDigest = "sha256:" + std::string(64, 'a');

}  // namespace

TEST_CASE("status: an artifact is believed only when its digest can name a file", "[model]") {
    auto const artifact = [](std::string const& digest) {
        json::object const status{{"artifact", {{"revision", "main@sha1:1"}, {"digest", digest}}}};
        return artifact_of(read_status(Kind::git_repository, status)) != nullptr;
    };

    CHECK(artifact(kDigest));
    for (std::string const& digest :
         {std::string{}, std::string{"sha256:"}, "sha256:" + std::string(63, 'a'), "sha256:" + std::string(65, 'a'),
          "sha256:" + std::string(63, 'a') + "A", "sha256:" + std::string(61, 'a') + "../",
          "sha512:" + std::string(64, 'a'), "sha256:" + std::string(63, 'a') + '\0'}) {
        CHECK_FALSE(artifact(digest));
    }
    CHECK(artifact_of(read(Kind::git_repository, R"({"artifact":[1]})")) == nullptr);
    CHECK(artifact_of(read(Kind::git_repository, R"({"artifact":{"digest":7}})")) == nullptr);
}

TEST_CASE("status: numbers that no field can hold read as absent", "[model]") {
    for (auto const* number : {"1e300", "-1e300", "18446744073709551615", "1.5", "\"7\"", "[]"}) {
        std::string const text{number};
        CHECK(read(Kind::git_repository, R"({"observedGeneration":)" + text + "}").observed_generation == -1);
        auto const status =
            read(Kind::git_repository, R"({"artifact":{"digest":")" + kDigest + R"(","size":)" + text + "}}");
        REQUIRE(artifact_of(status) != nullptr);
        CHECK(artifact_of(status)->size == 0);
    }
    CHECK(artifact_of(read(Kind::git_repository, R"({"artifact":{"digest":")" + kDigest + R"(","size":-5}})"))->size ==
          0);
    auto const status = read(Kind::kustomization, R"({"history":[{"digest":"d","totalReconciliations":1e300,
        "lastReconciledDuration":"99999999h","firstReconciled":"yesterday"},7,{},{},{},{},{}]})");
    auto const& history = status.part<KustomizationStatus>().history;
    REQUIRE(history.size() == 5);
    CHECK(history[0].total == 1);
    CHECK(history[0].last_duration == Duration{});
}

TEST_CASE("status: rows that are no objects, and inventory ids twice, are dropped", "[model]") {
    auto const config = read(Kind::flux_config, R"({"statuses":[4702111234474983745,null,"x",[],{"name":"a"}]})");
    CHECK(config.part<FluxConfigStatus>().statuses == json::parse(R"([{"name":"a"}])"));
    CHECK(read(Kind::flux_config, R"({"statuses":{"a":1}})").part<FluxConfigStatus>().statuses.empty());
    CHECK(read(Kind::flux_config, R"({"complianceState":7})").part<FluxConfigStatus>().compliance_state.empty());

    auto const owned = read(Kind::kustomization, R"({"inventory":{"entries":[{"id":"b__v_K","v":"v1"},3,
        {"id":"a__v_K","v":"v2"},{"id":"a__v_K","v":"v1"},null]}})");
    CHECK(owned.part<KustomizationStatus>().inventory ==
          std::vector<InventoryEntry>{{"a__v_K", "v1"}, {"b__v_K", "v1"}});
    CHECK(read(Kind::kustomization, R"({"inventory":[]})").part<KustomizationStatus>().inventory.empty());
    CHECK(read(Kind::kustomization, R"({"inventory":{"entries":{}}})").part<KustomizationStatus>().inventory.empty());

    auto const conditions =
        read(Kind::kustomization, R"({"conditions":["a",{"type":7},{"type":"Ready","status":"yes"}]})");
    REQUIRE(conditions.conditions.all().size() == 2);
    CHECK(conditions.conditions.is("Ready", Truth::unknown));
    CHECK(read(Kind::kustomization, R"({"conditions":{}})").conditions.all().empty());
}

TEST_CASE("status: every kind survives any value in any of its fields", "[model]") {
    for (KindInfo const& row : kKinds) {
        std::vector<std::string> names{"conditions", "observedGeneration", "lastHandledReconcileAt"};
        for (StatusField const& field : row.status_fields()) names.emplace_back(field.name);
        for (std::string const& name : names) {
            for (auto const* value : {"null", "true", "4702111234474983745", "1e300", "\"\"", "[]", "{}", "[[]]",
                                      "[{}]", R"([{"a":[]}])", R"({"entries":[[]]})", R"({"digest":{}})"}) {
                auto const status = read_status(row.kind, object("{\"" + name + "\":" + value + "}"));
                auto const written = to_json(row.kind, status);
                CHECK(to_json(row.kind, read_status(row.kind, written)) == written);
            }
        }
    }
}

TEST_CASE("status: a patch names with null what is not there, of every field", "[model]") {
    for (KindInfo const& row : kKinds) {
        auto const patch = status_patch(row.kind, Status{});
        for (StatusField const& field : row.status_fields()) {
            INFO(row.name << " " << field.name);
            REQUIRE(patch.contains(field.name));
        }
    }
    auto const patch = status_patch(Kind::flux_config, Status{});
    CHECK(patch.at("errorMessage").is_null());
    CHECK(patch.at("statuses") == json::array{});
    Status failed;
    failed.part<FluxConfigStatus>().error_message = "no";
    CHECK(status_patch(Kind::flux_config, failed).at("errorMessage") == "no");
    CHECK(status_patch(Kind::git_repository, Status{}).at("sourceVerificationMode").is_null());
}

TEST_CASE("status: a patch that is merged already changes nothing", "[model]") {
    auto const merged = [](std::string_view live, std::string_view patch) {
        return is_merged(object(live), object(patch));
    };

    CHECK(merged(R"({"a":1,"b":2})", R"({"a":1})"));
    CHECK(merged(R"({"a":1})", R"({"a":1,"b":null})"));
    CHECK(merged(R"({"a":1,"b":null})", R"({"b":null})"));
    CHECK_FALSE(merged(R"({"a":1,"b":2})", R"({"b":null})"));
    CHECK_FALSE(merged(R"({"a":1})", R"({"a":2})"));
    CHECK_FALSE(merged(R"({})", R"({"a":[]})"));
    CHECK(merged(R"({"a":{"x":1,"y":2}})", R"({"a":{"y":2,"x":1}})"));
    Status status;
    status.conditions.set("Ready", Truth::yes, "A", "b", 1, WallTime{});
    for (KindInfo const& row : kKinds) {
        CHECK(is_merged(to_json(row.kind, status), status_patch(row.kind, status)));
    }
}

TEST_CASE("status: what a merge leaves inside an object is taken away by another", "[model]") {
    auto const rest = [](std::string_view live, std::string_view patch) {
        return left_over(object(live), object(patch));
    };

    CHECK(rest(R"({"a":{"x":1,"m":{"k":1}},"b":1})", R"({"a":{"x":1}})") == object(R"({"a":{"m":null}})"));
    CHECK(rest(R"({"a":{"m":{"k":1,"l":2}}})", R"({"a":{"m":{"k":1}}})") == object(R"({"a":{"m":{"l":null}}})"));
    CHECK(rest(R"({"a":{"x":1},"b":[{"y":1}]})", R"({"a":{"x":1},"b":[{}],"c":null})").empty());
    CHECK(rest(R"({"a":{"x":1}})", R"({"a":null})").empty());
}

TEST_CASE("status: one more of the same pass says the same, anything else does not", "[model]") {
    auto const now = parse_time("2026-08-22T10:00:00Z").value();
    Status before;
    before.conditions.set("Ready", Truth::yes, "ReconciliationSucceeded", "Applied", 1, now);
    before.part<KustomizationStatus>().remember("sha256:1", "ReconciliationSucceeded", {"main"}, Duration{1}, now);
    Status after = before;
    after.part<KustomizationStatus>().remember("sha256:1", "ReconciliationSucceeded", {"main"}, Duration{2}, now);
    CHECK(says_the_same(Kind::kustomization, before, after));
    CHECK(to_json(Kind::kustomization, before) != to_json(Kind::kustomization, after));

    Status other = before;
    other.part<KustomizationStatus>().remember("sha256:2", "ReconciliationSucceeded", {"main"}, Duration{1}, now);
    CHECK_FALSE(says_the_same(Kind::kustomization, before, other));
    other = before;
    other.conditions.set("Ready", Truth::yes, "ReconciliationSucceeded", "Applied more", 1, now);
    CHECK_FALSE(says_the_same(Kind::kustomization, before, other));
    other = before;
    other.part<KustomizationStatus>().inventory = {{"a__v_K", "v1"}};
    CHECK_FALSE(says_the_same(Kind::kustomization, before, other));
    other = before;
    other.last_handled_reconcile_at = "x";
    CHECK_FALSE(says_the_same(Kind::kustomization, before, other));
    other = before;
    other.observed_generation = 9;
    CHECK_FALSE(says_the_same(Kind::kustomization, before, other));
}

TEST_CASE("status: any bytes become a condition's text", "[model]") {
    Conditions conditions;
    conditions.set("Ready", Truth::no, "Failed", std::string("a\xff\xfe b") + std::string(40'000, 'x'), 1, WallTime{});

    auto const& message = conditions.find("Ready")->message;
    CHECK(message.size() <= 20'000);
    CHECK(message.find('\xff') == std::string::npos);
    CHECK(condition_text(message) == message);
    CHECK(condition_text("lines\n\tof \x1b[31mred\u202Etxt") == "lines\n\tof  [31mred   txt");
}

}  // namespace holdfast::model
