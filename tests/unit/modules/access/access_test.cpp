// tests/unit/modules/access/access_test.cpp: which user an object acts as.
#include "modules/access/access.hpp"
#include "tests/support/acting_cluster.hpp"

#include <catch2/catch.hpp>

namespace holdfast::access {

namespace {

model::Entry const kWeb{.key = {model::Kind::kustomization, "apps", "web"}, .meta = {}, .spec = {}, .problem = {}};

struct World {
    test::FakeCluster cluster;
    test::Asked asked;
    std::map<std::string, Locks> locks;  // by default account
    Access with(std::string const& default_account) {
        Lock lock;
        lock.default_service_account = default_account;
        Locks const& held = locks.try_emplace(default_account, Locks{std::move(lock)}).first->second;
        return {{&cluster, test::acting(cluster, asked)}, held};
    }
};

}  // namespace

TEST_CASE("access: an object acts as the account it names, else as its lock's, else as the daemon", "[access]") {
    World world;
    auto const reached = [&world](std::string const& default_account, std::string named) {
        return test::run_task(world.with(default_account).reach(kWeb, {.service_account = std::move(named)})).value();
    };

    CHECK(reached("", "").user.empty());
    CHECK(reached("", "").cluster.get() == &world.cluster);
    CHECK(reached("", "deployer").user == "system:serviceaccount:apps:deployer");
    CHECK(reached("default", "").user == "system:serviceaccount:apps:default");
    Reach const named = reached("default", "deployer");
    CHECK(named.user == "system:serviceaccount:apps:deployer");
    CHECK(named.cluster.get() != &world.cluster);
    CHECK(named.where.empty());
    CHECK(named.connection.empty());
}

TEST_CASE("access: without a cluster nothing is reached", "[access]") {
    World world;
    Locks const locks{Lock{}};
    Access const access{{nullptr, test::acting(world.cluster, world.asked)}, locks};

    CHECK(test::run_task(access.reach(kWeb, {})).value().cluster == nullptr);
    CHECK(test::run_task(access.reach(kWeb, {"deployer"})).value().cluster == nullptr);
    CHECK(test::run_task(access.reach(kWeb, {"", model::KubeConfigRef{.name = "far"}})).value().cluster == nullptr);
    CHECK(test::run_task(access.has_account(kWeb, {})).value());
}

TEST_CASE("access: an account is there, is not there, or nobody could say", "[access]") {
    World world;
    Access const access = world.with("");
    auto const has = [](Access const& asked, std::string named) {
        auto reach = test::run_task(asked.reach(kWeb, {.service_account = std::move(named)}));
        return test::run_task(asked.has_account(kWeb, *reach));
    };

    CHECK(has(access, "").value());
    CHECK_FALSE(has(access, "deployer").value());
    CHECK_FALSE(has(world.with("deployer"), "").value());
    world.cluster.objects["other_deployer__ServiceAccount"] = {};  // of another namespace
    CHECK_FALSE(has(access, "deployer").value());
    world.cluster.objects["apps_deployer__ServiceAccount"] = {};
    CHECK(has(access, "deployer").value());
    CHECK(world.asked.log.empty());  // it is the daemon that asks
    world.cluster.get_fails = Error{Errc::offline, "no answer"};
    CHECK(has(access, "deployer").error().code == Errc::offline);
}

}  // namespace holdfast::access
