// tests/unit/modules/model/registry_test.cpp: who follows whom, who made what, and who hears of which change.
#include "modules/model/kinds.hpp"
#include "modules/model/registry.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <random>

namespace holdfast::model {

namespace {

constexpr std::size_t kMany = 10'000;

struct World {
    Registry registry;
    std::vector<std::pair<Key, Change>> heard;

    World() {
        registry.listen([this](Entry const& entry, Change change) { heard.emplace_back(entry.key, change); });
    }
    Entry& put(Key const& key, std::string const& spec, Meta meta = {}) {
        auto const object =
            json::parse(R"({"metadata":{"namespace":")" + key.ns + R"("},"spec":)" + spec + "}").as_object();
        return registry.put(key, std::move(meta), read_spec(key.kind, object), spec, std::nullopt);
    }
    Entry& put_source(std::string const& name, Meta meta = {}) {
        return put({Kind::git_repository, "a", name}, R"({"url":"https://example.com/x.git","interval":"1m"})",
                   std::move(meta));
    }
    Entry& put_kustomization(std::string const& name, std::string const& source, std::string const& more = "",
                             Meta meta = {}) {
        return put({Kind::kustomization, "a", name},
                   R"({"interval":"1m","prune":true,"sourceRef":{"kind":"GitRepository","name":")" + source + "\"}" +
                       more + "}",
                   std::move(meta));
    }
};

Key source(std::string const& name) { return {Kind::git_repository, "a", name}; }
Key kustomization(std::string const& name) { return {Kind::kustomization, "a", name}; }

Status fetched(std::string const& revision) {
    Status status;
    status.conditions.set("Ready", Truth::yes, "Succeeded", "stored " + revision, 1, WallTime{});
    status.observed_generation = 1;
    status.part<SourceStatus>().artifact = Artifact{.revision = revision, .digest = "sha256:" + std::string(64, 'a')};
    return status;
}

Meta made_for(std::string const& config, std::string const& ns = "a") {
    Meta meta;
    meta.labels = {{std::string{kManagedLabel}, "true"},
                   {std::string{kConfigNameLabel}, config},
                   {std::string{kConfigNamespaceLabel}, ns}};
    return meta;
}

}  // namespace

TEST_CASE("registry: of ten thousand objects only the followers of a source have to look at its change", "[model]") {
    World world;
    world.put_source("used");
    for (std::size_t i = 0; i < kMany; ++i) {
        world.put_kustomization("k" + std::to_string(i), i % 5000 == 7 ? "used" : "other");
    }
    world.heard.clear();

    world.registry.conclude(*world.registry.find(source("used")), fetched("main@sha1:1"));

    CHECK(world.heard == std::vector<std::pair<Key, Change>>{{source("used"), Change::face}});
    CHECK(world.registry.followers(source("used")) == std::vector<Key>{kustomization("k5007"), kustomization("k7")});
    CHECK(world.registry.followers(source("other")).size() == kMany - 2);
    CHECK(world.registry.followers(kustomization("k7")).empty());
}

TEST_CASE("registry: who depends on an object follows it, whether it exists or not", "[model]") {
    World world;
    world.put_kustomization("apps", "repo",
                            R"(,"dependsOn":[{"name":"infra"},{"name":"crds","namespace":"platform"}])");

    CHECK(world.registry.followers(kustomization("infra")) == std::vector<Key>{kustomization("apps")});
    CHECK(world.registry.followers({Kind::kustomization, "platform", "crds"}) ==
          std::vector<Key>{kustomization("apps")});
    CHECK(world.registry.followers({Kind::kustomization, "a", "crds"}).empty());
}

TEST_CASE("registry: a new wish follows what it names now, and a broken one nothing", "[model]") {
    World world;
    world.put_kustomization("apps", "old");
    world.put_kustomization("apps", "new");
    CHECK(world.registry.followers(source("old")).empty());
    CHECK(world.registry.followers(source("new")) == std::vector<Key>{kustomization("apps")});

    world.put(kustomization("apps"), R"({"interval":"often"})");
    CHECK_FALSE(world.registry.find(kustomization("apps"))->spec);
    CHECK(world.registry.followers(source("new")).empty());

    world.put_kustomization("apps", "new");
    world.registry.vanish(*world.registry.find(kustomization("apps")));
    CHECK(world.registry.followers(source("new")).empty());
    CHECK(world.registry.find(kustomization("apps")) == nullptr);
}

