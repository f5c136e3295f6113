// daemon/housekeeping.cpp: every thirty seconds, and whenever the cluster was listed again.
#include "daemon/housekeeping.hpp"

#include "cache/db/files.hpp"
#include "modules/base/on_pool.hpp"
#include "modules/source/remote_cache.hpp"
#include "modules/story/conclude.hpp"

#include <algorithm>
#include <fstream>
#include <malloc.h>

namespace holdfast::daemon {

using model::Key;

namespace {

constexpr std::chrono::seconds kTidyEvery{30};
constexpr std::chrono::hours kRemoteAgeMin{24};  // a remote base that no Kustomization uses is kept that long
constexpr std::chrono::seconds kCopyDelayMin{1};
constexpr std::chrono::minutes kCopyDelayMax{10};
constexpr std::chrono::hours kCopyQuiet{1};
constexpr std::string_view kArea = "daemon";

}  // namespace

bool CopyPace::may_write(Key const& key, std::chrono::nanoseconds now) {
    auto const [found, is_new] = paces_.try_emplace(key, Pace{.last = now});
    Pace& pace = found->second;
    if (!is_new && now - pace.last > kCopyQuiet) pace.delay = {};
    if (!is_new && now - pace.last < pace.delay) return false;
    pace.last = now;
    pace.delay = std::clamp<std::chrono::nanoseconds>(pace.delay * 2, kCopyDelayMin, kCopyDelayMax);
    return true;
}

void CopyPace::forget_all_but(model::Registry const& registry) {
    std::erase_if(paces_, [&](auto const& one) { return registry.find(one.first) == nullptr; });
}

asio::awaitable<void> Housekeeping::run() {
    for (;;) {
        co_await sleep_for(kTidyEvery);
        parts_.owned.settle_doubts();
        parts_.owned.end_idle_watches();
        pace_.forget_all_but(parts_.ports.registry);
        std::vector<Key> owed;
        for (auto const& [key, entry] : parts_.ports.registry.all()) {
            if (entry->copy.owed) owed.push_back(key);
        }
        for (Key const& key : owed) {
            if (pace_.may_write(key, parts_.ports.clock.boot())) co_await write_copy(key);
        }
        co_await check_cluster(parts_.ports.cluster);
        co_await collect();
        ::malloc_trim(0);
    }
}

bool Housekeeping::may_repair(Key const& key, model::Status const& shown) {
    return pace_.may_write(key, parts_.ports.clock.boot()) && !parts_.reclaim(key, shown);
}

asio::awaitable<void> Housekeeping::write_copy(Key key) { co_await story::write_copy(parts_.ports, key); }

/// Artifacts that no source holds and remote bases that nobody uses go; what is missing elsewhere is no reason to.
asio::awaitable<void> Housekeeping::collect() {
    std::set<std::string> in_use;
    for (auto const& [key, entry] : parts_.ports.registry.all()) {
        if (auto const* artifact = model::artifact_of(entry->status)) in_use.insert(artifact->digest);
    }
    std::set<std::string> remotes;
    for (std::string const& name : parts_.remotes()) remotes.insert(std::string{source::kRemoteSource} + name);
    auto const young = parts_.ports.clock.wall() - kRemoteAgeMin;
    auto work = [&artifacts = parts_.artifacts, in_use = std::move(in_use), remotes = std::move(remotes),
                 young]() -> Result<cache::Collected> {
        auto forgotten = artifacts.forget_others(std::string{source::kRemoteSource}, remotes, young);
        if (!forgotten) return fail(std::move(forgotten));
        return artifacts.collect(in_use);
    };
    auto collected = co_await on_pool(parts_.ports.db, std::move(work));
    if (!collected) {
        parts_.ports.log.error(kArea, "unused artifacts not removed", {{"error", collected.error().message}});
    }
}

/// Looks when something was listed since the last time: a cluster that was made anew answers no watch of the old one.
asio::awaitable<void> Housekeeping::check_cluster(kube::Cluster* cluster) {
    if (cluster == nullptr) co_return;
    std::uint64_t again = 0;  // lists after a break
    for (auto const& watch : parts_.owned.watches()) {
        if (watch.cluster.empty()) again += std::max<std::uint64_t>(watch.state.lists, 1) - 1;
    }
    if (again == lists_seen_) co_return;
    auto const uid = co_await kube::identity_of(*cluster);
    if (!uid) {
        parts_.ports.log.debug(kArea, "the cluster's identity is not known", {{"error", uid.error().message}});
        co_return;
    }
    lists_seen_ = again;
    auto const known = known_cluster();
    if (known && *known == *uid) co_return;
    if (known && !known->empty()) {
        parts_.ports.log.warning(kArea, "another cluster answers at this address: everything is applied anew",
                                 {{"before", *known}, {"now", *uid}});
        parts_.another_cluster();
    }
    auto remembered = remember_cluster(*uid);
    if (!remembered) {
        parts_.ports.log.error(kArea, "the cluster's identity is not remembered",
                               {{"error", remembered.error().message}});
    }
}

Result<std::string> Housekeeping::known_cluster() const {
    std::ifstream file{parts_.state_dir / "cluster"};
    std::string uid;
    std::getline(file, uid);
    return uid;
}

Result<void> Housekeeping::remember_cluster(std::string const& uid) const {
    return cache::db::replace_file(parts_.state_dir / "cluster", uid + "\n");
}

}  // namespace holdfast::daemon
