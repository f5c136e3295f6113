// tests/unit/cache/artifacts/artifact_store_test.cpp: revisions of a source, kept and collected.
// Goal: after a kill at any moment every recorded artifact is whole, and collection removes nothing that is named.
// Method: real SQLite and real files; the kill is SIGKILL to a child that writes and records in a loop.
#include "cache/artifacts/artifact_store.hpp"

#include "cache/db/migrate.hpp"
#include "tests/support/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <random>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::cache {

using source::StoredArtifact;
using test::TempDir;

/// What the daemon has: one database, one blob directory.
struct Cache {
    explicit Cache(std::filesystem::path const& directory, std::uint64_t bytes_max = 1 << 30)
        : db{std::move(db::Connection::open(directory / "holdfast.db").value())},
          blobs{std::move(BlobStore::open(directory / "blobs", bytes_max).value())},
          store{(db::migrate(db).value(), db), *blobs, 3} {}

    db::Connection db;
    std::unique_ptr<BlobStore> blobs;
    ArtifactStore store;
};

Result<std::string> read(ArtifactStore& store, std::string const& digest) {
    std::string bytes;
    auto done = store.read(digest, [&](std::string_view piece) -> Result<void> {
        bytes += piece;
        return {};
    });
    if (!done) return fail(std::move(done));
    return bytes;
}

