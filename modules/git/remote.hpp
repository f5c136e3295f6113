// modules/git/remote.hpp: one remote repository as libgit2 sees it, connected through a Conversation; private to this folder.
#pragma once

#include "modules/git/conversation.hpp"
#include "modules/git/git.hpp"
#include "modules/git/library.hpp"
#include "modules/git/reference.hpp"

#include <memory>
#include <string>
#include <vector>

namespace holdfast::git {

/// A remote, and for a download a bare repository in a directory of its own below Options::scratch.
class ConnectedRemote {
public:
    /// look: only lists, and writes nothing to the disk. fetch: can download.
    enum class Purpose { look, fetch };
    /// Lists the references, those that `wish` could mean.
    static Result<std::unique_ptr<ConnectedRemote>> open(Remote const& remote, Options const& options,
                                                         Reference const& wish, Purpose purpose);
    ~ConnectedRemote();

    std::vector<Ref> const& refs() const { return refs_; }
    bool is_empty() const { return is_empty_; }  // the server has no reference at all
    /// Gets what `refspecs` ask for; depth 0 is the whole history, and so is what a server gives that cuts none.
    Result<void> download(std::vector<std::string> const& refspecs, int depth);

    bool has(std::string const& commit) const;

    /// Gives the repository up to the caller, who removes `directory()`.
    RepositoryPtr take_repository();
    std::filesystem::path const& directory() const { return directory_; }

private:
    ConnectedRemote(Remote const& remote, Options const& options) : options_{options}, url_{remote.url} {}
    Result<void> create_detached();
    Result<void> create();
    Result<void> list(Reference const& wish);
    Error failed(Errc otherwise);
    git_remote_callbacks callbacks();
    static int on_progress(git_indexer_progress const* progress, void* self);

    Options const& options_;
    std::string url_;
    std::filesystem::path directory_;
    std::unique_ptr<Conversation> conversation_;  // null: a repository of this machine
    RepositoryPtr repository_;
    RemotePtr remote_;
    std::vector<Ref> refs_;
    bool is_empty_ = true;
};

/// A git_transport_cb: libgit2's smart protocol over the Conversation in `payload`.
int make_transport(git_transport** out, git_remote* owner, void* payload);

}  // namespace holdfast::git
