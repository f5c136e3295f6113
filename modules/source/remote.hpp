// modules/source/remote.hpp: fetches what a kustomization names by URL: a repository's files at a ref, or one file.
#pragma once

#include "modules/base/error.hpp"
#include "modules/base/memory_file.hpp"
#include "modules/http/reach.hpp"
#include "modules/kustomize/remote.hpp"
#include "modules/source/commit.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

namespace holdfast::source {

struct RemoteContent {
    std::string version;  // "v1@sha1:<40 hex>", or a file's ETag, which may be empty
    int status = 200;     // of the HTTP answer; anything but 2xx has no bytes
    // Of the file; or the repository's files as kustomize/tree_text.hpp has them. Null: none.
    std::shared_ptr<MemoryFile const> bytes;
    bool is_page = false;    // a web page: no manifest, so not worth keeping
    bool unchanged = false;  // `known` is still the newest; no bytes
};

struct RemoteOptions {
    std::filesystem::path scratch;    // as git::Options
    std::string known;                // RemoteContent::version of what is held
    std::size_t bytes_max;            // of what is kept in memory
    bool local_repositories = false;  // file:// too
    http::Reach reach{};              // of what is named, and of where that redirects to
    std::stop_token stop;
    FetchCommit fetch_commit = source::fetch_commit;  // of repositories
};

/// Blocks; the timeout is that of the remote.
///
/// Errors  those of git::checkout() and http::Client::send(), naming the URL;
///         denied         ssh, which needs keys nobody gave; file:// when it is not allowed; a redirect from https to http;
///                        an address that RemoteOptions::reach refuses
///         limit          more than `bytes_max`, more than 10 redirects
///         invalid_input  submodules that the URL does not decline
Result<RemoteContent> fetch_remote(kustomize::Remote const& remote, RemoteOptions const& options);

}  // namespace holdfast::source
