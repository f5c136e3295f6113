// modules/source/ports.hpp: where sources keep what they fetched; filled by cache/artifacts.
#pragma once

#include "modules/base/error.hpp"
#include "modules/model/duration.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::source {

/// One revision of a source that is held.
struct StoredArtifact {
    std::string source;    // model::Key::text(): "GitRepository/flux-system/apps"
    std::string revision;  // "main@sha1:<40 hex>"
    std::string digest;    // "sha256:<64 hex>" of the tar.gz
    std::uint64_t size = 0;
    model::WallTime stored_at;    // status.artifact.lastUpdateTime, in whole seconds
    std::string metadata = "{}";  // status.artifact.metadata, JSON object
};

/// An artifact on its way to the disk. Destroyed before finish(): nothing is kept.
/// Used from one thread at a time, any thread.
class ArtifactWriter {
public:
    virtual ~ArtifactWriter() = default;

    /// Errors  limit  the cache's share of the disk is used up, or the disk is full
    virtual Result<void> write(std::string_view piece) = 0;

    /// Out     "sha256:<64 hex>"; the bytes are durable on return and stay until this object is destroyed,
    ///         and after that for as long as a recorded artifact names them
    /// Errors  limit
    virtual Result<std::string> finish() = 0;
};

/// Artifacts by digest, and the revisions of each source. begin(), has(), size() and read() may be called from any thread and block
/// on the disk; the others from the db pool only.
class ArtifactStore {
public:
    virtual ~ArtifactStore() = default;

    virtual Result<std::unique_ptr<ArtifactWriter>> begin() = 0;

    /// Is there a file of this name? Cheap: whether its bytes are whole, only read() finds out.
    virtual bool has(std::string const& digest) = 0;

    /// How many bytes the file of this name has.
    /// Errors  corrupt  missing
    virtual Result<std::uint64_t> size(std::string const& digest) = 0;

    using Sink = std::function<Result<void>(std::string_view piece)>;
    /// Hands the bytes to `sink` piece by piece: they are whole and verified when this returns success.
    /// Errors  corrupt  missing, or damaged and now in quarantine: fetch again;  those of `sink`
    virtual Result<void> read(std::string const& digest, Sink const& sink) = 0;

    /// Makes `artifact` the newest of its source; its writer has finished and is still alive. Durable on return.
    /// The same revision and digest again changes nothing. Older revisions beyond the number kept are forgotten.
    virtual Result<void> record(StoredArtifact const& artifact) = 0;

    virtual Result<std::optional<StoredArtifact>> newest(std::string const& source) = 0;

    /// Newest first.
    virtual Result<std::vector<StoredArtifact>> revisions(std::string const& source) = 0;

    /// The source is gone for good: forgets all its revisions.
    virtual Result<void> forget(std::string const& source) = 0;
};

}  // namespace holdfast::source
