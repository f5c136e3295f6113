// tests/unit/modules/access/lock_test.cpp: what an object is held to, for every mode, maker, origin and setting.
#include "modules/access/lock.hpp"
#include "modules/model/kinds.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

namespace holdfast::access {

namespace {

model::Entry entry_of(bool generated, bool local) {
    model::Entry entry;
    entry.key = {model::Kind::kustomization, "shop", "web"};
    entry.meta.origin = local ? model::Origin::local : model::Origin::cluster;
    if (generated) {
        entry.meta.labels = {{std::string{model::kManagedLabel}, "true"},
                             {std::string{model::kConfigNameLabel}, "cfg"},
                             {std::string{model::kConfigNamespaceLabel}, "shop"}};
    }
    return entry;
}

struct Row {
    Mode mode;
    bool generated;
    bool local;
    bool enforced;  // multiTenancy.enforce
    bool locked;    // by Microsoft's lock
};

// Everything that decides whether Microsoft's lock holds. Generated objects are held to it in every mode; what root wrote
// to a file is held to no mode.
constexpr Row kTable[] = {
    {Mode::flux, false, false, true, false}, {Mode::flux, false, false, false, false},
    {Mode::flux, false, true, true, false},  {Mode::flux, false, true, false, false},
    {Mode::flux, true, false, true, true},   {Mode::flux, true, false, false, false},
    {Mode::flux, true, true, true, true},    {Mode::flux, true, true, false, false},
    {Mode::azure, false, false, true, true}, {Mode::azure, false, false, false, false},
    {Mode::azure, false, true, true, false}, {Mode::azure, false, true, false, false},
    {Mode::azure, true, false, true, true},  {Mode::azure, true, false, false, false},
    {Mode::azure, true, true, true, true},   {Mode::azure, true, true, false, false},
};

Lock const kFlags{.no_cross_namespace_refs = true,
                  .no_remote_bases = true,
                  .default_service_account = "tenant",
                  .default_decryption_service_account = "keys",
                  .default_kubeconfig_service_account = "far"};

}  // namespace

TEST_CASE("lock: whether Microsoft's lock holds, by mode, maker, origin and multiTenancy.enforce", "[access]") {
    Lock const azure{
        .no_cross_namespace_refs = true, .no_remote_bases = true, .default_service_account = "flux-applier"};
    for (Row const& row : kTable) {
        CAPTURE(static_cast<int>(row.mode), row.generated, row.local, row.enforced);
        Locks locks{Lock{}, row.enforced};
        locks.hold_to(row.mode);

        CHECK(locks.of(entry_of(row.generated, row.local)) == (row.locked ? azure : Lock{}));
    }
}

TEST_CASE("lock: nothing is held to less than the flags", "[access]") {
    for (Row const& row : kTable) {
        CAPTURE(static_cast<int>(row.mode), row.generated, row.local, row.enforced);
        Locks locks{kFlags, row.enforced};
        locks.hold_to(row.mode);

        Lock const held = locks.of(entry_of(row.generated, row.local));

        CHECK(held.no_cross_namespace_refs);
        CHECK(held.no_remote_bases);
        // A file acts as the daemon unless it names an account; what is generated never acts as the daemon when locked.
        bool const as_daemon = row.local && !row.locked;
        CHECK(held.default_service_account.empty() == as_daemon);
        CHECK(held.default_decryption_service_account == (row.local ? "" : "keys"));
        CHECK(held.default_kubeconfig_service_account == (row.local ? "" : "far"));
    }
}

TEST_CASE("lock: an account that the node names stands for flux-applier, but not for what a FluxConfig makes",
          "[access]") {
    Locks locks{kFlags};
    locks.hold_to(Mode::azure);

    CHECK(locks.of(entry_of(false, false)).default_service_account == "tenant");
    CHECK(locks.of(entry_of(true, false)).default_service_account == "flux-applier");
}

TEST_CASE("lock: labels of a configuration in another namespace make nothing a configuration's", "[access]") {
    Locks const locks{Lock{}};
    auto entry = entry_of(true, false);
    entry.meta.labels[std::string{model::kConfigNamespaceLabel}] = "other";

    CHECK(locks.of(entry) == Lock{});
}

TEST_CASE("lock: everything in the namespace of a FluxConfig of scope namespace is held to the lock, in every mode",
          "[access]") {
    model::Registry registry;
    auto const put = [&](std::string const& ns, std::string const& scope) {
        auto const object = boost::json::parse(
            R"({"apiVersion":"clusterconfig.azure.com/v1alpha1","kind":"FluxConfig","metadata":{"name":"cfg","namespace":")" +
            ns + R"("},"spec":{"scope":")" + scope + R"(","gitRepository":{"url":"https://example.com/a.git"}}})");
        registry.put({model::Kind::flux_config, ns, "cfg"},
                     model::read_meta(object.as_object(), model::Origin::cluster),
                     model::read_spec(model::Kind::flux_config, object.as_object()), scope, std::nullopt);
    };
    Locks const locks{Lock{}, true, &registry};
    put("other", "namespace");
    put("shop", "cluster");
    CHECK(locks.of(entry_of(false, false)) == Lock{});

    put("shop", "namespace");

    CHECK(locks.of(entry_of(false, false)).default_service_account == "flux-applier");
    CHECK(locks.of(entry_of(false, false)).no_cross_namespace_refs);
    CHECK(locks.of(entry_of(false, false)).no_remote_bases);
    CHECK(locks.of(entry_of(false, true)) == Lock{});  // root's own file
    put("shop", "of a later version");                 // refused: what it was is not known
    CHECK(locks.of(entry_of(false, false)).default_service_account == "flux-applier");
    CHECK(Locks{Lock{}, false, &registry}.of(entry_of(false, false)) == Lock{});
    registry.vanish(*registry.find({model::Kind::flux_config, "shop", "cfg"}));
    CHECK(locks.of(entry_of(false, false)) == Lock{});
}

TEST_CASE("lock: without references across namespaces only one's own is reached", "[access]") {
    CHECK(Lock{}.reaches("a", "b"));
    CHECK(Lock{.no_cross_namespace_refs = true}.reaches("a", "a"));
    CHECK_FALSE(Lock{.no_cross_namespace_refs = true}.reaches("a", "b"));
    CHECK_FALSE(Lock{.no_cross_namespace_refs = true}.reaches("a", "A"));
}

}  // namespace holdfast::access
