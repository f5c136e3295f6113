// tests/unit/modules/fluxconfig/account_test.cpp: the account that acts for configurations: when it is made, what for, and
// when it goes.
#include "modules/fluxconfig/account.hpp"
#include "modules/fluxconfig/fluxconfig.hpp"
#include "modules/fluxconfig/generate.hpp"
#include "tests/support/story_world.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace holdfast::fluxconfig {

namespace {

using model::Key;
using model::Kind;
using model::Truth;

Key config_key(std::string const& name) { return {Kind::flux_config, "shop", name}; }

constexpr char const* kAccount = "shop_flux-applier__ServiceAccount";
constexpr char const* kNarrow = "shop_flux-applier_rbac.authorization.k8s.io_RoleBinding";
constexpr char const* kNarrowFlux = "shop_flux-applier-flux_rbac.authorization.k8s.io_RoleBinding";
constexpr char const* kWide = "_flux-applier-shop_rbac.authorization.k8s.io_ClusterRoleBinding";

struct World : test::StoryWorld {
    bool multi_tenancy = true;
    std::unique_ptr<FluxConfigs> story = make();

    std::unique_ptr<FluxConfigs> make() {
        return std::make_unique<FluxConfigs>(
            ports(), [](Key const&) { return std::vector<Child>{}; },
            FluxConfigs::Settings{.multi_tenancy = multi_tenancy});
    }
    void want(std::string const& name, std::string const& scope = "cluster",
              model::Origin origin = model::Origin::cluster) {
        wish(R"({"apiVersion":"clusterconfig.azure.com/v1alpha1","kind":"FluxConfig","metadata":{"name":")" + name +
                 R"(","namespace":"shop"},"spec":{"scope":")" + scope +
                 R"(","gitRepository":{"url":"https://example.com/a.git"},"kustomizations":[{"name":"apps"}]}})",
             origin);
    }
    /// What the watches show.
    void watch() {
        for (auto const& [id, object] : cluster.objects) {
            auto const kind = model::kind_of(object);
            if (!kind || *kind == Kind::flux_config) continue;
            registry.put({*kind, std::string{kube::namespace_of(object)}, std::string{kube::name_of(object)}},
                         model::read_meta(object, model::Origin::cluster), model::read_spec(*kind, object),
                         boost::json::serialize(object.at("spec")), std::nullopt);
        }
        std::vector<Key> gone;
        for (auto const& [key, entry] : registry.all()) {
            kube::ObjectId const id{key.ns, key.name, std::string{model::info(key.kind).group},
                                    std::string{model::info(key.kind).name}};
            if (key.kind != Kind::flux_config && !cluster.objects.contains(id.text())) gone.push_back(key);
        }
        for (Key const& key : gone) registry.vanish(*registry.find(key));
    }
    void pass(std::string const& name) {
        test::StoryWorld::pass(*story, config_key(name));
        watch();
    }
    void remove(std::string const& name) {
        registry.find(config_key(name))->meta.deleting = true;
        for (int i = 0; i < 3; ++i) pass(name);
        REQUIRE(registry.find(config_key(name)) == nullptr);
    }
    std::ptrdiff_t place_of(std::string const& line) const {
        auto const found = std::ranges::find(cluster.log, line);
        return found == cluster.log.end() ? -1 : found - cluster.log.begin();
    }
    std::string_view acts_as(std::string const& config) const {
        return kube::find_string(
            cluster.objects.at("shop_" + config + "-apps_kustomize.toolkit.fluxcd.io_Kustomization"),
            {"spec", "serviceAccountName"});
    }
    bool has(std::string const& id) const { return cluster.objects.contains(id); }
};

}  // namespace

TEST_CASE("account: it may do anything for configurations of scope cluster, and no more than its namespace for others",
          "[fluxconfig]") {
    CHECK(bindings("shop", Reach::none).empty());

    auto const wide = bindings("shop", Reach::cluster);
    REQUIRE(wide.size() == 1);
    CHECK(wide[0].at("kind") == "ClusterRoleBinding");
    CHECK(wide[0].at("roleRef") == boost::json::parse(R"({"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole",
        "name":"cluster-admin"})"));

    boost::json::value const subjects =
        boost::json::parse(R"([{"kind":"ServiceAccount","name":"flux-applier","namespace":"shop"}])");
    CHECK(wide[0].at("subjects") == subjects);
    for (auto const& one : bindings("shop", Reach::own_namespace)) {
        CAPTURE(boost::json::serialize(one));
        CHECK(kube::namespace_of(one) == "shop");
        CHECK((one.at("kind") == "RoleBinding" || one.at("kind") == "Role"));
        if (one.contains("subjects")) CHECK(one.at("subjects") == subjects);
        if (!one.contains("rules")) continue;
        for (auto const& rule : one.at("rules").as_array()) {
            // Neither FluxConfigs, by which everything could be had, nor all that a group will ever have, nor any status.
            CHECK(kube::find_string(one, {"metadata", "namespace"}) == "shop");
            CHECK(boost::json::serialize(rule).find("clusterconfig") == std::string::npos);
            CHECK(boost::json::serialize(rule).find('*') == std::string::npos);
            CHECK(boost::json::serialize(rule).find("/status") == std::string::npos);
        }
    }
}

