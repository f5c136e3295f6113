// modules/reconcile/kustomization.hpp: the story of a Kustomization: source, dependencies, render, apply, prune,
// health, record. One pass reads top to bottom in kustomization.cpp.
#pragma once

#include "modules/reconcile/owned.hpp"
#include "modules/reconcile/ports.hpp"
#include "modules/story/story.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>

namespace holdfast::reconcile {

class Kustomizations {
public:
    struct Settings {
        std::chrono::seconds dependency_retry{30};
        std::chrono::milliseconds progress_after{1'500};  // a health check shorter than this is not announced
    };

    /// What a pass finds out that others have to act on.
    struct Hooks {
        std::function<void()> kinds_changed;                    // a definition was applied and is served now
        std::function<void(model::Key const&)> source_damaged;  // its artifact is gone or fails its digest: fetch again
    };

    /// Everything outlives this object.
    Kustomizations(story::Ports ports, Renderer& renderer, OwnedObjects& owned, Settings settings, Hooks hooks);

    /// What the journal keeps for this story; call for each Kustomization before the first pass.
    void load(model::JournalEntry const& entry);

    /// One pass. Never two at once for the same key. Whatever happens inside, exactly one outcome is recorded.
    asio::awaitable<story::Next> reconcile(model::Key key);

    /// The remote bases of all Kustomizations, by the keys that Rendered::remotes has.
    std::set<std::string> remotes() const;

private:
    struct Facts;
    struct Failure;
    struct Waiting;
    struct Pass;

    asio::awaitable<story::Next> finalize(model::Key key);
    asio::awaitable<story::Next> pass(model::Key key, model::KustomizationSpec spec, model::Artifact artifact,
                                      bool only_looks);
    model::Duration until_due(Facts const& facts, model::KustomizationSpec const& spec) const;
    ApplyOptions apply_options(Pass const& run) const;
    std::vector<model::OwnedObject> stale_objects(Pass const& run) const;
    void settle(Pass const& run);
    asio::awaitable<void> announce(Pass const& run);
    asio::awaitable<story::Next> stop_building(Pass run, Error error);
    asio::awaitable<story::Next> stop_applying(Pass run, Error error);
    asio::awaitable<story::Next> check_health(model::Key key);
    asio::awaitable<story::Next> succeed(model::Key key, std::string healthy);
    asio::awaitable<story::Next> stop_with(model::Key key, Failure failure, story::Outcome outcome);

    Result<model::Artifact> artifact_of(model::KustomizationSpec const& spec, bool& wait_quietly) const;
    std::string unmet_dependency(model::Entry const& entry, model::KustomizationSpec const& spec,
                                 model::Artifact const& artifact) const;
    Task<void> plan_inventory(model::Key key, std::vector<model::OwnedObject> const& intended);
    std::vector<model::OwnedObject> owned_rows(model::Key const& key) const;
    void set_ready(model::Entry& entry, model::Truth status, std::string_view reason, std::string_view message);

    story::Ports ports_;
    Renderer& renderer_;
    OwnedObjects& owned_;
    Settings settings_;
    Hooks hooks_;
    std::map<model::Key, Facts> facts_;
    std::map<model::Key, Waiting> waiting_;

public:
    ~Kustomizations();
};

}  // namespace holdfast::reconcile
