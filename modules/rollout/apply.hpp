// modules/rollout/apply.hpp: wishes become objects on the API server, stage by stage.
#pragma once

#include "modules/base/clock.hpp"
#include "modules/kube/cluster.hpp"
#include "modules/kube/kstatus.hpp"
#include "modules/model/journal.hpp"
#include "modules/rollout/place.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::rollout {

enum class Action { created, configured, unchanged, skipped };

/// "created", "configured", "unchanged", "skipped": Flux's words.
std::string_view to_string(Action action);

struct Applied {
    kube::ObjectId id;
    model::OwnedObject owned;  // what the journal keeps
    Action action = Action::unchanged;
    kube::ObjectStatus status;  // from the server's answer; current for a kind without status
    bool known = false;         // taken from what is known, without a request: `status` says nothing
};

struct ApplyReport {
    std::vector<Applied> objects;
};

struct ApplyOptions {
    bool force = false;
    std::chrono::seconds stage_wait_max{60};
    std::function<void()> kinds_changed = {};  // a CRD was applied and is served: ask the server for its kinds again

    /// What is known of an object that needs no request, because what is wished is what was applied last and nothing
    /// has changed it since, or its next repair is not due yet; nothing: apply it.
    std::function<model::OwnedObject const*(Wish const&)> known = {};

    /// What a stage writes now that its dry run has passed: returns when that may begin, or why it may not.
    std::function<Task<void>(std::vector<model::OwnedObject> planned)> intend = {};

    /// What was known of an object before, whatever it was: tells created from configured.
    std::function<model::OwnedObject const*(kube::ObjectId const&)> before = {};
};

/// Applies with server-side apply by the owner's manager, forced. Every object of a stage is dry-run before the stage's first
/// write; one refused object keeps its stage, and the later ones, untouched. The dry run also shows what is written on the
/// live object: one that wants to be left alone is, what kubectl added is cleaned away, ssa: IfNotPresent creates and no more.
///
/// Out     one Applied per object, in the order of applying; after an error in `done` those applied before it
/// Errors  invalid_input, denied  refused: "Deployment/apps/web dry-run failed (Invalid): …"
///         offline, timeout, busy  run again: apply is idempotent
///         timeout  a definition did not come up in stage_wait_max
///         as ApplyOptions::intend
/// Never   deletes for `force` what could not be created again: a create is dry-run first, and the deletion is of that uid
/// Cost    two requests for an object that is not known
Task<void> apply_staged(kube::Cluster& cluster, Clock const& clock, Owner owner, std::vector<Wish> wishes,
                        ApplyOptions options, ApplyReport& done);

/// Kinds whose health is their existence: they are watched by metadata alone, so no Secret's value is ever held.
bool has_no_status(kube::GroupVersionKind const& gvk);

}  // namespace holdfast::rollout
