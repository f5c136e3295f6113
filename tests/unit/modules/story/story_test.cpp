// tests/unit/modules/story/story_test.cpp: one pass around any story: who is told what, in which order, and what a refusal leaves.
#include "modules/base/hash.hpp"
#include "modules/story/conclude.hpp"
#include "modules/story/finalizer.hpp"
#include "tests/support/story_world.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <stdexcept>

namespace holdfast::story {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using model::Entry;
using model::Key;
using model::Kind;
using model::Truth;

Key const kWeb{Kind::kustomization, "a", "web"};
std::string const kWebId = "a_web_kustomize.toolkit.fluxcd.io_Kustomization";

/// Says which patch of a status came when, can hold them, and logs when an Event comes.
class HeldCluster final : public test::FakeCluster {
public:
    explicit HeldCluster(asio::io_context& io) : gate_(io) {}

    bool hold = false;
    std::vector<json::object> patches;  // of a status, in the order in which they were sent
    int in_flight = 0;
    int in_flight_max = 0;

    void release() {
        hold = false;
        gate_.cancel();
    }

    Task<kube::Object> patch(kube::Target target, kube::Patch type, json::value patch, kube::WriteOptions options,
                             kube::Refusal* refusal) override {
        if (target.subresource == "status") {
            patches.push_back(patch.as_object().at("status").as_object());
            in_flight_max = std::max(in_flight_max, ++in_flight);
            if (hold) {
                gate_.expires_at(asio::steady_timer::time_point::max());
                co_await gate_.async_wait(asio::as_tuple(asio::use_awaitable));
            }
            --in_flight;
        }
        auto done = co_await FakeCluster::patch(std::move(target), type, std::move(patch), std::move(options), refusal);
        co_return done;
    }
    Task<kube::Object> create(kube::Object object, kube::WriteOptions, kube::Refusal*) override {
        events.push_back(object);
        log.push_back("event");
        co_return object;
    }

private:
    asio::steady_timer gate_;
};

/// Says when a row goes, beside what the cluster is asked.
class OrderedJournal final : public model::Journal {
public:
    test::MemoryJournal rows;
    std::optional<Error> refuse_erase;

    Result<void> save(model::JournalWrite const& write) override { return rows.save(write); }
    Result<void> erase(Key const& key, std::vector<model::ComplianceRecord> const& last) override {
        if (refuse_erase) return fail(refuse_erase->code, refuse_erase->message);
        auto done = rows.erase(key, last);
        if (done) rows.log->push_back("erase");
        return done;
    }
    Result<void> load(std::function<void(model::JournalEntry)> const& each) override { return rows.load(each); }
};

/// Says what a test wants.
class Told final : public Story {
public:
    std::function<asio::awaitable<Outcome>(Entry)> reconciles, finalizes;
    std::vector<Key> forgotten;

    void load(model::JournalEntry const&) override {}
    asio::awaitable<Outcome> reconcile(Entry entry) override { return reconciles(std::move(entry)); }
    asio::awaitable<Outcome> finalize(Entry entry) override { return finalizes(std::move(entry)); }
    void forget(Key const& key) override { forgotten.push_back(key); }
    model::ComplianceRecord record(Entry const& entry) const override { return object_record(entry, {}); }
};

struct World : test::StoryWorld {
    HeldCluster held{io};
    OrderedJournal rows;
    Told story;
    std::vector<model::Change> heard;
    Passes passes{{registry, &held, rows, db, log, clock}, table()};

