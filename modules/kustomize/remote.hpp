// modules/kustomize/remote.hpp: what a kustomization names by URL: how that is told from a path, and what came of fetching it.
// Nothing here uses the network: whoever starts a build hands in what was fetched, and is told what is missing.
#pragma once

#include "modules/base/error.hpp"
#include "modules/kustomize/files.hpp"

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::kustomize {

/// One thing to fetch.
struct Remote {
    enum class Kind { file, repository };
    Kind kind = Kind::file;
    std::string url;  // of the file; or what `git fetch` takes
    std::string ref;  // branch, tag or commit; "" for the default branch
    bool submodules = true;
    std::chrono::nanoseconds timeout = std::chrono::seconds{27};

    /// Two remotes of one key have one content. The URL of a file; "git::https://host/org/repo?ref=v1".
    std::string key() const;
};

/// git.RepoSpec: the parts of a Git URL.
struct Repository {
    std::string raw;                   // as written; cycles are found by it
    std::string host, repo_path, ref;  // "https://github.com/", "org/repo", "v1"
    std::string path;                  // of the kustomization, in the repository
    bool submodules = true;
    std::chrono::nanoseconds timeout = std::chrono::seconds{27};

    std::string clone_spec() const { return host + repo_path; }
    Remote remote() const { return {Remote::Kind::repository, clone_spec(), ref, submodules, timeout}; }
};

/// git.NewRepoSpecFromURL. Errors: it is no Git URL, so it is a path: "failed to parse scheme"
Result<Repository> parse_repository(std::string_view url);
inline bool looks_like_repository(std::string_view path) { return parse_repository(path).has_value(); }
/// loader.IsRemoteFile: an http or https URL.
bool is_remote_file(std::string_view path);

/// What came of fetching a Remote. A fetch that failed is an answer too: kustomize may go on, or say so in its words.
struct Fetched {
    Result<void> outcome{};    // the network's part
    int status = 200;          // of the HTTP answer
    std::string_view content;  // of a file
    TreeFiles tree;            // of a repository
};

/// What a build has of the network's content, and what it found out to need.
class Remotes {
public:
    /// `fetched` views bytes that outlive the build.
    void add(Remote const& remote, Fetched fetched) { known_.insert_or_assign(remote.key(), std::move(fetched)); }
    /// Null when it is not there; it is then among missing().
    Fetched const* need(Remote const& remote);

    /// Not empty after a failed build: fetch these, add them, build again.
    std::vector<Remote> const& missing() const { return missing_; }
    std::vector<Remote> take_missing() { return std::exchange(missing_, {}); }

private:
    std::map<std::string, Fetched, std::less<>> known_;
    std::vector<Remote> missing_;
};

}  // namespace holdfast::kustomize
