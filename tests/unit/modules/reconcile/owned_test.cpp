// tests/unit/modules/reconcile/owned_test.cpp: what is known of applied objects, told by watches before, in and after a pass.
#include "modules/reconcile/owned.hpp"
#include "modules/reconcile/owner.hpp"
#include "modules/reconcile/prune.hpp"
#include "tests/support/fake_cluster.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <deque>

namespace holdfast::reconcile {

namespace {

using namespace std::chrono_literals;
using model::Key;
using Event = kube::Event;

Key const kDairy{model::Kind::kustomization, "apps", "dairy"};
Key const kFruit{model::Kind::kustomization, "apps", "fruit"};
std::string const kId = "apps_milk__ConfigMap";

class FixedClock final : public Clock {
public:
    std::chrono::system_clock::time_point wall() const override {
        return std::chrono::system_clock::time_point{1'750'000'000s};
    }
    std::chrono::nanoseconds boot() const override { return 1s; }
};

/// Lists nothing, then shows the events that a test puts.
class WatchedCluster final : public test::FakeCluster {
public:
    std::vector<kube::Object> listed;
    std::deque<std::pair<Event, kube::Object>> events;
    bool refuses_once = false;                     // the next delete: 409
    std::function<void(kube::Object&)> meanwhile;  // what happens to the object before that

    Task<std::string> list(kube::Resource, kube::ListOptions, std::function<void()> begin, kube::ObjectSink sink,
                           kube::Refusal*) override {
        begin();
        for (kube::Object const& object : listed) {
            auto taken = sink(object);
            if (!taken) co_return fail(std::move(taken));
        }
        co_return std::string{"1"};
    }
    Task<void> watch(kube::Resource, kube::WatchOptions, kube::EventSink sink, kube::Refusal*) override {
        for (;;) {
            while (!events.empty()) {
                auto [event, object] = std::move(events.front());
                events.pop_front();
                auto taken = sink(event, std::move(object));
                if (!taken) co_return taken;
            }
            co_await sleep_for(1ms);
        }
    }
    Task<void> remove(kube::Target target, kube::DeleteOptions options, kube::Refusal* refusal) override {
        if (std::exchange(refuses_once, false)) {
            for (auto& [id, object] : objects) meanwhile(object);
            if (refusal != nullptr) refusal->code = 409;
            co_return fail(Errc::busy, "the object has been modified");
        }
        auto removed = co_await test::FakeCluster::remove(std::move(target), std::move(options), refusal);
        co_return removed;
    }
};

/// `fields`: what our last apply still owns.
kube::Object milk(Key const& owner, std::string version, std::string uid = "u1", std::string fields = "f:key") {
    kube::Object object{{"apiVersion", "v1"},
                        {"kind", "ConfigMap"},
                        {"metadata", boost::json::object{{"name", "milk"}, {"namespace", "apps"}}}};
    stamp(object, owner, {});
    auto& metadata = object["metadata"].as_object();
    metadata["uid"] = uid;
    metadata["resourceVersion"] = version;
    metadata["managedFields"] =
        boost::json::array{boost::json::object{{"manager", kFieldManager},
                                               {"operation", "Apply"},
                                               {"fieldsV1", boost::json::object{{fields, boost::json::object{}}}}}};
    return object;
}

model::OwnedObject row(Key const& owner, std::string version, std::string uid = "u1") {
    return {.entry = {kId, "v1"},
            .uid = uid,
            .resource_version = version,
            .wished = 7,
            .fields = owned_fields(milk(owner, version))};
}

Applied answer(Key const& owner, std::string version, std::string uid = "u1") {
    return {.id = *kube::parse_object_id(kId),
            .owned = row(owner, version, uid),
            .action = Action::configured,
            .status = {kube::Health::current, ""}};
}

struct World {
    asio::io_context io{1};
    FixedClock clock;
    int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    Log log{{.fd = nowhere}, clock};
    WatchedCluster cluster;
    OwnedObjects owned{{io.get_executor(), &cluster, log, clock}, 4};