    World() {
        rows.rows.log = &held.log;
        story.reconciles = [this](Entry entry) { return done(std::move(entry), "Applied"); };
        story.finalizes = [](Entry entry) -> asio::awaitable<Outcome> {
            Outcome outcome = begin(entry);
            outcome.released = true;
            co_return outcome;
        };
        want();
        registry.listen([this](Entry const&, model::Change change) { heard.push_back(change); });
    }
    Passes::Stories table() {
        Passes::Stories stories{};
        stories[static_cast<std::size_t>(Kind::kustomization)] = &story;
        return stories;
    }
    Ports all() { return {registry, &held, rows, db, log, clock}; }
    /// The cluster has the object, and so has the registry.
    void want(std::string const& metadata = R"("finalizers":["finalizers.fluxcd.io"])",
              model::Origin origin = model::Origin::cluster) {
        auto const text =
            R"({"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","metadata":{"name":"web",
            "namespace":"a","uid":"u1","resourceVersion":"1","generation":3,)" +
            metadata + R"(},"spec":{"interval":"1m","prune":true,"sourceRef":{"kind":"GitRepository","name":"r"}}})";
        auto const object = json::parse(text).as_object();
        if (origin == model::Origin::cluster) held.objects[kWebId] = object;
        registry.put(kWeb, model::read_meta(object, origin), model::read_spec(Kind::kustomization, object), text, {});
    }
    asio::awaitable<Outcome> done(Entry entry, std::string message) {
        Outcome outcome = succeed(entry, begin(entry), "ReconciliationSucceeded", message, 60s, clock);
        outcome.facts = "{}";
        bool const said = entry.status.conditions.is("Ready", Truth::yes);
        if (!said) outcome.news.push_back({.reason = "ReconciliationSucceeded", .message = message});
        co_return outcome;
    }
    Outcome saying(std::string const& message) { return run(done(entry(), message)); }
    Entry& entry() { return *registry.find(kWeb); }
    Next pass() { return run(passes.run(kWeb)); }
    std::string shown() {
        auto const* conditions = kube::find_array(held.objects.at(kWebId), {"status", "conditions"});
        return conditions == nullptr ? "" : std::string{kube::find_string(conditions->at(0).as_object(), {"message"})};
    }
    model::Condition shown_condition(std::string_view type) {
        auto const status = model::read_status(Kind::kustomization, held.objects.at(kWebId).at("status").as_object());
        auto const* found = status.conditions.find(type);
        return found == nullptr ? model::Condition{.type = "absent"} : *found;
    }
    void write_owed_copy() {
        auto const write = [](Ports ports) -> asio::awaitable<bool> {
            co_await write_copy(ports, kWeb);
            co_return true;
        };
        run(write(all()));
    }
    /// Lets everything run that can until this is true.
    template <class Until> void drive(Until until) {
        io.restart();
        while (!until()) REQUIRE(io.run_one_for(30s) == 1);
    }
    std::size_t count(std::string_view line) { return static_cast<std::size_t>(std::ranges::count(held.log, line)); }
};

}  // namespace

TEST_CASE("story: the journal knows first, then the cluster, then people", "[story]") {
    World world;

    CHECK(world.pass().after == 60s);

    CHECK(world.held.log == std::vector<std::string>{"record", "patch status Kustomization/a/web", "event"});
    CHECK(world.shown() == "Applied");
    CHECK(world.heard == std::vector<model::Change>{model::Change::face});
    CHECK(world.entry().wish.empty());
    CHECK(world.entry().status.observed_generation == 3);
    REQUIRE(world.rows.rows.records.size() == 1);
    CHECK(world.rows.rows.records[0].fields.at("ComplianceState") == "Compliant");
}

TEST_CASE("story: nothing changed is no save, no patch, no event, and nobody is woken", "[story]") {
    World world;
    auto const remembers = [&](Entry entry) -> asio::awaitable<Outcome> {
        Outcome outcome = co_await world.done(entry, "Applied");
        outcome.status.part<model::KustomizationStatus>().remember("d", "ReconciliationSucceeded", {"main"}, 1s,
                                                                   world.clock.wall());
        co_return outcome;
    };

    world.story.reconciles = remembers;
    world.pass();
    world.held.log.clear();
    world.heard.clear();
    auto const saves = world.rows.rows.saves;

    CHECK(world.pass().after == 60s);
    world.clock.now += 1s;
    world.pass();

    CHECK(world.rows.rows.saves == saves);
    CHECK(world.held.log.empty());
    CHECK(world.heard.empty());
    CHECK(world.rows.rows.records.size() == 1);
    CHECK(world.entry().status.part<model::KustomizationStatus>().history.at(0).total == 3);
}