TEST_CASE("registry: what carries a configuration's labels was made by it, until it does not", "[model]") {
    World world;
    Key const config{Kind::flux_config, "a", "cfg"};
    world.put_source("cfg", made_for("cfg"));
    world.put_kustomization("cfg-apps", "cfg", "", made_for("cfg"));
    world.put_kustomization("mine", "cfg");
    world.put_kustomization("elsewhere", "cfg", "", made_for("cfg", "b"));
    Meta half = made_for("cfg");
    half.labels.erase(std::string{kManagedLabel});
    world.put_kustomization("half", "cfg", "", std::move(half));
    CHECK(world.registry.made_by(config) == std::vector<Key>{source("cfg"), kustomization("cfg-apps")});
    CHECK(world.registry.made_by({Kind::flux_config, "b", "cfg"}).empty());

    world.put_kustomization("cfg-apps", "cfg", "", made_for("other"));
    CHECK(world.registry.made_by(config) == std::vector<Key>{source("cfg")});
    CHECK(world.registry.made_by({Kind::flux_config, "a", "other"}) == std::vector<Key>{kustomization("cfg-apps")});
    world.registry.vanish(*world.registry.find(source("cfg")));
    CHECK(world.registry.made_by(config).empty());
}

TEST_CASE("registry: followers are woken by what they look at, and by nothing else", "[model]") {
    World world;
    Entry& entry = world.put_source("repo");
    auto const change = [&](Status status) {
        world.heard.clear();
        world.registry.conclude(entry, std::move(status));
        REQUIRE(world.heard.size() == 1);
        return world.heard[0].second;
    };

    CHECK(change(fetched("main@sha1:1")) == Change::face);
    Status status = entry.status;
    status.conditions.set("Ready", Truth::yes, "Succeeded", "another message", 1, WallTime{});
    status.conditions.set("FetchFailed", Truth::yes, "GitOperationFailed", "no route", 1, WallTime{});
    status.last_handled_reconcile_at = "now";
    CHECK(change(status) == Change::status);
    status.part<SourceStatus>().artifact->revision = "main@sha1:2";
    CHECK(change(status) == Change::face);
    status.part<SourceStatus>().artifact->digest = "sha256:" + std::string(64, 'b');
    CHECK(change(status) == Change::face);
    status.observed_generation = 2;
    CHECK(change(status) == Change::face);
    status.conditions.set("Ready", Truth::no, "Failed", "broken", 2, WallTime{});
    CHECK(change(status) == Change::face);
}

TEST_CASE("registry: a wish is told when a story acts on what is new of it", "[model]") {
    World world;
    auto const told = [&](Meta meta) {
        world.heard.clear();
        world.put_source("repo", std::move(meta));
        return world.heard.size();
    };
    Meta meta;
    meta.uid = "u1";
    CHECK(told(meta) == 1);
    CHECK(told(meta) == 0);
    meta.resource_version = "8";
    CHECK(told(meta) == 0);
    meta.requested_at = "2026-08-22T10:00:00Z";
    CHECK(told(meta) == 1);
    meta.labels["team"] = "blue";
    CHECK(told(meta) == 1);
    meta.deleting = true;
    CHECK(told(meta) == 1);
    meta = {.uid = "u2"};
    CHECK(told(meta) == 1);
    world.registry.leave(*world.registry.find(source("repo")));
    CHECK(told(meta) == 1);
    CHECK_FALSE(world.registry.find(source("repo"))->gone);
}

TEST_CASE("registry: what left is told once, and what vanished wakes who followed it", "[model]") {
    World world;
    Entry& entry = world.put_source("repo");
    world.heard.clear();

    world.registry.leave(entry);
    world.registry.leave(entry);
    CHECK(world.heard == std::vector<std::pair<Key, Change>>{{source("repo"), Change::wish}});
    world.registry.vanish(entry);
    CHECK(world.heard.back() == std::pair{source("repo"), Change::face});
    CHECK(world.registry.all().empty());
}

namespace {

/// Text that packs to three quarters of it.
std::string noise(std::size_t bytes) {
    std::mt19937 random{1};
    std::string text(bytes, '\0');
    for (char& c : text) c = static_cast<char>('!' + 2 + random() % 57);  // neither quote nor backslash
    return text;
}

/// Room for 100 wishes of 100,000 bytes together.
struct Narrow {
    Registry registry{{.count_max = 100, .bytes_max = 100'000}};
    std::vector<Key> heard;

    Narrow() {
        registry.listen([this](Entry const& entry, Change) { heard.push_back(entry.key); });
    }
    Entry& put(std::string const& ns, std::string const& name, std::size_t patch_bytes = 0, Meta meta = {}) {
        std::string const text =
            R"({"metadata":{"namespace":")" + ns +
            R"("},"spec":{"interval":"1m","prune":true,"sourceRef":{"kind":"GitRepository","name":"x"},)"
            R"("patches":[{"patch":")" +
            noise(patch_bytes * 4 / 3) + R"("}]}})";
        return registry.put({Kind::kustomization, ns, name}, std::move(meta),
                            read_spec(Kind::kustomization, json::parse(text).as_object()), text, std::nullopt);
    }
};

}  // namespace

