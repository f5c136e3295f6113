// modules/kustomize/loader.hpp: one directory being built: what its files may name, and who referred to it.
#pragma once

#include "modules/base/error.hpp"
#include "modules/kustomize/files.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace holdfast::kustomize {

enum class LoadRestrictor { root_only, none };

/// A directory and the chain of directories that led to it.
class Loader {
public:
    /// fLdr.NewLoader. Errors: "must build at directory: not a valid directory: ..."
    static Result<Loader> open(Files& files, std::string const& path, LoadRestrictor restrictor);

    /// A base or component. Errors: not a directory, absolute, a cycle, a remote URL
    Result<Loader> enter(std::string const& path) const;
    /// The bytes of a file, under the restrictor.
    Result<std::string> load(std::string const& path) const;

    /// errIfArgEqualOrHigher, for this directory and its referrers up to `until`.
    Result<void> check_cycle(std::string const& root, std::string_view until) const;

    std::string const& root() const { return root_; }
    Files& files() const { return *files_; }
    LoadRestrictor restrictor() const { return restrictor_; }

private:
    Loader(Files& files, std::string root, Loader const* referrer, LoadRestrictor restrictor)
        : files_{&files}, root_{std::move(root)}, referrer_{referrer}, restrictor_{restrictor} {}

    Files* files_;
    std::string root_;         // real and absolute
    Loader const* referrer_;   // outlives this
    LoadRestrictor restrictor_;
};

/// git.NewRepoSpecFromURL accepts it: a Git URL, or something that looks enough like one ("github.com/a/b").
bool looks_like_repository(std::string_view path);
/// An http or https URL.
bool is_remote_file(std::string_view path);

struct Repository {
    std::string clone_spec, ref, path;  // path: of the kustomization, in the repository
};
Result<Repository> parse_repository(std::string_view url);

}  // namespace holdfast::kustomize