TEST_CASE("story: a journal that refuses leaves everything as it was, says why, and is asked again", "[story]") {
    World world;
    world.pass();
    world.held.log.clear();
    world.heard.clear();
    world.rows.rows.refuse = Error{Errc::limit, "the disk is full"};
    world.story.reconciles = [&](Entry entry) { return world.done(std::move(entry), "Applied more"); };

    CHECK(world.pass().after == 10s);

    CHECK(world.entry().unrecorded == "the disk is full");
    CHECK(world.condition(kWeb).message == "Applied");
    CHECK(world.shown() == "what came of the last pass could not be recorded: the disk is full");
    CHECK(world.held.log == std::vector<std::string>{"patch status Kustomization/a/web"});
    CHECK(world.heard.empty());
    CHECK_FALSE(world.entry().copy.owed);

    world.held.log.clear();
    world.rows.rows.refuse.reset();
    CHECK(world.pass().after == 60s);
    CHECK(world.entry().unrecorded.empty());
    CHECK(world.condition(kWeb).message == "Applied more");
    CHECK(world.shown() == "Applied more");
    CHECK(world.held.log == std::vector<std::string>{"record", "patch status Kustomization/a/web"});
}

TEST_CASE("story: what cannot be recorded is told to the cluster once, whoever writes there meanwhile", "[story]") {
    World world;
    world.pass();
    world.held.log.clear();
    world.rows.rows.refuse = Error{Errc::limit, "the disk is full"};
    world.story.reconciles = [&](Entry entry) { return world.done(std::move(entry), "Applied more"); };

    for (int pass = 0; pass < 5; ++pass) {
        world.pass();
        world.clock.now += 10s;
    }
    CHECK(world.held.log == std::vector<std::string>{"patch status Kustomization/a/web"});
    CHECK(world.shown_condition("Ready").status == Truth::no);
    CHECK(world.shown_condition("Ready").reason == "StorageOperationFailed");
    CHECK(world.shown_condition("Reconciling").reason == "ProgressingWithRetry");

    world.registry.find(kWeb)->copy = {.owed = true};  // the watch shows what somebody else wrote
    world.write_owed_copy();
    CHECK(world.shown_condition("Ready").reason == "StorageOperationFailed");
    CHECK(world.held.log.size() == 2);

    world.rows.rows.refuse = Error{Errc::busy, "the disk does not answer"};
    world.pass();
    CHECK(world.shown() == "what came of the last pass could not be recorded: the disk does not answer");

    // Back to what was known: recorded, and taken back in the cluster.
    world.story.reconciles = [&](Entry entry) { return world.done(std::move(entry), "Applied"); };
    world.rows.rows.refuse.reset();
    world.pass();
    CHECK(world.shown() == "Applied");
    CHECK(world.shown_condition("Ready").status == Truth::yes);
    CHECK(world.shown_condition("Reconciling").type == "absent");
}

TEST_CASE("story: a refusal that is over is recorded even when the pass says what was said before", "[story]") {
    World world;
    world.pass();
    world.rows.rows.refuse = Error{Errc::limit, "the disk is full"};
    world.story.reconciles = [&](Entry entry) { return world.done(std::move(entry), "Applied more"); };
    world.pass();
    world.story.reconciles = [&](Entry entry) { return world.done(std::move(entry), "Applied"); };
    world.rows.rows.refuse.reset();
    auto const saves = world.rows.rows.saves;

    world.pass();

    CHECK(world.rows.rows.saves == saves + 1);
    CHECK(world.entry().unrecorded.empty());
}

TEST_CASE("story: two copies of one status never overtake each other", "[story]") {
    World world;
    Ports ports = world.all();
    world.held.hold = true;
    int ended = 0;
    auto const spawn = [&](std::string const& message) {
        auto outcome = world.saying(message);
        asio::co_spawn(world.io, conclude(ports, world.story, kWeb, std::move(outcome)),
                       [&ended](std::exception_ptr, Next) { ++ended; });
    };

    spawn("first");
    world.drive([&] { return world.held.in_flight == 1; });
    // `run` of saying() would wait for the held patch for ever, so the next outcomes are made before.
    Outcome second = begin(world.entry());
    second.status.conditions.set("Ready", Truth::yes, "A", "second", 3, world.clock.wall());
    Outcome third = second;
    third.status.conditions.set("Ready", Truth::yes, "A", "third", 3, world.clock.wall());
    for (Outcome* one : {&second, &third}) {
        int const before = ended;
        asio::co_spawn(world.io, conclude(ports, world.story, kWeb, std::move(*one)),
                       [&ended](std::exception_ptr, Next) { ++ended; });
        world.drive([&] { return ended > before; });
    }
    CHECK(world.held.patches.size() == 1);
    CHECK(world.entry().copy.owed);
    world.held.release();
    world.drive([&] { return ended == 3; });

    CHECK(world.held.in_flight_max == 1);
    REQUIRE(world.held.patches.size() == 2);
    CHECK(world.shown() == "third");
    CHECK_FALSE(world.entry().copy.owed);
    CHECK_FALSE(world.entry().copy.in_flight);
}

