// tests/unit/modules/source/sources_test.cpp: one pass after the other over a fake checkout and a store in memory.
#include "modules/base/hash.hpp"
#include "modules/source/sources.hpp"
#include "modules/source/upstream/git.hpp"
#include "modules/story/passes.hpp"
#include "tests/support/story_world.hpp"
#include "tests/unit/modules/source/memory_store.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>

namespace holdfast::source {

namespace {

using namespace std::chrono_literals;
using model::Key;
using model::Kind;
using model::Truth;

Key const kShop{Kind::git_repository, "apps", "shop"};
Key const kBlog{Kind::git_repository, "apps", "blog"};
constexpr BackoffPolicy kRetry{.delay_min = 5s, .delay_max = 300s, .jitter = 0};
std::string const kOne = "main@sha1:1111";

class OneFile final : public git::Snapshot {
public:
    explicit OneFile(std::string content)
        : content_(std::move(content)), files_{{"a.yaml", git::FileKind::file, content_.size()}} {}
    std::vector<git::File> const& files() const override { return files_; }
    Result<std::string> read(std::size_t) override { return content_; }
    std::string message() const override { return "Change a\n\nand say why\n"; }

private:
    std::string content_;
    std::vector<git::File> files_;
};

struct World : test::StoryWorld {
    MemoryStore store;
    std::string upstream = kOne;
    std::function<std::optional<Error>()> refuse = [] { return std::optional<Error>{}; };
    std::vector<std::string> asked_with;  // the revision that was known at each request
    git::Credentials credentials;
    std::chrono::milliseconds whole_max{};
    std::function<void()> meanwhile = [] {};
    std::vector<Key> woken;
    std::map<Key, std::vector<model::Change>> heard;
    Hosts hosts{clock, kRetry};
    GitUpstream git{
        pool, {.scratch = "/scratch"}, {}, commits_of([this](auto const& remote, auto const&, auto const& options) {
            return checkout(remote, options);
        })};
    Sources story{ports(), store, hosts, {&git}, [this](Key const& key) { woken.push_back(key); }, kRetry};
    story::Passes passes{ports(), {&story}};

    World() {
        registry.listen(
            [this](model::Entry const& entry, model::Change change) { heard[entry.key].push_back(change); });
    }

    Result<git::Checkout> checkout(git::Remote const& remote, git::Options const& options) {
        asked_with.push_back(options.known_revision);
        credentials = remote.credentials;
        whole_max = options.bounds.whole_max;
        meanwhile();
        if (auto const no = refuse()) return fail(no->code, no->message);
        git::Checkout out{.revision = upstream, .commit = upstream.substr(10), .snapshot = nullptr};
        if (upstream != options.known_revision) out.snapshot = std::make_unique<OneFile>(upstream);
        return out;
    }
    void refuse_with(Errc code, std::string message) {
        refuse = [code, message = std::move(message)] { return std::optional{Error{code, message}}; };
    }
    void relent() {
        refuse = [] { return std::optional<Error>{}; };
    }
    model::Entry& want(std::string const& more = "", std::string const& name = "shop",
                       std::string const& url = "https://example.com/shop.git") {
        auto& entry = wish(R"({"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"GitRepository",
                               "metadata":{"namespace":"apps","name":")" +
                           name + R"("},"spec":{"url":")" + url + R"(","interval":"10m")" + more + "}}");
        return entry;
    }
    story::Next pass(Key const& key = kShop) { return run(passes.run(key)); }
    model::Status const& status(Key const& key = kShop) { return registry.find(key)->status; }
    model::Artifact const* artifact(Key const& key = kShop) { return model::artifact_of(status(key)); }
    story::News last_news() {
        std::optional<story::Outcome> outcome;
        auto keep = [](asio::awaitable<story::Outcome> work, auto& slot) -> asio::awaitable<void> {
            auto value = co_await std::move(work);
            slot.emplace(std::move(value));
        };
        io.restart();
        asio::co_spawn(io, keep(story.reconcile(*registry.find(kShop)), outcome), [](std::exception_ptr error) {
            if (error) std::rethrow_exception(error);
        });
        io.run();
        return outcome.value().news.empty() ? story::News{.reason = "none"} : outcome->news.back();
    }
    /// Everything that a pass could have cost.
    std::vector<std::size_t> costs() {
        return {journal.saves, journal.records.size(), cluster.log.size(), store.rows.size(), heard[kShop].size()};
    }
    /// What a later process knows of this one.
    void restart_from(World& before, Key const& key = kShop) {
        auto const& row = before.journal.entries.at(key);
        clock.now = before.clock.now;
        store.blobs = before.store.blobs;
        auto& entry = wish(row.wish);
        entry.status = model::read_status(key.kind, boost::json::parse(row.status).as_object());
        entry.wish.clear();
        entry.facts_digest = hash64(row.facts);
        story.load(row);
    }
};

}  // namespace

