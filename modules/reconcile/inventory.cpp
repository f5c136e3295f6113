// modules/reconcile/inventory.cpp: what a Kustomization owns, before, while and after a pass writes.
#include "modules/reconcile/state.hpp"

#include "modules/story/conclude.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace holdfast::reconcile {

using rollout::Known;
using rollout::Owner;

namespace {

/// Of one inventory: each kind that nobody serves costs a question, and whoever may write a status may write made-up ones.
constexpr std::size_t kKindsAskedMax = 100;

}  // namespace

std::vector<model::OwnedObject> Kustomizations::owned_rows(Owner const& owner) const {
    std::vector<model::OwnedObject> rows;
    auto const state = states_.find(owner.key);
    for (Known const* known : owned_.of(owner)) {
        rows.push_back(known->object);
        rows.back().cluster = state == states_.end() ? "" : state->second->facts.cluster;
    }
    return rows;
}

/// Was what is known of its objects seen on another cluster than this one? What was never applied by us is nowhere yet.
bool Kustomizations::has_moved(Owner const& owner, access::Reach const& reach) const {
    auto const state = states_.find(owner.key);
    if (state == states_.end() || access::is_same_cluster(state->second->facts.cluster, reach.where)) return false;
    return std::ranges::any_of(owned_.of(owner), [](Known const* known) { return known->object.wished != 0; });
}

/// The pass is at its cluster. When that is another one than before, what was applied there stays there, and everything is
/// applied here.
void Kustomizations::arrive(Pass& run) {
    State& state = run.state;
    if (has_moved(run.owner, run.reach)) {
        std::vector<std::string> there;
        for (Known const* known : owned_.of(run.owner)) {
            if (known->object.wished != 0) there.push_back(known->object.entry.id);
        }
        for (std::string const& id : there) owned_.remove(run.owner, id);
        ports_.log.warning("reconcile",
                           "the object is applied to another cluster now: what it applied to the former stays",
                           {HOLDFAST_LOG_KEY(run.key()),
                            {"before", state.facts.cluster},
                            {"now", run.reach.where},
                            {"objects", std::to_string(there.size())}});
        state.facts = {.remotes = std::move(state.facts.remotes)};
        state.owes.reset();
        state.waiting.reset();
        state.facts.cluster = run.reach.where;
        run.outcome.owned = owned_rows(run.owner);
        note_inventory(run);
    }
    state.facts.cluster = access::fuller_name(state.facts.cluster, run.reach.where);
    bool const is_own = run.reach.connection.empty();
    owned_.set_location(run.owner, {.cluster = run.reach.where,
                                    .connection = run.reach.connection,
                                    .watcher = is_own ? nullptr : run.reach.cluster,
                                    .reader = run.reach.cluster});
}

/// An inventory that somebody else wrote, or an older version of ours, may name a cluster-scoped object with a namespace, and
/// kinds that nobody serves. Once a start; what cannot be learned now is asked for in the next pass.
asio::awaitable<void> Kustomizations::name_rows(access::Reach reach, Owner owner) {
    if (std::exchange(state_of(owner.key).named, true)) co_return;
    std::set<std::pair<std::string, std::string>> served;
    std::set<std::pair<std::string, std::string>> made_up;
    for (model::OwnedObject const& row : owned_rows(owner)) {
        auto const id = kube::parse_object_id(row.entry.id);
        if (!id) continue;
        std::pair const kind{id->group, id->kind};
        bool const is_new = !served.contains(kind);
        if (made_up.contains(kind) || (is_new && served.size() + made_up.size() >= kKindsAskedMax)) continue;
        auto const named = co_await rollout::name(*reach.cluster, row.entry);
        if (!named) {
            state_of(owner.key).named = false;
            continue;
        }
        owned_.rename(owner, row.entry.id, named->id);
        co_await yield_once();  // of many rows, with nothing to ask the server for
        (named->served ? served : made_up).insert(kind);
        if (named->served) owned_.watch(owner, named->id);
    }
}

/// Nobody changed an object whose version went away, and nothing that is watched says so: what Git names cannot be applied any
/// more. Asked once an interval, of a server that answers.
asio::awaitable<void> Kustomizations::look_at_versions(access::Reach reach, Owner owner, model::Duration interval) {
    State& state = state_of(owner.key);
    auto const now = ports_.clock.boot();
    bool const is_due = !state.versions_at || now - *state.versions_at >= interval;
    if (!is_due || !owned_.is_followed(owner)) co_return;
    state.versions_at = now;
    auto ids = co_await rollout::unserved(*reach.cluster, owned_rows(owner));
    state.unserved = std::move(ids);
}