TEST_CASE("story: the copy is written when it is owed and differs, and stays owed while the cluster is away",
          "[story]") {
    World world;
    auto const write = [&] { world.write_owed_copy(); };
    world.held.discovery_fails = Error{Errc::offline, "no route to host"};
    world.pass();
    CHECK(world.entry().copy.owed);
    CHECK(world.shown().empty());

    world.held.discovery_fails.reset();
    write();
    CHECK_FALSE(world.entry().copy.owed);
    CHECK(world.shown() == "Applied");
    write();
    world.entry().copy.owed = true;  // somebody believes so, but it is what was written last
    write();
    CHECK(world.held.patches.size() == 1);
    CHECK_FALSE(world.entry().copy.owed);

    // Intake saw another status there.
    world.held.objects.at(kWebId)["status"] = json::object{{"conditions", json::array{}}};
    world.entry().copy.written = 0;
    world.entry().copy.owed = true;
    write();
    CHECK(world.held.patches.size() == 2);
    CHECK(world.shown() == "Applied");
}

TEST_CASE("story: a copy that is put off is written by no one else, and by the pass that says no more", "[story]") {
    World world;
    world.story.reconciles = [&](Entry entry) -> asio::awaitable<Outcome> {
        Outcome outcome = co_await world.done(std::move(entry), "Applied");
        outcome.passing = true;
        co_return outcome;
    };
    world.pass();
    world.write_owed_copy();
    CHECK(world.entry().copy.owed);
    CHECK(world.shown().empty());

    world.story.reconciles = [&](Entry entry) { return world.done(std::move(entry), "Applied"); };
    world.pass();
    CHECK_FALSE(world.entry().copy.owed);
    CHECK(world.shown() == "Applied");
    CHECK(world.held.patches.size() == 1);
}

TEST_CASE("story: a status that the server refuses for what it is, is not sent again and again", "[story]") {
    World world;
    world.held.refuse_patch = [](kube::Target const&, json::value const&) {
        return std::optional{kube::Refusal{.code = 422, .reason = "Invalid", .message = "status.x: invalid"}};
    };
    world.pass();

    CHECK_FALSE(world.entry().copy.owed);
    CHECK_FALSE(world.entry().copy.in_flight);
    CHECK(world.entry().unrecorded.empty());
    CHECK(world.held.patches.size() == 1);
}

TEST_CASE("story: the finalizer is there before anything is done, beside the others", "[story]") {
    World world;
    world.want(R"("finalizers":["example.com/other"])");
    bool had = false;
    world.story.reconciles = [&](Entry entry) {
        had = kube::has_finalizer(world.held.objects.at(kWebId), kFinalizer);
        return world.done(std::move(entry), "Applied");
    };

    world.pass();

    CHECK(had);
    CHECK(world.entry().meta.has_finalizer);
    CHECK(world.held.objects.at(kWebId).at("metadata").at("finalizers") ==
          json::parse(R"(["example.com/other","finalizers.fluxcd.io"])"));
    CHECK(world.count("patch Kustomization/a/web") == 1);
    world.pass();
    CHECK(world.count("patch Kustomization/a/web") == 1);
}

TEST_CASE("story: a new object is not read for its finalizer, but when it changed since it was seen", "[story]") {
    World world;
    world.want(R"("finalizers":[])");
    world.held.get_fails = Error{Errc::denied, "not read in this test"};
    world.pass();
    CHECK(world.entry().meta.has_finalizer);
    CHECK(kube::has_finalizer(world.held.objects.at(kWebId), kFinalizer));

    world.want(R"("finalizers":[])");
    auto& live = world.held.objects.at(kWebId).at("metadata").as_object();
    live["finalizers"] = json::array{"example.com/other"};
    live["resourceVersion"] = "changed-since";
    world.held.get_fails.reset();
    world.pass();
    CHECK(world.held.objects.at(kWebId).at("metadata").at("finalizers") ==
          json::parse(R"(["example.com/other","finalizers.fluxcd.io"])"));
}

