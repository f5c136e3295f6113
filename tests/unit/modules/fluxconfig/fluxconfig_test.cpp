// tests/unit/modules/fluxconfig/fluxconfig_test.cpp: what one configuration makes, keeps true, sums up and takes away.
#include "modules/fluxconfig/fluxconfig.hpp"
#include "modules/fluxconfig/generate.hpp"
#include "tests/support/story_world.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace holdfast::fluxconfig {

namespace {

using namespace std::chrono_literals;
using model::Key;
using model::Kind;
using model::Truth;

Key const kConfig{Kind::flux_config, "shop", "cfg"};
Key const kSource{Kind::git_repository, "shop", "cfg"};
Key const kInfra{Kind::kustomization, "shop", "cfg-infra"};
Key const kApps{Kind::kustomization, "shop", "cfg-apps"};

struct World : test::StoryWorld {
    std::map<Key, std::vector<Child>> children;
    FluxConfigs story{ports(), [this](Key const& key) { return children[key]; }, {}};

    model::Entry& want(std::string const& kustomizations, std::string const& more = "",
                       model::Origin origin = model::Origin::cluster) {
        return wish(
            R"({"apiVersion":"clusterconfig.azure.com/v1alpha1","kind":"FluxConfig","metadata":{"name":"cfg","namespace":"shop"},
                        "spec":{"scope":"cluster","sourceKind":"GitRepository","gitRepository":{"url":"https://example.com/a.git",
                        "ref":{"branch":"main"}},"kustomizations":[)" +
                kustomizations + "]" + more + "}}",
            origin);
    }
    model::Entry& want_both(model::Origin origin = model::Origin::cluster) {
        return want(R"({"name":"infra","path":"infra"},{"name":"apps","path":"./apps","dependsOn":["infra"]})", "",
                    origin);
    }
    /// The API server has the configuration, too: its status can be written.
    void show() {
        cluster.objects["shop_cfg_clusterconfig.azure.com_FluxConfig"] =
            boost::json::parse(R"({"apiVersion":"clusterconfig.azure.com/v1alpha1","kind":"FluxConfig",
            "metadata":{"name":"cfg","namespace":"shop","uid":"u","resourceVersion":"1","generation":1}})")
                .as_object();
    }
    /// What the watches show: the cluster's objects become wishes, those that are gone leave.
    void watch() {
        for (auto const& [id, object] : cluster.objects) {
            auto const kind = model::kind_of(object);
            if (!kind || *kind == Kind::flux_config) continue;
            Key const key{*kind, std::string{kube::namespace_of(object)}, std::string{kube::name_of(object)}};
            registry.put(key, model::read_meta(object, model::Origin::cluster), model::read_spec(*kind, object),
                         boost::json::serialize(object.at("spec")), std::nullopt);
        }
        std::vector<Key> gone;
        for (auto const& [key, entry] : registry.all()) {
            model::KindInfo const& info = model::info(key.kind);
            kube::ObjectId const id{key.ns, key.name, std::string{info.group}, std::string{info.name}};
            if (key.kind != Kind::flux_config && !cluster.objects.contains(id.text())) gone.push_back(key);
        }
        for (Key const& key : gone) registry.vanish(*registry.find(key));
    }
    story::Next pass() {
        auto next = StoryWorld::pass(story, kConfig);
        watch();
        return next;
    }
    void ready(Key const& key, Truth truth, std::string const& message = "") {
        registry.find(key)->status.conditions.set("Ready", truth, "Reason", message, 1, clock.wall());
    }
    void all_ready() {
        for (Key const& key : {kSource, kInfra, kApps}) ready(key, Truth::yes);
    }
    std::ptrdiff_t flux_objects() const {
        return std::ranges::count_if(cluster.objects, [](auto const& one) {
            auto const kind = model::kind_of(one.second);
            return kind && *kind != Kind::flux_config;
        });
    }
    model::FluxConfigStatus const& said() { return registry.find(kConfig)->status.part<model::FluxConfigStatus>(); }
    std::size_t wrote(std::string const& line) {
        return static_cast<std::size_t>(std::ranges::count(cluster.log, line));
    }
    std::size_t events() { return std::exchange(cluster.events, {}).size(); }  // since the last time
};

std::optional<kube::Refusal> no_apps(kube::Object const& object) {
    if (kube::name_of(object) != "cfg-apps") return std::nullopt;
    return kube::Refusal{.code = 403, .reason = "Forbidden", .message = "forbidden by policy"};
}

std::vector<boost::json::object> generate_from(std::string const& spec, Terms const& terms = {}) {
    auto const object = boost::json::parse(R"({"apiVersion":"clusterconfig.azure.com/v1alpha1","kind":"FluxConfig",
        "metadata":{"name":"cfg","namespace":"shop"},"spec":)" +
                                           spec + "}")
                            .as_object();
    auto const read = model::read_spec(Kind::flux_config, object);
    REQUIRE(read);
    return generate(kConfig, read->as<model::FluxConfigSpec>(), terms);
}

}  // namespace

