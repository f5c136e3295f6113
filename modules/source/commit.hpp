// modules/source/commit.hpp: one commit of a Git repository, as an artifact or as a kustomize tree.
// What reads a server's packs and trees is fetch_commit(); the daemon runs it in a worker (daemon/fetch.hpp), the command
// line in itself.
#pragma once

#include "modules/git/git.hpp"
#include "modules/source/artifact.hpp"
#include "modules/source/fetch_place.hpp"

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>

namespace holdfast::source {

struct CommitWish {
    enum class Form {
        artifact,  // tar.gz of what the ignore rules leave
        tree,      // text of kustomize/tree_text.hpp
    };

    git::Remote remote;
    git::Reference reference;
    std::string known;  // the revision held
    Form form = Form::artifact;
    std::optional<std::string> ignore;  // artifact: spec.ignore
    bool needs_submodules = false;      // tree: one that has some is refused, since they are not fetched
    std::chrono::milliseconds timeout{60'000};
    std::uint64_t wire_bytes_max = 256u << 20;  // of the pack
    std::uint64_t bytes_max = 512u << 20;       // of the form
};

using CommitPlace = FetchPlace;

struct Commit {
    std::string revision;
    std::string id;        // 40 hex digits
    std::string headline;  // the first line of its message
    std::string digest;    // artifact: "sha256:<64 hex>" of all pieces
    bool is_news = false;  // else CommitWish::known is still the newest, and there was no piece
};

struct CommitMiss {
    Error error;
    bool of_storage = false;  // the commit came; what was to be made of it did not
};

/// Blocking; called on a pool. fetch_commit(), or who has it done.
/// Errors  those of git::checkout() and write_artifact()
using FetchCommit =
    std::function<std::expected<Commit, CommitMiss>(CommitWish const&, CommitPlace const&, ArtifactSink const& sink)>;

/// Here, in this process.
std::expected<Commit, CommitMiss> fetch_commit(CommitWish const& wish, CommitPlace const& place,
                                               ArtifactSink const& sink);

/// fetch_commit() with another git::checkout().
using Checkout = std::function<Result<git::Checkout>(git::Remote const&, git::Reference const&, git::Options const&)>;
FetchCommit commits_of(Checkout checkout);

}  // namespace holdfast::source