TEST_CASE("account: it is there before the first object that acts as it, and made once", "[fluxconfig]") {
    World world;
    world.want("cfg");

    world.pass("cfg");

    CHECK(world.acts_as("cfg") == "flux-applier");
    auto const account = world.place_of("apply ServiceAccount/shop/flux-applier");
    auto const binding = world.place_of("apply ClusterRoleBinding/flux-applier-shop");
    auto const first = world.place_of("apply Kustomization/shop/cfg-apps");
    CHECK(account >= 0);
    CHECK(account < binding);
    CHECK(binding < first);
    world.pass("cfg");
    world.cluster.log.clear();
    world.pass("cfg");
    CHECK(world.cluster.log.empty());
}

TEST_CASE("account: while it cannot be made nothing that acts as it is touched, and the source is fetched all the same",
          "[fluxconfig]") {
    World world;
    world.want("cfg");
    world.cluster.refuse = [](kube::Object const& object) -> std::optional<kube::Refusal> {
        if (object.at("kind") != "ClusterRoleBinding") return std::nullopt;
        return kube::Refusal{.code = 403, .reason = "Forbidden", .message = "forbidden by policy"};
    };

    world.pass("cfg");

    CHECK(world.place_of("apply GitRepository/shop/cfg") >= 0);
    CHECK(world.place_of("apply Kustomization/shop/cfg-apps") == -1);
    CHECK(world.condition(config_key("cfg")).message.find("account: forbidden by policy") != std::string::npos);
    world.cluster.refuse = nullptr;
    world.pass("cfg");
    CHECK(world.place_of("apply Kustomization/shop/cfg-apps") >= 0);
}

TEST_CASE("account: taken away, it is made again when something fails for want of it", "[fluxconfig]") {
    World world;
    world.want("cfg");
    world.pass("cfg");
    world.cluster.objects.erase(kAccount);
    world.cluster.objects.erase(kWide);
    world.registry.find({Kind::kustomization, "shop", "cfg-apps"})
        ->status.conditions.set("Ready", Truth::no, "ReconciliationFailed", "forbidden", 1, world.clock.wall());

    world.pass("cfg");

    CHECK(world.has(kAccount));
    CHECK(world.has(kWide));
}

TEST_CASE("account: it goes with the last configuration of its namespace, after what that applied", "[fluxconfig]") {
    World world;
    world.want("cfg");
    world.want("other");
    world.pass("cfg");
    world.pass("other");
    world.cluster.log.clear();

    world.remove("cfg");
    CHECK(world.has(kAccount));
    CHECK(world.has(kWide));
    world.remove("other");

    CHECK_FALSE(world.has(kAccount));
    CHECK_FALSE(world.has(kWide));
    CHECK(world.place_of("delete GitRepository/shop/other") <
          world.place_of("delete ServiceAccount/shop/flux-applier"));
}

TEST_CASE("account: one that others made is used, and stays", "[fluxconfig]") {
    World world;
    world.cluster.objects[kAccount] = boost::json::parse(R"({"apiVersion":"v1","kind":"ServiceAccount","metadata":{
        "name":"flux-applier","namespace":"shop","uid":"theirs","annotations":{"by":"them"}}})")
                                          .as_object();
    world.want("cfg");
    world.pass("cfg");
    CHECK(world.place_of("apply ServiceAccount/shop/flux-applier") == -1);

    world.remove("cfg");

    CHECK(world.has(kAccount));
    CHECK_FALSE(world.has(kWide));
}

TEST_CASE("account: a configuration that vanished takes no account away", "[fluxconfig]") {
    World world;
    world.want("cfg");
    world.pass("cfg");
    world.registry.leave(*world.registry.find(config_key("cfg")));

    world.pass("cfg");

    CHECK(world.has(kAccount));
    CHECK(world.has(kWide));
}

TEST_CASE("account: without multiTenancy.enforce there is none, and one that was made goes", "[fluxconfig]") {
    World world;
    world.want("cfg");
    world.pass("cfg");
    auto const kept = world.journal.entries.at(config_key("cfg"));
    world.multi_tenancy = false;
    world.story = world.make();
    world.story->load(kept);

    world.pass("cfg");

    CHECK_FALSE(world.has(kAccount));
    CHECK_FALSE(world.has(kWide));
}

