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

status::Role role_of(model::Class what) {
    switch (what) {
        case model::Class::source: return status::Role::source;
        case model::Class::config: return status::Role::configuration;
        case model::Class::applier:
        case model::Class::notifier:
        case model::Class::image: return status::Role::applier;
    }
    return status::Role::applier;
}

void add_source(Entry const& entry, status::Object& out) {
    auto const* artifact = model::artifact_of(entry.status);
    if (artifact != nullptr) {
        out.fetched_at = artifact->last_update;
        out.checked_at = artifact->last_checked;
    }
    out.extra["digest"] = artifact == nullptr ? "" : artifact->digest;
}

void add_applied(Entry const& entry, rollout::OwnedObjects const& owned, status::Object& out) {
    for (rollout::Known const* known : owned.of({entry.key})) {
        ++out.objects;
        bool const good =
            known->skipped || known->health == kube::Health::current || known->health == kube::Health::unknown;
        if (good) continue;
        auto const id = kube::parse_object_id(known->object.entry.id);
        out.unhealthy.push_back((id ? id->display() : known->object.entry.id) + ": " +
                                std::string{kube::to_string(known->health)} +
                                (known->message.empty() ? "" : ": " + known->message));
    }
}

/// What only one kind has, under the names that docs/openapi.yaml gives it.
void add_own(Entry const& entry, status::Object& out) {
    switch (entry.key.kind) {
        case model::Kind::git_repository:
            if (entry.spec) out.url = entry.spec_as<model::GitRepositorySpec>().url;
            break;
        case model::Kind::oci_repository:
            if (entry.spec) out.url = entry.spec_as<model::OciRepositorySpec>().url;
            break;
        case model::Kind::kustomization:
            out.extra["attemptedRevision"] = entry.status.part<model::KustomizationStatus>().last_attempted_revision;
            out.extra["path"] = entry.spec ? entry.spec_as<model::KustomizationSpec>().path : "";
            break;
        case model::Kind::flux_config: {
            auto const& said = entry.status.part<model::FluxConfigStatus>();
            if (entry.problem.empty()) out.message = said.error_message;
            if (entry.spec) out.url = entry.spec_as<model::FluxConfigSpec>().url;
            out.objects = said.statuses.size();
            out.extra["statuses"] = said.statuses;
            break;
        }
    }
}

status::Object object_of(Entry const& entry, rollout::OwnedObjects const& owned) {
    model::KindInfo const& info = model::info(entry.key.kind);
    status::Object out{.role = role_of(info.what),
                       .kind = std::string{info.name},
                       .ns = entry.key.ns,
                       .name = entry.key.name,
                       .state = model::compliance_of(entry.status.conditions, entry.suspended()),
                       .reason = reason_of(entry),
                       .message = message_of(entry),
                       .suspended = entry.suspended(),
                       .revision = info.revision(entry.status),
                       .changed_at = changed_at(entry)};
    if (info.what == model::Class::source) add_source(entry, out);
    if (info.what == model::Class::applier) add_applied(entry, owned, out);
    add_own(entry, out);
    if (!entry.unrecorded.empty()) {
        out.message = "not recorded: " + entry.unrecorded;
        out.state = model::worst(out.state, model::Compliance::unknown);
    }
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

void add_objects(status::Snapshot& snapshot, model::Registry const& registry, rollout::OwnedObjects const& owned) {
    for (auto const& [key, entry] : registry.all()) snapshot.objects.push_back(object_of(*entry, owned));
    for (rollout::Drift const& drift : owned.drifts()) {
        snapshot.drifts.push_back(
            {drift.object, drift.owner.key.text(), drift.what, drift.manager, drift.seen, drift.repaired});
    }
}

void add_cluster(status::Snapshot& snapshot, kube::Client const* client, intake::ClusterIntake const* intake,
                 rollout::OwnedObjects const& owned, std::string const& problem) {
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
    auto const watches = owned.watches();
    auto const add = [&](rollout::OwnedObjects::WatchState const& one, std::string const& where) {
        std::string const kind = one.gvk.api_version() + " " + one.gvk.kind + where;
        cluster.watches.push_back(watch_of(kind, one.state, one.objects, snapshot.now));
    };
    for (auto const& one : watches) {
        if (one.cluster.empty()) add(one, "");
    }
    for (status::Watch const& watch : cluster.watches) {
        cluster.reachable = cluster.reachable || watch.synced;
        if (watch.heard_at && (!cluster.heard_at || *cluster.heard_at < *watch.heard_at))
            cluster.heard_at = watch.heard_at;
        if (!watch.synced && cluster.error.empty()) cluster.error = watch.error;
    }
    if (cluster.reachable) cluster.error = problem;
    // How it stands with other clusters says nothing about this one.
    for (auto const& one : watches) {
        if (!one.cluster.empty()) add(one, " on " + one.cluster.substr(0, one.cluster.find(' ')));
    }
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
                       .refusing = state->refusing,
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
