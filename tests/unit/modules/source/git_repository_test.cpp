// tests/unit/modules/source/git_repository_test.cpp: one pass after the other over a fake checkout and a store in memory.
#include "modules/source/git_repository.hpp"
#include "tests/support/story_world.hpp"

#include <catch2/catch.hpp>

namespace holdfast::source {

namespace {

using namespace std::chrono_literals;
using model::Key;
using model::Kind;
using model::Truth;

Key const kShop{Kind::git_repository, "apps", "shop"};

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

class MemoryStore final : public ArtifactStore {
public:
    std::vector<StoredArtifact> rows;
    std::vector<std::string> forgotten;
    std::optional<Error> refuse;

    class Writer final : public ArtifactWriter {
    public:
        explicit Writer(MemoryStore& store) : store_(store) {}
        Result<void> write(std::string_view piece) override {
            if (store_.refuse) return fail(store_.refuse->code, store_.refuse->message);
            bytes_ += piece;
            return {};
        }
        Result<std::string> finish() override { return "sha256:" + std::to_string(std::hash<std::string>{}(bytes_)); }

    private:
        MemoryStore& store_;
        std::string bytes_;
    };

    Result<std::unique_ptr<ArtifactWriter>> begin() override { return std::make_unique<Writer>(*this); }
    Result<std::string> read(std::string const&, std::uint64_t) override {
        return fail(Errc::corrupt, "not in this test");
    }
    Result<void> record(StoredArtifact const& artifact) override {
        rows.push_back(artifact);
        return {};
    }
    Result<std::optional<StoredArtifact>> newest(std::string const&) override {
        return std::optional<StoredArtifact>{};
    }
    Result<std::vector<StoredArtifact>> revisions(std::string const&) override { return rows; }
    Result<void> forget(std::string const& source) override {
        forgotten.push_back(source);
        return {};
    }
};

struct World : test::StoryWorld {
    MemoryStore store;
    std::string upstream = "main@sha1:1111";
    std::optional<Error> refuse;
    std::vector<std::string> asked_with;  // the revision that was known at each request
    git::Credentials credentials;
    std::chrono::milliseconds whole_max{};
    GitRepositories story{ports(),
                          pool,
                          store,
                          {},
                          {},
                          [this](git::Remote const& remote, git::Reference const&, git::Options const& options) {
                              return checkout(remote, options);
                          }};

