// daemon/facts.cpp: from the parts' own words to the status page's.
#include "daemon/facts.hpp"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

namespace holdfast::daemon {

namespace {

using model::Entry;

status::Moment changed_at(Entry const& entry) {
    auto const* ready = entry.status.conditions.find("Ready");
    return ready == nullptr ? status::Moment{} : status::Moment{ready->last_transition};
}

/// A wish of the cluster that only the journal knows: what it asks for is known when the API server has been heard.
bool is_unseen(Entry const& entry) { return entry.meta.origin == model::Origin::cluster && entry.meta.uid.empty(); }

/// A held revision that could not be checked is good, and why it is not newer is worth a line.
std::string message_of(Entry const& entry) {
    if (!entry.problem.empty())
        return is_unseen(entry) ? "not read yet: the API server has not been heard since the start" : entry.problem;
    auto const* ready = entry.status.conditions.find("Ready");
    auto const* missed = entry.status.conditions.find("FetchFailed");
    if (missed != nullptr && (ready == nullptr || ready->status == model::Truth::yes)) return missed->message;
    return ready == nullptr ? "waiting to be reconciled" : ready->message;
}

std::string reason_of(Entry const& entry) {
    auto const* ready = entry.status.conditions.find("Ready");
    return ready == nullptr ? "" : ready->reason;
}

status::Object object_of(Entry const& entry, status::Role role) {
    return {.role = role,
            .kind = std::string{model::kind_name(entry.key.kind)},
            .ns = entry.key.ns,
            .name = entry.key.name,
            .state = model::compliance_of(entry.status.conditions, entry.suspended()),
            .reason = reason_of(entry),
            .message = message_of(entry),
            .suspended = entry.suspended(),
            .changed_at = changed_at(entry)};
}

status::Object source_of(Entry const& entry) {
    status::Object out = object_of(entry, status::Role::source);
    if (entry.spec) out.url = entry.spec_as<model::GitRepositorySpec>().url;
    if (entry.status.artifact) {
        out.revision = entry.status.artifact->revision;
        out.fetched_at = entry.status.artifact->last_update;
        out.checked_at = entry.status.artifact->last_checked;
    }
    out.extra["digest"] = entry.status.artifact ? entry.status.artifact->digest : "";
    return out;
}

status::Object kustomization_of(Entry const& entry, reconcile::OwnedObjects const& owned) {
    status::Object out = object_of(entry, status::Role::applier);
    out.revision = entry.status.last_applied_revision;
    out.extra["attemptedRevision"] = entry.status.last_attempted_revision;
    out.extra["path"] = entry.spec ? entry.spec_as<model::KustomizationSpec>().path : "";
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

status::Object configuration_of(Entry const& entry) {
    auto const text = [&](std::string_view name) { return std::string{kube::find_string(entry.status.extra, {name})}; };
    status::Object out = object_of(entry, status::Role::configuration);
    out.revision = text("lastSyncedCommit");
    if (entry.problem.empty()) out.message = text("errorMessage");
    if (entry.spec) out.url = entry.spec_as<model::FluxConfigSpec>().url;
    auto const* statuses = kube::find_array(entry.status.extra, {"statuses"});
    out.objects = statuses == nullptr ? 0 : statuses->size();
    out.extra["statuses"] = statuses == nullptr ? boost::json::array{} : *statuses;
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
            case model::Kind::git_repository: snapshot.objects.push_back(source_of(*entry)); break;
            case model::Kind::kustomization: snapshot.objects.push_back(kustomization_of(*entry, owned)); break;
            case model::Kind::flux_config: snapshot.objects.push_back(configuration_of(*entry)); break;
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
            auto const objects = static_cast<std::size_t>(
                std::ranges::count(snapshot.objects, model::kind_name(one.kind), &status::Object::kind));
            cluster.watches.push_back(
                watch_of(std::string{model::kind_name(one.kind)}, one.state, objects, snapshot.now));
            if (!one.state.kind_missing) continue;
            cluster.reachable = true;  // it answered: that it does not serve this kind
            snapshot.problems.push_back("the cluster does not serve " + std::string{model::kind_name(one.kind)} +
                                        ": run `holdfast install`, or set install_crds (looked for again every 30 s)");
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