/// What is about to be written, as the inventory names it before anything is known of it. What a dry run refuses never gets
/// here: it may be somebody else's, and whoever may not write it may not be able to prune it either.
Task<void> Kustomizations::plan_inventory(Owner owner, std::vector<model::OwnedObject> planned) {
    State& state = state_of(owner.key);
    std::vector<model::OwnedObject> rows = owned_rows(owner);
    std::set<std::string> have;
    for (model::OwnedObject const& one : rows) have.insert(one.entry.id);
    std::vector<model::OwnedObject> added;
    for (model::OwnedObject& one : planned) {
        one.cluster = state.facts.cluster;
        if (have.insert(one.entry.id).second) added.push_back(std::move(one));
    }
    // A repair writes what the inventory names already: nothing to plan.
    if (added.empty()) co_return Result<void>{};
    state.facts.complete = false;
    rows.insert(rows.end(), added.begin(), added.end());
    auto saved = co_await story::intend(ports_, owner.key, state.facts.text(), std::move(rows));
    if (saved) owned_.plan(owner, added);
    co_return saved;
}

rollout::ApplyOptions Kustomizations::apply_options(Pass const& run) {
    // What was applied with other rights shows nothing about what may be applied with these.
    bool const known_counts = !run.asked && run.state.facts.user == run.reach.rights;
    return {.force = run.spec.force,
            .kinds_changed = run.reach.forget_kinds,
            .known = [this, owner = run.owner, known_counts,
                      &state = run.state](rollout::Wish const& wish) -> model::OwnedObject const* {
                Known const* known = owned_.find(owner, wish.id.text());
                if (!known_counts || known == nullptr || known->taken || known->object.wished != wish.wished)
                    return nullptr;
                if (state.unserved.contains(wish.id.text())) return nullptr;
                return known->drifted && owned_.is_due(*known) ? nullptr : &known->object;
            },
            .intend = [this, owner = run.owner](auto planned) { return plan_inventory(owner, std::move(planned)); },
            .before = [this, owner = run.owner](kube::ObjectId const& id) -> model::OwnedObject const* {
                Known const* known = owned_.find(owner, id.text());
                bool const was_there = known != nullptr && !known->gone && known->object.wished != 0;
                return was_there ? &known->object : nullptr;
            }};
}

/// Everything is written: from here on the watches are believed again. What is stale stays owned until it is pruned.
void Kustomizations::settle(Pass& run, rollout::ApplyReport const& applied) {
    State::Owes owes{.since = ports_.clock.boot(), .requested_at = run.entry.meta.requested_at};
    for (rollout::Applied const& one : applied.objects) owes.applied.insert(one.owned.entry.id);
    for (Known const* known : owned_.of(run.owner)) {
        if (!owes.applied.contains(known->object.entry.id)) owes.stale.push_back(known->object);
    }
    owned_.replace(run.owner, applied.objects, run.spec.prune ? owes.stale : std::vector<model::OwnedObject>{});
    owned_.end_pass(run.owner);
    run.state.owes = std::move(owes);
}

void Kustomizations::note_inventory(Pass& run) const {
    auto& inventory = run.status().inventory;
    run.status().has_inventory = true;
    inventory.clear();
    for (Known const* known : owned_.of(run.owner)) inventory.push_back(known->object.entry);
    std::ranges::sort(inventory);
}

/// Is there another Kustomization of this source that has not tried this revision yet, and can? It may want what we would
/// prune: then its labels are on it when we look.
bool Kustomizations::siblings_are_due(Pass const& run) const {
    if (ports_.clock.boot() - run.state.owes->since >= settings_.siblings_wait) return false;
    auto const kind = model::kind_named(run.spec.source_kind);
    if (!kind) return false;
    for (model::Key const& key : ports_.registry.followers({*kind, run.spec.source.ns, run.spec.source.name})) {
        if (key.kind != model::Kind::kustomization || key == run.key()) continue;
        model::Entry const* other = ports_.registry.find(key);
        if (other == nullptr || !other->spec || other->suspended() || other->leaving()) continue;
        if (!access_.lock_of(*other).reaches(key.ns, run.spec.source.ns)) continue;
        auto const& status = other->status.part<model::KustomizationStatus>();
        auto const* ready = other->status.conditions.find("Ready");
        // Who waits for something else may wait for us.
        bool const held_back = ready != nullptr && ready->status == model::Truth::no &&
                               (ready->reason == "DependencyNotReady" || ready->reason == "ArtifactFailed");
        if (status.last_attempted_revision != run.artifact.revision && !held_back) return true;
    }
    return false;
}

}  // namespace holdfast::reconcile
