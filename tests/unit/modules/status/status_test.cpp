// tests/unit/modules/status/status_test.cpp: one snapshot, four ways to show it.
#include "modules/status/table.hpp"
#include "modules/status/text.hpp"
#include "tests/unit/modules/status/sample.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

namespace holdfast::status {

namespace {

json::object document(Snapshot const& snapshot) { return json::parse(to_json(snapshot)).as_object(); }

Snapshot with_state(model::Compliance state) {
    Snapshot snapshot;
    snapshot.objects.push_back({.kind = "GitRepository", .ns = "a", .name = "b", .state = state});
    return snapshot;
}

Object applier(std::string name, model::Compliance state, std::vector<std::string> unhealthy = {}) {
    return {.role = Role::applier,
            .kind = "Kustomization",
            .ns = "apps",
            .name = std::move(name),
            .state = state,
            .objects = 3,
            .unhealthy = std::move(unhealthy)};
}

/// What the table shows of it; every line is text that a terminal may show.
std::string table_of(Snapshot const& snapshot, TableOptions const& options = {}) {
    auto const table = to_table(to_json(snapshot), options);
    REQUIRE(table);
    return *table;
}

/// The headline is the first line of the table; its word is what the exit code is made of.
std::string headline_of(Snapshot const& snapshot) {
    std::string const table = table_of(snapshot);
    return table.substr(0, table.find('\n'));
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

TEST_CASE("status: headline and exit code agree whatever is known", "[status]") {
    using enum model::Compliance;
    struct Case {
        Snapshot snapshot;
        std::string headline;
        int code;
    };
    Snapshot problem = with_state(compliant);
    problem.problems = {"apps.yaml:12: broken"};
    Snapshot problem_alone;
    problem_alone.problems = {"apps.yaml:12: broken", "b.yaml: broken"};
    Snapshot not_ready;
    not_ready.objects = {applier("a", compliant, {"Deployment/apps/web: InProgress: x", "Job/apps/j: Failed"}),
                         applier("b", compliant, {"Deployment/apps/web: InProgress: y"})};
    for (Case const& one : {Case{Snapshot{}, "Pending: nothing is asked for yet", 1},
                            Case{with_state(compliant), "Compliant: 1 of 1 is Compliant", 0},
                            Case{with_state(pending), "Pending: 0 of 1 are Compliant", 1},
                            Case{with_state(unknown), "Unknown: 0 of 1 are Compliant", 1},
                            Case{with_state(suspended), "Suspended: 0 of 1 are Compliant", 1},
                            Case{with_state(non_compliant), "Non-Compliant: 1 of 1 is Non-Compliant", 2},
                            Case{problem, "Non-Compliant: 1 problem, 1 of 1 is Compliant", 2},
                            Case{problem_alone, "Non-Compliant: 2 problems, nothing is asked for yet", 2},
                            Case{not_ready, "Compliant: 2 of 2 are Compliant, 2 objects are not ready", 0}}) {
        CHECK(headline_of(one.snapshot).ends_with("  " + one.headline));
        CHECK(code_of(one.snapshot) == one.code);
        CHECK(exit_code_of(one.snapshot.state()) == one.code);
        auto const page = to_page(one.snapshot);
        auto const word = one.headline.substr(0, one.headline.find(':'));
        CHECK(page.find("</span> " + word + "</b><p>" + one.headline.substr(word.size() + 2) + "</p>") !=
              std::string::npos);
        CHECK(to_metrics(one.snapshot).find("holdfast_status_code " + std::to_string(one.code) + "\n") !=
              std::string::npos);
    }
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
    CHECK(table->starts_with("holdfast 1.2.3  site shop-17  Non-Compliant: 1 problem, 1 of 4 is Non-Compliant, "
                             "1 object is not ready\nproblem: apps.yaml:12: broken <b>\ncluster "));
    CHECK(table->find("watch     GitRepository  NOT FOLLOWED: forbidden  last heard never\n") != std::string::npos);
    CHECK(
        table->find("\nNOT READY            HEALTH      MESSAGE\nDeployment/apps/web  InProgress  1 of 3 updated\n") !=
        std::string::npos);
    CHECK(table->find("NOT REACHABLE: connection refused") != std::string::npos);
    CHECK(table->find("5 records wait, oldest 5m, 1 REFUSED") != std::string::npos);
    CHECK(table->find("main@sha1:01234567 ") != std::string::npos);
    CHECK(table->find("two lines") != std::string::npos);
    CHECK(table->find("kubectl-edit (Update)") != std::string::npos);
    CHECK(count(*table, "\nproblem: ") == 1);
}

TEST_CASE("status: no text from outside moves the terminal's cursor", "[status]") {
    auto snapshot = with_state(model::Compliance::non_compliant);
    snapshot.objects[0].message = "evil\x1b[2J\r\a\x7f message\ttab";
    snapshot.problems = {"a.yaml: \x1b]0;title\x07"};

    auto const table = to_table(to_json(snapshot));

    REQUIRE(table);
    CHECK(table->find_first_of("\x1b\r\a\x7f\t") == std::string::npos);
}

TEST_CASE("status: what failed stands first, what is well last, and no name twice", "[status]") {
    using enum model::Compliance;
    Snapshot snapshot;
    snapshot.objects = {
        applier("a", compliant), applier("b", suspended), applier("c", compliant, {"Job/apps/j: Failed"}),
        applier("d", pending),   applier("e", compliant), applier("f", non_compliant),
        applier("g", unknown)};

    auto const table = table_of(snapshot);
    auto const page = to_page(snapshot);

    std::size_t in_table = 0;
    std::size_t in_page = 0;
    for (std::string const name : {"f", "d", "g", "c", "b", "a", "e"}) {
        CHECK(table.find("\napps/" + name + " ", in_table) == table.rfind("\napps/" + name + " "));
        in_table = table.find("\napps/" + name + " ", in_table);
        in_page = page.find("<b>" + name + "</b>", in_page);
        INFO(name);
        REQUIRE(in_table != std::string::npos);
        REQUIRE(in_page != std::string::npos);
    }
    CHECK(page.find("Kustomizations <small>3 of 7 compliant</small>") != std::string::npos);
}

TEST_CASE("status: --failed and -n leave out rows, never the headline", "[status]") {
    using enum model::Compliance;
    Snapshot snapshot;
    snapshot.objects = {applier("well", compliant), applier("bad", non_compliant), applier("other", non_compliant),
                        applier("ill", compliant, {"Job/apps/j: Failed"}), applier("later", pending)};
    snapshot.objects[2].ns = "shop";
    snapshot.drifts = {{"Deployment/apps/web", "Kustomization/apps/bad", "changed", "", at(0), false},
                       {"Deployment/shop/till", "Kustomization/shop/other", "deleted", "", at(0), false}};

    auto const failed = table_of(snapshot, {.failed = true});
    auto const shop = table_of(snapshot, {.ns = "shop"});

    CHECK(count(failed, "\napps/bad ") == 1);
    CHECK(count(failed, "\napps/ill ") == 1);
    CHECK(count(failed, "\nshop/other ") == 1);
    CHECK(count(failed, "apps/well") + count(failed, "apps/later") == 0);
    CHECK(count(shop, "\nshop/other ") == 1);
    CHECK(count(shop, "apps/") == 0);
    CHECK(count(shop, "Deployment/shop/till") == 1);
    CHECK(table_of(snapshot, {.ns = "none"}).ends_with("\nnothing is there in namespace none\n"));
    CHECK(table_of(with_state(compliant), {.failed = true}).ends_with("\nnothing that failed\n"));
    CHECK(failed.substr(0, failed.find('\n')) == headline_of(snapshot));
    CHECK(shop.substr(0, shop.find('\n')) == headline_of(snapshot));
}

TEST_CASE("status: an object that drifted is one row until it is repaired, then a count", "[status]") {
    Snapshot snapshot = with_state(model::Compliance::compliant);
    for (int i = 0; i < 5; ++i)
        snapshot.drifts.push_back({"ConfigMap/a/old", "Kustomization/a/b", "changed", "kubectl", at(-180 - i), true});
    for (int i = 0; i < 3; ++i)
        snapshot.drifts.push_back({"ConfigMap/a/hot", "Kustomization/a/b", "deleted", "kubectl", at(-10 - i), false});
    snapshot.now = at(0);

    auto const table = table_of(snapshot);
    auto const page = to_page(snapshot);

    CHECK(count(table, "ConfigMap/a/hot") == 1);
    CHECK(table.find("drift     5 repaired, last 3m ago: ConfigMap/a/old changed by kubectl\n") != std::string::npos);
    CHECK(table.find("ConfigMap/a/hot") < table.find("5 repaired"));
    CHECK(headline_of(snapshot).ends_with("1 drift is not repaired yet"));
    CHECK(count(page, "ConfigMap/a/hot") == 1);
    CHECK(page.find("1 not repaired yet") != std::string::npos);
    CHECK(page.find("5 repaired, last 3m ago") != std::string::npos);
    CHECK(to_metrics(snapshot).find("holdfast_drift_unrepaired 1\n") != std::string::npos);
}

TEST_CASE("status: what is compliant but not ready is never shown in green", "[status]") {
    Snapshot snapshot;
    snapshot.objects = {applier("ill", model::Compliance::compliant, {"Job/apps/j: Failed", "Job/apps/k: Failed"})};

    auto const page = to_page(snapshot);

    CHECK(count(page, "class=\"tag ok\"") + count(page, "class=\"top ok\"") == 0);
    CHECK(count(page, "<li>Job/apps/j: Failed</li>") == 1);
    CHECK(page.find("2 not ready") != std::string::npos);
}

TEST_CASE("status: records that nobody is to have yet are no backlog", "[status]") {
    Snapshot snapshot = with_state(model::Compliance::compliant);
    snapshot.outbox.waiting = 1252;
    snapshot.outbox.oldest_at = at(-3000);

    CHECK(table_of(snapshot).find("uplink    disabled  kept for later: 1252 records\n") != std::string::npos);
    CHECK(to_page(snapshot).find("kept for later: 1252 records") != std::string::npos);
    CHECK(count(to_page(snapshot), "wait,") + count(table_of(snapshot), "records wait") == 0);
}

TEST_CASE("status: a kind that is not followed is seen in the table, on the page and as a metric", "[status]") {
    Snapshot snapshot = with_state(model::Compliance::compliant);
    snapshot.cluster = {.configured = true, .reachable = true, .server = "https://a:6443"};
    snapshot.cluster.watches = {{.kind = "v1 Secret", .error = "secrets is forbidden"},
                                {.kind = "v1 Pod"},
                                {.kind = "v1 ConfigMap", .synced = true}};

    auto const table = table_of(snapshot);
    auto const page = to_page(snapshot);
    auto const metrics = to_metrics(snapshot);

    CHECK(table.find("watch     v1 Secret  NOT FOLLOWED: secrets is forbidden") != std::string::npos);
    CHECK(table.find("watch     v1 Pod  NOT FOLLOWED: not listed yet") != std::string::npos);
    CHECK(count(table, "ConfigMap") == 0);
    CHECK(page.find("2 of 3 kinds not followed") != std::string::npos);
    CHECK(page.find("secrets is forbidden") != std::string::npos);
    CHECK(metrics.find("holdfast_watch_synced{kind=\"v1 Secret\"} 0\n") != std::string::npos);
    CHECK(metrics.find("holdfast_watch_synced{kind=\"v1 ConfigMap\"} 1\n") != std::string::npos);
}

TEST_CASE("status: no output shows a login that a URL carries", "[status]") {
    std::string const secret = "s3cr3t";
    for (std::string const url : {"https://user:s3cr3t@host/a.git", "https://s3cr3t@host/a.git",
                                  "http://u:p@s3cr3t@host", "http://user:s3cr3t@host?x", "http://u:s3c/r3t@host/a",
                                  "http://u:s3cr3t @host/a", "u:s3cr3t@host/a.git", "ssh://git:s3cr3t@[::1]:22/a"}) {
        auto snapshot = sample();
        for (Object& one : snapshot.objects) one.url = url;
        if (url.find("://") != std::string::npos && url.find(' ') == std::string::npos &&
            url.find("s3c/r") == std::string::npos) {
            std::string const text = "fetch \"" + url + "\": refused; again " + url;
            for (Object& one : snapshot.objects) {
                one.message = text;
                one.revision = text;
                one.unhealthy = {text};
            }
            snapshot.problems = {text};
            snapshot.cluster.error = text;
            snapshot.cluster.server = url;
            snapshot.cluster.watches[1].error = text;
            snapshot.uplink.error = text;
            snapshot.outbox.error = text;
            snapshot.drifts[0].manager = text;
            snapshot.objects[0].extra["statuses"] = json::array{json::object{{"message", text}}};
        }
        auto const document = to_json(snapshot);
        auto const table = to_table(document);
        REQUIRE(table);
        INFO(url);
        for (std::string const& shown : {document, *table, to_page(snapshot), to_metrics(snapshot)}) {
            CHECK(shown.find(secret) == std::string::npos);
            CHECK(shown.find("s3c/r3t") == std::string::npos);
        }
        CHECK(document.find("xxxxx@") != std::string::npos);
    }
}

TEST_CASE("status: a message is whole where nobody looks, and keeps its end where the line is short", "[status]") {
    auto snapshot = with_state(model::Compliance::non_compliant);
    snapshot.objects[0].message = "apply failed: " + std::string(400, 'x') + ": connection refused";

    auto const whole = table_of(snapshot);
    auto const narrow = table_of(snapshot, {.width = 100});

    CHECK(whole.find(snapshot.objects[0].message + "\n") != std::string::npos);
    CHECK(narrow.find("apply failed: ") != std::string::npos);
    CHECK(narrow.find("x: connection refused\n") != std::string::npos);
    auto const row = narrow.find("GitRepository/a/b");
    REQUIRE(row != std::string::npos);
    CHECK(columns_of(narrow.substr(row, narrow.find('\n', row) - row)) <= 100);
}

TEST_CASE("status: columns stand below each other whatever letters a name has", "[status]") {
    Snapshot snapshot;
    snapshot.objects = {applier("caf\u00e9", model::Compliance::compliant),
                        applier("cafe", model::Compliance::compliant)};

    auto const table = table_of(snapshot);

    CHECK(table.find("apps/caf\u00e9      Compliant") != std::string::npos);
    CHECK(table.find("apps/cafe      Compliant") != std::string::npos);
}

TEST_CASE("status: a long message is cut between two characters", "[status]") {
    auto snapshot = with_state(model::Compliance::non_compliant);
    for (std::string const pad : {"", "x", "xx"}) {
        snapshot.objects[0].message = pad;
        for (int i = 0; i < 200; ++i) snapshot.objects[0].message += "\u20ac";
        snapshot.problems = {snapshot.objects[0].message};

        for (std::string const& text : {table_of(snapshot, {.width = 90}), to_page(snapshot)}) {
            CHECK(count(text, "\u20ac") > 10);
            CHECK(to_utf8(text, text.size()) == text);  // nothing had to be replaced: it is well-formed
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

TEST_CASE("status: the page shows eight digits of a commit and tells all of them", "[status]") {
    std::string const commit = "0123456789abcdef0123456789abcdef01234567";
    auto snapshot = with_state(model::Compliance::compliant);
    snapshot.objects[0].message = "stored artifact for revision 'main@sha1:" + commit + "', digest " + commit + "89";

    auto const page = to_page(snapshot);

    CHECK(page.find("<abbr title=\"" + commit + "\">01234567</abbr>',") != std::string::npos);
    CHECK(page.find("digest " + commit + "89<") != std::string::npos);  // 42 digits are no commit
}

TEST_CASE("status: the page stays small however much is wrong", "[status]") {
    auto snapshot = sample();
    for (int i = 0; i < 2'000; ++i) {
        snapshot.objects.push_back(snapshot.objects[1]);
        snapshot.problems.push_back(std::string(300, '<'));
    }

    auto const page = to_page(snapshot);

    CHECK(page.size() <= 48u << 10);
    CHECK(page.find("more rows: see /api/v1/status") != std::string::npos);
    CHECK(page.ends_with("</body></html>\n"));
}

TEST_CASE("status: metrics carry Flux's name for a resource and never break a line", "[status]") {
    auto snapshot = sample();
    snapshot.objects[1].revision = "a\"b\\c\nd";

    auto const metrics = to_metrics(snapshot);

    CHECK(
        metrics.find(
            "gotk_resource_info{customresource_kind=\"GitRepository\",exported_namespace=\"apps\",name=\"shop\",ready=\"True\","
            "suspended=\"false\",revision=\"a\\\"b\\\\c d\"} 1\n") != std::string::npos);
    CHECK(metrics.find("holdfast_source_age_seconds{kind=\"GitRepository\",namespace=\"apps\",name=\"new\"} -1\n") !=
          std::string::npos);
    CHECK(metrics.find("holdfast_kube_requests_total{verb=\"apply\"} 9\n") != std::string::npos);
    CHECK(metrics.find("holdfast_problems 1\n") != std::string::npos);
    CHECK(metrics.find("holdfast_objects_not_ready 1\n") != std::string::npos);
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
