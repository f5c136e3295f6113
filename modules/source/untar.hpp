// modules/source/untar.hpp: reads a tar.gz of unknown origin into memory or below a directory; for the render worker.
// Pure but for the directory it is given: no network, clock or environment, and no look at any other file.
#pragma once

#include "modules/base/error.hpp"
#include "modules/source/artifact.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace holdfast::source {

struct UntarLimits {
    std::size_t entries_max = 50'000;         // also of files and directories that come of them, parents included
    std::size_t paths_bytes_max = 16u << 20;  // of the paths of those
    std::size_t path_bytes_max = 4'096;
    std::size_t depth_max = 128;
    std::uint64_t file_bytes_max = 64u << 20;
    std::uint64_t bytes_max = 256u << 20;  // all files, unpacked
};

enum class Links {
    refuse,  // an archive that we wrote holds none
    skip,    // a layer or bucket of someone else: left out, as Flux does
};

struct File {
    std::string content;
    bool executable = false;
};

/// Directories end in "/" and are empty; the root has no entry.
using FileMap = std::map<std::string, File>;

/// Unpacks `bytes` into memory.
///
/// In      bytes  gzip with a tar inside (ustar, pax, GNU); several gzip members count as one stream
/// Errors  invalid_input  not gzip or tar, cut short; a path that is empty, absolute, not UTF-8 or holds ".." or a zero byte;
///                        a file below a file; device, pipe, sparse file; hard or symbolic link with Links::refuse
///         limit          a field of `limits` was exceeded
/// Never   believes a size in a header: only bytes that came out count
Result<FileMap> untar(std::string_view bytes, UntarLimits const& limits = {}, Links links = Links::refuse);

/// The same, into `directory`, an open and empty directory: files 0600 or 0700, directories 0750.
///
/// Errors  also limit: the disk is full
/// Never   follows a link below `directory`, or touches anything outside
Result<void> untar_into(int directory, std::string_view bytes, UntarLimits const& limits = {},
                        Links links = Links::refuse);

/// Where the bytes of a file stand in a spool.
struct Spooled {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    bool executable = false;
};

/// As FileMap, with the bytes elsewhere.
using SpoolMap = std::map<std::string, Spooled>;

/// The same, into one file: the content of each file behind that of the one before, so that no name of the archive is ever
/// one of the disk, and memory holds nothing but names.
///
/// In      archive  open and at its beginning;  spool  open for writing, and empty
/// Errors  also limit: the disk is full
Result<SpoolMap> untar_spool(int archive, int spool, UntarLimits const& limits = {}, Links links = Links::refuse);

}  // namespace holdfast::source