TEST_CASE("story: who writes between is given way to, three times; then the pass waits, and nothing was done",
          "[story]") {
    World world;
    world.want(R"("finalizers":[])");
    int conflicts = 2;
    int reconciled = 0;
    world.held.refuse_patch = [&](kube::Target const& target, json::value const&) -> std::optional<kube::Refusal> {
        if (target.subresource == "status" || conflicts-- <= 0) return std::nullopt;
        return kube::Refusal{.code = 409, .reason = "Conflict", .message = "the object has been modified"};
    };
    world.story.reconciles = [&](Entry entry) {
        ++reconciled;
        return world.done(std::move(entry), "Applied");
    };
    world.pass();
    CHECK(reconciled == 1);
    CHECK(kube::has_finalizer(world.held.objects.at(kWebId), kFinalizer));

    world.want(R"("finalizers":[],"labels":{"a":"b"})");
    conflicts = 1000;
    auto const next = world.pass();
    CHECK(conflicts == 997);
    CHECK(reconciled == 1);
    CHECK(world.condition(kWeb).reason == "FinalizerFailed");
    CHECK(world.condition(kWeb).message == "finalizer: the object keeps changing");
    REQUIRE(next.after);
    CHECK(*next.after <= 6s);
    CHECK_FALSE(world.entry().meta.has_finalizer);
}

TEST_CASE(
    "story: a finalizer that may not be written is why nothing is done; one of an object that is gone is not missed",
    "[story]") {
    World world;
    world.want(R"("finalizers":[])");
    world.held.refuse_patch = [](kube::Target const& target, json::value const&) -> std::optional<kube::Refusal> {
        if (target.subresource == "status") return std::nullopt;
        return kube::Refusal{.code = 403, .reason = "Forbidden", .message = "forbidden by policy"};
    };
    world.pass();
    CHECK(world.condition(kWeb).message == "finalizer: forbidden by policy");

    world.held.objects.clear();
    world.clock.now += 31s;
    world.pass();
    CHECK(world.condition(kWeb).status == Truth::yes);
}

TEST_CASE("story: an object of a file has no finalizer, no copy and no Events in the cluster", "[story]") {
    World world;
    world.registry.vanish(world.entry());
    world.held.objects.clear();
    world.want("\"labels\":{}", model::Origin::local);

    world.pass();

    CHECK(world.held.log == std::vector<std::string>{"record"});
    CHECK_FALSE(world.entry().copy.owed);
    world.registry.leave(world.entry());
    world.pass();
    CHECK(world.registry.find(kWeb) == nullptr);
    CHECK(world.held.log == std::vector<std::string>{"record", "erase"});
}

TEST_CASE("story: released, the cluster lets go first and the journal forgets after it", "[story]") {
    World world;
    world.pass();
    world.want(
        R"("finalizers":["example.com/other","finalizers.fluxcd.io"],"deletionTimestamp":"2025-06-15T15:06:40Z")");
    world.held.log.clear();
    world.heard.clear();

    CHECK_FALSE(world.pass().after);

    CHECK(world.held.log == std::vector<std::string>{"patch Kustomization/a/web", "erase"});
    CHECK(world.held.objects.at(kWebId).at("metadata").at("finalizers") == json::parse(R"(["example.com/other"])"));
    CHECK(world.registry.find(kWeb) == nullptr);
    CHECK(world.rows.rows.entries.empty());
    CHECK(world.story.forgotten == std::vector<Key>{kWeb});
    CHECK(world.heard == std::vector<model::Change>{model::Change::face});
    CHECK(world.rows.rows.records.back().state_digest == "Deleted");
    CHECK(world.rows.rows.records.back().fields.at("ComplianceState") == "Unknown");
}

TEST_CASE("story: what left its feed keeps its finalizer, for it may be another's now", "[story]") {
    World world;
    world.want(R"("finalizers":["finalizers.fluxcd.io"])");
    world.pass();
    world.registry.leave(world.entry());  // it lost the label that we watch
    world.held.log.clear();

    world.pass();

    CHECK(world.registry.find(kWeb) == nullptr);
    CHECK(world.held.log == std::vector<std::string>{"erase"});
    CHECK(world.held.objects.at(kWebId).at("metadata").at("finalizers") == json::parse(R"(["finalizers.fluxcd.io"])"));
}

