// tests/unit/cache/journal/outage_test.cpp: what a month without network costs the disk, with the real story over the real journal.
#include "cache/db/migrate.hpp"
#include "cache/journal/journal.hpp"
#include "modules/source/sources.hpp"
#include "modules/source/upstream/git.hpp"
#include "modules/story/passes.hpp"
#include "tests/support/sqlite_writes.hpp"
#include "tests/support/story_world.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/modules/source/memory_store.hpp"

#include <catch2/catch.hpp>

#include <array>

namespace holdfast::cache {

namespace {

using namespace std::chrono_literals;
using model::Key;
using model::Kind;

constexpr int kSources = 100;
constexpr std::int64_t kBytesMax = 10 << 20;
constexpr BackoffPolicy kRetry{.delay_min = 5s, .delay_max = 300s};

Key key_of(int i) { return {Kind::git_repository, "apps", "source-" + std::to_string(i)}; }

class NoFiles final : public git::Snapshot {
public:
    std::vector<git::File> const& files() const override { return files_; }
    Result<std::string> read(std::size_t) override { return std::string{}; }
    std::string message() const override { return "first\n"; }

private:
    std::vector<git::File> files_;
};

struct World : test::StoryWorld {
    test::TempDir dir;
    db::Connection connection{std::move(db::Connection::open(dir / "holdfast.db").value())};
    std::optional<Outbox> outbox;
    std::optional<Journal> on_disk;
    source::MemoryStore store;
    bool is_up = true;
    int words = 0;
    source::Hosts hosts{clock, kRetry};
    source::GitUpstream git{
        pool, {.scratch = "/scratch"}, {}, source::commits_of([this](auto const&, auto const&, auto const& options) {
            return checkout(options);
        })};
    std::optional<source::Sources> story;
    std::optional<story::Passes> passes;

    World() {
        REQUIRE(db::migrate(connection));
        outbox.emplace(connection, OutboxLimits{}, [this] { return clock.wall(); });
        REQUIRE(outbox->open());
        on_disk.emplace(connection, *outbox);
        story::Ports const all{registry, &cluster, *on_disk, db, log, clock};
        story.emplace(all, store, hosts, source::Sources::Upstreams{&git}, [](Key const&) {}, kRetry);
        passes.emplace(all, story::Passes::Stories{&*story});
        for (int i = 0; i < kSources; ++i) {
            auto const name = key_of(i).name;
            wish(
                R"({"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"GitRepository","metadata":{"namespace":"apps","name":")" +
                name + R"("},"spec":{"url":"https://)" + name + R"(.example.com/shop.git","interval":"10m"}})");
        }
    }

    /// Each time in other words: a resolver, a route, a proxy and a timeout take turns.
    Result<git::Checkout> checkout(git::Options const& options) {
        static constexpr std::array<std::string_view, 4> kWords{"no such host", "network is unreachable", "proxy: 502",
                                                                "i/o timeout after 60s"};
        ++words;
        if (!is_up) {
            auto const code = words % 4 == 3 ? Errc::timeout : Errc::offline;
            return fail(code, std::string{kWords[static_cast<std::size_t>(words % 4)]} + " " + std::to_string(words));
        }
        git::Checkout out{.revision = "main@sha1:1111", .commit = "1111", .snapshot = nullptr};
        if (out.revision != options.known_revision) out.snapshot = std::make_unique<NoFiles>();
        return out;
    }

    void pass_all() {
        for (int i = 0; i < kSources; ++i) run(passes->run(key_of(i)));
    }
};

}  // namespace

TEST_CASE("journal: thirty days without network, of a hundred sources, cost the disk next to nothing",
          "[cache][journal]") {
    World world;
    world.pass_all();
    REQUIRE(world.condition(key_of(7)).status == model::Truth::yes);
    auto const records = world.outbox->state().value().waiting;
    world.is_up = false;
    test::SqliteWrites const writes;

    for (int hour = 0; hour < 30 * 24; ++hour) {  // the passes between two hours say what these say
        world.clock.now += 1h;
        world.pass_all();
    }
    auto const outage = writes.bytes();
    world.is_up = true;
    world.clock.now += 1h;
    world.pass_all();

    INFO(outage << " bytes, and back " << writes.bytes() - outage);
    CHECK(world.words >= 30 * 24 * kSources);
    CHECK(outage > 0);
    CHECK(writes.bytes() <= kBytesMax);
    CHECK(world.outbox->state().value().waiting == records);  // it stays ready all the while
    CHECK(world.condition(key_of(7), "FetchFailed").type == "absent");
}

}  // namespace holdfast::cache
