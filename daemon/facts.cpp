// daemon/facts.cpp: from the parts' own words to the status page's.
#include "daemon/facts.hpp"

#include <cstdio>
#include <unistd.h>

namespace holdfast::daemon {

namespace {

using model::Entry;

status::Moment changed_at(Entry const& entry) {
    auto const* ready = entry.status.conditions.find("Ready");
    return ready == nullptr ? status::Moment{} : status::Moment{ready->last_transition};
}

/// A held revision that could not be checked is good, and why it is not newer is worth a line.
std::string message_of(Entry const& entry) {
    if (!entry.problem.empty()) return entry.problem;
    auto const* ready = entry.status.conditions.find("Ready");
    auto const* missed = entry.status.conditions.find("FetchFailed");
    if (missed != nullptr && (ready == nullptr || ready->status == model::Truth::yes)) return missed->message;
    return ready == nullptr ? "waiting to be reconciled" : ready->message;
}

std::string reason_of(Entry const& entry) {
    auto const* ready = entry.status.conditions.find("Ready");
    return ready == nullptr ? "" : ready->reason;
}

status::Source source_of(Entry const& entry) {
    status::Source out{.kind = std::string{model::kind_name(entry.key.kind)},
                       .ns = entry.key.ns,
                       .name = entry.key.name,
                       .state = model::compliance_of(entry.status.conditions, entry.suspended()),
                       .reason = reason_of(entry),
                       .message = message_of(entry),
                       .suspended = entry.suspended()};
    if (entry.spec) out.url = entry.spec_as<model::GitRepositorySpec>().url;
    if (entry.status.artifact) {
        out.revision = entry.status.artifact->revision;
        out.digest = entry.status.artifact->digest;
        out.fetched_at = entry.status.artifact->last_update;
        out.checked_at = entry.status.artifact->last_checked;
    }
    return out;
}

status::Kustomization kustomization_of(Entry const& entry, reconcile::OwnedObjects const& owned) {
    status::Kustomization out{.ns = entry.key.ns,
                              .name = entry.key.name,
                              .state = model::compliance_of(entry.status.conditions, entry.suspended()),
                              .reason = reason_of(entry),
                              .message = message_of(entry),
                              .revision = entry.status.last_applied_revision,
                              .attempted_revision = entry.status.last_attempted_revision,
                              .changed_at = changed_at(entry),
                              .suspended = entry.suspended()};
    if (entry.spec) out.path = entry.spec_as<model::KustomizationSpec>().path;
    for (reconcile::Known const* known : owned.of(entry.key)) {
        ++out.objects;
        bool const good =
            known->skipped || known->health == kube::Health::current || known->health == kube::Health::unknown;
        if (good) continue;
        auto const id = kube::parse_object_id(known->object.entry.id);
        out.unhealthy.push_back((id ? id->display() : known->object.entry.id) + ": " +
                                std::string{kube::to_string(known->health)} +
                                (known->message.empty() ? "" : ": " + known->message));
    }
    return out;
}

status::Configuration configuration_of(Entry const& entry) {
    auto const text = [&](std::string_view name) { return std::string{kube::find_string(entry.status.extra, {name})}; };
    status::Configuration out{.ns = entry.key.ns,
                              .name = entry.key.name,
                              .commit = text("lastSyncedCommit"),
                              .message = entry.problem.empty() ? text("errorMessage") : entry.problem,
                              .changed_at = changed_at(entry)};
    if (entry.spec) out.url = entry.spec_as<model::FluxConfigSpec>().url;
    out.state = entry.suspended() ? model::Compliance::suspended : model::compliance_of(entry.status.conditions, false);
    if (auto const* statuses = kube::find_array(entry.status.extra, {"statuses"})) out.statuses = *statuses;
    return out;
}

status::Moment on_wall(std::optional<std::chrono::steady_clock::time_point> heard, model::WallTime now) {
    if (!heard) return std::nullopt;
    auto const ago = std::chrono::steady_clock::now() - *heard;
    return now - std::chrono::duration_cast<model::WallTime::duration>(ago);
}

status::Watch watch_of(std::string kind, kube::Watcher::State const& state, std::size_t objects, model::WallTime now) {
    return {.kind = std::move(kind),
            .synced = state.synced,
            .objects = objects,
            .heard_at = on_wall(state.heard_at, now),
            .error = state.last_error};
}

}  // namespace

void add_objects(status::Snapshot& snapshot, model::Registry const& registry, reconcile::OwnedObjects const& owned) {
    for (auto const& [key, entry] : registry.all()) {
        switch (key.kind) {
            case model::Kind::git_repository: snapshot.sources.push_back(source_of(*entry)); break;
            case model::Kind::kustomization: snapshot.kustomizations.push_back(kustomization_of(*entry, owned)); break;
            case model::Kind::flux_config: snapshot.configurations.push_back(configuration_of(*entry)); break;
        }
    }
    for (reconcile::Drift const& drift : owned.drifts()) {
        snapshot.drifts.push_back(
            {drift.object, drift.owner.text(), drift.what, drift.manager, drift.seen, drift.repaired});
    }
}

void add_cluster(status::Snapshot& snapshot, kube::Client const* client, intake::ClusterIntake const* intake,
                 reconcile::OwnedObjects const& owned, std::string const& problem) {
    status::Cluster& cluster = snapshot.cluster;
    cluster.error = problem;
    if (client == nullptr) return;
    cluster.configured = true;
    cluster.server = client->config().server.scheme + "://" + client->config().server.authority();
    if (intake != nullptr) {
        for (auto const& one : intake->states()) {
            std::size_t const objects = one.kind == model::Kind::git_repository  ? snapshot.sources.size()
                                        : one.kind == model::Kind::kustomization ? snapshot.kustomizations.size()
                                                                                 : snapshot.configurations.size();
            cluster.watches.push_back(
                watch_of(std::string{model::kind_name(one.kind)}, one.state, objects, snapshot.now));
            if (!one.state.kind_missing) continue;
            cluster.reachable = true;  // it answered: that it does not serve this kind
            snapshot.problems.push_back("the cluster does not serve " + std::string{model::kind_name(one.kind)} +
                                        ": run `holdfast install`, or set install_crds");
        }
    }
    for (auto const& one : owned.watches()) {
        cluster.watches.push_back(
            watch_of(one.gvk.api_version() + " " + one.gvk.kind, one.state, one.objects, snapshot.now));
    }
    for (status::Watch const& watch : cluster.watches) {
        cluster.reachable = cluster.reachable || watch.synced;
        if (watch.heard_at && (!cluster.heard_at || *cluster.heard_at < *watch.heard_at))
            cluster.heard_at = watch.heard_at;
        if (!watch.synced && cluster.error.empty()) cluster.error = watch.error;
    }
    if (cluster.reachable) cluster.error = problem;
    auto const& counts = client->counts();
    for (std::size_t i = 0; i < kube::kVerbs; ++i) {
        snapshot.requests.push_back({std::string{kube::to_string(static_cast<kube::Verb>(i))}, counts.sent[i]});
    }
}

void add_outbox(status::Snapshot& snapshot, Result<uplink::QueueState> const& state) {
    if (!state) {
        snapshot.outbox.error = state.error().message;
        return;
    }
    snapshot.outbox = {.waiting = state->waiting,
                       .bytes = state->bytes,
                       .first_sequence = state->first_sequence,
                       .last_sequence = state->last_sequence,
                       .refused = state->refused,
                       .folded = state->folded,
                       .dead_letters = state->dead};
    if (state->waiting > 0) snapshot.outbox.oldest_at = state->oldest;
}

std::int64_t resident_bytes() {
    std::FILE* file = std::fopen("/proc/self/statm", "re");
    if (file == nullptr) return 0;
    unsigned long total = 0;
    unsigned long resident = 0;
    int const read = std::fscanf(file, "%lu %lu", &total, &resident);
    std::fclose(file);
    return read == 2 ? static_cast<std::int64_t>(resident) * ::sysconf(_SC_PAGESIZE) : 0;
}

}  // namespace holdfast::daemon
