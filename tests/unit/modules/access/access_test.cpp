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
        return {&cluster, test::acting(cluster, asked), held};
    }
};

}  // namespace

TEST_CASE("access: an object acts as the account it names, else as its lock's, else as the daemon", "[access]") {
    World world;

    CHECK(world.with("").reach(kWeb, "").user.empty());
    CHECK(world.with("").reach(kWeb, "").cluster.get() == &world.cluster);
    CHECK(world.with("").reach(kWeb, "deployer").user == "system:serviceaccount:apps:deployer");
    CHECK(world.with("default").reach(kWeb, "").user == "system:serviceaccount:apps:default");
    Reach const named = world.with("default").reach(kWeb, "deployer");
    CHECK(named.user == "system:serviceaccount:apps:deployer");
    CHECK(named.cluster.get() != &world.cluster);
}

TEST_CASE("access: without a cluster nothing is reached", "[access]") {
    World world;
    Locks const locks{Lock{}};
    Access const access{nullptr, test::acting(world.cluster, world.asked), locks};

    CHECK(access.reach(kWeb, "").cluster == nullptr);
    CHECK(access.reach(kWeb, "deployer").cluster == nullptr);
    CHECK(test::run_task(access.has_account(kWeb, "deployer")).value());
}

TEST_CASE("access: an account is there, is not there, or nobody could say", "[access]") {
    World world;
    Access const access = world.with("");

    CHECK(test::run_task(access.has_account(kWeb, "")).value());
    CHECK_FALSE(test::run_task(access.has_account(kWeb, "deployer")).value());
    CHECK_FALSE(test::run_task(world.with("deployer").has_account(kWeb, "")).value());
    world.cluster.objects["other_deployer__ServiceAccount"] = {};  // of another namespace
    CHECK_FALSE(test::run_task(access.has_account(kWeb, "deployer")).value());
    world.cluster.objects["apps_deployer__ServiceAccount"] = {};
    CHECK(test::run_task(access.has_account(kWeb, "deployer")).value());
    CHECK(world.asked.log.empty());  // it is the daemon that asks
    world.cluster.get_fails = Error{Errc::offline, "no answer"};
    CHECK(test::run_task(access.has_account(kWeb, "deployer")).error().code == Errc::offline);
}

}  // namespace holdfast::access
