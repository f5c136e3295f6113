// modules/kustomize/loader.hpp: one directory being built: what its files may name, and who referred to it.
#pragma once

#include "modules/base/error.hpp"
#include "modules/kustomize/files.hpp"
#include "modules/kustomize/remote.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::kustomize {

enum class LoadRestrictor { root_only, none };

/// How the message starts when a server answered, but not with the file: there is no repository to try then.
inline constexpr std::string_view kHttpError = "HTTP Error";
/// How it ends when a build must wait for something remote.
inline constexpr std::string_view kNotFetched = " is not fetched yet";

/// A directory and the chain of directories that led to it.
class Loader {
public:
    /// fLdr.NewLoader. `remotes` is null when nothing remote may be used; `refusal` says why, for the message.
    /// Errors: "must build at directory: not a valid directory: ..."
    static Result<Loader> open(Files& files, std::string const& path, LoadRestrictor restrictor,
                               Remotes* remotes = nullptr, std::string_view refusal = "");

    /// A base or component. Errors: not a directory, absolute, a cycle, a URL that is refused, failed or is not fetched yet
    Result<Loader> enter(std::string const& path) const;
    /// The bytes of a file, under the restrictor; or of a URL.
    Result<std::string> load(std::string const& path) const;

    /// errIfArgEqualOrHigher, for this directory and its referrers up to `until`.
    Result<void> check_cycle(std::string const& root, std::string_view until) const;

    std::string const& root() const { return root_; }
    Files& files() const { return *files_; }
    LoadRestrictor restrictor() const { return restrictor_; }
    bool is_clone() const { return clone_.has_value(); }

private:
    struct Clone {
        std::string raw;   // the URL as written
        std::string root;  // of the repository
    };

    Loader(Files& files, std::string root, Loader const* referrer, LoadRestrictor restrictor, Remotes* remotes,
           std::string_view refusal)
        : files_{&files}, root_{std::move(root)}, referrer_{referrer}, restrictor_{restrictor}, remotes_{remotes},
          refusal_{refusal} {}

    Result<Fetched const*> fetched(Remote const& remote, std::string_view named) const;
    Result<Loader> clone(Repository repository, Loader const* referrer) const;
    Clone const* containing_clone() const;
    Result<void> check_repository_cycle(std::string_view raw) const;
    Result<std::string> load_remote(std::string const& url) const;

    Files* files_;
    std::string root_;        // real and absolute
    Loader const* referrer_;  // outlives this
    LoadRestrictor restrictor_;
    Remotes* remotes_;
    std::string_view refusal_;
    std::optional<Clone> clone_;  // this directory was named by the URL of a repository
};

}  // namespace holdfast::kustomize