TEST_CASE("story: while the cluster does not let go, the journal still knows what the object owns", "[story]") {
    World world;
    world.pass();
    world.want(R"("finalizers":["finalizers.fluxcd.io"],"deletionTimestamp":"2025-06-15T15:06:40Z")");
    world.held.refuse_patch = [](kube::Target const& target, json::value const&) -> std::optional<kube::Refusal> {
        if (target.subresource == "status") return std::nullopt;
        return kube::Refusal{.code = 403, .reason = "Forbidden", .message = "forbidden by policy"};
    };

    CHECK(world.pass().after == 30s);

    CHECK(world.rows.rows.entries.contains(kWeb));
    CHECK(world.story.forgotten.empty());
    CHECK(world.condition(kWeb).reason == "FinalizerFailed");
    CHECK(world.condition(kWeb).message == "finalizer: forbidden by policy");
    world.held.refuse_patch = nullptr;
    world.clock.now += 31s;
    CHECK_FALSE(world.pass().after);
    CHECK(world.held.objects.empty());
    CHECK(world.rows.rows.entries.empty());
    CHECK(world.registry.find(kWeb) == nullptr);
}

TEST_CASE("story: a journal that does not forget keeps the object here, until it does", "[story]") {
    World world;
    world.pass();
    world.want(R"("finalizers":["finalizers.fluxcd.io"],"deletionTimestamp":"2025-06-15T15:06:40Z")");
    world.rows.refuse_erase = Error{Errc::busy, "the database is locked"};

    CHECK(world.pass().after == 30s);
    CHECK(world.condition(kWeb).message == "the database is locked");
    CHECK(world.held.objects.empty());
    world.rows.refuse_erase.reset();
    world.clock.now += 31s;
    world.pass();
    CHECK(world.registry.find(kWeb) == nullptr);
}

TEST_CASE("story: an Event is about the object, a Warning when something failed, and none when the story says so",
          "[story]") {
    World world;
    world.story.reconciles = [&](Entry entry) -> asio::awaitable<Outcome> {
        Outcome outcome = begin(entry);
        outcome.news = {{.reason = "One", .message = "good", .revision = "main@sha1:1"},
                        {.level = LogLevel::error, .reason = "Two", .message = "bad\x1b[2J\nworse"},
                        {.reason = "Three", .message = "quiet", .event = false}};
        co_return outcome;
    };

    world.pass();

    REQUIRE(world.held.events.size() == 2);
    auto const& good = world.held.events[0];
    CHECK(kube::find_string(good, {"type"}) == "Normal");
    CHECK(kube::find_string(good, {"reason"}) == "One");
    CHECK(kube::find_string(good, {"involvedObject", "uid"}) == "u1");
    CHECK(kube::annotation(good, "kustomize.toolkit.fluxcd.io/revision") == "main@sha1:1");
    CHECK(kube::find_string(good, {"source", "component"}) == "kustomize-controller");
    CHECK(kube::find_string(world.held.events[1], {"type"}) == "Warning");
    CHECK(kube::find_string(world.held.events[1], {"message"}) == "bad [2J\nworse");
}

TEST_CASE("story: a request is answered by the pass that it began, unless the pass says it is not", "[story]") {
    World world;
    auto const asked = [&](std::string const& when, bool answers) {
        world.want(R"("finalizers":["finalizers.fluxcd.io"],"annotations":{"reconcile.fluxcd.io/requestedAt":")" +
                   when + "\"}");
        world.story.reconciles = [&world, answers](Entry entry) -> asio::awaitable<Outcome> {
            // A request that comes while the pass runs is the next pass's.
            world.entry().meta.requested_at = "later";
            Outcome outcome = co_await world.done(std::move(entry), "Applied");
            outcome.answers = answers;
            co_return outcome;
        };
        world.pass();
        return world.entry().status.last_handled_reconcile_at;
    };

    CHECK(asked("one", true) == "one");
    CHECK(asked("two", false) == "one");
    CHECK(asked("three", true) == "three");
}

TEST_CASE("story: a machine without descriptors or memory says nothing about the object", "[story]") {
    World world;
    world.pass();
    auto const before = world.condition(kWeb).message;
    auto const saves = world.rows.rows.saves;
    bool const memory = GENERATE(false, true);
    world.story.reconciles = [memory](Entry) -> asio::awaitable<Outcome> {
        if (memory) throw std::bad_alloc{};
        throw boost::system::system_error{EMFILE, boost::system::system_category(), "eventfd"};
        co_return Outcome{};
    };

    auto const next = world.pass();

    CHECK(world.passes.crashes() == 0);
    CHECK(world.condition(kWeb).message == before);
    CHECK(world.rows.rows.saves == saves);
    REQUIRE(next.after);
    CHECK(*next.after <= 6s);
}