    Result<git::Checkout> checkout(git::Remote const& remote, git::Options const& options) {
        asked_with.push_back(options.known_revision);
        credentials = remote.credentials;
        whole_max = options.bounds.whole_max;
        if (refuse) return fail(refuse->code, refuse->message);
        git::Checkout out{.revision = upstream, .commit = upstream.substr(10), .snapshot = nullptr};
        if (upstream != options.known_revision) out.snapshot = std::make_unique<OneFile>(upstream);
        return out;
    }
    model::Entry& want(std::string const& more = "") {
        return wish(
            R"({"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"GitRepository","metadata":{"name":"shop","namespace":"apps"},
                        "spec":{"url":"https://example.com/shop.git","interval":"10m")" +
            more + "}}");
    }
    story::Next pass() { return run(story.reconcile(kShop)); }
    model::Status const& status() { return registry.find(kShop)->status; }
};

}  // namespace

TEST_CASE("git repository: what is new is stored, recorded and said", "[source][git_repository]") {
    World world;
    world.want(R"(,"timeout":"20s")");

    auto const next = world.pass();

    CHECK(next.after == 10min);
    CHECK(world.whole_max == 20s);
    REQUIRE(world.status().artifact);
    CHECK(world.status().artifact->revision == "main@sha1:1111");
    CHECK(world.status().artifact->path == "gitrepository/apps/shop/1111.tar.gz");
    REQUIRE(world.store.rows.size() == 1);
    CHECK(world.store.rows[0].source == "GitRepository/apps/shop");
    CHECK(world.store.rows[0].digest == world.status().artifact->digest);
    CHECK(world.condition(kShop).message == "stored artifact for revision 'main@sha1:1111'");
    CHECK(world.condition(kShop, "ArtifactInStorage").status == Truth::yes);
    REQUIRE(world.journal.records.size() == 1);
    CHECK(world.journal.records[0].fields.at("ComplianceState") == "Compliant");
}

TEST_CASE("git repository: an unchanged revision writes nothing but is checked now", "[source][git_repository]") {
    World world;
    world.want();
    world.pass();
    auto const saves = world.journal.saves;
    world.clock.now += 599s;

    auto const next = world.pass();

    CHECK(next.after == 10min);
    CHECK(world.asked_with.back() == "main@sha1:1111");
    CHECK(world.journal.saves == saves);
    CHECK(world.store.rows.size() == 1);
    CHECK(world.status().artifact->last_checked == world.clock.wall());
    CHECK(world.status().artifact->last_update == world.clock.wall() - 599s);
}

TEST_CASE("git repository: the time of a check that found nothing new outlives a restart, to ten minutes",
          "[source][git_repository]") {
    World before;
    before.want();
    before.pass();
    auto const saves = before.journal.saves;
    before.clock.now += 600s;
    before.pass();
    CHECK(before.journal.saves == saves + 1);
    before.pass();
    CHECK(before.journal.saves == saves + 1);

    World after;
    auto& entry = after.want();
    auto const& row = before.journal.entries.at(kShop);
    entry.status = model::read_status(boost::json::parse(row.status).as_object());
    after.story.load(row);

    CHECK(after.status().artifact->last_checked == before.clock.wall());
}

TEST_CASE("git repository: offline it stays ready with what it holds, and says why it is not newer",
          "[source][git_repository]") {
    World world;
    world.want();
    world.pass();
    world.refuse = Error{Errc::offline, "no route"};

    auto const next = world.pass();

    REQUIRE(next.after);
    CHECK(*next.after <= 10min);
    CHECK(world.condition(kShop).status == Truth::yes);
    CHECK(world.condition(kShop, "FetchFailed").message == "failed to checkout and determine revision: no route");
    CHECK(world.status().artifact->revision == "main@sha1:1111");
    world.refuse.reset();
    world.pass();
    CHECK(world.condition(kShop, "FetchFailed").type == "absent");
}

TEST_CASE("git repository: offline before the first fetch it is not ready", "[source][git_repository]") {
    World world;
    world.want();
    world.refuse = Error{Errc::offline, "no route"};

    world.pass();

    CHECK(world.condition(kShop).status == Truth::no);
    CHECK(world.condition(kShop).reason == "GitOperationFailed");
    CHECK_FALSE(world.status().artifact);
}

TEST_CASE("git repository: a refusal is not ready, and what is held stays in use", "[source][git_repository]") {
    auto const code = GENERATE(Errc::denied, Errc::not_found, Errc::invalid_input, Errc::limit);
    World world;
    world.want();
    world.pass();
    world.refuse = Error{code, "authentication required"};

    world.pass();

    CHECK(world.condition(kShop).status == Truth::no);
    REQUIRE(world.status().artifact);
    CHECK(world.status().artifact->revision == "main@sha1:1111");
    CHECK(world.store.forgotten.empty());
    world.refuse.reset();
    world.pass();
    CHECK(world.condition(kShop).status == Truth::yes);
}

TEST_CASE("git repository: the same failure again waits longer each time, never longer than the interval",
          "[source][git_repository]") {
    World world;
    world.want();
    world.refuse = Error{Errc::offline, "no route"};
    std::vector<model::Duration> waits;
    for (int i = 0; i < 12; ++i) waits.push_back(world.pass().after.value());

    CHECK(waits.front() <= 10s);
    CHECK(waits.back() > waits.front());
    for (auto const wait : waits) CHECK(wait <= 10min);
    world.refuse.reset();
    world.pass();
    world.refuse = Error{Errc::offline, "no route"};
    CHECK(world.pass().after.value() <= 10s);
}

TEST_CASE("git repository: what the journal refused is recorded on the next pass, though nothing is new",
          "[source][git_repository]") {
    World world;
    world.want();
    world.journal.refuse = Error{Errc::limit, "the disk is full"};
    auto const next = world.pass();
    CHECK(next.after == 10s);
    CHECK(world.journal.entries.empty());

    world.journal.refuse.reset();
    world.pass();

    REQUIRE(world.journal.entries.contains(kShop));
    CHECK(world.journal.entries.at(kShop).status.find("main@sha1:1111") != std::string::npos);
    CHECK_FALSE(world.journal.entries.at(kShop).wish.empty());
    auto const saves = world.journal.saves;
    world.pass();
    CHECK(world.journal.saves == saves);
}

TEST_CASE("git repository: a full cache is a failure that names it, and nothing is recorded as held",
          "[source][git_repository]") {
    World world;
    world.want();
    world.store.refuse = Error{Errc::limit, "the cache is full"};

    world.pass();

    CHECK(world.condition(kShop).status == Truth::no);
    CHECK(world.condition(kShop).message.find("the cache is full") != std::string::npos);
    CHECK(world.store.rows.empty());
    CHECK_FALSE(world.status().artifact);
}

TEST_CASE("git repository: another ignore, or a damaged artifact, fetches the same revision again",
          "[source][git_repository]") {
    World world;
    world.want();
    world.pass();

    world.want(R"(,"ignore":"*.md")");
    world.pass();
    CHECK(world.asked_with.back().empty());
    CHECK(world.store.rows.size() == 2);
    world.pass();
    CHECK(world.asked_with.back() == "main@sha1:1111");
    CHECK(world.story.distrust(kShop));
    world.pass();

    CHECK(world.asked_with.back().empty());
    CHECK(world.store.rows.size() == 3);
    // Damaged again at once: not a loop of fetches.
    CHECK_FALSE(world.story.distrust(kShop));
    world.clock.now += 11s;
    CHECK(world.story.distrust(kShop));
}

TEST_CASE("git repository: a changed spec is observed though upstream has nothing new", "[source][git_repository]") {
    World world;
    world.want();
    world.pass();
    world.want(R"(,"timeout":"30s")").meta.generation = 2;

    world.pass();

    CHECK(world.status().observed_generation == 2);
    CHECK(world.condition(kShop).status == Truth::yes);
}

TEST_CASE("git repository: a Secret that is not there is an authentication failure, not an anonymous request",
          "[source][git_repository]") {
    World world;
    world.want(R"(,"secretRef":{"name":"token"})");

    world.pass();

    CHECK(world.condition(kShop).reason == "AuthenticationFailed");
    CHECK(world.condition(kShop).message.starts_with("failed to get secret 'apps/token'"));
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

TEST_CASE("git repository: suspended it asks nobody; deleted it forgets its artifacts", "[source][git_repository]") {
    World world;
    world.want(R"(,"suspend":true)");
    CHECK_FALSE(world.pass().after);
    CHECK(world.asked_with.empty());

    world.registry.find(kShop)->meta.deleting = true;
    world.pass();

    CHECK(world.store.forgotten == std::vector<std::string>{"GitRepository/apps/shop"});
    CHECK(world.registry.find(kShop) == nullptr);
    CHECK(world.journal.records.back().state_digest == "Deleted");
}

TEST_CASE("git repository: an unreadable spec stalls, and the next good one mends it", "[source][git_repository]") {
    World world;
    world.wish(
        R"({"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"GitRepository","metadata":{"name":"shop","namespace":"apps"},
                   "spec":{"url":"https://example.com/shop.git","interval":"often"}})");
    CHECK_FALSE(world.pass().after);
    CHECK(world.condition(kShop, "Stalled").status == Truth::yes);

    world.want();
    world.pass();

    CHECK(world.condition(kShop).status == Truth::yes);
    CHECK(world.condition(kShop, "Stalled").type == "absent");
}

TEST_CASE("git repository: bytes that are no text do not spoil what is recorded", "[source][git_repository]") {
    World world;
    world.want();
    world.refuse = Error{Errc::denied, "remote: caf\xe9 ferm\xe9\x80"};

    world.pass();

    boost::system::error_code ec;
    boost::json::parse(world.journal.entries.at(kShop).status, ec);
    CHECK_FALSE(ec);
    CHECK(world.condition(kShop).message.find("remote: caf") != std::string::npos);
}

}  // namespace holdfast::source
