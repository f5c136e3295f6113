// modules/source/remote_cache.hpp: remote resources for the daemon's renders: fetched, kept, and served from the cache when they cannot be.
#pragma once

#include "modules/base/async.hpp"
#include "modules/base/clock.hpp"
#include "modules/base/log.hpp"
#include "modules/kustomize/remote.hpp"
#include "modules/source/hosts.hpp"
#include "modules/source/ports.hpp"
#include "modules/source/remote.hpp"

#include <boost/asio/thread_pool.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

namespace holdfast::source {

/// What the artifact store calls the content of a remote begins so: "Remote/git::https://host/org/repo?ref=v1".
inline constexpr std::string_view kRemoteSource = "Remote/";

/// What follows, and what a Kustomization remembers of the remotes that it needs: Remote::key(). Of a login it has a digest:
/// two of them may see different contents under one URL, and none is written to the disk.
std::string kept_name(kustomize::Remote const& remote);

class RemoteCache {
public:
    /// Blocking; called on the pool. fetch_remote(), or a test's.
    using Fetch = std::function<Result<RemoteContent>(kustomize::Remote const&, RemoteOptions const&)>;

    struct Ports {
        asio::thread_pool& pool;  // network and disk
        asio::thread_pool& db;
        ArtifactStore& store;
        Hosts& hosts;
        Log const& log;
        Clock const& clock;
    };
    /// All outlive this object. `scratch` as git::Options.
    RemoteCache(Ports ports, std::filesystem::path scratch, http::Reach reach, std::stop_token stop,
                Fetch fetch = fetch_remote)
        : ports_{ports}, scratch_{std::move(scratch)}, reach_{std::move(reach)}, stop_{std::move(stop)},
          fetch_{std::move(fetch)} {}

    /// Asks upstream whether what is kept is the newest, and keeps what is newer. When upstream cannot be asked, or its host
    /// is silent and it is somebody else's turn: what is kept, with a line in the log; who answers that it is not there is
    /// believed.
    /// In      ns  for whom: what it finds silent is silent for no other namespace
    /// Errors  as source::fetch_remote(), when nothing is kept
    Task<RemoteContent> fetch(std::string ns, kustomize::Remote remote, std::size_t bytes_max);

private:
    struct Obtained;
    Result<Obtained> obtain(kustomize::Remote const& remote, std::size_t bytes_max,
                            std::optional<StoredArtifact> const& kept, bool ask) const;
    Result<void> keep(Obtained& obtained, std::optional<StoredArtifact> const& kept) const;
    Result<RemoteContent> served(StoredArtifact const& kept, std::size_t bytes_max) const;
    Result<void> read(StoredArtifact const& kept, std::size_t bytes_max, ArtifactStore::Sink sink) const;
    void note(std::string const& source, std::string const& failure);

    Ports ports_;
    std::filesystem::path scratch_;
    http::Reach reach_;
    std::stop_token stop_;
    Fetch fetch_;
    std::set<std::string> failing_;  // sources of which the log says so
};

}  // namespace holdfast::source