TEST_CASE("sources: what is new is stored, recorded and said", "[source][sources]") {
    World world;
    world.want(R"(,"timeout":"20s")");
    auto const news = world.last_news();
    CHECK(news.reason == "NewArtifact");
    CHECK(news.message == "stored artifact for commit 'Change a'");
    CHECK(news.revision == kOne);

    auto const next = world.pass();

    CHECK(next.after == 10min);
    CHECK(world.whole_max == 20s);
    REQUIRE(world.artifact());
    CHECK(world.artifact()->revision == kOne);
    CHECK(world.artifact()->path == "gitrepository/apps/shop/1111.tar.gz");
    CHECK(world.store.rows.back().source == "GitRepository/apps/shop");
    CHECK(world.store.rows.back().digest == world.artifact()->digest);
    CHECK(world.condition(kShop).message == "stored artifact for revision 'main@sha1:1111'");
    CHECK(world.condition(kShop, "ArtifactInStorage").status == Truth::yes);
    CHECK(world.condition(kShop, "Reconciling").type == "absent");
    CHECK(world.status().observed_generation == 1);
    REQUIRE(world.journal.records.size() == 1);
    CHECK(world.journal.records[0].fields.at("ComplianceState") == "Compliant");
}

TEST_CASE("sources: an unchanged revision writes nothing but is checked now", "[source][sources]") {
    World world;
    world.want();
    world.pass();
    auto const costs = world.costs();
    world.clock.now += 599s;

    auto const next = world.pass();

    CHECK(next.after == 10min);
    CHECK(world.asked_with.back() == kOne);
    CHECK(world.costs() == costs);
    CHECK(world.artifact()->last_checked == world.clock.wall());
    CHECK(world.artifact()->last_update == world.clock.wall() - 599s);
}

TEST_CASE("sources: the time of a check that found nothing new outlives a restart, to ten minutes",
          "[source][sources]") {
    World before;
    before.want();
    before.pass();
    auto const saves = before.journal.saves;
    auto const records = before.journal.records.size();
    before.clock.now += 600s;
    before.pass();
    CHECK(before.journal.saves == saves + 1);
    CHECK(before.journal.records.size() == records);
    before.pass();
    CHECK(before.journal.saves == saves + 1);

    World after;
    after.restart_from(before);
    after.clock.now += 3600s;
    after.refuse_with(Errc::offline, "no route");
    after.pass();

    CHECK(after.artifact()->last_checked == before.clock.wall());
}

TEST_CASE("sources: offline it stays ready with what it holds, and says why it is not newer", "[source][sources]") {
    World world;
    world.want();
    world.pass();
    world.refuse_with(Errc::offline, "no route");
    auto const news = world.last_news();
    CHECK(news.level == LogLevel::warning);
    CHECK(news.reason == "GitOperationFailed");
    world.clock.now += 10s;

    auto const next = world.pass();

    REQUIRE(next.after);
    CHECK(*next.after <= 10min);
    CHECK(world.condition(kShop).status == Truth::yes);
    CHECK(world.condition(kShop).message == "stored artifact for revision 'main@sha1:1111'");
    CHECK(world.condition(kShop, "FetchFailed").message == "failed to checkout and determine revision: no route");
    CHECK(world.condition(kShop, "Reconciling").type == "absent");
    CHECK(world.artifact()->revision == kOne);
    world.relent();
    world.clock.now += 300s;
    CHECK(world.last_news().reason == "Succeeded");
    world.pass();
    CHECK(world.condition(kShop, "FetchFailed").type == "absent");
}

