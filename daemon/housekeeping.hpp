// daemon/housekeeping.hpp: what nobody waits for: copies of .status that are owed, artifacts that nobody needs, doubts, and
// whether the cluster is still the same.
#pragma once

#include "cache/artifacts/artifact_store.hpp"
#include "modules/kube/client.hpp"
#include "modules/rollout/owned.hpp"
#include "modules/story/story.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace holdfast::daemon {

/// When to write a copy of .status again that somebody else changes: at once the first time, then 1 s, 2 s, 4 s … up to ten
/// minutes; forgotten after a quiet hour.
class CopyPace {
public:
    /// Out  false: not yet
    bool may_write(model::Key const& key, std::chrono::nanoseconds now);
    void forget_all_but(model::Registry const& registry);

private:
    struct Pace {
        std::chrono::nanoseconds last{};
        std::chrono::nanoseconds delay{};
    };
    std::map<model::Key, Pace> paces_;
};

class Housekeeping {
public:
    struct Parts {
        story::Ports ports;
        cache::ArtifactStore& artifacts;
        rollout::OwnedObjects& owned;
        std::function<std::set<std::string>()> remotes;  // remote bases in use
        std::function<void()> another_cluster;           // another one answers at this address
        /// Story::reclaim(); when true, the pass is on its way.
        std::function<bool(model::Key const&, model::Status const& shown)> reclaim;
        std::filesystem::path state_dir;
    };
    explicit Housekeeping(Parts parts) : parts_(std::move(parts)) {}

    /// Every thirty seconds, for ever.
    asio::awaitable<void> run();

    /// The cluster shows another .status than what is known. May it be written again now? Not before its time, and not while
    /// a pass has to look first at what it names: the copy stays owed until then.
    bool may_repair(model::Key const& key, model::Status const& shown);
    asio::awaitable<void> write_copy(model::Key key);

    /// In  cluster  may be null
    asio::awaitable<void> check_cluster(kube::Cluster* cluster);

private:
    asio::awaitable<void> collect();
    Result<std::string> known_cluster() const;
    Result<void> remember_cluster(std::string const& uid) const;

    Parts parts_;
    CopyPace pace_;
    std::optional<std::uint64_t> lists_seen_;  // nothing: not asked since the start
};

}  // namespace holdfast::daemon
