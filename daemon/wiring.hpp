// daemon/wiring.hpp: every story, and what wakes it. A new kind is a line in table() of wiring.cpp.
#pragma once

#include "daemon/render.hpp"
#include "daemon/schedule.hpp"
#include "modules/fluxconfig/fluxconfig.hpp"
#include "modules/intake/intake.hpp"
#include "modules/reconcile/kustomization.hpp"
#include "modules/source/hosts.hpp"
#include "modules/source/sources.hpp"
#include "modules/source/upstream/git.hpp"
#include "modules/source/upstream/oci.hpp"
#include "modules/story/passes.hpp"
#include "modules/uplink/drain.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <vector>

namespace holdfast::daemon {

/// The stories of all kinds, built once in the order in which they need each other.
class Stories {
public:
    struct Parts {
        story::Ports ports;
        asio::any_io_executor executor;
        asio::thread_pool& pool;
        access::Access const& access;
        source::ArtifactStore& artifacts;
        source::Hosts& hosts;
        reconcile::Renderer& renderer;
        rollout::OwnedObjects& owned;
        fluxconfig::FluxConfigs::Settings configs;
        source::GitUpstream::Settings git;
        source::FetchCommit fetch_commit;
        source::OciUpstream::Settings oci;
        source::FetchImage fetch_image;
        std::stop_token stop;
        std::function<void(model::Key const&)> want;  // the schedule's
    };
    explicit Stories(Parts parts);

    story::Passes& passes() { return passes_; }
    reconcile::Kustomizations& kustomizations() { return kustomizations_; }

private:
    story::Passes::Stories table();

    Parts parts_;
    source::GitUpstream git_;
    source::OciUpstream oci_;
    source::Sources sources_;
    reconcile::Kustomizations kustomizations_;
    std::vector<std::unique_ptr<story::Story>> others_;  // of whom nobody wants anything but passes
    story::Passes passes_;
};

/// Who has to look again when something changed: what follows it, and the FluxConfig that made it.
class Wakes {
public:
    /// All outlive this object.
    Wakes(model::Registry& registry, access::Locks const& locks, Schedule& schedule, uplink::Drain& drain)
        : registry_(registry), locks_(locks), schedule_(schedule), drain_(drain) {}

    /// There is a cluster: what comes from it waits for confirm().
    void follow_cluster() { has_cluster_ = true; }

    /// Every object of this kind was listed, and it is known what they are held to.
    void confirm(model::Kind kind);

    /// No object of this kind can be seen: nothing waits for a list that may never come. Those that are remembered stay idle.
    void without(model::Kind kind);

    /// An entry changed: its wish, what its followers look at, or anything else that its status says.
    void heard(model::Entry const& entry, model::Change change);

    /// An applied object drifted, became unhealthy, or a Flux object among them became ready or not.
    void heard(rollout::Owner const& owner, rollout::OwnedObjects::Change change, rollout::Boot in);

    /// A wish of the cluster that only the journal knows is shown, not acted upon: it may be suspended, changed or
    /// deleted since. What it follows must be known as the cluster shows it, and a configuration needs what it generated;
    /// what applies needs the configurations, for they say what it is held to.
    bool is_confirmed(model::Key const& key) const;

private:
    void want_confirmed();
    bool may_follow(model::Key const& follower, model::Key const& key) const;
    void want(model::Key const& key, rollout::Boot in = {}) { schedule_.want(key, in); }

    model::Registry& registry_;
    access::Locks const& locks_;
    Schedule& schedule_;
    uplink::Drain& drain_;
    bool has_cluster_ = false;
    std::set<model::Kind> confirmed_;
    std::set<model::Kind> unseen_;
};

}  // namespace holdfast::daemon
