// cache/artifacts/artifact_store.cpp: rows over blobs.
#include "cache/artifacts/artifact_store.hpp"

#include <algorithm>
#include <chrono>

namespace holdfast::cache {

namespace {

constexpr auto kPutBlob = "INSERT INTO blobs(digest, size, stored_at) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING";
constexpr auto kPut =
    "INSERT INTO artifacts(source, revision, digest, size, stored_at, metadata) VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
constexpr auto kTrim =
    "DELETE FROM artifacts WHERE source = ?1 AND id NOT IN (SELECT id FROM artifacts WHERE source = ?1 ORDER BY id DESC LIMIT ?2)";
constexpr auto kNewest =
    "SELECT source, revision, digest, size, stored_at, metadata FROM artifacts WHERE source = ?1 ORDER BY id DESC LIMIT 1";
constexpr auto kRevisions =
    "SELECT source, revision, digest, size, stored_at, metadata FROM artifacts WHERE source = ?1 ORDER BY id DESC";
constexpr auto kForget = "DELETE FROM artifacts WHERE source = ?1";
constexpr auto kOlder =
    "SELECT source FROM artifacts WHERE substr(source, 1, length(?1)) = ?1 GROUP BY source HAVING max(stored_at) < ?2";
constexpr auto kUnreferenced =
    "SELECT digest FROM blobs WHERE NOT EXISTS (SELECT 1 FROM artifacts WHERE artifacts.digest = blobs.digest)";
constexpr auto kDropBlob = "DELETE FROM blobs WHERE digest = ?1";
constexpr auto kHasBlob = "SELECT count(*) FROM blobs WHERE digest = ?1";

std::int64_t seconds(model::WallTime time) {
    return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

ArtifactStore::ArtifactStore(db::Connection& db, BlobStore& blobs, std::int64_t revisions_kept)
    : db_{db}, blobs_{blobs}, revisions_kept_{revisions_kept}, put_blob_{db, kPutBlob}, put_{db, kPut},
      trim_{db, kTrim}, newest_{db, kNewest}, revisions_{db, kRevisions}, forget_{db, kForget}, older_{db, kOlder},
      unreferenced_{db, kUnreferenced}, drop_blob_{db, kDropBlob}, has_blob_{db, kHasBlob} {}

Result<std::unique_ptr<source::ArtifactWriter>> ArtifactStore::begin() {
    auto writer = blobs_.begin();
    if (!writer) return fail(std::move(writer));
    return std::unique_ptr<source::ArtifactWriter>{std::move(*writer)};
}

Result<std::uint64_t> ArtifactStore::size(std::string const& digest) { return blobs_.size(digest); }

Result<void> ArtifactStore::read(std::string const& digest, Sink const& sink) { return blobs_.read(digest, sink); }

Result<void> ArtifactStore::record(source::StoredArtifact const& artifact) {
    auto current = newest(artifact.source);
    if (!current) return fail(std::move(current), "artifact");
    if (*current && (*current)->revision == artifact.revision && (*current)->digest == artifact.digest) return {};

    auto transaction = db::Transaction::begin(db_);
    if (!transaction) return fail(std::move(transaction), "artifact");
    auto blob = put_blob_.run(artifact.digest, artifact.size, seconds(artifact.stored_at));
    if (!blob) return fail(std::move(blob), "artifact: blob row");
    auto row = put_.run(artifact.source, artifact.revision, artifact.digest, artifact.size, seconds(artifact.stored_at),
                        artifact.metadata);
    if (!row) return fail(std::move(row), "artifact: row");
    auto trimmed = trim_.run(artifact.source, revisions_kept_);
    if (!trimmed) return fail(std::move(trimmed), "artifact: older rows");
    auto committed = transaction->commit();
    if (!committed) return fail(std::move(committed), "artifact");
    return {};
}

source::StoredArtifact ArtifactStore::from_row(db::Rows const& rows) {
    return {.source = rows.text(0),
            .revision = rows.text(1),
            .digest = rows.text(2),
            .size = static_cast<std::uint64_t>(rows.integer(3)),
            .stored_at = model::WallTime{std::chrono::seconds{rows.integer(4)}},
            .metadata = rows.text(5)};
}

Result<std::optional<source::StoredArtifact>> ArtifactStore::newest(std::string const& source) {
    auto rows = newest_.rows(source);
    auto found = rows.next();
    if (!found) return fail(std::move(found), "artifacts");
    if (!*found) return std::nullopt;
    return from_row(rows);
}

Result<std::vector<source::StoredArtifact>> ArtifactStore::revisions(std::string const& source) {
    std::vector<source::StoredArtifact> all;
    auto rows = revisions_.rows(source);
    for (;;) {
        auto found = rows.next();
        if (!found) return fail(std::move(found), "artifacts");
        if (!*found) return all;
        all.push_back(from_row(rows));
    }
}

Result<void> ArtifactStore::forget(std::string const& source) {
    auto forgotten = forget_.run(source);
    if (!forgotten) return fail(std::move(forgotten), "artifacts");
    return {};
}

Result<void> ArtifactStore::forget_others(std::string const& prefix, std::set<std::string> const& kept,
                                          model::WallTime young) {
    std::vector<std::string> others;
    auto rows = older_.rows(prefix, seconds(young));
    for (;;) {
        auto found = rows.next();
        if (!found) return fail(std::move(found), "artifacts");
        if (!*found) break;
        if (auto source = rows.text(0); !kept.contains(source)) others.push_back(std::move(source));
    }
    for (auto const& source : others) {
        if (auto ok = forget(source); !ok) return ok;
    }
    return {};
}

Result<Collected> ArtifactStore::collect(std::set<std::string> const& in_use) {
    Collected collected;
    auto digests = unreferenced(in_use);
    if (!digests) return fail(std::move(digests), "collect");
    for (auto const& digest : *digests) {
        auto dropped = drop_blob_.run(digest);
        if (!dropped) return fail(std::move(dropped), "collect");
        auto removed = remove(digest, collected);
        if (!removed) return fail(std::move(removed), "collect");
    }
    auto files = blobs_.list();
    if (!files) return fail(std::move(files), "collect");
    for (auto const& digest : *files) {
        auto rows = has_blob_.scalar(digest);
        if (!rows) return fail(std::move(rows), "collect");
        if (*rows > 0 || in_use.contains(digest)) continue;
        auto removed = remove(digest, collected);
        if (!removed) return fail(std::move(removed), "collect");
    }
    return collected;
}

Result<std::vector<std::string>> ArtifactStore::unreferenced(std::set<std::string> const& in_use) {
    std::vector<std::string> digests;
    auto rows = unreferenced_.rows();
    for (;;) {
        auto found = rows.next();
        if (!found) return fail(std::move(found));
        if (!*found) return digests;
        if (auto digest = rows.text(0); !in_use.contains(digest)) digests.push_back(std::move(digest));
    }
}

/// A blob that someone is writing again stays; its row comes back with record().
Result<bool> ArtifactStore::remove(std::string const& digest, Collected& collected) {
    auto const before = blobs_.bytes_used();
    auto removed = blobs_.remove(digest);
    if (!removed || !*removed) return removed;
    ++collected.blobs;
    collected.bytes += before - std::min(before, blobs_.bytes_used());
    return true;
}

}  // namespace holdfast::cache