TEST_CASE("sources: an outage says what it has to say once, however it words itself and however long it lasts",
          "[source][sources]") {
    constexpr int kSources = 20;
    World world;
    std::map<Key, std::chrono::nanoseconds> due;
    for (int i = 0; i < kSources; ++i) {
        auto const name = "s" + std::to_string(i);
        world.want("", name, "https://example.com/" + name + ".git");
        Key const key{Kind::git_repository, "apps", name};
        world.pass(key);
        due[key] = world.clock.boot();
    }
    int words = 0;
    world.refuse = [&words] {
        ++words;
        return std::optional{Error{words % 2 == 0 ? Errc::timeout : Errc::offline, "no " + std::to_string(words)}};
    };
    auto const saves = world.journal.saves;
    auto const records = world.journal.records.size();
    auto const end = world.clock.boot() + 24h;

    for (;;) {
        auto const first = std::ranges::min_element(due, {}, [](auto const& one) { return one.second; });
        if (first->second > end) break;
        world.clock.now = std::chrono::ceil<std::chrono::seconds>(std::max(first->second, world.clock.boot()));
        auto const next = world.pass(first->first).after.value();
        REQUIRE(next >= 1s);
        first->second = world.clock.boot() + next;
    }

    CHECK(world.journal.saves - saves == kSources);
    CHECK(world.journal.records.size() - records == kSources);
    // Asked by one at a time, every five minutes at last.
    CHECK(words > 200);
    CHECK(words < 24 * 12 + 20);
    for (auto const& [key, when] : due) CHECK(world.condition(key).status == Truth::yes);
}

TEST_CASE("sources: what another fetched later is not taken back before upstream was asked", "[source][sources]") {
    // Goal    an old state directory applies nothing over what the cluster has seen since
    // Method  a restart over .status that names a later revision, with upstream away, there, and asked for by hand
    World before;
    before.want();
    before.pass();
    World world;
    world.restart_from(before);
    model::Status shown = world.status();
    auto& later = *shown.part<model::SourceStatus>().artifact;
    later.revision = "main@sha1:2222";
    later.last_update += 60s;
    auto const overtaken_by = [&] { return world.status().part<model::SourceStatus>().overtaken_by; };
    auto const told_followers = [&] { return std::ranges::count(world.heard[kShop], model::Change::face); };

    SECTION("an earlier one, as of a restored datastore, says nothing") {
        later.last_update -= 120s;
        CHECK_FALSE(world.story.reclaim(kShop, shown));
        CHECK(overtaken_by().empty());
    }
    SECTION("a later one holds while upstream is away") {
        CHECK(world.story.reclaim(kShop, shown));
        world.refuse_with(Errc::offline, "no route");
        world.pass();
        CHECK(overtaken_by() == "main@sha1:2222");

        world.registry.find(kShop)->meta.requested_at = "now";
        world.pass();
        CHECK(overtaken_by().empty());
    }
    SECTION("an answer ends it, also the one that nothing is new") {
        CHECK(world.story.reclaim(kShop, shown));
        auto const told = told_followers();
        world.pass();
        CHECK(overtaken_by().empty());
        CHECK(told_followers() == told + 1);
        CHECK_FALSE(world.story.reclaim(kShop, shown));  // from now on this one knows best
    }
}

