// modules/source/artifact.hpp: a tree of files as one tar.gz: same tree, same bytes, same digest.
// Reading order: artifact.hpp, artifact.cpp, tar_writer.hpp, tar_writer.cpp. untar.hpp reads it back.
#pragma once

#include "modules/base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::source {

enum class EntryKind {
    directory,
    file,
    executable,
    other,  // symlink, device: left out of the artifact
};

struct TreeEntry {
    std::string path;  // relative, "/" between components, no "." or ".."
    EntryKind kind = EntryKind::file;
    std::uint64_t size = 0;
};

/// What an artifact is made of. Directories are entries of their own; the root is not.
class Tree {
public:
    virtual ~Tree() = default;
    virtual std::vector<TreeEntry> const& entries() const = 0;
    /// The bytes of entries()[index].
    virtual Result<std::string> read(std::size_t index) = 0;
};

struct ArtifactInfo {
    std::string digest;          // "sha256:<64 hex>" of the tar.gz
    std::uint64_t size = 0;      // its bytes
    std::uint64_t unpacked = 0;  // bytes of the files in it
    std::size_t files = 0;
};

/// Takes the artifact piece by piece; a failure ends the writing with that failure.
using ArtifactSink = std::function<Result<void>(std::string_view piece)>;

/// Asked before each entry; a failure ends the writing with that failure.
using GoOn = std::function<Result<void>()>;

/// Writes what the ignore rules leave of `tree`.
///
/// In      ignore  spec.ignore: comes after the .sourceignore files, so it wins
/// Errors  limit          more than kArtifactEntriesMax entries or kArtifactBytesMax bytes, a path longer than
///                        kArtifactPathBytesMax, a .sourceignore larger than kIgnoreFileBytesMax, SourceIgnore::Limits
///         invalid_input  a path that is absolute, or holds "..", "." or an empty component; an entry twice
///         those of read(), sink and go_on
/// Cost    memory: the largest file, and about 100 bytes for each entry
/// Source  fluxcd/pkg artifact/storage Archive: the tar inside is the one Flux writes; files 0600 (0700 when executable),
///         directories 0750, owner 0, time 0, order by name within each directory, pax header for a name ustar cannot hold
Result<ArtifactInfo> write_artifact(
    Tree& tree, std::optional<std::string> const& ignore, ArtifactSink const& sink,
    GoOn const& go_on = [] { return Result<void>{}; });

}  // namespace holdfast::source
