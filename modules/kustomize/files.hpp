// modules/kustomize/files.hpp: the only way the engine reads the disk: resolved, confined and bounded.
#pragma once

#include "modules/base/error.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace holdfast::kustomize {

/// filepath.Clean and filepath.Join.
std::string clean_path(std::string_view path);
std::string join_path(std::string_view directory, std::string_view path);
std::string base_name(std::string_view path);                      // filepath.Base
bool is_below(std::string_view path, std::string_view directory);  // or equal

/// Where a path leads: a directory, or a file in one. Both real: no symbolic link is left in them.
struct Resolved {
    std::string directory;
    std::string file;      // "" for a directory
    bool outside = false;  // a link that leaves its mounted tree: nobody looks what is there
    std::string path() const { return file.empty() ? directory : join_path(directory, file); }
};

/// A tree of files in memory: absolute clean path -> content. Directories are what files are in; an empty one ends in "/".
using MemoryFiles = std::map<std::string, std::string_view, std::less<>>;

/// The files of a fetched repository; paths from its root: "/base/kustomization.yaml".
struct TreeFiles {
    MemoryFiles files;
    MemoryFiles links;  // -> where it points to, as it is written in the link
};

/// Reads regular files, of the disk or of a tree in memory (then nothing else exists, and there are no links).
/// Repositories that were fetched are mounted beside them.
///
/// Confined  with a `root`, whatever leads out of it (.., absolute paths, symbolic links) is denied;
///           nothing leads out of a mounted tree
/// Never     opens a FIFO, socket or device; reads more than file_bytes_max of a file or total_bytes_max in all
/// Cost      one lstat per path component that was not seen before
class Files {
public:
    struct Limits {
        std::size_t file_bytes_max;
        std::size_t total_bytes_max;
    };
    /// `root` is "" for no confinement; else an absolute real path.
    Files(std::string root, Limits limits) : root_{std::move(root)}, limits_{limits} {}
    /// `memory` outlives this object; null for the disk.
    Files(std::string root, Limits limits, MemoryFiles const* memory)
        : root_{std::move(root)}, limits_{limits}, memory_{memory} {}

    /// filesys.CleanedAbs. Errors: "evalsymlink failure on '/a/b' : lstat /a/b: no such file or directory".
    Result<Resolved> resolve(std::string const& path);
    /// os.ReadFile, links followed. Errors: "open /a/b: no such file or directory".
    Result<std::string> read(std::string const& path);
    /// Names in a directory, sorted. Never "." and "..".
    Result<std::vector<std::string>> list(std::string const& directory);

    /// `directory` is clean and absolute; the tree outlives this object. Mounted again: nothing new.
    void mount(std::string directory, TreeFiles const& tree) { mounts_.emplace(std::move(directory), &tree); }

    std::string const& root() const { return root_; }

private:
    struct Place {
        std::string mount;
        TreeFiles const* tree;
        std::string path;  // in the tree
    };
    std::optional<Place> mounted(std::string_view asked) const;
    Result<Resolved> resolve_mounted(Place place, std::string const& asked) const;
    Result<std::string> read_memory(MemoryFiles const& files, std::string const& absolute, std::string const& path);
    Result<std::string> real_path(std::string const& absolute);
    Result<void> check_confined(std::string_view real, std::string_view asked) const;
    Result<std::string> count(std::string content, std::string const& path);

    std::string root_;
    Limits limits_;
    MemoryFiles const* memory_ = nullptr;
    std::size_t total_bytes_ = 0;
    std::unordered_map<std::string, std::string> real_directories_;  // as asked -> real
    std::map<std::string, TreeFiles const*, std::less<>> mounts_;
};

/// os.Getwd joined with `path`, cleaned.
Result<std::string> absolute_path(std::string_view path);

}  // namespace holdfast::kustomize
