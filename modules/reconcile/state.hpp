// modules/reconcile/state.hpp: what the story of a Kustomization keeps between passes, and what one pass carries along.
#pragma once

#include "modules/reconcile/kustomization.hpp"

#include <optional>
#include <string>
#include <vector>

namespace holdfast::reconcile {

using rollout::Boot;

/// What the last complete pass was made of: the same again needs no request. Kept in the journal.
struct Facts {
    std::string artifact_digest = {};
    std::uint64_t spec_digest = 0;
    std::string manifest_digest = {};
    std::string user = {};                  // with whose rights (access::Reach::rights); empty: the daemon's own
    std::string cluster = {};               // where (access::Reach::where); empty: the daemon's own
    bool complete = false;                  // applied and pruned
    std::vector<std::string> remotes = {};  // remote bases of the last render

    std::string text() const;
    static Facts read(std::string const& text);
};

struct Kustomizations::State {
    Facts facts = {};
    std::optional<Boot> rendered_at = {};  // nothing: not since the start
    std::optional<Boot> looked_at = {};    // objects that no watch shows
    std::optional<Boot> versions_at = {};  // whether the versions of what is applied are still served
    std::set<std::string> unserved = {};   // ids of objects whose version is not
    bool named = false;                    // the inventory's ids are the server's

    /// Everything is applied; the objects are not all healthy yet.
    struct Waiting {
        Boot started{};
        Boot deadline{};
        bool announced = false;
        std::string requested_at = {};  // the request that is answered when the waiting ends
        model::Duration took{};         // before it began
        bool changed = false;           // this revision changed something
    };
    std::optional<Waiting> waiting = {};

    /// Applied, and what is stale not yet deleted: the other Kustomizations of the revision had not their turn.
    struct Owes {
        Boot since{};
        std::vector<model::OwnedObject> stale = {};
        std::set<std::string> applied = {};
        std::string requested_at = {};
        bool changed = false;
    };
    std::optional<Owes> owes = {};

    /// A pass that failed over this artifact and spec is tried again at its time, whoever wakes it.
    struct Failed {
        std::string artifact_digest = {};
        std::uint64_t spec_digest = 0;
        Boot until{};
    };
    std::optional<Failed> failed = {};

    /// Of a deletion: what is deleted and not yet gone.
    struct Ending {
        std::vector<model::OwnedObject> terminating = {};
        Boot deadline{};
    };
    std::optional<Ending> ending = {};
    Backoff retry{
        BackoffPolicy{.delay_min = std::chrono::milliseconds{5'000}, .delay_max = std::chrono::milliseconds{300'000}}};
};

/// One pass on its way, from the source to the outcome.
struct Kustomizations::Pass {
    model::Entry entry;
    model::KustomizationSpec spec;
    access::Lock lock;
    rollout::Owner owner;
    access::Reach reach;
    State& state;
    story::Outcome outcome;
    model::Artifact artifact = {};
    Boot started{};
    bool asked = false;                    // by reconcile.fluxcd.io/requestedAt: everything is applied, known or not
    bool repairs = false;                  // nothing is new but that somebody changed what is applied
    bool only_looks = false;               // everything is as it was applied, unless a remote base has moved
    std::vector<std::string> spells = {};  // who began to fight, for the Event
    bool changed = false;

    /// Is what is applied of this artifact, under this revision, and of this spec, and were its rights these?
    bool is_same() const;
    bool is_held(Boot now) const;
    model::KustomizationStatus& status() { return outcome.status.part<model::KustomizationStatus>(); }
    model::AppliedRevision revision() const { return {artifact.revision, model::origin_of(artifact)}; }
    /// Every Event that names the revision says what that was made of.
    void name_origin();
    model::Key const& key() const { return entry.key; }
    std::string progress(std::string_view doing) const;
};

}  // namespace holdfast::reconcile
