// modules/reconcile/kustomization.hpp: the story of a Kustomization: source, dependencies, render, apply, prune,
// health. One pass reads top to bottom in kustomization.cpp; when it has nothing to do, says work.cpp.
#pragma once

#include "modules/access/access.hpp"
#include "modules/base/backoff.hpp"
#include "modules/reconcile/dependencies.hpp"
#include "modules/reconcile/ports.hpp"
#include "modules/rollout/health.hpp"
#include "modules/rollout/owned.hpp"
#include "modules/rollout/prune.hpp"
#include "modules/story/story.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace holdfast::reconcile {

class Kustomizations final : public story::Story {
public:
    struct Settings {
        std::chrono::seconds dependency_retry{30};
        std::chrono::milliseconds progress_after{5'000};  // a health check shorter than this is not announced
        std::chrono::seconds siblings_wait{
            10};  // for the other Kustomizations of a revision, before anything is pruned
    };

    /// A source's artifact is gone or fails its digest: fetch again.
    using SourceDamaged = std::function<void(model::Key const&)>;

    /// Everything outlives this object.
    Kustomizations(story::Ports ports, access::Access const& access, Renderer& renderer, rollout::OwnedObjects& owned,
                   Settings settings, SourceDamaged source_damaged);
    ~Kustomizations() override;

    void load(model::JournalEntry const& row) override;
    /// The inventory of whoever applied before us comes along, so that pruning goes on where that one stopped.
    void adopt(model::Entry const& entry) override;
    bool reclaim(model::Key const& key, model::Status const& shown) override;
    asio::awaitable<story::Outcome> reconcile(model::Entry entry) override;
    asio::awaitable<story::Outcome> finalize(model::Entry entry) override;
    void unrecorded(model::Key const& key) override;
    void forget(model::Key const& key) override;
    model::ComplianceRecord record(model::Entry const& entry) const override;

    /// The remote bases of all Kustomizations, by the names that Rendered::remotes has.
    std::set<std::string> remotes() const;

    /// Another cluster answers at the address of the daemon's own: everything is applied anew, nothing is remembered of the
    /// old one.
    void forget_cluster();

private:
    struct State;
    struct Pass;
    enum class Work { nothing, health, prune, all };

    Work work_of(Pass const& run) const;
    model::Duration pause_of(Pass const& run) const;
    story::Outcome wait(Pass run) const;
    void note_watches(Pass& run) const;

    asio::awaitable<story::Outcome> render(Pass run);
    asio::awaitable<story::Outcome> apply(Pass run, Rendered rendered);
    asio::awaitable<story::Outcome> prune(Pass run);
    asio::awaitable<story::Outcome> check_health(Pass run);
    asio::awaitable<rollout::Health> health_of(Pass const& run);
    story::Outcome succeed(Pass run, std::string healthy);
    story::Outcome stop(Pass run, story::Stop why);

    story::Outcome unreachable(Pass run, Error error);

    void arrive(Pass& run);
    bool has_moved(rollout::Owner const& owner, access::Reach const& reach) const;
    asio::awaitable<void> name_rows(access::Reach reach, rollout::Owner owner);
    asio::awaitable<void> look_at_versions(access::Reach reach, rollout::Owner owner, model::Duration interval);
    Task<void> plan_inventory(rollout::Owner owner, std::vector<model::OwnedObject> planned);
    rollout::ApplyOptions apply_options(Pass const& run);
    void settle(Pass& run, rollout::ApplyReport const& applied);
    bool siblings_are_due(Pass const& run) const;
    void note_inventory(Pass& run) const;
    std::vector<model::OwnedObject> owned_rows(rollout::Owner const& owner) const;
    State& state_of(model::Key const& key);

    story::Ports ports_;
    access::Access const& access_;
    Renderer& renderer_;
    rollout::OwnedObjects& owned_;
    Settings settings_;
    SourceDamaged source_damaged_;
    Dependencies dependencies_;
    std::map<model::Key, std::unique_ptr<State>> states_;
};

/// The artifact of the source that a Kustomization names, or what is missing.
struct SourceLook {
    std::optional<model::Artifact> artifact = {};
    bool quiet = false;   // the source has not been looked at yet: its first outcome starts the story again
    bool absent = false;  // there is no such source
    std::string message = {};
};
SourceLook look_at_source(model::Registry const& registry, model::KustomizationSpec const& spec,
                          std::chrono::seconds retry);

/// Why a dependency holds this Kustomization back, in Flux's words and then ours; empty: none does.
/// In    `lock`: when no other namespace may be named, none is named in a circle either
/// Cost  a look at each dependency
std::string unmet_dependency(model::Registry const& registry, model::Entry const& entry,
                             model::KustomizationSpec const& spec, model::Artifact const& artifact,
                             access::Lock const& lock, Dependencies& dependencies, std::chrono::nanoseconds now);

}  // namespace holdfast::reconcile