TEST_CASE("sources: before the first fetch it is not ready, and says that it tries again", "[source][sources]") {
    World world;
    world.want();
    world.refuse_with(Errc::offline, "no route");

    world.pass();

    CHECK(world.condition(kShop).status == Truth::no);
    CHECK(world.condition(kShop).reason == "GitOperationFailed");
    CHECK(world.condition(kShop).message == "failed to checkout and determine revision: no route");
    CHECK(world.condition(kShop, "Reconciling").reason == "ProgressingWithRetry");
    CHECK(world.condition(kShop, "Reconciling").message == "building artifact");
    CHECK(world.condition(kShop, "Stalled").type == "absent");
    CHECK(world.status().observed_generation == -1);
    CHECK_FALSE(world.artifact());
    CHECK(world.journal.records.back().fields.at("ComplianceState") == "Non-Compliant");
    auto const costs = world.costs();
    world.clock.now += 300s;
    world.pass();
    CHECK(world.costs() == costs);
}

TEST_CASE("sources: a refusal is not ready, and what is held stays in use", "[source][sources]") {
    auto const code = GENERATE(Errc::denied, Errc::not_found, Errc::invalid_input, Errc::limit);
    World world;
    world.want();
    world.pass();
    world.refuse_with(code, "authentication required");

    auto const next = world.pass();

    CHECK(next.after == 5s);
    CHECK(world.condition(kShop).status == Truth::no);
    CHECK(world.condition(kShop, "Reconciling").message == "reconciliation in progress");
    REQUIRE(world.artifact());
    CHECK(world.artifact()->revision == kOne);
    CHECK(world.store.forgotten.empty());
    auto const costs = world.costs();
    world.pass();
    CHECK(world.costs() == costs);
    world.relent();
    world.pass();
    CHECK(world.condition(kShop).status == Truth::yes);
    CHECK(world.condition(kShop, "Reconciling").type == "absent");
}

TEST_CASE("sources: a refusal holds until upstream takes it back, through outage and restart", "[source][sources]") {
    World before;
    before.want();
    before.pass();
    before.refuse_with(Errc::denied, "authentication required");
    before.pass();

    World after;
    after.restart_from(before);
    after.refuse_with(Errc::offline, "no route");
    after.pass();

    CHECK(after.condition(kShop).status == Truth::no);
    CHECK(after.condition(kShop).message == "failed to checkout and determine revision: authentication required");
    CHECK(after.journal.saves == 0);
    after.relent();
    after.clock.now += 300s;
    after.pass();
    CHECK(after.condition(kShop).status == Truth::yes);
}

TEST_CASE("sources: a refusal that is worded anew each time is quoted every ten minutes", "[source][sources]") {
    World world;
    world.want();
    int request = 0;
    world.refuse = [&request] { return std::optional{Error{Errc::denied, "request " + std::to_string(++request)}}; };
    world.pass();
    auto const costs = world.costs();
    world.clock.now += 599s;
    world.pass();
    CHECK(world.costs() == costs);
    world.clock.now += 1s;
    world.pass();
    CHECK(world.condition(kShop).message.ends_with("request 3"));
    world.registry.find(kShop)->meta.requested_at = "now";
    world.pass();
    CHECK(world.condition(kShop).message.ends_with("request 4"));
    CHECK(world.status().last_handled_reconcile_at == "now");
}

TEST_CASE("sources: the same failure again waits longer each time, never longer than the interval",
          "[source][sources]") {
    World world;
    world.want(R"(,"timeout":"1s")");
    auto const code = GENERATE(Errc::denied, Errc::offline, Errc::busy, Errc::timeout);
    world.refuse_with(code, "no");
    std::vector<model::Duration> waits;
    for (int i = 0; i < 12; ++i) {
        waits.push_back(world.pass().after.value());
        world.clock.now += std::chrono::ceil<std::chrono::seconds>(waits.back());
    }

    CHECK(waits.front() == 5s);
    CHECK(waits.back() == 300s);
    CHECK(world.asked_with.size() == 12);
    world.relent();
    world.pass();
    world.refuse_with(code, "no");
    CHECK(world.pass().after.value() == 5s);
}