TEST_CASE("story: a bug ends its own pass, and is told", "[story]") {
    World world;
    world.story.reconciles = [](Entry) -> asio::awaitable<Outcome> {
        throw std::runtime_error{"boom"};
        co_return Outcome{};
    };
    auto const first = world.pass();
    CHECK(world.passes.crashes() == 1);
    CHECK(world.condition(kWeb).reason == "InternalError");
    CHECK(world.condition(kWeb).message == "a bug of Holdfast ended this pass: boom");
    CHECK(world.held.events.size() == 1);
    REQUIRE(first.after);
    CHECK(*first.after <= 6s);
    auto const saves = world.rows.rows.saves;

    auto next = first;
    for (int i = 0; i < 8; ++i) {
        world.clock.now += 31s;
        next = world.pass();
    }
    CHECK(*next.after > 200s);
    CHECK(*next.after <= 360s);
    CHECK(world.rows.rows.saves == saves);

    world.story.reconciles = [](Entry) -> asio::awaitable<Outcome> {
        throw 7;
        co_return Outcome{};
    };
    world.clock.now += 31s;
    world.pass();
    CHECK(world.condition(kWeb).message == "a bug of Holdfast ended this pass: an exception of an unknown type");
    world.story.reconciles = [](Entry) -> asio::awaitable<Outcome> {
        throw boost::system::system_error{asio::error::connection_refused};
        co_return Outcome{};
    };
    world.clock.now += 31s;
    world.pass();
    CHECK(world.passes.crashes() == 11);
    world.clock.now += 31s;

    world.story.reconciles = [&](Entry entry) { return world.done(std::move(entry), "Applied"); };
    CHECK(world.pass().after == 60s);
    CHECK(world.condition(kWeb).status == Truth::yes);
}

TEST_CASE("story: a bug while an object goes away keeps it, and is tried again", "[story]") {
    World world;
    world.want(R"("finalizers":["finalizers.fluxcd.io"],"deletionTimestamp":"2025-06-15T15:06:40Z")");
    auto const releases = world.story.finalizes;
    world.story.finalizes = [](Entry) -> asio::awaitable<Outcome> {
        throw std::out_of_range{"at"};
        co_return Outcome{};
    };

    CHECK(world.pass().after.has_value());
    CHECK(world.condition(kWeb).reason == "InternalError");
    CHECK(kube::has_finalizer(world.held.objects.at(kWebId), kFinalizer));
    world.story.finalizes = releases;
    world.clock.now += 31s;
    world.pass();
    CHECK(world.registry.find(kWeb) == nullptr);
}

TEST_CASE("story: a deletion that fails, or a pass that cannot begin, waits for its time whoever wakes it", "[story]") {
    World world;
    bool const leaves = GENERATE(true, false);
    if (leaves) world.want(R"("finalizers":["finalizers.fluxcd.io"],"deletionTimestamp":"2025-06-15T15:06:40Z")");
    int tries = 0;
    world.story.finalizes = [&](Entry entry) -> asio::awaitable<Outcome> {
        ++tries;
        Stop why{.reason = "PruneFailed", .message = "refused", .retry = 300s};
        co_return stop(entry, begin(entry), std::move(why), world.clock);
    };
    world.story.reconciles = [&](Entry) -> asio::awaitable<Outcome> {
        ++tries;
        throw std::runtime_error{"boom"};
        co_return Outcome{};
    };
    auto const first = world.pass();
    REQUIRE(first.after);
    REQUIRE(tries == 1);

    for (int i = 0; i < 100; ++i) CHECK(world.pass().after <= first.after);
    CHECK(tries == 1);
    world.clock.now += 31s;  // at the latest: what woke it may have mended it
    world.pass();
    CHECK(tries == 2);

    SECTION("but another wish is tried at once") {
        world.want(R"("finalizers":["finalizers.fluxcd.io"],"annotations":{"reconcile.fluxcd.io/requestedAt":"now"})" +
                   std::string{leaves ? R"(,"deletionTimestamp":"2025-06-15T15:06:40Z")" : ""});
        world.pass();
        CHECK(tries == 3);
    }
}

