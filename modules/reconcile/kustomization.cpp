// modules/reconcile/kustomization.cpp: one pass over one Kustomization, read forward.
#include "modules/reconcile/kustomization.hpp"

#include "modules/reconcile/state.hpp"
#include "modules/rollout/marks.hpp"
#include "modules/story/conclude.hpp"

#include <algorithm>

namespace holdfast::reconcile {

using model::Entry;
using model::Key;
using model::KustomizationSpec;
using model::Truth;
using rollout::Applied;
using rollout::ApplyReport;
using rollout::Known;
using rollout::Owner;
using story::Outcome;
using story::Stop;

namespace {

constexpr std::size_t kPlannedMax = 20'000;  // objects that inventories of others name, at once, of all Kustomizations

/// One line an object that changed, each ended as Flux ends it in the message of a pass that failed later.
std::string change_log(ApplyReport const& report) {
    std::string lines;
    for (Applied const& one : report.objects) {
        if (one.action != rollout::Action::created && one.action != rollout::Action::configured) continue;
        if (!lines.empty()) lines += "\n";
        lines += one.id.display() + " " + std::string{to_string(one.action)};
    }
    return lines;
}

std::string joined(std::vector<std::string> const& lines) {
    std::string text;
    for (std::string const& line : lines) text += (text.empty() ? "" : "\n") + line;
    return text;
}

/// A line an object, in the order of an inventory.
std::string display_list(std::vector<model::OwnedObject> const& objects) {
    std::vector<std::string> lines;
    for (model::OwnedObject const& one : objects) {
        auto const id = kube::parse_object_id(one.entry.id);
        lines.push_back(id ? id->display() : one.entry.id);
    }
    return joined(lines);
}

access::Wanted wanted_of(KustomizationSpec const& spec) { return {spec.service_account, spec.kube_config}; }

std::string rounded(model::Duration took) {
    return model::format_duration(std::chrono::round<std::chrono::milliseconds>(took));
}

}  // namespace

Kustomizations::Kustomizations(story::Ports ports, access::Access const& access, Renderer& renderer,
                               rollout::OwnedObjects& owned, Settings settings, SourceDamaged source_damaged)
    : ports_(ports), access_(access), renderer_(renderer), owned_(owned), settings_(settings),
      source_damaged_(std::move(source_damaged)) {}

Kustomizations::~Kustomizations() = default;

Kustomizations::State& Kustomizations::state_of(Key const& key) {
    auto& slot = states_[key];
    if (!slot) slot = std::make_unique<State>();
    return *slot;
}

void Kustomizations::load(model::JournalEntry const& row) {
    owned_.load({row.key}, row.owned);
    state_of(row.key).facts = Facts::read(row.facts);
}

void Kustomizations::adopt(Entry const& entry) {
    std::vector<model::OwnedObject> rows;
    for (auto const& one : entry.status.part<model::KustomizationStatus>().inventory) rows.push_back({.entry = one});
    if (!rows.empty()) owned_.load({entry.key}, rows);
}

/// What another inventory names is looked at as what is stale: it goes when it has our labels and the manifests lack it.
bool Kustomizations::reclaim(Key const& key, model::Status const& shown) {
    Owner const owner{key};
    std::vector<model::OwnedObject> rows;
    for (auto const& one : shown.part<model::KustomizationStatus>().inventory) {
        if (owned_.find(owner, one.id) == nullptr) rows.push_back({.entry = one});
    }
    if (rows.empty()) return false;
    if (owned_.planned() + rows.size() > kPlannedMax) {
        ports_.log.warning("reconcile", "what another inventory names is not looked at: there is too much of it now",
                           {HOLDFAST_LOG_KEY(key), {"objects", std::to_string(rows.size())}});
        return false;
    }
    owned_.plan(owner, rows);
    State& state = state_of(key);
    state.facts.complete = false;
    state.named = false;
    return true;
}

void Kustomizations::unrecorded(Key const& key) { state_of(key).facts.complete = false; }

void Kustomizations::forget(Key const& key) {
    owned_.forget({key});
    access_.forget(key);
    states_.erase(key);
}

void Kustomizations::forget_cluster() {
    for (auto& [key, state] : states_) {
        if (!state->facts.cluster.empty()) continue;  // elsewhere
        state->facts = {};
        state->owes.reset();
        state->failed.reset();
        state->waiting.reset();
        state->unserved.clear();
    }
}

model::ComplianceRecord Kustomizations::record(Entry const& entry) const {
    return story::object_record(entry, ports_.clock.wall());
}

std::set<std::string> Kustomizations::remotes() const {
    std::set<std::string> all;
    for (auto const& [key, state] : states_) all.insert(state->facts.remotes.begin(), state->facts.remotes.end());
    return all;
}

/// What is needed, then what there is to do.
asio::awaitable<Outcome> Kustomizations::reconcile(Entry entry) {
    State& state = state_of(entry.key);
    Outcome outcome = story::begin(entry);
    if (!entry.spec) {
        Stop why{.reason = "InvalidSpec", .message = entry.problem};
        co_return story::stop(entry, std::move(outcome), std::move(why), ports_.clock);
    }
    KustomizationSpec spec = entry.spec_as<KustomizationSpec>();
    Owner const owner{entry.key};
    owned_.set_interval(owner, spec.interval);
    if (spec.suspend) {
        state.waiting.reset();
        state.owes.reset();
        state.facts.complete = false;  // resumed, it is looked at and recorded again, changed or not
        outcome = story::rest(entry);
        outcome.facts = state.facts.text();
        co_return outcome;
    }
    access::Lock lock = access_.lock_of(entry);
    Pass run{.entry = std::move(entry),
             .spec = std::move(spec),
             .lock = std::move(lock),
             .owner = owner,
             .reach = {},
             .state = state,
             .outcome = std::move(outcome),
             .started = ports_.clock.boot()};

    if (!run.lock.reaches(run.key().ns, run.spec.source.ns)) {
        std::string const source = run.spec.source_kind + "/" + run.spec.source.ns + "/" + run.spec.source.name;
        Stop why{.reason = "AccessDenied",
                 .message = "can't access '" + source + "', cross-namespace references have been blocked"};
        co_return stop(std::move(run), std::move(why));
    }
    SourceLook look = look_at_source(ports_.registry, run.spec, settings_.dependency_retry);
    if (!look.artifact && look.quiet) co_return wait(std::move(run));
    if (!look.artifact) {
        model::Duration const retry =
            look.absent ? run.spec.retry_interval : model::Duration{settings_.dependency_retry};
        Stop why{.reason = "ArtifactFailed", .message = look.message, .retry = retry, .quiet = true, .event = ""};
        co_return stop(std::move(run), std::move(why));
    }
    run.artifact = std::move(*look.artifact);
    std::string unmet = unmet_dependency(ports_.registry, run.entry, run.spec, run.artifact, run.lock, dependencies_,
                                         ports_.clock.boot());
    if (!unmet.empty()) {
        Stop why{.reason = "DependencyNotReady",
                 .message = std::move(unmet),
                 .retry = settings_.dependency_retry,
                 .quiet = true,
                 .revision = run.artifact.revision,
                 .event = "Dependencies do not meet ready condition, retrying in " +
                          model::format_duration(settings_.dependency_retry)};
        co_return stop(std::move(run), std::move(why));
    }
    std::string const& asked = run.entry.meta.requested_at;
    bool const in_hand =
        (state.waiting && state.waiting->requested_at == asked) || (state.owes && state.owes->requested_at == asked);
    run.asked = asked != run.entry.status.last_handled_reconcile_at && !in_hand;
    if (run.is_held(ports_.clock.boot())) co_return wait(std::move(run));
    auto reach = co_await access_.reach(run.entry, wanted_of(run.spec));
    if (!reach) co_return unreachable(std::move(run), std::move(reach).error());
    run.reach = std::move(*reach);
    if (run.reach.cluster == nullptr) {
        Stop why{.reason = "ReconciliationFailed",
                 .message = "no cluster is configured: see `kubeconfig` in holdfast.yaml"};
        co_return stop(std::move(run), std::move(why));
    }

    arrive(run);
    co_await name_rows(run.reach, owner);
    auto const now = ports_.clock.boot();
    if (!owned_.unwatched(owner).empty() && (!state.looked_at || now - *state.looked_at >= run.spec.interval)) {
        state.looked_at = now;
        co_await owned_.look_up(owner);
    }
    co_await look_at_versions(run.reach, owner, run.spec.interval);
    switch (work_of(run)) {
        case Work::nothing: co_return wait(std::move(run));
        case Work::health: co_return co_await check_health(std::move(run));
        case Work::prune: co_return co_await prune(std::move(run));
        case Work::all: break;
    }
    co_return co_await render(std::move(run));
}

/// The cluster does not answer, or what is written about it is wrong: nothing is known, so nothing is touched.
Outcome Kustomizations::unreachable(Pass run, Error error) {
    bool const wrong = !is_retryable(error.code);
    if (wrong) owned_.leave(run.owner);
    run.status().last_attempted_revision = run.artifact.revision;
    run.state.failed = {run.artifact.digest, run.entry.spec_digest, ports_.clock.boot() + run.spec.retry_interval};
    Stop why{.reason = "ReconciliationFailed",
             .message = error.message,
             .retry = run.spec.retry_interval,
             .progress = run.progress("Building manifests for")};
    if (wrong) why.event = "failed to build kube client: " + error.message;
    return stop(std::move(run), std::move(why));
}

/// The artifact becomes objects, in a worker.
asio::awaitable<Outcome> Kustomizations::render(Pass run) {
    State& state = run.state;
    state.failed.reset();
    bool const same = run.is_same() && state.facts.complete && state.unserved.empty();
    run.repairs = same && !run.asked && owned_.repair_due(run.owner);
    run.only_looks = same && !run.asked && !run.repairs;
    auto rendered = co_await renderer_.render(run.key().ns, run.artifact, run.spec, !run.lock.no_remote_bases);
    if (!rendered) {
        Error error = std::move(rendered).error();
        if (error.code == Errc::corrupt) {
            if (auto const kind = model::kind_named(run.spec.source_kind)) {
                source_damaged_({*kind, run.spec.source.ns, run.spec.source.name});
            }
            Stop why{.reason = "ArtifactFailed",
                     .message = "Source is not ready, artifact not found, retrying in " +
                                model::format_duration(settings_.dependency_retry) + ": " + error.message,
                     .retry = settings_.dependency_retry,
                     .quiet = true,
                     .progress = run.progress("Fetching manifests for"),
                     .event = ""};
            co_return stop(std::move(run), std::move(why));
        }
        bool const no_path = error.code == Errc::not_found;
        if (!no_path) run.status().last_attempted_revision = run.artifact.revision;
        state.failed = {run.artifact.digest, run.entry.spec_digest, ports_.clock.boot() + run.spec.retry_interval};
        Stop why{.reason = no_path ? "ArtifactFailed" : "BuildFailed",
                 .message = std::move(error.message),
                 .retry = run.spec.retry_interval,
                 .progress = run.progress(no_path ? "Fetching manifests for" : "Building manifests for")};
        co_return stop(std::move(run), std::move(why));
    }
    run.status().last_attempted_revision = run.artifact.revision;
    state.rendered_at = run.started;
    bool const moved = rendered->digest != state.facts.manifest_digest;
    state.facts.remotes = rendered->remotes;
    if (run.only_looks && !moved) co_return co_await check_health(std::move(run));
    co_return co_await apply(std::move(run), std::move(*rendered));
}

/// The objects become true on the cluster. What is about to be written is in the journal first, beside what the last pass
/// holds no longer: a power cut leaves nothing that no inventory names, and nothing that a return would not mend.
asio::awaitable<Outcome> Kustomizations::apply(Pass run, Rendered rendered) {
    State& state = run.state;
    for (kube::Object& object : rendered.objects) {
        rollout::stamp(object, run.owner, run.spec.common_labels, run.spec.common_annotations);
    }
    ApplyReport applied;
    Error error;
    bool placed = false;
    auto wishes = co_await rollout::place(*run.reach.cluster, std::move(rendered.objects));
    bool ok = wishes.has_value();
    if (!ok) error = std::move(wishes).error();
    if (ok) {
        placed = true;
        run.spells = owned_.new_spells(run.owner);
        owned_.begin_pass(run.owner);
        auto done = co_await rollout::apply_staged(*run.reach.cluster, ports_.clock, run.owner, std::move(*wishes),
                                                   apply_options(run), applied);
        ok = done.has_value();
        if (!ok) error = std::move(done).error();
    }
    std::string const changes = change_log(applied);
    if (!ok) {
        // The stages before the refused one are applied: they are known, and stay.
        for (Applied const& one : applied.objects) owned_.update(run.owner, one);
        owned_.end_pass(run.owner);
        run.status().remember(rendered.digest, "ReconciliationFailed", run.revision(),
                              ports_.clock.boot() - run.started, ports_.clock.wall());
        run.outcome.owned = owned_rows(run.owner);
        state.failed = {run.artifact.digest, run.entry.spec_digest, ports_.clock.boot() + run.spec.retry_interval};
        Stop why{.reason = "ReconciliationFailed",
                 .message = error.message + (placed ? "\n" : "") + (changes.empty() ? "" : changes + "\n"),
                 .retry = run.spec.retry_interval,
                 .progress = run.progress("Detecting drift for"),
                 .revision = run.artifact.revision};
        co_return stop(std::move(run), std::move(why));
    }

    settle(run, applied);
    state.unserved.clear();
    state.versions_at = ports_.clock.boot();
    state.facts = {.artifact_digest = run.artifact.digest,
                   .spec_digest = run.entry.spec_digest,
                   .manifest_digest = rendered.digest,
                   .user = run.reach.rights,
                   .cluster = std::move(state.facts.cluster),
                   .remotes = std::move(state.facts.remotes)};
    run.changed = !changes.empty();
    if (run.changed) {
        // A spell is told once, with who began it: what follows in it is counted, not told.
        bool const told = !run.repairs || !run.spells.empty();
        std::string who;
        for (std::string const& id : run.spells) who += "\n" + owned_.spell_text(run.owner, id);
        run.outcome.news.push_back({.level = told ? LogLevel::info : LogLevel::debug,
                                    .reason = "Progressing",
                                    .message = changes + who,
                                    .revision = run.artifact.revision,
                                    .event = told});
    }
    state.waiting.reset();
    if (!run.spec.prune) state.owes->stale.clear();
    state.owes->changed = run.changed;
    co_return co_await prune(std::move(run));
}

/// What is stale goes, once every other Kustomization of this revision that may want it had its turn.
asio::awaitable<Outcome> Kustomizations::prune(Pass run) {
    State& state = run.state;
    State::Owes owes = *state.owes;
    if (!owes.stale.empty() && siblings_are_due(run)) {
        run.outcome.owned = owned_rows(run.owner);
        run.outcome.facts = state.facts.text();
        run.outcome.answers = false;
        run.outcome.next = std::chrono::milliseconds{500};
        run.name_origin();
        note_inventory(run);
        co_return std::move(run.outcome);
    }
    run.changed = owes.changed;
    if (!owes.stale.empty()) {
        owned_.begin_pass(run.owner);
        auto pruned = co_await rollout::prune(*run.reach.cluster, run.owner, owes.stale, owes.applied);
        std::set<std::string> kept;
        for (model::OwnedObject const& one : pruned ? pruned->survivors : owes.stale) kept.insert(one.entry.id);
        for (model::OwnedObject const& one : owes.stale) {
            if (!kept.contains(one.entry.id)) owned_.remove(run.owner, one.entry.id);
        }
        owned_.end_pass(run.owner);
        std::string const removals = pruned ? joined(pruned->changes) : "";
        if (!removals.empty()) {
            run.outcome.news.push_back(
                {.reason = "Progressing", .message = removals, .revision = run.artifact.revision});
        }
        if (!kept.empty()) {
            state.owes->stale = pruned ? pruned->survivors : owes.stale;
            run.outcome.owned = owned_rows(run.owner);
            note_inventory(run);
            run.status().remember(state.facts.manifest_digest, "PruneFailed", run.revision(),
                                  ports_.clock.boot() - run.started, ports_.clock.wall());
            state.failed = {run.artifact.digest, run.entry.spec_digest, ports_.clock.boot() + run.spec.retry_interval};
            Stop why{.reason = "PruneFailed",
                     .message = pruned ? pruned->error : pruned.error().message,
                     .retry = run.spec.retry_interval,
                     .progress = run.progress("Detecting drift for"),
                     .revision = run.artifact.revision};
            co_return stop(std::move(run), std::move(why));
        }
    }
    state.owes.reset();
    state.facts.complete = true;
    run.outcome.owned = owned_rows(run.owner);
    note_inventory(run);
    bool const checks = run.spec.wait || !run.spec.health_checks.empty();
    if (!checks) co_return succeed(std::move(run), "");
    auto const now = ports_.clock.boot();
    state.waiting = {.started = now,
                     .deadline = now + run.spec.timeout,
                     .requested_at = run.entry.meta.requested_at,
                     .took = now - run.started,
                     .changed = run.changed};
    co_return co_await check_health(std::move(run));
}

/// Looks at what the watches say; called again whenever they say something else, and at the deadline. A Kustomization that was
/// healthy is looked at as long as it lives.
asio::awaitable<Outcome> Kustomizations::check_health(Pass run) {
    State& state = run.state;
    run.outcome.facts = state.facts.text();
    if (!run.spec.wait && run.spec.health_checks.empty()) co_return succeed(std::move(run), "");
    rollout::Health const health = co_await health_of(run);
    auto const now = ports_.clock.boot();
    auto const* ready = run.entry.status.conditions.find("Ready");
    bool const was_ready = ready != nullptr && ready->status == Truth::yes;
    bool const has_failed = ready != nullptr && ready->status == Truth::no && ready->reason == "HealthCheckFailed";
    if (health.is_good()) {
        if (!state.waiting && was_ready) co_return wait(std::move(run));
        model::Duration const took = state.waiting ? now - state.waiting->started : model::Duration{};
        run.changed = state.waiting && state.waiting->changed;
        co_return succeed(std::move(run), "Health check passed in " + rounded(took));
    }
    if (!state.waiting) {
        // Nothing was heard of some objects yet, as after a start; or it is said already that they are not healthy.
        bool const news = !health.failed.empty() || health.certain;
        if (!news || has_failed) co_return wait(std::move(run));
        state.waiting = {
            .started = now, .deadline = now + run.spec.timeout, .requested_at = run.entry.meta.requested_at};
    }
    auto& waiting = *state.waiting;
    if (!health.failed.empty() || now >= waiting.deadline) {
        std::string const what = health.failed.empty()
                                     ? "timeout waiting for: " + rollout::list_text(health.pending)
                                     : "failed early due to stalled resources: " + rollout::list_text(health.failed) +
                                           (health.details.empty() ? "" : ": " + health.details);
        std::string message = "health check failed after " + rounded(now - waiting.started) + ": " + what;
        run.status().remember(state.facts.manifest_digest, "HealthCheckFailed", run.revision(), now - waiting.started,
                              ports_.clock.wall());
        run.outcome.status.conditions.set("Healthy", Truth::no, "HealthCheckFailed", what, run.entry.meta.generation,
                                          ports_.clock.wall());
        state.waiting.reset();
        Stop why{.reason = "HealthCheckFailed",
                 .message = std::move(message),
                 .retry = run.spec.retry_interval,
                 .progress = run.progress("Running health checks for"),
                 .revision = run.status().last_attempted_revision};
        co_return stop(std::move(run), std::move(why));
    }
    auto const announce_at = waiting.started + settings_.progress_after;
    if (now >= announce_at) waiting.announced = true;
    if (waiting.announced) {
        std::string const message = run.progress("Running health checks for");
        auto& conditions = run.outcome.status.conditions;
        auto const wall = ports_.clock.wall();
        auto const generation = run.entry.meta.generation;
        conditions.set("Reconciling", Truth::yes, "Progressing", message, generation, wall);
        conditions.set("Healthy", Truth::unknown, "Progressing", message, generation, wall);
        conditions.set("Ready", Truth::unknown, "Progressing", "Reconciliation in progress", generation, wall);
    }
    // What healthChecks name and no watch shows is asked for; an unwatched kind, too.
    bool const asks = !health.unseen.empty() || !owned_.unwatched(run.owner).empty();
    model::Duration const poll = asks ? model::Duration{std::chrono::seconds{5}} : model::Duration::max();
    auto const next = waiting.announced ? waiting.deadline : std::min(announce_at, waiting.deadline);
    run.outcome.answers = false;
    run.name_origin();
    run.outcome.passing = !waiting.announced;
    run.outcome.next = std::min<model::Duration>(next - now, poll);
    co_return std::move(run.outcome);
}

asio::awaitable<rollout::Health> Kustomizations::health_of(Pass const& run) {
    if (!owned_.unwatched(run.owner).empty() && run.state.waiting) co_await owned_.look_up(run.owner);
    if (run.spec.wait) co_return rollout::health_of_all(run.owner, owned_);
    std::vector<kube::ObjectId> ids;
    std::map<kube::ObjectId, std::string> versions;
    for (model::HealthCheckRef const& ref : run.spec.health_checks) {
        auto const gvk = kube::parse_api_version(ref.api_version, ref.kind);
        ids.push_back({ref.ns, ref.name, gvk.group, ref.kind});
        versions[ids.back()] = gvk.version;
    }
    rollout::Health health = rollout::health_of(run.owner, ids, owned_);
    std::vector<kube::ObjectId> const unseen = health.unseen;
    std::size_t found = 0;
    for (kube::ObjectId const& id : unseen) {
        auto resource = co_await run.reach.cluster->any_version_of(id.group, id.kind, versions[id]);
        // A reference may leave the group out, as Flux allows it for the kinds of Kubernetes itself.
        for (std::string_view const group : {"apps", "batch", "networking.k8s.io", "rbac.authorization.k8s.io"}) {
            if (resource || !id.group.empty() || resource.error().code != Errc::not_found) break;
            resource = co_await run.reach.cluster->any_version_of(std::string{group}, id.kind, "");
        }
        kube::ObjectStatus status{kube::Health::not_found, ""};
        bool refused = false;
        if (!resource) status = {kube::Health::unknown, resource.error().message};
        if (resource) {
            auto live = co_await run.reach.cluster->get({std::move(*resource), id.ns, id.name});
            if (live) status = kube::status_of(*live, ports_.clock.wall());
            else if (live.error().code != Errc::not_found) status = {kube::Health::unknown, live.error().message};
            refused = !live && live.error().code == Errc::denied;
        }
        if (status.health == kube::Health::current) ++found;
        bool const certain = health.certain;
        health.add(id.display(), status.health, status.message);
        if (refused) health.certain = certain;  // asking again brings nothing else
    }
    if (found == unseen.size()) health.unseen.clear();
    co_return health;
}

Outcome Kustomizations::succeed(Pass run, std::string healthy) {
    State& state = run.state;
    auto const now = ports_.clock.boot();
    auto const wall = ports_.clock.wall();
    model::Duration took = now - run.started;
    if (state.waiting) took += state.waiting->took + (run.started - state.waiting->started);
    state.waiting.reset();
    state.facts.complete = true;
    auto& status = run.status();
    auto& conditions = run.outcome.status.conditions;
    bool const is_new = status.last_applied_revision != status.last_attempted_revision;
    bool const recovered = !run.entry.status.conditions.is("Ready", Truth::yes) || is_new;
    bool const was_healthy = run.entry.status.conditions.is("Healthy", Truth::yes);
    status.last_applied_revision = status.last_attempted_revision;
    std::string const revision = status.last_applied_revision;
    // The result is the same: how long it took this time is no news.
    if (healthy.empty()) conditions.remove("Healthy");
    else {
        std::string const said = was_healthy && !is_new ? conditions.find("Healthy")->message : healthy;
        conditions.set("Healthy", Truth::yes, "Succeeded", said, run.entry.meta.generation, wall);
    }
    note_watches(run);
    status.last_applied_origin = run.revision().origin;
    status.remember(state.facts.manifest_digest, "ReconciliationSucceeded", run.revision(), took, wall);
    run.outcome.facts = state.facts.text();
    if (!healthy.empty() && (!was_healthy || (is_new && run.changed))) {
        run.outcome.news.push_back({.reason = "Progressing", .message = healthy, .revision = revision});
    }
    auto const pause = pause_of(run);
    if (recovered) {
        std::string message = "Reconciliation finished in " + rounded(took) + ", next run in " +
                              model::format_duration(run.spec.interval);
        run.outcome.news.push_back({.reason = "ReconciliationSucceeded",
                                    .message = std::move(message),
                                    .revision = revision,
                                    .annotations = {{"commit_status", "update"}}});
    }
    run.name_origin();
    return story::succeed(run.entry, std::move(run.outcome), "ReconciliationSucceeded", "Applied revision: " + revision,
                          pause, ports_.clock);
}

Outcome Kustomizations::stop(Pass run, Stop why) {
    // What waits for others, or for health, is applied all the same.
    if (!why.quiet && why.reason != "HealthCheckFailed") run.state.facts.complete = false;
    run.outcome.facts = run.state.facts.text();
    if (why.revision.empty()) why.revision = run.artifact.revision;
    run.outcome = story::stop(run.entry, std::move(run.outcome), std::move(why), ports_.clock);
    run.name_origin();
    return std::move(run.outcome);
}

/// The object is being deleted, or its file was taken away: what it applied goes first, unless its policy says else.
asio::awaitable<Outcome> Kustomizations::finalize(Entry entry) {
    State& state = state_of(entry.key);
    Owner const owner{entry.key};
    Outcome outcome = story::begin(entry);
    // A cluster object that vanished without its finalizer was taken away behind our back: that is no order to delete.
    bool const vanished = entry.gone && entry.meta.origin == model::Origin::cluster;
    KustomizationSpec const spec = entry.spec ? entry.spec_as<KustomizationSpec>() : KustomizationSpec{};
    bool const policy = spec.deletion_policy == model::DeletionPolicy::mirror_prune
                            ? spec.prune
                            : spec.deletion_policy != model::DeletionPolicy::orphan;
    bool const removes = !vanished && policy && !spec.suspend && entry.spec.has_value();
    std::string const revision = entry.status.part<model::KustomizationStatus>().last_applied_revision;
    std::vector<model::OwnedObject> owned = owned_rows(owner);
    bool const awaits = state.ending && !state.ending->terminating.empty();
    access::Reach reach;
    if (removes && (awaits || (!state.ending && !owned.empty()))) {
        auto reached = co_await access_.reach(entry, wanted_of(spec));
        if (!reached) {
            // As Flux: it may be there again in a moment, and what it applied would stay for ever.
            Stop why{.reason = "PruneFailed",
                     .message = "pruning for deleted resource failed: " + reached.error().message +
                                "\n`deletionPolicy: Orphan` lets it go and leaves what it applied",
                     .retry = state.retry.next(),
                     .revision = revision};
            co_return story::stop(entry, std::move(outcome), std::move(why), ports_.clock);
        }
        reach = std::move(*reached);
    }
    if (removes && !state.ending && !owned.empty()) {
        auto const* ready = entry.status.conditions.find("Ready");
        bool const moved = has_moved(owner, reach);
        auto const has_account = co_await access_.has_account(entry, reach);
        if (moved || (has_account && !*has_account)) {
            // With nobody's rights nothing is deleted; the object itself is not kept by that, as Flux does it.
            std::string const why = moved
                                        ? "it was applied to another cluster than kubeConfig names now: it stays there"
                                        : reach.user + " does not exist: what it applied stays";
            outcome.news.push_back({.level = LogLevel::error,
                                    .reason = ready == nullptr ? "error" : ready->reason,
                                    .message = "unable to prune objects: \n" + display_list(owned) + "\n" + why,
                                    .revision = revision});
            outcome.released = true;
            co_return outcome;
        }
        rollout::PruneReport pruned{.survivors = owned, .error = "no cluster is configured"};
        if (!has_account) pruned.error = has_account.error().message;
        if (has_account && reach.cluster != nullptr) {
            owned_.begin_pass(owner);
            auto done = co_await rollout::prune(*reach.cluster, owner, std::move(owned));
            if (done) pruned = std::move(*done);
            else pruned.error = done.error().message;
            for (model::OwnedObject const& one : pruned.terminating) owned_.remove(owner, one.entry.id);
            owned_.end_pass(owner);
        }
        std::string const text = joined(pruned.changes);
        std::string const reason = ready == nullptr ? "info" : ready->reason;
        if (!text.empty()) outcome.news.push_back({.reason = reason, .message = text, .revision = revision});
        if (!pruned.error.empty()) {
            outcome.owned = owned_rows(owner);
            Stop why{.reason = "PruneFailed",
                     .message = "pruning for deleted resource failed: " + pruned.error,
                     .retry = state.retry.next(),
                     .revision = revision};
            co_return story::stop(entry, std::move(outcome), std::move(why), ports_.clock);
        }
        state.ending = {.terminating = std::move(pruned.terminating), .deadline = ports_.clock.boot() + spec.timeout};
    }
    bool const waits = removes && spec.deletion_policy == model::DeletionPolicy::wait_for_termination && state.ending;
    if (waits && !state.ending->terminating.empty()) {
        auto const there = co_await rollout::still_there(*reach.cluster, state.ending->terminating);
        if (!there.empty() && ports_.clock.boot() < state.ending->deadline) {
            outcome.status.conditions.set("Ready", Truth::unknown, "Progressing",
                                          "waiting for the termination of " + rollout::list_text(there),
                                          entry.meta.generation, ports_.clock.wall());
            outcome.next = std::chrono::seconds{2};
            co_return outcome;
        }
        if (!there.empty()) {
            state.ending->terminating.clear();  // it is told once
            outcome.news.push_back({.level = LogLevel::error,
                                    .reason = "ReconciliationSucceeded",
                                    .message = "failed to wait for resources termination: " + rollout::list_text(there),
                                    .revision = revision});
        }
    }
    if (vanished) {
        ports_.log.warning("reconcile", "the object vanished without being deleted by us: what it applied stays",
                           {HOLDFAST_LOG_KEY(entry.key)});
    }
    outcome.released = true;
    co_return outcome;
}

}  // namespace holdfast::reconcile