TEST_CASE("sources: a silent host is asked by one source, the others wait with it", "[source][sources]") {
    World world;
    world.want();
    world.want("", "blog", "https://example.com/private/blog.git");
    world.pass(kShop);
    world.pass(kBlog);
    world.refuse_with(Errc::offline, "unable to clone 'https://example.com/shop.git': no route");
    world.pass(kShop);
    auto const asked = world.asked_with.size();

    auto const next = world.pass(kBlog);

    CHECK(world.asked_with.size() == asked);
    CHECK(next.after == 5s);
    CHECK(world.condition(kBlog).status == Truth::yes);
    // What the others ask for is none of its business.
    CHECK(world.condition(kBlog, "FetchFailed").message ==
          "failed to checkout and determine revision: example.com:443 gives no answer to another that asked it");
    CHECK(world.woken.empty());
    world.relent();
    world.clock.now += 5s;
    world.pass(kShop);
    CHECK(world.woken == std::vector<Key>{kBlog});
    world.pass(kBlog);
    CHECK(world.condition(kBlog, "FetchFailed").type == "absent");
}

TEST_CASE("sources: a source with a deadline of a moment does not make its host silent for the others",
          "[source][sources]") {
    World world;
    world.want(R"(,"timeout":"1s")");
    world.want("", "blog");
    world.refuse_with(Errc::timeout, "no answer in 1 s");
    world.pass(kShop);
    world.relent();

    world.pass(kBlog);

    CHECK(world.condition(kBlog).status == Truth::yes);
}

TEST_CASE("sources: a deadline that was cut to ten minutes says so when it passes", "[source][sources]") {
    World world;
    world.want(R"(,"timeout":"100000m")");
    world.refuse_with(Errc::timeout, "no complete answer within 600000 ms");
    world.pass();
    CHECK(world.condition(kShop).message.ends_with("(a fetch ends after 10m0s, whatever spec.timeout says)"));

    World other;
    other.want();
    other.refuse_with(Errc::timeout, "no complete answer within 60000 ms");
    other.pass();
    CHECK_FALSE(other.condition(kShop).message.contains("spec.timeout"));
}

TEST_CASE("sources: a deadline is at most ten minutes, an interval at least five seconds", "[source][sources]") {
    World world;
    world.want(R"(,"timeout":"100000m")");
    world.pass();
    CHECK(world.whole_max == 10min);
    world.wish(
        R"({"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"GitRepository","metadata":{"name":"shop","namespace":"apps"},
            "spec":{"url":"https://example.com/shop.git","interval":"1ms"}})");
    CHECK(world.pass().after == 5s);
}

TEST_CASE("sources: what the journal refused is recorded on the next pass, though nothing is new",
          "[source][sources]") {
    World world;
    world.want();
    world.journal.refuse = Error{Errc::limit, "the disk is full"};
    auto const next = world.pass();
    CHECK(next.after == 10s);
    CHECK(world.journal.entries.empty());

    world.journal.refuse.reset();
    world.pass();

    REQUIRE(world.journal.entries.contains(kShop));
    CHECK(world.journal.entries.at(kShop).status.find(kOne) != std::string::npos);
    CHECK(world.journal.entries.at(kShop).facts.find("checkedAt") != std::string::npos);
    CHECK_FALSE(world.journal.entries.at(kShop).wish.empty());
    auto const saves = world.journal.saves;
    world.pass();
    CHECK(world.journal.saves == saves);
}

TEST_CASE("sources: a full cache is a failure that names it, and nothing is recorded as held", "[source][sources]") {
    World world;
    world.want();
    world.store.refuse = Error{Errc::limit, "the cache is full"};

    world.pass();

    CHECK(world.condition(kShop).status == Truth::no);
    CHECK(world.condition(kShop).reason == "ArchiveOperationFailed");
    CHECK(world.condition(kShop, "StorageOperationFailed").message ==
          "unable to archive artifact to storage: the cache is full");
    CHECK(world.store.rows.empty());
    CHECK_FALSE(world.artifact());
    world.store.refuse.reset();
    world.pass();
    CHECK(world.condition(kShop).status == Truth::yes);
    CHECK(world.condition(kShop, "StorageOperationFailed").type == "absent");
}

