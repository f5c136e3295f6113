// tests/unit/modules/rollout/owned_test.cpp: what is known of applied objects, told by watches before, in and after a pass.
#include "modules/rollout/health.hpp"
#include "modules/rollout/marks.hpp"
#include "modules/rollout/owned.hpp"
#include "modules/rollout/prune.hpp"
#include "tests/support/fake_cluster.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <deque>
#include <set>

namespace holdfast::rollout {

namespace {

using namespace std::chrono_literals;
using Event = kube::Event;

Owner const kDairy{{model::Kind::kustomization, "apps", "dairy"}};
Owner const kFruit{{model::Kind::kustomization, "apps", "fruit"}};
std::string const kId = "apps_milk__ConfigMap";

class ManualClock final : public Clock {
public:
    std::chrono::nanoseconds now{1'000s};
    std::chrono::system_clock::time_point wall() const override {
        return std::chrono::system_clock::time_point{1'750'000'000s + now};
    }
    std::chrono::nanoseconds boot() const override { return now; }
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
kube::Object milk(Owner const& owner, std::string version, std::string uid = "u1", std::string fields = "f:key") {
    kube::Object object{{"apiVersion", "v1"},
                        {"kind", "ConfigMap"},
                        {"metadata", boost::json::object{{"name", "milk"}, {"namespace", "apps"}}}};
    stamp(object, owner, {}, {});
    auto& metadata = object["metadata"].as_object();
    metadata["uid"] = uid;
    metadata["resourceVersion"] = version;
    metadata["managedFields"] =
        boost::json::array{boost::json::object{{"manager", owner.manager()},
                                               {"operation", "Apply"},
                                               {"fieldsV1", boost::json::object{{fields, boost::json::object{}}}}}};
    return object;
}

model::OwnedObject row(Owner const& owner, std::string version, std::string uid = "u1") {
    return {.entry = {kId, "v1"},
            .uid = uid,
            .resource_version = version,
            .wished = 7,
            .fields = owned_fields(milk(owner, version), owner.manager())};
}

Applied answer(Owner const& owner, std::string version, std::string uid = "u1") {
    return {.id = *kube::parse_object_id(kId),
            .owned = row(owner, version, uid),
            .action = Action::configured,
            .status = {kube::Health::current, ""}};
}

struct World {
    asio::io_context io{1};
    ManualClock clock;
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
    void load(Owner const& owner, model::OwnedObject const& row) {
        owned.set_location(owner, {.reader = {std::shared_ptr<void>{}, &cluster}});
        owned.load(owner, {row});
        owned.watch(owner, row.entry.id);
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

TEST_CASE("owned: somebody's change in the middle of a pass is drift when the pass has ended", "[rollout][owned]") {
    World world;
    world.cluster.listed = {milk(kDairy, "10")};
    world.load(kDairy, row(kDairy, "10"));
    world.listen();
    world.owned.begin_pass(kDairy);
    world.show(Event::modified, milk(kDairy, "11"));                   // our own write
    world.show(Event::modified, milk(kDairy, "12", "u1", "f:other"));  // and theirs, before our answer is read

    world.owned.replace(kDairy, {answer(kDairy, "11")}, {});
    CHECK_FALSE(world.owned.repair_due(kDairy));
    world.owned.end_pass(kDairy);

    CHECK(world.owned.repair_due(kDairy));
    CHECK(world.owned.drifts().at(0).what == "changed");
}

TEST_CASE("owned: a pass's own writes are no drift", "[rollout][owned]") {
    World world;
    world.cluster.listed = {milk(kDairy, "10")};
    world.load(kDairy, row(kDairy, "10"));
    world.listen();
    world.owned.begin_pass(kDairy);
    world.show(Event::modified, milk(kDairy, "11", "u1", "f:more"));

    auto applied = answer(kDairy, "11");
    applied.owned.fields = owned_fields(milk(kDairy, "11", "u1", "f:more"), kDairy.manager());
    world.owned.replace(kDairy, {applied}, {});
    world.owned.end_pass(kDairy);

    CHECK_FALSE(world.owned.repair_due(kDairy));
    CHECK(world.owned.drifts().empty());
}

TEST_CASE("owned: an object deleted in the middle of a pass is missed when the pass has ended", "[rollout][owned]") {
    World world;
    world.cluster.listed = {milk(kDairy, "10")};
    world.load(kDairy, row(kDairy, "10"));
    world.listen();
    world.owned.begin_pass(kDairy);
    bool const after = GENERATE(true, false);
    if (after) world.show(Event::modified, milk(kDairy, "11"));
    world.show(Event::deleted, milk(kDairy, "12"));

    SECTION("after our write: it is gone, at once when the watch showed the write, else when it is given up") {
        world.owned.replace(kDairy, {answer(kDairy, "11")}, {});
        world.owned.end_pass(kDairy);
        CHECK(world.owned.repair_due(kDairy).has_value() == after);
        world.clock.now += 31s;
        world.owned.settle_doubts();
        CHECK(world.owned.repair_due(kDairy));
    }
    SECTION("before our write, which made it again: it is there") {
        world.owned.replace(kDairy, {answer(kDairy, "13", "u2")}, {});
        world.owned.end_pass(kDairy);
        CHECK_FALSE(world.owned.repair_due(kDairy));
    }
    SECTION("by the pass itself: nobody knows it any more") {
        world.owned.replace(kDairy, {}, {});
        world.owned.end_pass(kDairy);
        CHECK(world.owned.find(kDairy, kId) == nullptr);
        CHECK(world.owned.drifts().empty());
    }
}

TEST_CASE("owned: of two owners that the journal names, dropping one keeps the other's", "[rollout][owned]") {
    // A power cut after an object moved from one Kustomization to another, before the first one's own pass.
    World world;
    world.cluster.listed = {milk(kDairy, "11")};
    world.load(kDairy, row(kDairy, "11"));
    world.load(kFruit, row(kFruit, "10"));
    world.listen();

    world.owned.replace(kFruit, {}, {});

    REQUIRE(world.owned.find(kDairy, kId) != nullptr);
    CHECK(world.owned.find(kFruit, kId) == nullptr);
    CHECK(world.owned.of(kDairy).size() == 1);
    world.show(Event::deleted, milk(kDairy, "12"));
    CHECK(world.owned.repair_due(kDairy));
}

TEST_CASE("owned: a label makes nobody an owner who has not the object", "[rollout][owned]") {
    World world;
    world.cluster.listed = {milk(kDairy, "10")};
    world.load(kDairy, row(kDairy, "10"));
    world.listen();

    SECTION("somebody wrote another name there") {
        world.show(Event::modified, milk(kFruit, "11"));
        REQUIRE(world.owned.repair_due(kDairy));
        CHECK(world.owned.drifts().at(0).what == "owner label changed");
    }
    SECTION("whose writer is told of the object that was applied, not of another in its place") {
        bool const same = GENERATE(true, false);
        kube::Object object = milk(kFruit, "11", same ? "u1" : "u2");
        object.at("metadata")
            .as_object()
            .at("managedFields")
            .as_array()
            .push_back(boost::json::object{{"manager", "their-tool"},
                                           {"operation", "Update"},
                                           {"time", "2026-01-01T00:00:00Z"},
                                           {"fieldsV1", boost::json::object{{"f:data", boost::json::object{}}}}});
        world.show(Event::modified, std::move(object));
        REQUIRE(world.owned.drifts().size() == 1);
        CHECK((world.owned.drifts().at(0).manager.find("their-tool") != std::string::npos) == same);
    }
    SECTION("the label was emptied") {
        kube::Object object = milk(kDairy, "11");
        object.at("metadata").as_object().at("labels").as_object()[kDairy.name_label()] = "";
        world.show(Event::modified, std::move(object));
        CHECK(world.owned.repair_due(kDairy));
    }
    SECTION("it moved to an owner that is about to write it") {
        world.owned.plan(kFruit, {{.entry = {kId, "v1"}}});
        world.show(Event::modified, milk(kFruit, "11"));
        CHECK_FALSE(world.owned.repair_due(kDairy));
        CHECK(world.owned.find(kDairy, kId)->taken);
    }
}

TEST_CASE("owned: what a pass meant to write stays known when the pass fails", "[rollout][owned]") {
    World world;
    world.owned.plan(kDairy, {{.entry = {kId, "v1"}}});
    world.owned.begin_pass(kDairy);
    world.owned.end_pass(kDairy);

    REQUIRE(world.owned.of(kDairy).size() == 1);
    CHECK(world.owned.of(kDairy)[0]->object.wished == 0);
    CHECK_FALSE(world.owned.repair_due(kDairy));
    world.owned.replace(kDairy, {}, {});
    CHECK(world.owned.of(kDairy).empty());
}

TEST_CASE("owned: what the watch shows before our own write is older, in whatever order versions count",
          "[rollout][owned]") {
    World world;
    world.cluster.listed = {milk(kDairy, "900")};
    world.load(kDairy, row(kDairy, "900"));
    world.listen();
    world.owned.begin_pass(kDairy);
    world.owned.replace(kDairy, {answer(kDairy, "12")}, {});  // a restored server counts from lower
    world.owned.end_pass(kDairy);

    world.show(Event::modified, milk(kDairy, "901", "u1", "f:other"));  // on its way since before our write
    CHECK_FALSE(world.owned.repair_due(kDairy));
    world.show(Event::modified, milk(kDairy, "12"));
    CHECK_FALSE(world.owned.repair_due(kDairy));
    world.show(Event::modified, milk(kDairy, "13", "u1", "f:other"));
    CHECK(world.owned.repair_due(kDairy) == 0s);
}

TEST_CASE("owned: a kind whose version is not served any more is followed in one that is", "[rollout][owned]") {
    World world;
    world.cluster.serve({"", "v2", "ConfigMap"});
    world.cluster.listed = {milk(kDairy, "10", "u1", "f:other")};
    world.load(kDairy, row(kDairy, "10"));  // in v1

    world.listen();

    CHECK(world.owned.unwatched(kDairy).empty());
    CHECK(world.owned.repair_due(kDairy) == 0s);
}

TEST_CASE("owned: what a list shows that began after our write is true, though our own version is not in it",
          "[rollout][owned]") {
    World world;
    auto volume = [&](std::string version, std::string_view phase) {
        auto object = milk(kDairy, std::move(version));
        object["kind"] = "PersistentVolumeClaim";
        object["status"] = boost::json::object{{"phase", phase}};
        return object;
    };
    Applied applied = answer(kDairy, "11");
    applied.id.kind = "PersistentVolumeClaim";
    applied.owned.entry.id = "apps_milk__PersistentVolumeClaim";
    applied.status = {kube::Health::in_progress, "Pending"};
    world.owned.begin_pass(kDairy);
    world.owned.replace(kDairy, {applied}, {});  // starts the watch
    world.owned.end_pass(kDairy);
    CHECK(world.owned.unhealthy(kDairy).size() == 1);
    world.cluster.listed = {volume("12", "Bound")};  // it changed before the watch was there

    world.listen();

    CHECK(world.owned.unhealthy(kDairy).empty());
    CHECK_FALSE(world.owned.repair_due(kDairy));
}

TEST_CASE("owned: the server is asked about a write that the watch does not show", "[rollout][owned]") {
    // The kind was being listed while we wrote, and somebody changed the object in between.
    World world;
    world.cluster.listed = {milk(kDairy, "10")};
    world.load(kDairy, row(kDairy, "10"));
    world.listen();
    world.owned.begin_pass(kDairy);
    world.owned.replace(kDairy, {answer(kDairy, "11")}, {});
    world.owned.end_pass(kDairy);
    bool const gone = GENERATE(false, true);
    if (!gone) world.cluster.objects[kId] = milk(kDairy, "12", "u1", "f:other");
    world.show(Event::modified, milk(kDairy, "12", "u1", "f:other"));
    CHECK_FALSE(world.owned.repair_due(kDairy));

    world.clock.now += 2s;
    for (int i = 0; i < 500 && !world.owned.repair_due(kDairy); ++i) world.listen();

    REQUIRE(world.owned.repair_due(kDairy) == 0s);
    CHECK(world.owned.drifts().at(0).what == (gone ? "deleted" : "changed"));
}

TEST_CASE("owned: a write of ours that the watch never shows is given up after a while", "[rollout][owned]") {
    World world;
    world.cluster.listed = {milk(kDairy, "10")};
    world.load(kDairy, row(kDairy, "10"));
    world.listen();
    world.owned.begin_pass(kDairy);
    world.owned.replace(kDairy, {answer(kDairy, "11")}, {});
    world.owned.end_pass(kDairy);
    world.show(Event::modified, milk(kDairy, "7", "u1", "f:other"));  // the server was restored: 11 will never come
    world.owned.settle_doubts();
    CHECK_FALSE(world.owned.repair_due(kDairy));

    world.clock.now += 31s;
    world.owned.settle_doubts();

    CHECK(world.owned.repair_due(kDairy) == 0s);
}

TEST_CASE(
    "owned: a fighter is answered at once, then at 1, 2, 4 … seconds up to the interval, and forgotten when quiet",
    "[rollout][owned]") {
    World world;
    world.owned.set_interval(kDairy, 10s);
    world.cluster.listed = {milk(kDairy, "10")};
    world.load(kDairy, row(kDairy, "10"));
    world.listen();
    int version = 10;
    std::vector<std::chrono::seconds> waits;
    std::vector<std::size_t> news;
    auto const fight = [&] {
        world.show(Event::modified, milk(kDairy, std::to_string(++version), "u1", "f:other"));
        auto const due = world.owned.repair_due(kDairy);
        REQUIRE(due);
        waits.push_back(std::chrono::duration_cast<std::chrono::seconds>(*due));
        news.push_back(world.owned.new_spells(kDairy).size());
        world.clock.now += *due;
        REQUIRE(world.owned.is_due(*world.owned.find(kDairy, kId)));
        world.owned.begin_pass(kDairy);
        std::string const own = std::to_string(++version);
        world.owned.replace(kDairy, {answer(kDairy, own)}, {});
        world.owned.end_pass(kDairy);
        world.show(Event::modified, milk(kDairy, own));
        CHECK_FALSE(world.owned.repair_due(kDairy));
    };

    for (int i = 0; i < 7; ++i) fight();

    CHECK(waits == std::vector{0s, 1s, 2s, 4s, 8s, 10s, 10s});
    CHECK(news == std::vector<std::size_t>{1, 0, 0, 0, 0, 0, 0});
    REQUIRE(world.owned.drifts().size() == 1);
    CHECK(world.owned.drifts()[0].count == 7);
    CHECK(world.owned.drifts()[0].repaired);

    world.clock.now += 21s;
    fight();
    CHECK(waits.back() == 0s);
    CHECK(news.back() == 1);
}

TEST_CASE("owned: a finished Job that its time-to-live removed is made again at the interval, not before",
          "[rollout][owned]") {
    World world;
    world.owned.set_interval(kDairy, 600s);
    auto const job = [&](std::string version, bool done) {
        auto object = milk(kDairy, std::move(version));
        object["apiVersion"] = "batch/v1";
        object["kind"] = "Job";
        if (done) {
            object["status"] =
                boost::json::parse(R"({"succeeded":1,"conditions":[{"type":"Complete","status":"True"}]})");
        }
        return object;
    };
    model::OwnedObject row_of_job = row(kDairy, "10");
    row_of_job.entry.id = "apps_milk_batch_Job";
    world.cluster.listed = {job("10", false)};
    world.load(kDairy, row_of_job);
    world.listen();
    bool const done = GENERATE(true, false);
    if (done) world.show(Event::modified, job("11", true));

    world.show(Event::deleted, job("12", done));

    CHECK(world.owned.repair_due(kDairy) == (done ? 600s : 0s));
    CHECK(world.owned.unhealthy(kDairy).empty() == done);
    CHECK(world.owned.drifts().empty() == done);
}

TEST_CASE(
    "owned: an object that comes and goes a hundred times a second is looked at once a second, the first time at once",
    "[rollout][owned]") {
    World world;
    world.cluster.listed = {milk(kDairy, "10")};
    world.load(kDairy, row(kDairy, "10"));
    world.listen();
    std::set<Boot> looks;
    world.owned.listen([&](Owner const&, OwnedObjects::Change change, Boot in) {
        if (change == OwnedObjects::Change::health) looks.insert(world.clock.boot() + in);
    });
    auto const began = world.clock.boot();
    world.clock.now += 60s;

    for (int i = 0; i < 500; ++i) {
        auto const event = i % 2 == 0 ? Event::deleted : Event::modified;
        world.cluster.events.emplace_back(event, milk(kDairy, std::to_string(11 + i)));
        while (!world.cluster.events.empty()) {
            world.io.restart();
            world.io.run_for(2ms);
        }
        world.clock.now += 10ms;
    }

    REQUIRE(looks.size() > 5);
    CHECK(*looks.begin() == began + 60s);
    CHECK(looks.size() <= 12 + 5);  // pauses of 20 ms to 1 s, then one look a second, and one at the end of each pause
    CHECK(*looks.rbegin() <= world.clock.boot() + 1s);
}

TEST_CASE("owned: a watch ends with its last object, and a kind that nobody asked to watch takes no place",
          "[rollout][owned]") {
    World world;
    world.cluster.listed = {milk(kDairy, "10")};
    world.load(kDairy, row(kDairy, "10"));
    world.listen();
    for (int i = 0; i < 50; ++i) {
        world.owned.load(kFruit, {{.entry = {"apps_x_made.up" + std::to_string(i) + "_Kind", "v1"}}});
    }
    REQUIRE(world.owned.watches().size() == 1);

    world.owned.forget(kDairy);
    world.owned.end_idle_watches();

    CHECK(world.owned.watches().empty());
}

TEST_CASE("owned: one namespace does not take the watches of all", "[rollout][owned][shares]") {
    World world;
    Owner const flood{{model::Kind::kustomization, "flood", "all"}};
    Owner const calm{{model::Kind::kustomization, "calm", "one"}};
    auto const thing = [](int i) {
        return model::OwnedObject{.entry = {"x_y_group" + std::to_string(i) + ".io_Kind", "v1"}};
    };
    for (int i = 0; i < 10; ++i) world.load(flood, thing(i));
    CHECK(world.owned.watches().size() == 3);
    REQUIRE(world.owned.unwatched(flood).size() == 1);
    CHECK(world.owned.unwatched(flood).front() ==
          "Kind: too many kinds are watched for namespace 'flood': it has its share of 4 places");

    world.load(calm, thing(11));
    CHECK(world.owned.watches().size() == 4);
    CHECK(world.owned.unwatched(calm).empty());

    world.owned.forget(flood);
    world.load(calm, thing(12));
    CHECK(world.owned.unwatched(calm).empty());
}

TEST_CASE("owned: an owner that is gone takes its drift along", "[rollout][owned]") {
    World world;
    world.load(kDairy, row(kDairy, "10"));
    world.listen();
    REQUIRE(world.owned.drifts().size() == 1);

    world.owned.forget(kDairy);

    CHECK(world.owned.drifts().empty());
}

TEST_CASE("owned: fields that kubectl added are drift; an object that says Merge or disabled is left",
          "[rollout][owned]") {
    World world;
    world.cluster.listed = {milk(kDairy, "10")};
    world.load(kDairy, row(kDairy, "10"));
    world.listen();
    auto edited = milk(kDairy, "11");
    edited["metadata"].as_object()["managedFields"].as_array().push_back(boost::json::parse(
        R"({"manager":"kubectl-edit","operation":"Update","time":"2026-01-03T00:00:00Z","fieldsV1":{"f:data":{"f:more":{}}}})"));

    SECTION("edited") {
        world.show(Event::modified, edited);
        CHECK(world.owned.repair_due(kDairy) == 0s);
        CHECK(world.owned.new_spells(kDairy) == std::vector<std::string>{kId});
        CHECK(world.owned.spell_text(kDairy, kId) == "ConfigMap/apps/milk was changed by kubectl-edit (Update)");
    }
    SECTION("only restarted: its pods may start until the next interval") {
        auto restarted = milk(kDairy, "11");
        restarted["metadata"].as_object()["managedFields"].as_array().push_back(boost::json::parse(
            R"({"manager":"kubectl-rollout","operation":"Update","time":"2026-01-03T00:00:00Z","fieldsV1":{"f:spec":{"f:template":{
                "f:metadata":{"f:annotations":{".":{},"f:kubectl.kubernetes.io/restartedAt":{}}}}}}})"));
        world.owned.set_interval(kDairy, 300s);
        world.show(Event::modified, restarted);
        CHECK(world.owned.repair_due(kDairy) == 300s);
    }
    SECTION("with the mark Merge") {
        kube::set_annotation(edited, "kustomize.toolkit.fluxcd.io/ssa", "Merge");
        world.show(Event::modified, edited);
        CHECK_FALSE(world.owned.repair_due(kDairy));
    }
    SECTION("with reconciliation disabled on the live object") {
        kube::set_annotation(edited, "kustomize.toolkit.fluxcd.io/reconcile", "disabled");
        world.show(Event::modified, edited);
        CHECK_FALSE(world.owned.repair_due(kDairy));
    }
}

TEST_CASE("owned: after a list that lacks an object it is gone; another cluster's objects are nobody's",
          "[rollout][owned]") {
    World world;
    world.cluster.listed = {};
    world.load(kDairy, row(kDairy, "10"));

    SECTION("the same cluster") {
        world.listen();
        CHECK(world.owned.repair_due(kDairy) == 0s);
        CHECK(world.owned.drifts().at(0).what == "deleted");
    }
    SECTION("another one: nothing is drift before it was applied there") {
        world.owned.forget_cluster();
        world.listen();
        CHECK_FALSE(world.owned.repair_due(kDairy));
        CHECK(world.owned.find(kDairy, kId)->object.wished == 0);
    }
}

TEST_CASE("owned: an owner is told nothing of what it has not applied, whatever labels that carries",
          "[rollout][owned]") {
    World world;
    kube::GroupVersionKind const pods{"", "v1", "Pod"};
    auto const foreign = [&](Owner const& labels) {
        kube::Object pod = milk(labels, "10");
        pod["kind"] = "Pod";
        pod["status"] = boost::json::object{
            {"phase", "Running"},
            {"conditions", boost::json::array{boost::json::object{{"type", "Ready"}, {"status", "True"}}}}};
        return pod;
    };
    model::OwnedObject const planned{.entry = {"apps_milk__Pod", "v1"}};
    bool const by_plan = GENERATE(true, false);
    Owner const labels = GENERATE_COPY(kFruit, kDairy);
    std::size_t told = 0;
    world.owned.listen([&told](Owner const&, OwnedObjects::Change, Boot) { ++told; });

    world.cluster.listed = {foreign(labels)};
    if (by_plan) world.owned.plan(kDairy, {planned});
    else world.owned.load(kDairy, {planned});  // as an inventory of a status says
    world.owned.watch(kDairy, planned.entry.id);
    world.listen();
    world.show(Event::modified, foreign(labels));

    Known const* known = world.owned.find(kDairy, planned.entry.id);
    REQUIRE(known != nullptr);
    CHECK(known->health == kube::Health::unknown);
    CHECK(known->message.empty());
    CHECK_FALSE(known->taken);
    CHECK(world.owned.drifts().empty());
    CHECK(told == 0);
    REQUIRE(world.owned.watches().size() == 1);
    CHECK(world.owned.watches().at(0).state.lists == 1);
}

TEST_CASE("health: what another owner applied is not looked up in its watch", "[rollout][health]") {
    World world;
    kube::ObjectId const id = *kube::parse_object_id(kId);
    world.owned.replace(kFruit, {answer(kFruit, "10")}, {});

    CHECK(health_of(kFruit, {id}, world.owned).is_good());
    CHECK(health_of(kDairy, {id}, world.owned).unseen == std::vector{id});
    world.owned.plan(kDairy, {{.entry = {kId, "v1"}}});
    CHECK(health_of(kDairy, {id}, world.owned).unseen == std::vector{id});
    world.owned.replace(kDairy, {answer(kDairy, "11", "u2")}, {});
    CHECK(health_of(kDairy, {id}, world.owned).is_good());
}

TEST_CASE("owned: what no watch shows is asked for with the rights of its owner", "[rollout][owned]") {
    World world;  // four kinds may be watched
    WatchedCluster as_account;
    for (std::string const kind : {"A", "B", "C", "D"}) {
        model::OwnedObject one = row(kDairy, "10");
        one.entry.id = "apps_milk__" + kind;
        world.load(kDairy, one);
    }
    world.load(kFruit, row(kFruit, "10"));
    auto const reader = std::shared_ptr<kube::Cluster>{std::shared_ptr<void>{}, &as_account};
    world.owned.set_location(kFruit, {.reader = reader});
    REQUIRE(world.owned.unwatched(kFruit).size() == 1);
    world.cluster.objects[kId] = milk(kFruit, "11", "u1", "f:taken");
    bool const may_read = GENERATE(true, false);
    if (may_read) as_account.objects[kId] = milk(kFruit, "12", "u1", "f:taken");
    else as_account.get_fails = Error{Errc::denied, "configmaps is forbidden"};

    asio::co_spawn(world.io, world.owned.look_up(kFruit), [](std::exception_ptr) {});
    world.listen();

    CHECK(world.owned.repair_due(kFruit).has_value() == may_read);
    Known const* known = world.owned.find(kFruit, kId);
    REQUIRE(known != nullptr);
    CHECK(known->health == (may_read ? kube::Health::current : kube::Health::unknown));
    CHECK(known->message == (may_read ? "" : "configmaps is forbidden"));
}

TEST_CASE("owned: objects of two clusters with the same id are told apart", "[rollout][owned]") {
    World world;
    WatchedCluster far;
    std::shared_ptr<kube::Cluster> const there{std::shared_ptr<void>{}, &far};
    far.listed = {milk(kFruit, "10")};
    world.cluster.listed = {milk(kDairy, "10")};
    world.owned.set_location(kFruit, {.cluster = "far", .connection = "1", .watcher = there, .reader = there});
    world.owned.load(kFruit, {row(kFruit, "10")});
    world.owned.watch(kFruit, kId);
    world.load(kDairy, row(kDairy, "10"));
    world.listen();
    REQUIRE(world.owned.watches().size() == 2);

    world.show(Event::modified, milk(kDairy, "11", "u1", "f:taken"));  // here
    CHECK(world.owned.repair_due(kDairy));
    CHECK_FALSE(world.owned.repair_due(kFruit));

    far.events.emplace_back(Event::deleted, milk(kFruit, "12"));
    world.listen();
    CHECK(world.owned.repair_due(kFruit));
    CHECK(world.owned.find(kFruit, kId)->gone);
    CHECK_FALSE(world.owned.find(kDairy, kId)->gone);

    SECTION("the labels of somebody who has it elsewhere make him no owner here") {
        world.show(Event::modified, milk(kFruit, "13"));
        CHECK_FALSE(world.owned.find(kDairy, kId)->taken);
    }
    SECTION("another cluster at our own address says nothing about others") {
        world.owned.forget_cluster();
        CHECK(world.owned.find(kDairy, kId)->object.uid.empty());
        CHECK(world.owned.find(kFruit, kId)->object.uid == "u1");
    }
    SECTION("who is forgotten leaves the watch of the other cluster alone") {
        world.owned.forget(kFruit);
        CHECK(world.owned.unwatched(kDairy).empty());
        world.owned.end_idle_watches();
        CHECK(world.owned.watches().size() == 1);
    }
}

TEST_CASE("owned: with other credentials everything is watched anew, and what is known stays", "[rollout][owned]") {
    World world;
    WatchedCluster far;
    WatchedCluster renewed;
    std::shared_ptr<kube::Cluster> const there{std::shared_ptr<void>{}, &far};
    std::shared_ptr<kube::Cluster> const with_new{std::shared_ptr<void>{}, &renewed};
    far.listed = renewed.listed = {milk(kFruit, "10")};
    world.owned.set_location(kFruit, {.cluster = "far", .connection = "1", .watcher = there, .reader = there});
    world.owned.load(kFruit, {row(kFruit, "10")});
    world.owned.watch(kFruit, kId);
    world.listen();

    world.owned.set_location(kFruit, {.cluster = "far", .connection = "2", .watcher = with_new, .reader = with_new});
    world.listen();

    REQUIRE(world.owned.watches().size() == 1);
    far.events.emplace_back(Event::deleted, milk(kFruit, "11"));  // the old credentials see nothing any more
    world.listen();
    CHECK_FALSE(world.owned.find(kFruit, kId)->gone);
    renewed.events.emplace_back(Event::deleted, milk(kFruit, "11"));
    world.listen();
    CHECK(world.owned.find(kFruit, kId)->gone);

    world.owned.leave(kFruit);
    CHECK(world.owned.watches().empty());
    CHECK(world.owned.unwatched(kFruit).empty());
    world.owned.set_location(kFruit, {.cluster = "far", .connection = "3", .watcher = with_new, .reader = with_new});
    CHECK(world.owned.watches().size() == 1);
    world.owned.leave(kFruit);
    world.listen();
}

TEST_CASE("prune: an object that another owner takes over between look and delete stays", "[rollout][prune]") {
    World world;
    world.cluster.objects[kId] = milk(kDairy, "10");
    world.cluster.refuses_once = true;

    SECTION("taken over") {
        world.cluster.meanwhile = [](kube::Object& object) { object = milk(kFruit, "11"); };
        auto const pruned = test::run_task(prune(world.cluster, kDairy, {row(kDairy, "10")}));
        REQUIRE(pruned);
        CHECK(pruned->changes == std::vector<std::string>{"ConfigMap/apps/milk skipped"});
        CHECK(pruned->survivors.empty());
        CHECK(world.cluster.objects.contains(kId));
    }
    SECTION("only changed: it goes") {
        world.cluster.meanwhile = [](kube::Object& object) { object = milk(kDairy, "11"); };
        auto const pruned = test::run_task(prune(world.cluster, kDairy, {row(kDairy, "10")}));
        REQUIRE(pruned);
        CHECK(pruned->changes == std::vector<std::string>{"ConfigMap/apps/milk deleted"});
        CHECK(world.cluster.objects.empty());
    }
}

}  // namespace holdfast::rollout