Result<std::string> add(ArtifactStore& store, std::string const& source, std::string const& revision,
                        std::string const& bytes) {
    auto writer = store.begin();
    if (!writer) return fail(std::move(writer));
    auto written = (*writer)->write(bytes);
    if (!written) return fail(std::move(written));
    auto digest = (*writer)->finish();
    if (!digest) return digest;
    auto recorded = store.record({.source = source,
                                  .revision = revision,
                                  .digest = *digest,
                                  .size = bytes.size(),
                                  .stored_at = model::WallTime{std::chrono::seconds{1'790'000'000}}});
    if (!recorded) return fail(std::move(recorded));
    return digest;
}

TEST_CASE("artifacts: sources that nobody uses are forgotten by prefix, young ones stay", "[cache][artifacts]") {
    TempDir dir;
    Cache cache{dir.path()};
    for (auto const* source : {"Remote/a", "Remote/b", "Remote%", "GitRepository/Remote/a"})
        REQUIRE(add(cache.store, source, "1", source));
    model::WallTime const stored{std::chrono::seconds{1'790'000'000}};

    REQUIRE(cache.store.forget_others("Remote/", {}, stored));
    CHECK(cache.store.newest("Remote/b").value());
    REQUIRE(cache.store.forget_others("Remote/", {"Remote/a"}, stored + std::chrono::seconds{1}));

    CHECK(cache.store.newest("Remote/a").value());
    CHECK_FALSE(cache.store.newest("Remote/b").value());
    CHECK(cache.store.newest("Remote%").value());
    CHECK(cache.store.newest("GitRepository/Remote/a").value());
}

TEST_CASE("artifacts: the newest revision comes back after a restart", "[cache][artifacts]") {
    TempDir dir;
    {
        Cache cache{dir.path()};
        REQUIRE(add(cache.store, "GitRepository/a/b", "main@sha1:1", "one"));
        REQUIRE(add(cache.store, "GitRepository/a/b", "main@sha1:2", "two"));
        REQUIRE(add(cache.store, "GitRepository/a/c", "main@sha1:9", "other"));
    }

    Cache cache{dir.path()};
    auto const newest = cache.store.newest("GitRepository/a/b").value();

    REQUIRE(newest);
    CHECK(newest->revision == "main@sha1:2");
    CHECK(newest->size == 3);
    CHECK(newest->stored_at == model::WallTime{std::chrono::seconds{1'790'000'000}});
    CHECK(newest->metadata == "{}");
    CHECK(read(cache.store, newest->digest).value() == "two");
    CHECK(cache.store.revisions("GitRepository/a/b").value().size() == 2);
    CHECK_FALSE(cache.store.newest("GitRepository/a/none").value());
}

TEST_CASE("artifacts: the same revision and digest again is one row; going back to an old one makes it newest",
          "[cache][artifacts]") {
    TempDir dir;
    Cache cache{dir.path()};
    REQUIRE(add(cache.store, "s", "r1", "one"));
    REQUIRE(add(cache.store, "s", "r1", "one"));
    CHECK(cache.store.revisions("s").value().size() == 1);

    REQUIRE(add(cache.store, "s", "r2", "two"));
    REQUIRE(add(cache.store, "s", "r1", "one"));

    CHECK(cache.store.newest("s").value()->revision == "r1");
    CHECK(cache.store.revisions("s").value().size() == 3);
}

TEST_CASE("artifacts: only the last revisions are kept, and collection removes the blobs of the others",
          "[cache][artifacts]") {
    TempDir dir;
    Cache cache{dir.path()};
    std::vector<std::string> digests;
    for (int i = 0; i < 6; ++i)
        digests.push_back(add(cache.store, "s", "r" + std::to_string(i), "bytes " + std::to_string(i)).value());

    auto const collected = cache.store.collect({digests[0]}).value();

    CHECK(collected.blobs == 2);
    CHECK(collected.bytes == 14);
    CHECK(read(cache.store, digests[0]));  // named by the caller
    CHECK(read(cache.store, digests[1]).error().code == Errc::corrupt);
    CHECK(read(cache.store, digests[2]).error().code == Errc::corrupt);
    for (int i = 3; i < 6; ++i) CHECK(read(cache.store, digests[static_cast<std::size_t>(i)]));
    CHECK(cache.store.collect({}).value().blobs == 1);
}

TEST_CASE("artifacts: a blob that two sources name stays until both forget it", "[cache][artifacts]") {
    TempDir dir;
    Cache cache{dir.path()};
    auto const digest = add(cache.store, "a", "r", "same").value();
    REQUIRE(add(cache.store, "b", "r", "same").value() == digest);

    REQUIRE(cache.store.forget("a"));
    CHECK(cache.store.collect({}).value().blobs == 0);
    REQUIRE(cache.store.forget("b"));
    CHECK(cache.store.collect({}).value().blobs == 1);
    CHECK(cache.blobs->bytes_used() == 0);
}

TEST_CASE("artifacts: a finished blob that is not recorded yet survives collection", "[cache][artifacts]") {
    TempDir dir;
    Cache cache{dir.path()};
    auto writer = cache.store.begin().value();
    REQUIRE(writer->write("new"));
    auto const digest = writer->finish().value();

    CHECK(cache.store.collect({}).value().blobs == 0);
    REQUIRE(cache.store.record({.source = "s", .revision = "r", .digest = digest, .size = 3}));
    writer.reset();
    CHECK(cache.store.collect({}).value().blobs == 0);
    CHECK(read(cache.store, digest));
}

TEST_CASE("artifacts: the size of a blob is known before it is read, and who reads may stop", "[cache][artifacts]") {
    TempDir dir;
    Cache cache{dir.path()};
    auto const digest = add(cache.store, "s", "r", std::string(1'000, 'x')).value();

    CHECK(cache.store.size(digest).value() == 1'000);
    CHECK(cache.store.size("sha256:" + std::string(64, '0')).error().code == Errc::corrupt);
    CHECK(cache.store.size("sha512:abc").error().code == Errc::corrupt);
    auto const stopped = cache.store.read(digest, [](std::string_view) { return fail(Errc::limit, "enough"); });
    CHECK(stopped.error().message == "enough");
    CHECK(read(cache.store, digest));
}

TEST_CASE("artifacts: a full cache refuses, and works again after collection", "[cache][artifacts][limit]") {
    TempDir dir;
    Cache cache{dir.path(), 1'000};
    REQUIRE(add(cache.store, "s", "r1", std::string(400, '1')));
    REQUIRE(add(cache.store, "s", "r2", std::string(400, '2')));

    auto refused = add(cache.store, "s", "r3", std::string(400, '3'));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::limit);
    CHECK(cache.store.newest("s").value()->revision == "r2");

    REQUIRE(cache.store.forget("s"));
    REQUIRE(cache.store.collect({}));
    CHECK(add(cache.store, "s", "r3", std::string(400, '3')));
}

TEST_CASE("artifacts: killed at any moment, every recorded artifact is whole", "[cache][artifacts]") {
    std::minstd_rand random{20261125};
    TempDir dir;
    std::size_t recorded = 0;
    for (int round = 0; round < 25; ++round) {
        int started[2];
        REQUIRE(::pipe(started) == 0);
        pid_t const child = ::fork();
        if (child == 0) {
            Cache cache{dir.path()};
            for (int i = 0;; ++i) {
                if (i == 3 && ::write(started[1], "x", 1) != 1) ::_exit(3);
                auto const text = std::to_string(round) + ":" + std::to_string(i);
                if (!add(cache.store, "s" + std::to_string(i % 3), text, std::string(50'000, 'x') + text)) ::_exit(1);
                if (i % 7 == 0 && !cache.store.collect({})) ::_exit(2);
            }
        }
        char c = 0;
        REQUIRE(::read(started[0], &c, 1) == 1);
        ::close(started[0]);
        ::close(started[1]);
        ::usleep(random() % 60'000);
        ::kill(child, SIGKILL);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFSIGNALED(status));

        Cache cache{dir.path()};
        REQUIRE(cache.db.check());
        for (auto const* source : {"s0", "s1", "s2"}) {
            for (auto const& artifact : cache.store.revisions(source).value()) {
                auto bytes = read(cache.store, artifact.digest);
                REQUIRE(bytes);
                REQUIRE(bytes->ends_with(artifact.revision));
                ++recorded;
            }
        }
        REQUIRE(cache.store.collect({}));
        REQUIRE(cache.blobs->list().value().size() <= 9);
    }
    CHECK(recorded > 50);
}

}  // namespace holdfast::cache