TEST_CASE("fluxconfig: one source and one Kustomization per entry, named and labelled as Azure's agent does",
          "[fluxconfig]") {
    auto const made = generate_from(
        R"({"operationId":"op-1","gitRepository":{"url":"https://example.com/a.git","localAuthRef":"cfg-protected-parameters",
        "ref":{"branch":"main"},"syncInterval":"2m","timeout":"500s"},
        "kustomizations":[{"name":"infra","path":"infra","prune":true},{"name":"apps","path":"./apps","dependsOn":["infra"],"timeout":"500s","retryInterval":"90s","force":true,"wait":false}]})");

    REQUIRE(made.size() == 3);
    CHECK(made[0].at("metadata") ==
          boost::json::parse(R"({"name":"cfg","namespace":"shop","labels":{"clusterconfig.azure.com/is-managed":"true",
        "clusterconfig.azure.com/name":"cfg","clusterconfig.azure.com/namespace":"shop","clusterconfig.azure.com/operation-id":"op-1"}})"));
    CHECK(made[0].at("spec") ==
          boost::json::parse(R"({"url":"https://example.com/a.git","interval":"2m0s","timeout":"8m20s","suspend":false,
        "ref":{"branch":"main"},"secretRef":{"name":"cfg-protected-parameters"}})"));
    CHECK(kube::name_of(made[1]) == "cfg-infra");
    CHECK(made[1].at("spec") ==
          boost::json::parse(R"({"sourceRef":{"kind":"GitRepository","name":"cfg"},"path":"./infra","interval":"10m0s",
        "timeout":"10m0s","prune":true,"force":false,"wait":true,"suspend":false})"));
    CHECK(made[2].at("spec") ==
          boost::json::parse(R"({"sourceRef":{"kind":"GitRepository","name":"cfg"},"path":"./apps","interval":"10m0s",
        "timeout":"8m20s","retryInterval":"1m30s","prune":false,"force":true,"wait":false,"suspend":false,"dependsOn":[{"name":"cfg-infra"}]})"));
}