TEST_CASE("account: a configuration of a file makes its namespace, too", "[fluxconfig]") {
    World world;
    world.want("cfg", "cluster", model::Origin::local);

    test::StoryWorld& base = world;
    base.pass(*world.story, config_key("cfg"));

    CHECK(world.place_of("apply Namespace/shop") >= 0);
    CHECK(world.has(kAccount));
    CHECK(world.registry.find({Kind::kustomization, "shop", "cfg-apps"}) != nullptr);
}

TEST_CASE("account: what is generated carries the labels by which objects are watched", "[fluxconfig]") {
    World world;
    world.story = std::make_unique<FluxConfigs>(
        world.ports(), [](Key const&) { return std::vector<Child>{}; },
        FluxConfigs::Settings{.carried_labels = {"shard", "absent"}});
    world.wish(R"({"apiVersion":"clusterconfig.azure.com/v1alpha1","kind":"FluxConfig","metadata":{"name":"cfg",
        "namespace":"shop","labels":{"shard":"one","else":"no"}},"spec":{"gitRepository":{"url":"https://example.com/a.git"},
        "kustomizations":[{"name":"apps"}]}})");

    world.pass("cfg");

    for (char const* id : {"shop_cfg_source.toolkit.fluxcd.io_GitRepository",
                           "shop_cfg-apps_kustomize.toolkit.fluxcd.io_Kustomization"}) {
        auto const& labels = world.cluster.objects.at(id).at("metadata").at("labels").as_object();
        CHECK(labels.at("shard") == "one");
        CHECK_FALSE(labels.contains("else"));
        CHECK_FALSE(labels.contains("absent"));
    }
}

TEST_CASE("account: a configuration of scope namespace acts as it, and it may do nothing outside", "[fluxconfig]") {
    World world;
    world.want("cfg", "namespace");

    world.pass("cfg");

    CHECK(world.acts_as("cfg") == "flux-applier");
    CHECK(world.has(kNarrow));
    CHECK(world.has(kNarrowFlux));
    CHECK_FALSE(world.has(kWide));
    auto const& source = world.cluster.objects.at("shop_cfg_source.toolkit.fluxcd.io_GitRepository");
    CHECK(kube::namespace_of(source) == "shop");
    CHECK(kube::find(world.cluster.objects.at("shop_cfg-apps_kustomize.toolkit.fluxcd.io_Kustomization"),
                     {"spec", "sourceRef", "namespace"}) == nullptr);
    world.remove("cfg");
    CHECK_FALSE(world.has(kNarrow));
    CHECK_FALSE(world.has(kNarrowFlux));
    CHECK_FALSE(world.has(kAccount));
}

// They act as one account: what one may do, all may do.
TEST_CASE("account: beside a configuration of scope namespace none of scope cluster has its way", "[fluxconfig]") {
    World world;
    world.want("wide");
    world.pass("wide");
    CHECK(world.has(kWide));
    world.want("narrow", "namespace");
    world.cluster.log.clear();

    world.pass("narrow");

    CHECK_FALSE(world.has(kWide));
    CHECK(world.has(kNarrow));
    CHECK(world.place_of("delete ClusterRoleBinding/flux-applier-shop") <
          world.place_of("apply Kustomization/shop/narrow-apps"));
    world.pass("wide");
    CHECK(world.condition(config_key("wide")).message.find("spec.scope: \"cluster\" cannot hold") != std::string::npos);
    CHECK_FALSE(world.has(kWide));
    world.want("narrow", "of a later version");  // refused: it may be what it was
    world.pass("wide");
    CHECK_FALSE(world.has(kWide));
    world.want("narrow", "namespace");
    world.remove("narrow");
    world.pass("wide");
    CHECK(world.has(kWide));
    CHECK_FALSE(world.has(kNarrow));
    CHECK(world.condition(config_key("wide")).status != Truth::no);
}

TEST_CASE("account: a scope that is made narrower takes away what it allowed", "[fluxconfig]") {
    World world;
    world.want("cfg");
    world.pass("cfg");
    world.want("cfg", "namespace");

    world.pass("cfg");

    CHECK_FALSE(world.has(kWide));
    CHECK(world.has(kNarrow));
    CHECK(world.has(kAccount));
}

TEST_CASE("account: without multiTenancy.enforce scope namespace keeps its promise all the same", "[fluxconfig]") {
    World world;
    world.multi_tenancy = false;
    world.story = world.make();
    world.want("cfg", "namespace");
    world.want("wide");

    world.pass("cfg");
    world.pass("wide");

    CHECK(world.acts_as("cfg") == "flux-applier");
    CHECK(world.has(kNarrow));
    CHECK(world.acts_as("wide") == "");
    CHECK_FALSE(world.has(kWide));
}

}  // namespace holdfast::fluxconfig