TEST_CASE("sources: a failure that names a scratch directory is the same failure the next time", "[source][sources]") {
    World world;
    world.want();
    world.refuse_with(Errc::limit, "failed to create '/scratch/git-6CjPWE/objects/pack_git2_7db4': No space left");
    world.pass();
    CHECK(world.condition(kShop).message ==
          "failed to checkout and determine revision: failed to create 'the scratch directory': No space left");
}

TEST_CASE("sources: another ignore fetches the same revision again", "[source][sources]") {
    World world;
    world.want();
    world.pass();

    world.want(R"(,"ignore":"*.md")");
    world.pass();

    CHECK(world.asked_with.back().empty());
    CHECK(world.store.rows.size() == 2);
    CHECK(world.status().part<model::SourceStatus>().observed_ignore == "*.md");
    world.pass();
    CHECK(world.asked_with.back() == kOne);
}

TEST_CASE("sources: a status names no artifact that another source has fetched", "[source][sources]") {
    // Goal    whoever may write the status of his own source gets nothing of another's
    // Method  an adopted status names a digest that the store holds, for another source or for this one
    World world;
    world.want("", "blog");
    world.pass(kBlog);
    auto const held = *world.artifact(kBlog);
    bool const is_own = GENERATE(true, false);
    if (is_own) {
        world.store.rows.back().source = kShop.text();
    }
    world.want();
    world.registry.find(kShop)->status.part<model::SourceStatus>().artifact = held;

    world.story.adopt(*world.registry.find(kShop));
    CHECK_FALSE(world.artifact());  // nothing is applied before the store was asked
    world.refuse_with(Errc::offline, "no route");
    world.pass();

    CHECK((world.artifact() != nullptr) == is_own);
}

TEST_CASE("sources: an artifact that is damaged, or that a status names and nobody has, is fetched at once",
          "[source][sources]") {
    World world;
    world.want();
    world.pass();
    bool const is_damaged = GENERATE(true, false);
    if (is_damaged) {
        CHECK(world.story.distrust(kShop));
    } else {
        world.store.blobs.clear();
    }
    world.refuse_with(Errc::offline, "no route");
    world.heard.clear();

    auto const next = world.pass();

    // It says so before it asks anybody.
    CHECK(next.after == 0s);
    CHECK(world.condition(kShop).status == Truth::no);
    CHECK(world.condition(kShop).message == "building artifact: disappeared from storage");
    CHECK_FALSE(world.artifact());
    CHECK(world.journal.records.back().fields.at("ComplianceState") == "Pending");
    CHECK(world.heard[kShop] == std::vector{model::Change::face});
    world.pass();
    CHECK(world.condition(kShop).status == Truth::no);
    CHECK(world.condition(kShop).message == "failed to checkout and determine revision: no route");

    world.relent();
    world.clock.now += 5s;
    world.pass();
    CHECK(world.asked_with.back().empty());
    CHECK(world.condition(kShop).status == Truth::yes);
    REQUIRE(world.artifact());
    CHECK(world.store.blobs.contains(world.artifact()->digest));
    // Who could not read it looks again, though it is the same artifact.
    CHECK(world.heard[kShop].back() == model::Change::face);
    world.pass();
    CHECK(world.asked_with.back() == kOne);
}

TEST_CASE("sources: a disk that loses whatever it is given makes no loop of fetches", "[source][sources]") {
    World world;
    world.want();
    world.pass();
    CHECK(world.story.distrust(kShop));
    CHECK_FALSE(world.story.distrust(kShop));
    world.pass();
    world.pass();
    CHECK_FALSE(world.story.distrust(kShop));
    world.store.blobs.clear();
    CHECK(world.pass().after == 10s);
    world.clock.now += 10s;
    world.pass();
    CHECK(world.story.distrust(kShop));
}