TEST_CASE("fluxconfig: what it makes is what the stories read", "[fluxconfig]") {
    for (auto const& object :
         generate_from(R"({"gitRepository":{"url":"https://example.com/a.git"},"kustomizations":[{"name":"a"}]})")) {
        auto const kind = model::kind_of(object);
        REQUIRE(kind);
        CHECK(model::read_spec(*kind, object));
    }
}

TEST_CASE("fluxconfig: a path means the same folder however it is written", "[fluxconfig]") {
    auto const path_of = [](std::string const& path) {
        auto const made = generate_from(
            R"({"gitRepository":{"url":"https://example.com/a.git"},"kustomizations":[{"name":"a","path":")" + path +
            "\"}]}");
        return std::string{kube::find_string(made.at(1), {"spec", "path"})};
    };

    CHECK(path_of("") == "./");
    CHECK(path_of(".") == "./");
    CHECK(path_of("./") == "./");
    CHECK(path_of("apps/staging") == "./apps/staging");
    CHECK(path_of("./apps") == "./apps");
}

TEST_CASE("fluxconfig: everything is made once, and an unchanged pass makes no request", "[fluxconfig]") {
    World world;
    world.want_both();
    world.pass();
    CHECK(world.flux_objects() == 3);
    world.pass();
    world.cluster.log.clear();

    world.pass();

    CHECK(world.cluster.log.empty());
}

TEST_CASE("fluxconfig: after a restart nothing is made again", "[fluxconfig]") {
    World before;
    before.want_both();
    before.pass();
    before.pass();
    World after;
    after.cluster.objects = before.cluster.objects;
    after.want_both();
    after.watch();
    CHECK_FALSE(after.registry.made_by(kConfig).empty());
    after.story.load(before.journal.entries.at(kConfig));

    after.pass();

    CHECK(std::ranges::none_of(after.cluster.log, [](std::string const& line) { return line.starts_with("apply"); }));
}

TEST_CASE("fluxconfig: somebody else's change of a generated object is undone", "[fluxconfig]") {
    World world;
    world.want_both();
    world.pass();
    world.cluster.log.clear();
    auto& object = world.cluster.objects.at("shop_cfg-apps_kustomize.toolkit.fluxcd.io_Kustomization");
    object["spec"].as_object()["path"] = "./evil";
    object["metadata"].as_object()["generation"] = 7;
    world.watch();

    world.pass();

    CHECK(world.wrote("apply Kustomization/shop/cfg-apps") == 1);
    CHECK(world.wrote("apply Kustomization/shop/cfg-infra") == 0);
    CHECK(kube::find_string(world.cluster.objects.at("shop_cfg-apps_kustomize.toolkit.fluxcd.io_Kustomization"),
                            {"spec", "path"}) == "./apps");
}

TEST_CASE("fluxconfig: an object that lost its labels gets them back, so that it counts again", "[fluxconfig]") {
    World world;
    world.want_both();
    world.pass();
    auto& object = world.cluster.objects.at("shop_cfg-apps_kustomize.toolkit.fluxcd.io_Kustomization");
    object["metadata"].as_object().erase("labels");
    world.watch();
    CHECK(world.registry.made_by(kConfig).size() == 2);

    world.pass();

    CHECK(world.registry.made_by(kConfig).size() == 3);
}

TEST_CASE("fluxconfig: a deleted generated object is made again", "[fluxconfig]") {
    World world;
    world.want_both();
    world.pass();
    world.cluster.objects.erase("shop_cfg-infra_kustomize.toolkit.fluxcd.io_Kustomization");
    world.watch();
    world.cluster.log.clear();

    world.pass();

    CHECK(world.wrote("apply Kustomization/shop/cfg-infra") == 1);
    CHECK(world.flux_objects() == 3);
}

TEST_CASE("fluxconfig: what the configuration no longer names is deleted, and only that", "[fluxconfig]") {
    World world;
    world.want_both();
    world.pass();
    world.want(R"({"name":"infra","path":"infra"})");

    world.pass();

    CHECK(world.wrote("delete Kustomization/shop/cfg-apps") == 1);
    CHECK(world.flux_objects() == 2);
}

TEST_CASE("fluxconfig: deleted, its Kustomizations go before their source, and it waits for them", "[fluxconfig]") {
    World world;
    world.want_both();
    world.pass();
    world.registry.find(kConfig)->meta.deleting = true;
    world.cluster.log.clear();

    auto next = world.pass();
    CHECK(next.after == 30s);
    CHECK(world.condition(kConfig).message ==
          "waiting for the deletion of Kustomization/shop/cfg-apps, Kustomization/shop/cfg-infra");
    CHECK(world.said().provisioning_state == "Deleting");
    CHECK(world.wrote("delete GitRepository/shop/cfg") == 0);
    CHECK(world.wrote("delete Kustomization/shop/cfg-apps") == 1);
    CHECK(world.wrote("delete Kustomization/shop/cfg-infra") == 1);
    next = world.pass();
    CHECK(world.wrote("delete GitRepository/shop/cfg") == 1);
    CHECK(world.registry.find(kConfig) != nullptr);
    world.pass();

    CHECK(world.registry.find(kConfig) == nullptr);
    CHECK(world.journal.records.back().state_digest == "Deleted");
}

TEST_CASE("fluxconfig: one that vanished deletes nothing", "[fluxconfig]") {
    World world;
    world.want_both();
    world.pass();
    world.registry.leave(*world.registry.find(kConfig));

    world.pass();

    CHECK(world.flux_objects() == 3);
    CHECK(world.registry.find(kConfig) == nullptr);
}

TEST_CASE("fluxconfig: from a file everything stays in memory and in the journal", "[fluxconfig]") {
    World world;
    world.want_both(model::Origin::local);

    world.StoryWorld::pass(world.story, kConfig);

    CHECK(world.flux_objects() == 0);
    REQUIRE(world.registry.find(kApps) != nullptr);
    CHECK(world.registry.find(kApps)->meta.origin == model::Origin::local);
    // What the journal keeps of it says whose it is, and that no cluster has it.
    auto const kept = boost::json::parse(world.registry.find(kApps)->wish.text()).as_object();
    CHECK(kept.at("origin") == "local");
    CHECK(model::maker_of(model::read_meta(kept, model::Origin::local), "shop") == kConfig);
    world.registry.leave(*world.registry.find(kConfig));
    world.StoryWorld::pass(world.story, kConfig);
    CHECK(world.registry.find(kApps)->gone);
    CHECK(world.registry.find(kInfra)->gone);
    CHECK_FALSE(world.registry.find(kSource)->gone);
}

TEST_CASE("fluxconfig: its state is the worst of everything it made", "[fluxconfig]") {
    World world;
    world.want_both();
    world.pass();
    world.pass();
    CHECK(world.said().compliance_state == "Pending");
    CHECK(world.condition(kConfig).status == Truth::unknown);

    world.all_ready();
    world.pass();
    CHECK(world.said().compliance_state == "Compliant");
    CHECK(world.condition(kConfig).status == Truth::yes);
    CHECK(world.condition(kConfig).reason == "Succeeded");

    world.ready(kApps, Truth::no, "kustomize build failed");
    world.pass();
    CHECK(world.said().compliance_state == "Non-Compliant");
    CHECK(world.said().error_message == "Kustomization/shop/cfg-apps: kustomize build failed");
    CHECK(world.condition(kConfig).status == Truth::no);
    CHECK(world.said().provisioning_state == "Succeeded");

    world.ready(kApps, Truth::yes);
    world.pass();
    CHECK(world.said().compliance_state == "Compliant");
    CHECK(world.said().error_message.empty());
}

TEST_CASE("fluxconfig: a Flux object that a Kustomization applied counts, and is shown with who applied it",
          "[fluxconfig]") {
    World world;
    world.want_both();
    world.pass();
    world.all_ready();
    world.children[kApps] = {{"HelmRelease", "shop", "redis", Truth::no}};

    world.pass();

    CHECK(world.said().compliance_state == "Non-Compliant");
    CHECK(world.said().error_message == "HelmRelease/shop/redis is not ready");
    auto const& statuses = world.said().statuses;
    CHECK(statuses.size() == 4);
    auto const redis = std::ranges::find_if(statuses, [](auto const& one) { return one.at("name") == "redis"; });
    REQUIRE(redis != statuses.end());
    CHECK(redis->at("appliedBy") == boost::json::parse(R"({"name":"cfg-apps","namespace":"shop"})"));
    CHECK(redis->at("complianceState") == "Non-Compliant");
}

TEST_CASE("fluxconfig: one record per change of state, none for the same state again", "[fluxconfig]") {
    World world;
    world.want_both();
    world.pass();
    world.pass();
    auto const before = world.journal.records.size();

    world.pass();
    CHECK(world.journal.records.size() == before);
    world.all_ready();
    world.pass();

    REQUIRE(world.journal.records.size() == before + 1);
    auto const& fields = world.journal.records.back().fields;
    CHECK(fields.at("ComplianceState") == "Compliant");
    CHECK(fields.at("ObjectCounts") == boost::json::parse(R"({"Compliant":3})"));
}

TEST_CASE("fluxconfig: suspended, everything it made is suspended too", "[fluxconfig]") {
    World world;
    world.want(R"({"name":"infra","path":"infra"})", R"(,"suspend":true)");

    world.pass();
    world.pass();

    CHECK(world.registry.find(kInfra)->suspended());
    CHECK(world.registry.find(kSource)->suspended());
    CHECK(world.said().compliance_state == "Suspended");
}

TEST_CASE("fluxconfig: what it cannot make is why it is not compliant, and is tried again", "[fluxconfig]") {
    World world;
    world.want_both();
    world.cluster.refuse = no_apps;

    CHECK(world.pass().after.has_value());

    CHECK(world.condition(kConfig).message == "Kustomization/shop/cfg-apps: forbidden by policy");
    CHECK(world.said().compliance_state == "Non-Compliant");
    CHECK(world.said().provisioning_state == "Failed");
    CHECK(world.said().error_message == "Kustomization/shop/cfg-apps: forbidden by policy");
    world.cluster.refuse = nullptr;
    world.pass();
    CHECK(world.flux_objects() == 3);
    CHECK(world.said().provisioning_state == "Succeeded");
    CHECK(world.said().error_message.empty());
}

TEST_CASE("fluxconfig: the same failure again is not written, not told and not recorded, and is tried ever less often",
          "[fluxconfig]") {
    World world;
    world.want_both();
    world.show();
    world.cluster.refuse = no_apps;
    world.pass();
    CHECK(world.events() == 1);
    auto after = world.pass().after;  // now the source and the other Kustomization are seen
    auto const records = world.journal.records.size();
    auto const saves = world.journal.saves;
    world.cluster.log.clear();

    for (int i = 0; i < 8; ++i) after = world.pass().after;

    CHECK(world.wrote("apply Kustomization/shop/cfg-apps") == 8);
    CHECK(world.cluster.log.size() == 8);
    CHECK(world.journal.saves == saves);
    CHECK(world.journal.records.size() == records);
    REQUIRE(after);
    CHECK(*after > 200s);
    CHECK(*after <= 360s);
}

TEST_CASE("fluxconfig: a wish that cannot be read says why, keeps what was made, and is mended by a good one",
          "[fluxconfig]") {
    World world;
    world.want_both();
    world.pass();
    world.pass();
    world.want(R"({"name":"infra"},{"name":"infra"})");

    CHECK_FALSE(world.pass().after);

    CHECK(world.flux_objects() == 3);
    CHECK(world.said().statuses.size() == 3);
    CHECK(world.condition(kConfig).reason == "InvalidSpec");
    CHECK(world.condition(kConfig, "Stalled").status == Truth::yes);
    CHECK(world.said().error_message.starts_with("spec.kustomizations[1].name: "));
    world.want_both();
    world.pass();
    CHECK(world.said().error_message.empty());
    CHECK(world.condition(kConfig, "Stalled").type == "absent");
    auto const patch = model::status_patch(Kind::flux_config, world.registry.find(kConfig)->status);
    CHECK(patch.at("errorMessage").is_null());
}

TEST_CASE("fluxconfig: what belongs to another configuration stays there", "[fluxconfig]") {
    World world;
    world.want_both();
    world.pass();
    auto& object = world.cluster.objects.at("shop_cfg-apps_kustomize.toolkit.fluxcd.io_Kustomization");
    object["metadata"].as_object()["labels"].as_object()[model::kConfigNameLabel] = "first";
    world.watch();
    world.wish(
        R"({"apiVersion":"clusterconfig.azure.com/v1alpha1","kind":"FluxConfig","metadata":{"name":"first","namespace":"shop"},
                  "spec":{"gitRepository":{"url":"https://example.com/a.git"}}})");
    world.cluster.log.clear();

    world.pass();

    CHECK(world.wrote("apply Kustomization/shop/cfg-apps") == 0);
    CHECK(world.said().error_message == "Kustomization/shop/cfg-apps: belongs to FluxConfig/shop/first");
    world.registry.vanish(*world.registry.find({Kind::flux_config, "shop", "first"}));
    world.pass();
    CHECK(world.wrote("apply Kustomization/shop/cfg-apps") == 1);
}