TEST_CASE("registry: a namespace that fills its share is turned away by name, and others are not", "[model][shares]") {
    Narrow world;
    std::size_t held = 0;
    for (int i = 0; i < 20; ++i) held += world.put("flood", std::to_string(i), 9'000).spec.has_value() ? 1 : 0;
    CHECK(held >= 5);
    CHECK(held <= 7);

    Entry const& away = world.put("flood", "more", 9'000);
    CHECK_FALSE(away.spec);
    CHECK(away.wish.empty());  // nor does the journal get it
    CHECK(away.problem.starts_with("no room for this object: it takes "));
    CHECK(away.problem.contains("namespace 'flood'"));
    CHECK(away.problem.contains("(limits.memory)"));
    CHECK(world.put("calm", "a", 9'000).spec);
    CHECK(world.put("late", "a", 1'000).spec);
}

TEST_CASE("registry: wishes are counted, too, and what a namespace may only name has an end", "[model][shares]") {
    Registry registry{{.count_max = 100, .bytes_max = 1u << 30}};
    std::size_t held = 0;
    std::size_t named = 0;
    for (int i = 0; i < 1'000; ++i) {
        Key const key{Kind::git_repository, "flood", std::to_string(i)};
        if (!registry.may_name(key)) continue;
        ++named;
        auto spec = read_spec(key.kind, json::parse(R"({"spec":{"url":"https://a/b","interval":"1m"}})").as_object());
        held += registry.put(key, {}, std::move(spec), "w", std::nullopt).spec.has_value() ? 1 : 0;
    }
    CHECK(held == 75);
    CHECK(named == 150);
    Key const config{Kind::flux_config, "flood", "edge"};  // the operator's, and says what the namespace is held to
    REQUIRE(registry.may_name(config));
    auto scope =
        read_spec(config.kind,
                  json::parse(R"({"spec":{"scope":"namespace","gitRepository":{"url":"https://a/b"}}})").as_object());
    REQUIRE(scope);
    CHECK(registry.put(config, {}, std::move(scope), "w", std::nullopt).spec.has_value());
    CHECK(registry.may_name({Kind::git_repository, "calm", "a"}));
}

TEST_CASE("registry: what is held stays when others come; what was turned away is held once there is room",
          "[model][shares]") {
    Narrow world;
    world.put("flood", "big", 70'000);
    Entry& small = world.put("flood", "small", 10'000);
    REQUIRE_FALSE(small.spec);
    world.put("calm", "a", 15'000);
    CHECK_FALSE(world.registry.has_room_for(small));

    Meta meta;
    meta.deleting = true;  // no new wish: nothing to turn away
    CHECK(world.put("flood", "big", 70'000, meta).spec);
    CHECK_FALSE(world.put("flood", "big", 90'000).spec);
    CHECK(world.registry.has_room_for(small));
    world.heard.clear();
    CHECK(world.put("flood", "small", 10'000).spec);
    CHECK(small.problem.empty());
    CHECK(world.heard == std::vector{small.key});
    CHECK_FALSE(small.wish.empty());
}

TEST_CASE("registry: a status that whoever looked after the object before wrote weighs what it names",
          "[model][shares]") {
    Narrow world;
    Status forged;
    for (int i = 0; i < 1'000; ++i)
        forged.part<KustomizationStatus>().inventory.push_back({"a_" + std::to_string(i) + "__ConfigMap", "v1"});
    std::string const text =
        R"({"spec":{"interval":"1m","prune":true,"sourceRef":{"kind":"GitRepository","name":"x"}}})";
    auto const put = [&](std::string const& name, std::optional<Status> status) -> Entry& {
        return world.registry.put({Kind::kustomization, "flood", name}, {},
                                  read_spec(Kind::kustomization, json::parse(text).as_object()), text,
                                  std::move(status));
    };

    Entry& away = put("forged", forged);
    CHECK(away.problem.starts_with("no room for this object"));
    CHECK(away.status.part<KustomizationStatus>().inventory.empty());
    CHECK(put("modest", Status{}).spec);
}

TEST_CASE("registry: what is removed gives its room back, and many small values weigh what they take",
          "[model][shares]") {
    Narrow world;
    for (int round = 0; round < 50; ++round) {
        Entry& entry = world.put("flood", "one", 50'000);
        REQUIRE(entry.spec);
        world.registry.vanish(entry);
    }
    CHECK(world.registry.namespaces() == 0);

    json::object many{
        {"spec", json::object{{"interval", "1m"},
                              {"prune", true},
                              {"sourceRef", json::object{{"kind", "GitRepository"}, {"name", "x"}}},
                              {"healthChecks",
                               json::array(1'000, json::object{{"apiVersion", "v1"}, {"kind", "A"}, {"name", "a"}})}}}};
    auto const spec = read_spec(Kind::kustomization, many);
    REQUIRE(spec);
    CHECK(spec->weight() > 100'000);
}

}  // namespace holdfast::model