TEST_CASE("sources: damage that is found while a fetch is on its way is not forgotten with it", "[source][sources]") {
    World world;
    world.want();
    world.pass();
    world.meanwhile = [&world] { world.story.distrust(kShop); };
    world.pass();
    world.meanwhile = [] {};

    CHECK(world.pass().after == 0s);
    world.pass();

    CHECK(world.asked_with.back().empty());
    CHECK(world.condition(kShop).status == Truth::yes);
}

TEST_CASE("sources: a changed spec is observed though upstream has nothing new", "[source][sources]") {
    World world;
    world.want();
    world.pass();
    world.want(R"(,"timeout":"30s")").meta.generation = 2;

    world.pass();

    CHECK(world.asked_with.back() == kOne);
    CHECK(world.status().observed_generation == 2);
    CHECK(world.condition(kShop).status == Truth::yes);
}

TEST_CASE("sources: offline, what is held answers the wish it was fetched for and no other", "[source][sources]") {
    World world;
    world.want();
    world.pass();
    world.refuse_with(Errc::offline, "no route");

    world.want(R"(,"timeout":"30s")").meta.generation = 2;
    world.pass();
    CHECK(world.condition(kShop).status == Truth::yes);
    CHECK(world.status().observed_generation == 2);

    world.want(R"(,"ref":{"branch":"next"})").meta.generation = 3;
    world.pass();
    CHECK(world.condition(kShop).status == Truth::no);
    CHECK(world.condition(kShop, "Reconciling").message == "processing object: new generation 2 -> 3");
    CHECK(world.status().observed_generation == 2);
    CHECK(world.artifact()->revision == kOne);

    world.want().meta.generation = 4;
    world.pass();
    CHECK(world.condition(kShop).status == Truth::yes);
}

TEST_CASE("sources: a commit is the same from wherever it comes, and says so without being fetched again",
          "[source][sources]") {
    World world;
    world.want();
    world.pass();
    world.want("", "shop", "https://mirror.example.com/shop.git").meta.generation = 2;

    world.pass();

    CHECK(world.asked_with.back() == kOne);
    CHECK(world.store.rows.size() == 1);
    CHECK(world.status().observed_generation == 2);
    world.refuse_with(Errc::offline, "no route");
    world.pass();
    CHECK(world.condition(kShop).status == Truth::yes);
}

TEST_CASE("sources: a Secret that is not there is an authentication failure, not an anonymous request",
          "[source][sources]") {
    World world;
    world.want(R"(,"secretRef":{"name":"token"})");

    world.pass();

    CHECK(world.condition(kShop).reason == "AuthenticationFailed");
    CHECK(world.condition(kShop).message ==
          "failed to get secret 'apps/token': failed to get secret 'apps/token': not found");
    CHECK(world.asked_with.empty());

    world.cluster.objects["apps_token__Secret"] = {
        {"apiVersion", "v1"},
        {"kind", "Secret"},
        {"metadata", boost::json::object{{"name", "token"}, {"namespace", "apps"}}},
        {"data", boost::json::object{{"username", "Z2l0"}, {"password", "czNjcmV0"}}}};
    world.pass();
    CHECK(world.credentials.username == "git");
    CHECK(world.credentials.password == "s3cret");
    CHECK(world.condition(kShop).status == Truth::yes);
}

TEST_CASE("sources: suspended it asks nobody; deleted it forgets its artifacts", "[source][sources]") {
    World world;
    world.want(R"(,"suspend":true)");
    CHECK_FALSE(world.pass().after);
    CHECK(world.asked_with.empty());

    world.registry.find(kShop)->meta.deleting = true;
    world.store.refuse_forget = Error{Errc::limit, "the disk is full"};
    CHECK(world.pass().after == 5s);
    CHECK(world.condition(kShop).message == "garbage collection for deleted resource failed: the disk is full");
    REQUIRE(world.registry.find(kShop) != nullptr);

    world.store.refuse_forget.reset();
    CHECK(world.pass().after == 5s);  // whoever wakes it, it waits for its time
    world.clock.now += 5s;
    world.pass();

    CHECK(world.store.forgotten == std::vector<std::string>{"GitRepository/apps/shop"});
    CHECK(world.registry.find(kShop) == nullptr);
    CHECK(world.journal.records.back().state_digest == "Deleted");
}

