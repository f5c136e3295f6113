// cache/artifacts/artifact_store.hpp: the revisions held of each source, and the collection of what nobody needs.
#pragma once

#include "cache/blobs/blob_store.hpp"
#include "cache/db/db.hpp"
#include "modules/source/ports.hpp"

#include <cstdint>
#include <set>

namespace holdfast::cache {

struct Collected {
    std::size_t blobs = 0;
    std::uint64_t bytes = 0;
};

/// Tables: artifacts, blobs (cache/db/migrations/0001_artifacts.sql). Fills source::ArtifactStore.
/// Order that makes a power cut harmless: the file is durable before its row; the row is gone before the file.
class ArtifactStore final : public source::ArtifactStore {
public:
    /// `db` and `blobs` must outlive this object.
    ArtifactStore(db::Connection& db, BlobStore& blobs, std::int64_t revisions_kept = 10);

    Result<std::unique_ptr<source::ArtifactWriter>> begin() override;
    bool has(std::string const& digest) override { return blobs_.has(digest); }
    Result<std::uint64_t> size(std::string const& digest) override;
    Result<void> read(std::string const& digest, Sink const& sink) override;
    Result<void> record(source::StoredArtifact const& artifact) override;
    Result<std::optional<source::StoredArtifact>> newest(std::string const& source) override;
    Result<std::vector<source::StoredArtifact>> revisions(std::string const& source) override;
    Result<void> forget(std::string const& source) override;

    /// Forgets the sources whose names start with `prefix` but those of `kept`, unless something was recorded since `young`.
    Result<void> forget_others(std::string const& prefix, std::set<std::string> const& kept, model::WallTime young);

    /// Removes blobs that no artifact row names and that are not in `in_use`, and files without a row (a power cut
    /// between file and row). Blobs with a living writer stay. db pool.
    Result<Collected> collect(std::set<std::string> const& in_use);

private:
    Result<std::vector<std::string>> unreferenced(std::set<std::string> const& in_use);
    Result<bool> remove(std::string const& digest, Collected& collected);
    static source::StoredArtifact from_row(db::Rows const& rows);

    db::Connection& db_;
    BlobStore& blobs_;
    std::int64_t revisions_kept_;
    db::Statement put_blob_;
    db::Statement put_;
    db::Statement trim_;
    db::Statement newest_;
    db::Statement revisions_;
    db::Statement forget_;
    db::Statement older_;
    db::Statement unreferenced_;
    db::Statement drop_blob_;
    db::Statement has_blob_;
};

}  // namespace holdfast::cache