    ~World() {
        asio::co_spawn(io, owned.stop(), [](std::exception_ptr) {});
        io.restart();
        io.run_for(100ms);
        ::close(nowhere);
    }
    void show(Event event, kube::Object object) {
        cluster.events.emplace_back(event, std::move(object));
        listen();
    }
    void listen() {
        io.restart();
        io.run_for(15ms);
    }
};

}  // namespace

TEST_CASE("owned: somebody's change in the middle of a pass is drift when the pass has ended", "[reconcile][owned]") {
    World world;
    world.cluster.listed = {milk(kDairy, "10")};
    world.owned.load(kDairy, {row(kDairy, "10")});
    world.listen();
    world.owned.begin_pass(kDairy);
    world.show(Event::modified, milk(kDairy, "11"));                   // our own write
    world.show(Event::modified, milk(kDairy, "12", "u1", "f:other"));  // and theirs, before our answer is read

    world.owned.replace(kDairy, {answer(kDairy, "11")}, {});
    CHECK_FALSE(world.owned.has_drift(kDairy));
    world.owned.end_pass(kDairy);

    CHECK(world.owned.has_drift(kDairy));
    CHECK(world.owned.drifts().at(0).what == "changed");
}

TEST_CASE("owned: a pass's own writes are no drift", "[reconcile][owned]") {
    World world;
    world.cluster.listed = {milk(kDairy, "10")};
    world.owned.load(kDairy, {row(kDairy, "10")});
    world.listen();
    world.owned.begin_pass(kDairy);
    world.show(Event::modified, milk(kDairy, "11", "u1", "f:more"));

    auto applied = answer(kDairy, "11");
    applied.owned.fields = owned_fields(milk(kDairy, "11", "u1", "f:more"));
    world.owned.replace(kDairy, {applied}, {});
    world.owned.end_pass(kDairy);

    CHECK_FALSE(world.owned.has_drift(kDairy));
    CHECK(world.owned.drifts().empty());
}

TEST_CASE("owned: an object deleted in the middle of a pass is missed when the pass has ended", "[reconcile][owned]") {
    World world;
    world.cluster.listed = {milk(kDairy, "10")};
    world.owned.load(kDairy, {row(kDairy, "10")});
    world.listen();
    world.owned.begin_pass(kDairy);
    world.show(Event::deleted, milk(kDairy, "12"));

    SECTION("after our write: it is gone") {
        world.owned.replace(kDairy, {answer(kDairy, "11")}, {});
        world.owned.end_pass(kDairy);
        CHECK(world.owned.has_drift(kDairy));
    }
    SECTION("before our write, which made it again: it is there") {
        world.owned.replace(kDairy, {answer(kDairy, "13", "u2")}, {});
        world.owned.end_pass(kDairy);
        CHECK_FALSE(world.owned.has_drift(kDairy));
    }
    SECTION("by the pass itself: nobody knows it any more") {
        world.owned.replace(kDairy, {}, {});
        world.owned.end_pass(kDairy);
        CHECK(world.owned.find(kDairy, kId) == nullptr);
        CHECK(world.owned.drifts().empty());
    }
}

TEST_CASE("owned: of two owners that the journal names, dropping one keeps the other's", "[reconcile][owned]") {
    // A power cut after an object moved from one Kustomization to another, before the first one's own pass.
    World world;
    world.cluster.listed = {milk(kDairy, "11")};
    world.owned.load(kDairy, {row(kDairy, "11")});
    world.owned.load(kFruit, {row(kFruit, "10")});
    world.listen();

    world.owned.replace(kFruit, {}, {});

    REQUIRE(world.owned.find(kDairy, kId) != nullptr);
    CHECK(world.owned.find(kFruit, kId) == nullptr);
    CHECK(world.owned.of(kDairy).size() == 1);
    world.show(Event::deleted, milk(kDairy, "12"));
    CHECK(world.owned.has_drift(kDairy));
}

TEST_CASE("owned: what a pass meant to write stays known when the pass fails", "[reconcile][owned]") {
    World world;
    world.owned.plan(kDairy, {{.entry = {kId, "v1"}}});
    world.owned.begin_pass(kDairy);
    world.owned.end_pass(kDairy);

    REQUIRE(world.owned.of(kDairy).size() == 1);
    CHECK(world.owned.of(kDairy)[0]->object.wished == 0);
    CHECK_FALSE(world.owned.has_drift(kDairy));
    world.owned.replace(kDairy, {}, {});
    CHECK(world.owned.of(kDairy).empty());
}

TEST_CASE("prune: an object that another owner takes over between look and delete stays", "[reconcile][prune]") {
    World world;
    world.cluster.objects[kId] = milk(kDairy, "10");
    world.cluster.refuses_once = true;

    SECTION("taken over") {
        world.cluster.meanwhile = [](kube::Object& object) { object = milk(kFruit, "11"); };
        auto const pruned = test::run_task(prune(world.cluster, kDairy, {row(kDairy, "10")}));
        REQUIRE(pruned);
        CHECK(pruned->deleted.empty());
        CHECK(pruned->survivors.empty());
        CHECK(world.cluster.objects.contains(kId));
    }
    SECTION("only changed: it goes") {
        world.cluster.meanwhile = [](kube::Object& object) { object = milk(kDairy, "11"); };
        auto const pruned = test::run_task(prune(world.cluster, kDairy, {row(kDairy, "10")}));
        REQUIRE(pruned);
        CHECK(pruned->deleted == std::vector<std::string>{"ConfigMap/apps/milk"});
        CHECK(world.cluster.objects.empty());
    }
}

}  // namespace holdfast::reconcile