TEST_CASE("sources: what was remembered of a deleted one is not believed of the next of its name",
          "[source][sources]") {
    World world;
    world.want();
    world.refuse_with(Errc::offline, "no route");
    world.pass();
    world.registry.find(kShop)->meta.deleting = true;
    world.pass();
    world.want("", "blog");
    world.relent();
    world.clock.now += 5s;
    world.pass(kBlog);
    CHECK(world.woken.empty());
    world.want();
    world.refuse_with(Errc::denied, "no");
    CHECK(world.pass().after == 5s);
}

TEST_CASE("sources: a wish of no use stalls, and the next good one mends it", "[source][sources]") {
    struct Case {
        std::string more, url, reason, message;
    };
    auto const bad = GENERATE(
        Case{R"(,"verify":{"mode":"HEAD"})", "https://example.com/shop.git", "InvalidSpec", "spec.verify: "},
        Case{R"(,"timeout":"often")", "https://example.com/shop.git", "InvalidSpec", "spec.timeout: "},
        Case{R"(,"provider":"azure")", "https://example.com/shop.git", "InvalidProviderConfiguration", "spec.provider"},
        Case{"", "https://example.com:port/", "URLInvalid", "failed to parse url 'https://example.com:port/': "});
    World world;
    world.want(bad.more, "shop", bad.url);

    CHECK_FALSE(world.pass().after);

    CHECK(world.condition(kShop).status == Truth::no);
    CHECK(world.condition(kShop, "Stalled").status == Truth::yes);
    CHECK(world.condition(kShop, "Stalled").reason == bad.reason);
    CHECK(world.condition(kShop, "FetchFailed").message.starts_with(bad.message));
    CHECK(world.condition(kShop, "Reconciling").type == "absent");
    CHECK(world.status().observed_generation == 1);
    CHECK(world.asked_with.empty());
    auto const costs = world.costs();
    world.pass();
    CHECK(world.costs() == costs);

    world.want();
    world.pass();
    CHECK(world.condition(kShop).status == Truth::yes);
    CHECK(world.condition(kShop, "Stalled").type == "absent");
    CHECK(world.condition(kShop, "FetchFailed").type == "absent");
}

TEST_CASE("sources: no login of a URL stands in what is recorded", "[source][sources]") {
    auto const url = GENERATE("https://bot:s3cr3t@example.com/shop.git", "https://bot:s3c/r3t@example.com:x/shop.git");
    World world;
    world.want("", "shop", url);
    world.refuse_with(Errc::denied, std::string{"unable to clone '"} + url + "': authentication required");

    world.pass();

    CHECK(world.condition(kShop).message.find("https://xxxxx@example.com") != std::string::npos);
    std::string told = world.journal.entries.at(kShop).status + world.journal.entries.at(kShop).facts;
    for (auto const& record : world.journal.records)
        told += boost::json::serialize(record.fields) + record.state_digest;
    CHECK(told.find("r3t") == std::string::npos);
}

TEST_CASE("sources: an empty repository is called so", "[source][sources]") {
    World world;
    world.want();
    world.refuse_with(Errc::not_found, "unable to clone 'https://example.com/shop.git': git repository is empty");
    world.pass();
    CHECK(world.condition(kShop).reason == "EmptyGitRepository");
    CHECK(world.condition(kShop).message == "git repository is empty");
}

TEST_CASE("sources: bytes that are no text do not spoil what is recorded", "[source][sources]") {
    World world;
    world.want();
    world.refuse_with(Errc::denied, "remote: caf\xe9 ferm\xe9\x80");

    world.pass();

    boost::system::error_code ec;
    boost::json::parse(world.journal.entries.at(kShop).status, ec);
    CHECK_FALSE(ec);
    CHECK(world.condition(kShop).message.find("remote: caf") != std::string::npos);
}

}  // namespace holdfast::source