TEST_CASE("fluxconfig: a change of a child that changes nothing of the sum writes nothing", "[fluxconfig]") {
    World world;
    world.want_both();
    world.show();
    world.pass();
    world.pass();
    world.all_ready();
    world.pass();
    auto const saves = world.journal.saves;
    world.cluster.log.clear();
    auto& apps = *world.registry.find(kApps);
    apps.status.part<model::KustomizationStatus>().remember("sha256:1", "ReconciliationSucceeded", {"main@sha1:1"},
                                                            std::chrono::seconds{1}, world.clock.wall());
    apps.meta.resource_version = "99";

    world.pass();

    CHECK(world.journal.saves == saves);
    CHECK(world.cluster.log.empty());
}

TEST_CASE("fluxconfig: a deletion that is refused says what and why, once, and is tried again", "[fluxconfig]") {
    World world;
    world.want_both();
    world.pass();
    world.pass();
    world.registry.find(kConfig)->meta.deleting = true;
    world.cluster.discovery_fails = Error{Errc::offline, "no route to host"};

    auto const next = world.pass();

    REQUIRE(next.after);
    CHECK(*next.after >= 8s);
    CHECK(*next.after <= 12s);
    CHECK(world.condition(kConfig).reason == "DeletionFailed");
    CHECK(world.condition(kConfig).message == "Kustomization/shop/cfg-apps not deleted: no route to host");
    auto const saves = world.journal.saves;
    for (int i = 0; i < 3; ++i) world.pass();
    CHECK(world.journal.saves == saves);
    world.cluster.discovery_fails.reset();
    CHECK(world.pass().after == 30s);
    // The Kustomizations are gone now; what comes in the way next is a new failure, and is tried again soon.
    world.cluster.discovery_fails = Error{Errc::offline, "no route to host"};
    CHECK(world.pass().after <= 12s);
    CHECK(world.condition(kConfig).message == "GitRepository/shop/cfg not deleted: no route to host");
    world.cluster.discovery_fails.reset();
    for (int i = 0; i < 2; ++i) world.pass();
    CHECK(world.registry.find(kConfig) == nullptr);
    CHECK(world.flux_objects() == 0);
}

