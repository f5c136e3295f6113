// modules/reconcile/kustomization.cpp: one pass over one Kustomization, read forward.
#include "modules/reconcile/kustomization.hpp"

#include "modules/base/on_pool.hpp"
#include "modules/reconcile/apply.hpp"
#include "modules/reconcile/health.hpp"
#include "modules/reconcile/owner.hpp"
#include "modules/reconcile/prune.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <set>

namespace holdfast::reconcile {

using model::Entry;
using model::Key;
using model::KustomizationSpec;
using model::Truth;
using story::Next;

/// What the last complete pass was made of: the same again needs no request.
struct Kustomizations::Facts {
    std::string artifact_digest;
    std::uint64_t spec_digest = 0;
    std::string manifest_digest;
    bool complete = false;                                     // applied, pruned and healthy
    std::vector<std::string> remotes = {};                     // remote bases of the last render
    std::optional<std::chrono::nanoseconds> rendered_at = {};  // boot clock; nothing: not since the start

    std::string text() const {
        boost::json::object object{{"artifact", artifact_digest},
                                   {"spec", std::to_string(spec_digest)},
                                   {"manifests", manifest_digest},
                                   {"complete", complete}};
        if (!remotes.empty()) object["remotes"] = boost::json::array(remotes.begin(), remotes.end());
        return boost::json::serialize(object);
    }
};

/// Why a pass stopped, in Flux's words, and when to try again.
struct Kustomizations::Failure {
    std::string_view reason;
    std::string message;
    std::optional<model::Duration> retry;
    bool quiet = false;  // waits for something else: no Warning event
};

/// Everything is applied; the objects are not all healthy yet.
struct Kustomizations::Waiting {
    std::chrono::nanoseconds started;   // boot clock
    std::chrono::nanoseconds deadline;  // boot clock
    bool announced = false;
};

/// One pass on its way, from the artifact to the cluster.
struct Kustomizations::Pass {
    Key key;
    KustomizationSpec spec;
    model::Artifact artifact;
    std::chrono::nanoseconds started;  // boot clock
    std::uint64_t spec_digest = 0;
    std::string manifest_digest = {};
    bool repairs = false;                           // the pass began with drift
    bool only_looks = false;                        // everything is as it was applied, unless a remote base has moved
    std::vector<model::OwnedObject> intended = {};  // everything it was about to apply
    ApplyReport applied = {};
    PruneReport pruned = {};
};

namespace {

constexpr std::string_view kArea = "reconcile";

/// What is about to be applied, as the inventory names it before anything is known of it.
std::vector<model::OwnedObject> planned(std::vector<kube::Object> const& objects) {
    std::vector<model::OwnedObject> rows;
    for (kube::Object const& object : objects) {
        auto const gvk = kube::kind_of(object);
        auto const id = kube::id_of(object);
        if (gvk && id) rows.push_back({.entry = {id->text(), gvk->version}});
    }
    return rows;
}

std::string change_log(ApplyReport const& report) {
    std::string lines;
    for (Applied const& one : report.objects) {
        if (one.action != Action::created && one.action != Action::configured) continue;
        if (!lines.empty()) lines += "\n";
        lines += one.id.display() + " " + std::string{to_string(one.action)};
    }
    return lines;
}

std::string deletion_log(PruneReport const& report) {
    std::string lines;
    for (std::string const& one : report.deleted) lines += (lines.empty() ? "" : "\n") + one + " deleted";
    return lines;
}

}  // namespace

Kustomizations::Kustomizations(story::Ports ports, Renderer& renderer, OwnedObjects& owned, Settings settings,
                               Hooks hooks)
    : ports_(ports), renderer_(renderer), owned_(owned), settings_(settings), hooks_(std::move(hooks)) {}

Kustomizations::~Kustomizations() = default;

void Kustomizations::load(model::JournalEntry const& entry) {
    owned_.load(entry.key, entry.owned);
    boost::system::error_code ec;
    auto const value = boost::json::parse(entry.facts.empty() ? "{}" : entry.facts, ec);
    if (ec || !value.is_object()) return;
    kube::Object const& object = value.get_object();
    Facts facts;
    facts.artifact_digest = kube::find_string(object, {"artifact"});
    facts.manifest_digest = kube::find_string(object, {"manifests"});
    facts.spec_digest = std::strtoull(std::string{kube::find_string(object, {"spec"})}.c_str(), nullptr, 10);
    auto const* complete = object.if_contains("complete");
    facts.complete = complete != nullptr && complete->is_bool() && complete->get_bool();
    if (auto const* remotes = object.if_contains("remotes"); remotes != nullptr && remotes->is_array()) {
        for (auto const& one : remotes->get_array()) {
            if (one.is_string()) facts.remotes.emplace_back(one.get_string());
        }
    }
    facts_[entry.key] = std::move(facts);
}

asio::awaitable<Next> Kustomizations::reconcile(Key key) {
    Entry* entry = ports_.registry.find(key);
    if (entry == nullptr) co_return Next{};
    if (entry->gone || entry->meta.deleting) co_return co_await finalize(key);
    if (!entry->spec) {
        Failure failure{"InvalidSpec", entry->problem, std::nullopt};
        co_return co_await stop_with(key, std::move(failure), {});
    }
    KustomizationSpec spec = entry->spec_as<KustomizationSpec>();
    if (spec.suspend) {
        waiting_.erase(key);
        facts_[key].complete = false;  // resumed, it is looked at and recorded again, changed or not
        story::Outcome outcome{.facts = facts_[key].text()};
        outcome.records.push_back(story::object_record(*entry, ports_.clock.wall()));
        auto concluded = co_await story::conclude(ports_, key, std::move(outcome));
        if (!concluded)
            ports_.log.error(kArea, "not recorded", {{"name", key.name}, {"error", concluded.error().message}});
        co_return Next{};
    }
    auto held = co_await story::take_finalizer(ports_, key);
    if (!held) co_return Next{std::chrono::seconds{5}};

    bool wait_quietly = false;
    auto artifact = artifact_of(spec, wait_quietly);
    if (!artifact && wait_quietly) co_return Next{};  // the source's first outcome starts this story again
    if (!artifact) {
        bool const missing = artifact.error().code == Errc::not_found;
        Failure failure{"ArtifactFailed", artifact.error().message,
                        missing ? spec.retry_interval : model::Duration{settings_.dependency_retry}, true};
        co_return co_await stop_with(key, std::move(failure), {});
    }
    entry = ports_.registry.find(key);
    if (entry == nullptr) co_return Next{};
    std::string const unmet = unmet_dependency(*entry, spec, *artifact);
    if (!unmet.empty()) {
        Failure failure{"DependencyNotReady", unmet, model::Duration{settings_.dependency_retry}, true};
        co_return co_await stop_with(key, std::move(failure), {});
    }

    Facts const& facts = facts_[key];
    bool const same = facts.artifact_digest == artifact->digest && facts.spec_digest == entry->spec_digest;
    bool const asked = entry->meta.requested_at != entry->status.last_handled_reconcile_at;
    bool const settled = same && !owned_.has_drift(key) && !asked;
    if (settled && waiting_.contains(key)) co_return co_await check_health(key);
    bool const only_looks = settled && facts.complete;
    auto const wait = until_due(facts, spec);
    if (only_looks && wait.count() > 0) co_return Next{wait};  // nothing changed: no request, no write
    co_return co_await pass(key, std::move(spec), std::move(*artifact), only_looks);
}

/// What the artifact alone makes is looked at when it changes; a remote base moves without telling.
model::Duration Kustomizations::until_due(Facts const& facts, KustomizationSpec const& spec) const {
    if (facts.remotes.empty()) return spec.interval;
    if (!facts.rendered_at) return {};
    return std::max(*facts.rendered_at + spec.interval - ports_.clock.boot(), model::Duration{});
}

std::set<std::string> Kustomizations::remotes() const {
    std::set<std::string> all;
    for (auto const& [key, facts] : facts_) all.insert(facts.remotes.begin(), facts.remotes.end());
    return all;
}

/// Renders, applies, prunes, records. Health, when it is asked for, goes on without holding anything.
asio::awaitable<Next> Kustomizations::pass(Key key, KustomizationSpec spec, model::Artifact artifact, bool only_looks) {
    waiting_.erase(key);
    Entry* entry = ports_.registry.find(key);
    if (entry == nullptr) co_return Next{};
    if (ports_.cluster == nullptr) {
        Failure failure{"ReconciliationFailed", "no cluster is configured: see `kubeconfig` in holdfast.yaml",
                        std::nullopt};
        co_return co_await stop_with(key, std::move(failure), {});
    }
    entry->status.last_attempted_revision = artifact.revision;
    Pass run{.key = key,
             .spec = std::move(spec),
             .artifact = std::move(artifact),
             .started = ports_.clock.boot(),
             .spec_digest = entry->spec_digest,
             .only_looks = only_looks};

    auto rendered = co_await renderer_.render(run.artifact, run.spec);
    if (!rendered) co_return co_await stop_building(std::move(run), std::move(rendered).error());
    run.manifest_digest = rendered->digest;
    Facts& facts = facts_[key];
    facts.remotes = std::move(rendered->remotes);
    facts.rendered_at = run.started;
    if (run.only_looks && run.manifest_digest == facts.manifest_digest) co_return Next{run.spec.interval};
    for (kube::Object& object : rendered->objects) stamp(object, key, run.spec);

    // What is about to be written comes first, and that the last pass holds no longer: a power cut between a write and
    // its record leaves nothing that no inventory names, and nothing that a return to the last revision would not mend.
    run.intended = planned(rendered->objects);
    auto written = co_await plan_inventory(key, run.intended);
    if (!written) {
        Failure failure{"ReconciliationFailed", written.error().message, run.spec.retry_interval};
        co_return co_await stop_with(key, std::move(failure), {});
    }

    owned_.begin_pass(key);
    run.repairs = owned_.has_drift(key);
    auto applied =
        co_await apply_staged(*ports_.cluster, std::move(rendered->objects), apply_options(run), run.applied);
    if (!applied) co_return co_await stop_applying(std::move(run), std::move(applied).error());
    if (run.spec.prune) {
        auto pruned = co_await prune(*ports_.cluster, key, stale_objects(run));
        if (pruned) run.pruned = std::move(*pruned);
    }
    settle(run);
    co_await announce(run);
    if (!run.pruned.survivors.empty()) {
        facts_[key].artifact_digest.clear();  // the next pass tries again
        story::Outcome outcome{.facts = facts_[key].text(), .owned = owned_rows(key)};
        Failure failure{"PruneFailed", run.pruned.error, run.spec.retry_interval};
        co_return co_await stop_with(key, std::move(failure), std::move(outcome));
    }

    if (!checks_health(run.spec)) {
        entry = ports_.registry.find(key);
        if (entry != nullptr) entry->status.conditions.remove("Healthy");
        co_return co_await succeed(key, "");
    }
    waiting_[key] = {.started = ports_.clock.boot(), .deadline = ports_.clock.boot() + run.spec.timeout};
    co_return co_await check_health(key);
}

ApplyOptions Kustomizations::apply_options(Pass const& run) const {
    return {
        .force = run.spec.force,
        .kinds_changed = hooks_.kinds_changed,
        .known = [this, key = run.key](kube::ObjectId const& id, std::uint64_t wished) -> model::OwnedObject const* {
            Known const* known = owned_.find(key, id.text());
            bool const same = known != nullptr && !known->drifted && known->object.wished == wished;
            return same ? &known->object : nullptr;
        },
        .before = [this, key = run.key](kube::ObjectId const& id) -> model::OwnedObject const* {
            Known const* known = owned_.find(key, id.text());
            bool const was_there = known != nullptr && !known->gone && known->object.wished != 0;
            return was_there ? &known->object : nullptr;
        }};
}

/// What the inventory names and this pass did not apply.
std::vector<model::OwnedObject> Kustomizations::stale_objects(Pass const& run) const {
    std::set<std::string> wanted;
    for (Applied const& one : run.applied.objects) wanted.insert(one.owned.entry.id);
    std::vector<model::OwnedObject> stale;
    for (Known const* known : owned_.of(run.key)) {
        if (!wanted.contains(known->object.entry.id)) stale.push_back(known->object);
    }
    return stale;
}

/// Everything is written: from here on the watches are believed again.
void Kustomizations::settle(Pass const& run) {
    owned_.replace(run.key, run.applied.objects, run.pruned.survivors);
    if (run.repairs) owned_.mark_repaired(run.key);
    owned_.end_pass(run.key);
    Facts& facts = facts_[run.key];
    facts = {.artifact_digest = run.artifact.digest,
             .spec_digest = run.spec_digest,
             .manifest_digest = run.manifest_digest,
             .remotes = std::move(facts.remotes),
             .rendered_at = facts.rendered_at};
    Entry* entry = ports_.registry.find(run.key);
    if (entry == nullptr) return;
    entry->status.inventory.clear();
    for (Known const* known : owned_.of(run.key)) entry->status.inventory.push_back(known->object.entry);
    std::ranges::sort(entry->status.inventory);
}

asio::awaitable<void> Kustomizations::announce(Pass const& run) {
    std::string const changes = change_log(run.applied);
    if (!changes.empty()) {
        ports_.log.info(kArea, "server-side apply completed",
                        {{"kind", "Kustomization"},
                         {"namespace", run.key.ns},
                         {"name", run.key.name},
                         {"revision", run.artifact.revision},
                         {"output", changes}});
        co_await story::tell(ports_, run.key, false, "Progressing", changes, run.artifact.revision);
    }
    std::string const removals = deletion_log(run.pruned);
    if (removals.empty()) co_return;
    ports_.log.info(
        kArea, "garbage collection completed",
        {{"kind", "Kustomization"}, {"namespace", run.key.ns}, {"name", run.key.name}, {"output", removals}});
    co_await story::tell(ports_, run.key, false, "Progressing", removals, run.artifact.revision);
}

/// Nothing was touched: the artifact cannot be had, or kustomize refuses it.
asio::awaitable<Next> Kustomizations::stop_building(Pass run, Error error) {
    if (error.code == Errc::corrupt)
        hooks_.source_damaged({model::Kind::git_repository, run.spec.source.ns, run.spec.source.name});
    bool const no_artifact = error.code == Errc::not_found || error.code == Errc::corrupt;
    Failure failure{no_artifact ? "ArtifactFailed" : "BuildFailed", std::move(error.message), run.spec.retry_interval};
    co_return co_await stop_with(run.key, std::move(failure), {});
}

/// The stages before the refused one are applied: they are known, and stay.
asio::awaitable<Next> Kustomizations::stop_applying(Pass run, Error error) {
    for (Applied const& one : run.applied.objects) owned_.update(run.key, one);
    // A write whose answer was lost may have been made: what could be there stays in the inventory.
    if (is_retryable(error.code)) {
        std::erase_if(run.intended, [&](auto const& one) { return owned_.find(run.key, one.entry.id) != nullptr; });
        owned_.load(run.key, run.intended);
    }
    owned_.end_pass(run.key);
    std::string const changes = change_log(run.applied);
    if (Entry* entry = ports_.registry.find(run.key)) {
        entry->status.remember(run.manifest_digest, "ReconciliationFailed", run.artifact.revision,
                               ports_.clock.boot() - run.started, ports_.clock.wall());
    }
    story::Outcome outcome;
    outcome.owned = owned_rows(run.key);
    std::string message = std::move(error.message) + (changes.empty() ? "" : "\n" + changes);
    Failure failure{"ReconciliationFailed", std::move(message), run.spec.retry_interval};
    co_return co_await stop_with(run.key, std::move(failure), std::move(outcome));
}

/// Looks at what the watches say; called again whenever they say something else, and at the deadline.
asio::awaitable<Next> Kustomizations::check_health(Key key) {
    Entry* entry = ports_.registry.find(key);
    if (entry == nullptr || !entry->spec) co_return Next{};
    KustomizationSpec const spec = entry->spec_as<KustomizationSpec>();
    Waiting waiting = waiting_[key];
    Health health = health_of(key, spec, owned_);
    for (model::HealthCheckRef const& ref : std::exchange(health.unseen, {})) {
        auto const gvk = kube::parse_api_version(ref.api_version, ref.kind);
        kube::ObjectId const id{ref.ns, ref.name, gvk.group, ref.kind};
        auto resource = co_await ports_.cluster->resource_for(gvk);
        kube::ObjectStatus status{kube::Health::not_found, ""};
        if (resource) {
            auto live = co_await ports_.cluster->get({std::move(*resource), ref.ns, ref.name});
            if (live) status = kube::status_of(*live, ports_.clock.wall());
        }
        std::string text = id.display() + " status: '" + std::string{kube::to_string(status.health)} + "'";
        if (status.health == kube::Health::failed) health.failed.push_back(std::move(text));
        else if (status.health != kube::Health::current) health.pending.push_back(std::move(text));
    }
    auto const now = ports_.clock.boot();
    std::string const took =
        model::format_duration(std::chrono::round<std::chrono::milliseconds>(now - waiting.started));
    if (health.is_good()) co_return co_await succeed(key, "Health check passed in " + took);
    if (!health.failed.empty() || now >= waiting.deadline) {
        std::string const message =
            "health check failed after " + took + ": " +
            (health.failed.empty() ? "timeout waiting for: " + list_text(health.pending)
                                   : "failed early due to stalled resources: " + list_text(health.failed));
        waiting_.erase(key);
        entry = ports_.registry.find(key);
        if (entry == nullptr) co_return Next{};
        entry->status.conditions.set("Healthy", Truth::no, "HealthCheckFailed", message, entry->meta.generation,
                                     ports_.clock.wall());
        entry->status.remember(facts_[key].manifest_digest, "HealthCheckFailed", entry->status.last_attempted_revision,
                               now - waiting.started, ports_.clock.wall());
        story::Outcome outcome{.facts = facts_[key].text(), .owned = owned_rows(key)};
        Failure failure{"HealthCheckFailed", message, spec.retry_interval};
        co_return co_await stop_with(key, std::move(failure), std::move(outcome));
    }
    auto const announce_at = waiting.started + settings_.progress_after;
    model::Duration const poll = spec.wait ? model::Duration::max() : std::chrono::seconds{5};
    if (!waiting.announced && now >= announce_at) {
        waiting_[key].announced = true;
        entry = ports_.registry.find(key);
        if (entry == nullptr) co_return Next{};
        std::string const message = "Running health checks for revision " + entry->status.last_attempted_revision +
                                    " with a timeout of " + model::format_duration(spec.timeout);
        auto& conditions = entry->status.conditions;
        auto const wall = ports_.clock.wall();
        conditions.set("Reconciling", Truth::yes, "Progressing", message, entry->meta.generation, wall);
        conditions.set("Healthy", Truth::unknown, "Progressing", message, entry->meta.generation, wall);
        conditions.set("Ready", Truth::unknown, "Progressing", "Reconciliation in progress", entry->meta.generation,
                       wall);
        story::Outcome outcome{.facts = facts_[key].text(), .owned = owned_rows(key)};
        outcome.records.push_back(story::object_record(*entry, wall));
        auto concluded = co_await story::conclude(ports_, key, std::move(outcome));
        if (!concluded)
            ports_.log.error(kArea, "not recorded", {{"name", key.name}, {"error", concluded.error().message}});
        co_return Next{std::min<model::Duration>(waiting.deadline - now, poll)};
    }
    auto const next = waiting.announced ? waiting.deadline : std::min(announce_at, waiting.deadline);
    co_return Next{std::min<model::Duration>(next - now, poll)};
}

asio::awaitable<Next> Kustomizations::succeed(Key key, std::string healthy) {
    Entry* entry = ports_.registry.find(key);
    if (entry == nullptr || !entry->spec) co_return Next{};
    auto const wall = ports_.clock.wall();
    auto const waiting = waiting_.find(key);
    model::Duration const took =
        waiting == waiting_.end() ? model::Duration{} : ports_.clock.boot() - waiting->second.started;
    if (waiting != waiting_.end()) waiting_.erase(waiting);
    Facts& facts = facts_[key];
    facts.complete = true;
    auto& status = entry->status;
    bool const recovered =
        !status.conditions.is("Ready", Truth::yes) || status.last_applied_revision != status.last_attempted_revision;
    status.last_applied_revision = status.last_attempted_revision;
    if (!healthy.empty()) {
        status.conditions.set("Healthy", Truth::yes, "Succeeded", healthy, entry->meta.generation, wall);
    }
    status.conditions.remove("Reconciling");
    status.conditions.remove("Stalled");
    set_ready(*entry, Truth::yes, "ReconciliationSucceeded", "Applied revision: " + status.last_applied_revision);
    status.remember(facts.manifest_digest, "ReconciliationSucceeded", status.last_applied_revision, took, wall);
    auto const interval = entry->spec_as<KustomizationSpec>().interval;
    std::string const revision = status.last_applied_revision;
    story::Outcome outcome{.facts = facts.text(), .owned = owned_rows(key)};
    outcome.records.push_back(story::object_record(*entry, wall));
    auto concluded = co_await story::conclude(ports_, key, std::move(outcome));
    if (!concluded) {
        facts_[key].complete = false;
        ports_.log.error(kArea, "not recorded", {{"name", key.name}, {"error", concluded.error().message}});
        co_return Next{std::chrono::seconds{10}};
    }
    if (recovered) {
        std::string const message = "Reconciliation finished, next run in " + model::format_duration(interval);
        ports_.log.info(kArea, message,
                        {{"kind", "Kustomization"}, {"namespace", key.ns}, {"name", key.name}, {"revision", revision}});
        co_await story::tell(ports_, key, false, "ReconciliationSucceeded", message, revision);
    }
    co_return Next{interval};
}

asio::awaitable<Next> Kustomizations::stop_with(Key key, Failure failure, story::Outcome outcome) {
    Entry* entry = ports_.registry.find(key);
    if (entry == nullptr) co_return Next{};
    auto const wall = ports_.clock.wall();
    auto const* before = entry->status.conditions.find("Ready");
    bool const repeat = before != nullptr && before->status == Truth::no && before->reason == failure.reason &&
                        before->message == failure.message;
    set_ready(*entry, Truth::no, failure.reason, failure.message);
    if (auto const* progress = entry->status.conditions.find("Reconciling")) {
        std::string const message = progress->message;
        entry->status.conditions.set("Reconciling", Truth::yes, "ProgressingWithRetry", message, entry->meta.generation,
                                     wall);
    }
    facts_[key].complete = false;
    if (!outcome.facts) outcome.facts = facts_[key].text();
    // What no passing of time can mend is stalled: only a new wish starts it again.
    if (!failure.retry) {
        entry->status.conditions.set("Stalled", Truth::yes, failure.reason, failure.message, entry->meta.generation,
                                     wall);
        entry->status.observed_generation = entry->meta.generation;
    }
    outcome.records.push_back(story::object_record(*entry, wall));
    std::string const revision = entry->status.last_attempted_revision;
    if (!repeat) {
        ports_.log.write(failure.quiet ? LogLevel::info : LogLevel::error, kArea, failure.message,
                         {{"kind", "Kustomization"},
                          {"namespace", key.ns},
                          {"name", key.name},
                          {"reason", failure.reason},
                          {"revision", revision}});
    }
    auto concluded = co_await story::conclude(ports_, key, std::move(outcome));
    if (!concluded) ports_.log.error(kArea, "not recorded", {{"name", key.name}, {"error", concluded.error().message}});
    if (!repeat) {
        co_await story::tell(ports_, key, !failure.quiet, std::string{failure.reason}, failure.message, revision);
    }
    co_return Next{failure.retry};
}

/// The object is being deleted, or its file was taken away: what it applied goes first, unless its policy says else.
asio::awaitable<Next> Kustomizations::finalize(Key key) {
    Entry* entry = ports_.registry.find(key);
    if (entry == nullptr) co_return Next{};
    waiting_.erase(key);
    // A cluster object that vanished without its finalizer was taken away behind our back: that is no order to delete.
    bool const vanished = entry->gone && entry->meta.origin == model::Origin::cluster;
    KustomizationSpec const spec = entry->spec ? entry->spec_as<KustomizationSpec>() : KustomizationSpec{};
    bool const policy = spec.deletion_policy == model::DeletionPolicy::mirror_prune
                            ? spec.prune
                            : spec.deletion_policy != model::DeletionPolicy::orphan;
    bool const removes = !vanished && policy && !spec.suspend && entry->spec.has_value();
    std::vector<model::OwnedObject> owned = owned_rows(key);
    if (removes && !owned.empty()) {
        if (ports_.cluster == nullptr) co_return Next{std::chrono::seconds{30}};
        owned_.begin_pass(key);
        auto pruned = co_await prune(*ports_.cluster, key, std::move(owned));
        if (!pruned || !pruned->survivors.empty()) {
            owned_.end_pass(key);
            std::string const error = pruned ? pruned->error : pruned.error().message;
            ports_.log.error(kArea, "pruning for deleted resource failed",
                             {{"kind", "Kustomization"}, {"namespace", key.ns}, {"name", key.name}, {"error", error}});
            co_return Next{std::chrono::seconds{5}};
        }
        if (spec.deletion_policy == model::DeletionPolicy::wait_for_termination) {
            auto waited = co_await wait_gone(*ports_.cluster, pruned->terminating, spec.timeout);
            if (!waited) {
                ports_.log.error(kArea, "failed to wait for resources termination",
                                 {{"kind", "Kustomization"},
                                  {"namespace", key.ns},
                                  {"name", key.name},
                                  {"error", waited.error().message}});
            }
        }
        std::string const text = deletion_log(*pruned);
        if (!text.empty()) {
            ports_.log.info(kArea, "garbage collection completed",
                            {{"kind", "Kustomization"}, {"namespace", key.ns}, {"name", key.name}, {"output", text}});
        }
    }
    if (vanished) {
        ports_.log.warning(kArea, "the object vanished without being deleted by us: what it applied stays",
                           {{"kind", "Kustomization"}, {"namespace", key.ns}, {"name", key.name}});
    }
    entry = ports_.registry.find(key);
    if (entry == nullptr) co_return Next{};
    std::vector<model::ComplianceRecord> last;
    last.push_back(story::last_record(*entry, ports_.clock.wall()));
    auto released = co_await story::release(ports_, key, std::move(last));
    if (!released) {
        ports_.log.error(kArea, "finalizer not removed", {{"name", key.name}, {"error", released.error().message}});
        co_return Next{std::chrono::seconds{5}};
    }
    owned_.forget(key);
    facts_.erase(key);
    co_return Next{};
}

Result<model::Artifact> Kustomizations::artifact_of(KustomizationSpec const& spec, bool& wait_quietly) const {
    if (spec.source_kind != "GitRepository") {
        return fail(Errc::invalid_input,
                    "source `" + spec.source.name + "` kind '" + spec.source_kind + "' not supported");
    }
    Entry const* source = ports_.registry.find({model::Kind::git_repository, spec.source.ns, spec.source.name});
    if (source == nullptr || source->gone) {
        return fail(Errc::not_found,
                    "Source 'GitRepository/" + spec.source.ns + "/" + spec.source.name + "' not found");
    }
    if (source->status.artifact) return *source->status.artifact;
    wait_quietly = source->status.conditions.find("Ready") == nullptr;
    return fail(Errc::offline,
                "Source artifact not found, retrying in " + model::format_duration(settings_.dependency_retry));
}

std::string Kustomizations::unmet_dependency(Entry const& entry, KustomizationSpec const& spec,
                                             model::Artifact const& artifact) const {
    for (model::NamespacedName const& ref : spec.depends_on) {
        std::string const name = "dependency '" + ref.ns + "/" + ref.name + "'";
        Key const key{model::Kind::kustomization, ref.ns, ref.name};
        // A circle never becomes ready: say so instead of waiting for ever.
        std::set<Key> seen{entry.key};
        std::vector<Key> open{key};
        while (!open.empty()) {
            Key const one = open.back();
            open.pop_back();
            if (one == entry.key) return name + " depends on this Kustomization: dependency cycle";
            if (!seen.insert(one).second) continue;
            Entry const* other = ports_.registry.find(one);
            if (other == nullptr || !other->spec) continue;
            for (model::NamespacedName const& next : other->spec_as<KustomizationSpec>().depends_on) {
                open.push_back({model::Kind::kustomization, next.ns, next.name});
            }
        }
        Entry const* dependency = ports_.registry.find(key);
        if (dependency == nullptr || dependency->gone || !dependency->spec) return name + " not found";
        bool const ready = dependency->status.conditions.is("Ready", Truth::yes) &&
                           dependency->status.observed_generation == dependency->meta.generation;
        if (!ready) return name + " is not ready";
        auto const& other = dependency->spec_as<KustomizationSpec>();
        bool const same_source = other.source_kind == spec.source_kind && other.source.ns == spec.source.ns &&
                                 other.source.name == spec.source.name;
        if (same_source && dependency->status.last_applied_revision != artifact.revision) {
            return name + " revision is not up to date";
        }
    }
    return "";
}

Task<void> Kustomizations::plan_inventory(Key key, std::vector<model::OwnedObject> const& intended) {
    std::vector<model::OwnedObject> rows = owned_rows(key);
    std::set<std::string> have;
    for (model::OwnedObject const& one : rows) have.insert(one.entry.id);
    std::vector<model::OwnedObject> added;
    for (model::OwnedObject const& one : intended) {
        if (have.insert(one.entry.id).second) added.push_back(one);
    }
    bool const was_complete = std::exchange(facts_[key].complete, false);
    if (added.empty() && !was_complete) co_return Result<void>{};
    rows.insert(rows.end(), added.begin(), added.end());
    model::JournalWrite write{.key = key};
    write.facts = facts_[key].text();
    write.owned = std::move(rows);
    auto save = [&journal = ports_.journal, write = std::move(write)] { return journal.save(write); };
    auto saved = co_await on_pool(ports_.db, std::move(save));
    if (saved) owned_.plan(key, added);
    co_return saved;
}

std::vector<model::OwnedObject> Kustomizations::owned_rows(Key const& key) const {
    std::vector<model::OwnedObject> rows;
    for (Known const* known : owned_.of(key)) rows.push_back(known->object);
    return rows;
}

void Kustomizations::set_ready(Entry& entry, Truth status, std::string_view reason, std::string_view message) {
    entry.status.conditions.set("Ready", status, reason, message, entry.meta.generation, ports_.clock.wall());
    if (!entry.meta.requested_at.empty()) entry.status.last_handled_reconcile_at = entry.meta.requested_at;
    if (status == Truth::yes) entry.status.observed_generation = entry.meta.generation;
}

}  // namespace holdfast::reconcile
