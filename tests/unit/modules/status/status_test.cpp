// tests/unit/modules/status/status_test.cpp: one snapshot, four ways to show it.
#include "tests/unit/modules/status/sample.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

namespace holdfast::status {

namespace {

json::object document(Snapshot const& snapshot) { return json::parse(to_json(snapshot)).as_object(); }

Snapshot with_state(model::Compliance state) {
    Snapshot snapshot;
    snapshot.sources.push_back({.kind = "GitRepository", .ns = "a", .name = "b", .state = state});
    return snapshot;
}

int code_of(Snapshot const& snapshot) {
    auto const code = exit_code(to_json(snapshot));
    REQUIRE(code);
    return *code;
}

std::size_t count(std::string const& text, std::string_view part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
    return found;
}

}  // namespace

TEST_CASE("status: every moment comes with its age, and never is null", "[status]") {
    auto const out = document(sample());

    CHECK(out.at("startedAgeSeconds") == 90);
    CHECK(out.at("now") == "2025-06-15T15:06:40Z");
    CHECK(out.at("sources").at(0).at("fetchedAgeSeconds") == 7200);
    CHECK(out.at("sources").at(1).at("fetchedAt").is_null());
    CHECK(out.at("sources").at(1).at("fetchedAgeSeconds").is_null());
    CHECK(out.at("outbox").at("oldestAgeSeconds") == 300);
    CHECK(out.at("uplink").at("nextTryAt") == "2025-06-15T15:07:00Z");
}

TEST_CASE("status: the whole is as good as its worst part, and unknown while nothing is wished", "[status]") {
    CHECK(Snapshot{}.state() == model::Compliance::unknown);
    CHECK(with_state(model::Compliance::compliant).state() == model::Compliance::compliant);
    CHECK(sample().state() == model::Compliance::non_compliant);
}

TEST_CASE("status: the exit code is 0 compliant or nothing wished, 1 not yet, 2 non-compliant", "[status]") {
    CHECK(code_of(Snapshot{}) == 0);
    CHECK(code_of(with_state(model::Compliance::compliant)) == 0);
    CHECK(code_of(with_state(model::Compliance::pending)) == 1);
    CHECK(code_of(with_state(model::Compliance::unknown)) == 1);
    CHECK(code_of(with_state(model::Compliance::suspended)) == 1);
    CHECK(code_of(with_state(model::Compliance::non_compliant)) == 2);
}

TEST_CASE("status: broken manifests alone are not well", "[status]") {
    Snapshot snapshot;
    snapshot.problems = {"apps.yaml:12: broken"};

    CHECK(code_of(snapshot) == 2);
}

TEST_CASE("status: what is no status document has neither table nor exit code", "[status]") {
    for (std::string const text : {"", "[]", "<html>", "{\"complianceState\":"}) {
        CHECK_FALSE(exit_code(text));
        CHECK_FALSE(to_table(text));
    }
    // Another version's document: whatever is missing or of another type is left out.
    auto const table = to_table(
        R"({"sources":[1,null,{"name":7}],"kustomizations":{},"drifts":["x"],"configurations":[[]],"intake":3})");
    CHECK(table);
    CHECK(exit_code(R"({"sources":[1]})"));
}

TEST_CASE("status: the table shows each object on one line", "[status]") {
    auto const table = to_table(to_json(sample()));

    REQUIRE(table);
    INFO(*table);
    CHECK(table->find("holdfast 1.2.3  site shop-17  Non-Compliant\n") == 0);
    CHECK(table->find("NOT REACHABLE: connection refused") != std::string::npos);
    CHECK(table->find("5 records wait, oldest 5m, 1 REFUSED") != std::string::npos);
    CHECK(table->find("main@sha1:01234567 ") != std::string::npos);
    CHECK(table->find("two lines") != std::string::npos);
    CHECK(table->find("kubectl-edit (Update)") != std::string::npos);
    CHECK(table->find("problem: apps.yaml:12: broken <b>\n") != std::string::npos);
    CHECK(count(*table, "\nproblem: ") == 1);
}

TEST_CASE("status: no text from outside moves the terminal's cursor", "[status]") {
    auto snapshot = with_state(model::Compliance::non_compliant);
    snapshot.sources[0].message = "evil\x1b[2J\r\a\x7f message\ttab";
    snapshot.problems = {"a.yaml: \x1b]0;title\x07"};

    auto const table = to_table(to_json(snapshot));

    REQUIRE(table);
    CHECK(table->find_first_of("\x1b\r\a\x7f\t") == std::string::npos);
}

TEST_CASE("status: a long message is cut between two characters", "[status]") {
    auto snapshot = with_state(model::Compliance::non_compliant);
    for (std::string const pad : {"", "x", "xx"}) {
        snapshot.sources[0].message = pad;
        for (int i = 0; i < 200; ++i) snapshot.sources[0].message += "\u20ac";
        snapshot.problems = {snapshot.sources[0].message};

        auto const table = to_table(to_json(snapshot));
        REQUIRE(table);
        for (std::string const& text : {*table, to_page(snapshot)}) {
            // A cut character would leave a lead byte without its two followers.
            std::size_t leads = count(text, "\xe2");
            CHECK(leads > 10);
            CHECK(leads == count(text, "\u20ac"));
        }
    }
}

TEST_CASE("status: the page escapes everything and runs no script", "[status]") {
    auto const page = to_page(sample());

    CHECK(page.find("<script") == std::string::npos);
    CHECK(page.find("&lt;script&gt;alert(1)&lt;/script&gt;") != std::string::npos);
    CHECK(page.find("broken &lt;b&gt;") != std::string::npos);
    CHECK(page.ends_with("</body></html>\n"));
}

TEST_CASE("status: the page stays small however much is wrong", "[status]") {
    auto snapshot = sample();
    for (int i = 0; i < 2'000; ++i) {
        snapshot.sources.push_back(snapshot.sources[0]);
        snapshot.problems.push_back(std::string(300, '<'));
    }

    auto const page = to_page(snapshot);

    CHECK(page.size() <= 50'000);
    CHECK(page.find("more rows: see /api/v1/status") != std::string::npos);
    CHECK(page.ends_with("</body></html>\n"));
}

TEST_CASE("status: metrics carry Flux's name for a resource and never break a line", "[status]") {
    auto snapshot = sample();
    snapshot.sources[0].revision = "a\"b\\c\nd";

    auto const metrics = to_metrics(snapshot);

    CHECK(
        metrics.find(
            "gotk_resource_info{customresource_kind=\"GitRepository\",exported_namespace=\"apps\",name=\"shop\",ready=\"True\","
            "suspended=\"false\",revision=\"a\\\"b\\\\c d\"} 1\n") != std::string::npos);
    CHECK(metrics.find("holdfast_source_age_seconds{kind=\"GitRepository\",namespace=\"apps\",name=\"new\"} -1\n") !=
          std::string::npos);
    CHECK(metrics.find("holdfast_kube_requests_total{verb=\"apply\"} 9\n") != std::string::npos);
    CHECK(metrics.find("holdfast_outbox_records 5\n") != std::string::npos);
}

TEST_CASE("status: an age reads as a person would say it", "[status]") {
    CHECK(age_text(-5) == "0s");
    CHECK(age_text(119) == "119s");
    CHECK(age_text(120) == "2m");
    CHECK(age_text(7'199) == "119m");
    CHECK(age_text(7'200) == "2h");
    CHECK(age_text(172'800) == "2d");
}

}  // namespace holdfast::status