TEST_CASE("fluxconfig: whatever .status and the journal say, it is only read", "[fluxconfig]") {
    World world;
    auto const wish =
        boost::json::parse(
            R"({"metadata":{"name":"cfg","namespace":"shop","generation":1,"finalizers":["finalizers.fluxcd.io"]},
            "spec":{"gitRepository":{"url":"https://example.com/a.git"},"kustomizations":[{"name":"infra"},{"name":"apps"}]}})")
            .as_object();
    auto const status = boost::json::parse(
        R"({"statuses":[4702111234474983745,{"complianceState":7},[],{"complianceState":"Compliant"}],"errorMessage":[]})");
    auto const& entry = world.registry.put(kConfig, model::read_meta(wish, model::Origin::cluster),
                                           model::read_spec(Kind::flux_config, wish), "wish",
                                           model::read_status(Kind::flux_config, status.as_object()));
    CHECK(world.story.record(entry).fields.at("ObjectCounts") == boost::json::parse(R"({"":1,"Compliant":1})"));
    for (auto const* facts :
         {"", "{", "[]", "7", R"({"Kustomization/cfg-apps":7,"x":{},"Secret/a":{"wished":"1"},"/":{},
            "Kustomization/cfg-infra":{"wished":99999999999999999999,"generation":"many"}})"}) {
        world.story.load({.key = kConfig, .wish = "", .status = "", .facts = facts, .owned = {}});
    }

    world.pass();

    CHECK(world.flux_objects() == 3);
    CHECK(world.said().error_message.empty());
}

TEST_CASE("fluxconfig: what the journal refused is recorded on the next pass", "[fluxconfig]") {
    World world;
    world.want_both();
    world.journal.refuse = Error{Errc::limit, "the disk is full"};
    CHECK(world.pass().after == 10s);

    world.journal.refuse.reset();
    world.pass();

    CHECK(world.journal.entries.contains(kConfig));
    CHECK_FALSE(world.journal.entries.at(kConfig).facts.empty());
}

}  // namespace holdfast::fluxconfig