TEST_CASE("story: a pass that is cancelled unwinds, and concludes nothing", "[story]") {
    World world;
    bool begun = false;
    bool unwound = false;
    world.story.reconciles = [&](Entry) -> asio::awaitable<Outcome> {
        struct Guard {
            bool& flag;
            ~Guard() { flag = true; }
        } const guard{unwound};
        begun = true;
        co_await sleep_for(std::chrono::hours{1});
        co_return Outcome{};
    };
    asio::cancellation_signal signal;
    std::optional<boost::system::error_code> ended;
    asio::co_spawn(world.io, world.passes.run(kWeb),
                   asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error, Next) {
                       ended.emplace();
                       try {
                           if (error) std::rethrow_exception(error);
                       } catch (boost::system::system_error const& what) {
                           ended = what.code();
                       }
                   }));
    world.drive([&] { return begun; });

    signal.emit(asio::cancellation_type::terminal);
    world.drive([&] { return ended.has_value(); });

    CHECK(*ended == asio::error::operation_aborted);
    CHECK(unwound);
    CHECK(world.passes.crashes() == 0);
    CHECK(world.rows.rows.saves == 0);
    CHECK(world.held.log.empty());
    CHECK(world.condition(kWeb).type == "absent");
}

TEST_CASE("story: an object that goes while its pass runs is not written anywhere", "[story]") {
    World world;
    world.story.reconciles = [&](Entry entry) {
        world.registry.vanish(world.entry());
        return world.done(std::move(entry), "Applied");
    };

    CHECK_FALSE(world.pass().after);

    CHECK(world.held.log.empty());
    CHECK(world.registry.all().empty());
}

TEST_CASE("story: what was intended and not recorded is written by the conclusion", "[story]") {
    World world;
    Ports ports = world.all();
    world.pass();
    world.rows.rows.refuse = Error{Errc::limit, "the disk is full"};
    CHECK_FALSE(world.run(intend(ports, kWeb, "{\"a\":1}", {})));
    world.rows.rows.refuse.reset();
    world.story.reconciles = [&](Entry entry) -> asio::awaitable<Outcome> {
        Outcome outcome = co_await world.done(std::move(entry), "Applied");
        outcome.facts = "{\"a\":1}";
        co_return outcome;
    };

    world.pass();
    CHECK(world.rows.rows.entries.at(kWeb).facts == "{\"a\":1}");
    auto const saves = world.rows.rows.saves;
    world.pass();
    CHECK(world.rows.rows.saves == saves);
}

TEST_CASE("outcome: a failure that time may mend is tried again, one that only a new wish mends is stalled",
          "[story]") {
    World world;
    Outcome const retried =
        stop(world.entry(), begin(world.entry()),
             {.reason = "BuildFailed", .message = "no", .retry = 5s, .progress = "Building"}, world.clock);
    CHECK(retried.next == 5s);
    CHECK(retried.status.conditions.is("Ready", Truth::no));
    CHECK(retried.status.conditions.find("Reconciling")->reason == "ProgressingWithRetry");
    CHECK(retried.status.conditions.find("Stalled") == nullptr);
    CHECK(retried.status.observed_generation == -1);
    CHECK(retried.news.size() == 1);

    Entry entry = world.entry();
    entry.status = retried.status;
    CHECK(
        stop(entry, begin(entry), {.reason = "BuildFailed", .message = "no", .retry = 10s}, world.clock).news.empty());
    CHECK(stop(entry, begin(entry), {.reason = "BuildFailed", .message = "other", .retry = 10s}, world.clock)
              .news.size() == 1);

    Outcome const stalled = stop(entry, begin(entry), {.reason = "InvalidSpec", .message = "no"}, world.clock);
    CHECK_FALSE(stalled.next);
    CHECK(stalled.status.conditions.is("Stalled", Truth::yes));
    CHECK(stalled.status.conditions.find("Reconciling") == nullptr);
    CHECK(stalled.status.observed_generation == 3);

    entry.status = stalled.status;
    Outcome const good = succeed(entry, begin(entry), "Succeeded", "yes", {}, world.clock);
    REQUIRE(good.status.conditions.all().size() == 1);
    CHECK(good.status.conditions.is("Ready", Truth::yes));
}

}  // namespace holdfast::story
