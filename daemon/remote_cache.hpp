// daemon/remote_cache.hpp: remote resources for the daemon's renders: fetched, kept, and served from the cache when they cannot be.
#pragma once

#include "modules/base/async.hpp"
#include "modules/base/clock.hpp"
#include "modules/base/log.hpp"
#include "modules/kustomize/remote.hpp"
#include "modules/source/ports.hpp"
#include "modules/source/remote.hpp"

#include <boost/asio/thread_pool.hpp>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

namespace holdfast::daemon {

/// What the artifact store calls the content of a remote: "Remote/git::https://host/org/repo?ref=v1".
inline constexpr std::string_view kRemoteSource = "Remote/";

class RemoteCache {
public:
    struct Ports {
        asio::thread_pool& pool;  // network and disk
        asio::thread_pool& db;
        source::ArtifactStore& store;
        Log& log;
        Clock& clock;
    };
    /// All outlive this object. `scratch` as git::Options.
    RemoteCache(Ports ports, std::filesystem::path scratch, std::stop_token stop)
        : ports_{ports}, scratch_{std::move(scratch)}, stop_{std::move(stop)} {}

    /// Asks upstream whether what is kept is the newest, and keeps what is newer. When upstream cannot be asked: what is kept,
    /// with a line in the log; who answers that it is not there is believed. A host that gave no answer is left alone for a
    /// while, so that a site without network waits for one deadline and not for one of each remote base.
    /// Errors  as source::fetch_remote(), when nothing is kept
    Task<source::RemoteContent> fetch(kustomize::Remote remote, std::size_t bytes_max);

private:
    struct Obtained;
    Result<Obtained> obtain(kustomize::Remote const& remote, std::size_t bytes_max,
                            std::optional<source::StoredArtifact> const& kept, bool ask) const;
    Result<void> keep(Obtained& obtained) const;
    Result<std::string> read(source::StoredArtifact const& kept, std::size_t bytes_max) const;
    void note_host(std::string const& host, Error const* silence);
    void note(std::string const& source, std::string const& failure);

    struct Silence {
        std::chrono::nanoseconds since;  // boot clock
        std::string message;
    };

    Ports ports_;
    std::filesystem::path scratch_;
    std::stop_token stop_;
    std::set<std::string> failing_;          // sources of which the log says so
    std::map<std::string, Silence> silent_;  // hosts
};

}  // namespace holdfast::daemon
