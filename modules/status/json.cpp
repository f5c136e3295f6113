// modules/status/json.cpp: the snapshot as the REST endpoint answers it.
#include "modules/status/snapshot.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace holdfast::status {

namespace {

/// "<name>At" and "<name>AgeSeconds"; null when it never happened.
void put_moment(json::object& into, std::string const& name, Moment const& moment, model::WallTime now) {
    if (!moment) {
        into[name + "At"] = nullptr;
        into[name + "AgeSeconds"] = nullptr;
        return;
    }
    into[name + "At"] = model::format_time(*moment);
    into[name + "AgeSeconds"] = std::chrono::duration_cast<std::chrono::seconds>(now - *moment).count();
}

json::object cluster_json(Cluster const& cluster, model::WallTime now) {
    json::array watches;
    for (Watch const& watch : cluster.watches) {
        json::object row{
            {"kind", watch.kind}, {"synced", watch.synced}, {"objects", watch.objects}, {"error", watch.error}};
        put_moment(row, "heard", watch.heard_at, now);
        watches.push_back(std::move(row));
    }
    json::object out{{"configured", cluster.configured},
                     {"reachable", cluster.reachable},
                     {"server", cluster.server},
                     {"error", cluster.error},
                     {"watches", std::move(watches)}};
    put_moment(out, "heard", cluster.heard_at, now);
    return out;
}

json::object source_json(Source const& source, model::WallTime now) {
    json::object out{{"kind", source.kind},
                     {"namespace", source.ns},
                     {"name", source.name},
                     {"url", source.url},
                     {"complianceState", model::compliance_name(source.state)},
                     {"reason", source.reason},
                     {"message", source.message},
                     {"revision", source.revision},
                     {"digest", source.digest},
                     {"suspended", source.suspended}};
    put_moment(out, "fetched", source.fetched_at, now);
    put_moment(out, "checked", source.checked_at, now);
    return out;
}

json::object kustomization_json(Kustomization const& one, model::WallTime now) {
    json::array unhealthy;
    for (std::string const& object : one.unhealthy) unhealthy.emplace_back(object);
    json::object out{{"namespace", one.ns},       {"name", one.name},
                     {"path", one.path},          {"complianceState", model::compliance_name(one.state)},
                     {"reason", one.reason},      {"message", one.message},
                     {"revision", one.revision},  {"attemptedRevision", one.attempted_revision},
                     {"objects", one.objects},    {"unhealthy", std::move(unhealthy)},
                     {"suspended", one.suspended}};
    put_moment(out, "changed", one.changed_at, now);
    return out;
}

json::object configuration_json(Configuration const& one, model::WallTime now) {
    json::object out{{"namespace", one.ns},
                     {"name", one.name},
                     {"sourceUrl", one.url},
                     {"complianceState", model::compliance_name(one.state)},
                     {"sourceSyncedCommitId", one.commit},
                     {"message", one.message},
                     {"statuses", one.statuses}};
    put_moment(out, "changed", one.changed_at, now);
    return out;
}

}  // namespace

model::Compliance Snapshot::state() const {
    if (configurations.empty() && kustomizations.empty() && sources.empty()) return model::Compliance::unknown;
    auto state = model::Compliance::compliant;
    for (auto const& one : configurations) state = model::worst(state, one.state);
    for (auto const& one : kustomizations) state = model::worst(state, one.state);
    for (auto const& one : sources) state = model::worst(state, one.state);
    return state;
}

std::string to_json(Snapshot const& snapshot) {
    auto const now = snapshot.now;
    json::object out{{"version", snapshot.version},
                     {"site", snapshot.site},
                     {"now", model::format_time(now)},
                     {"complianceState", model::compliance_name(snapshot.state())},
                     {"passes", snapshot.passes},
                     {"cluster", cluster_json(snapshot.cluster, now)},
                     {"sandbox", json::object{{"seccomp", snapshot.seccomp}, {"landlockAbi", snapshot.landlock_abi}}},
                     {"limits", json::object{{"memoryBytesMax", snapshot.memory_bytes_max},
                                             {"memoryBytesUsed", snapshot.memory_bytes_used},
                                             {"diskBytesMax", snapshot.disk_bytes_max},
                                             {"diskBytesUsed", snapshot.disk_bytes_used}}}};
    put_moment(out, "started", snapshot.started_at, now);
    json::array configurations;
    for (auto const& one : snapshot.configurations) configurations.push_back(configuration_json(one, now));
    out["configurations"] = std::move(configurations);
    json::array sources;
    for (auto const& one : snapshot.sources) sources.push_back(source_json(one, now));
    out["sources"] = std::move(sources);
    json::array kustomizations;
    for (auto const& one : snapshot.kustomizations) kustomizations.push_back(kustomization_json(one, now));
    out["kustomizations"] = std::move(kustomizations);
    json::array drifts;
    for (Drift const& one : snapshot.drifts) {
        json::object row{{"object", one.object},
                         {"owner", one.owner},
                         {"what", one.what},
                         {"manager", one.manager},
                         {"repaired", one.repaired}};
        put_moment(row, "seen", one.seen_at, now);
        drifts.push_back(std::move(row));
    }
    out["drifts"] = std::move(drifts);
    Outbox const& outbox = snapshot.outbox;
    json::object queue{{"waiting", outbox.waiting},
                       {"bytes", outbox.bytes},
                       {"firstSequence", outbox.first_sequence},
                       {"lastSequence", outbox.last_sequence},
                       {"refused", outbox.refused},
                       {"folded", outbox.folded},
                       {"deadLetters", outbox.dead_letters},
                       {"error", outbox.error}};
    put_moment(queue, "oldest", outbox.oldest_at, now);
    out["outbox"] = std::move(queue);
    Uplink const& uplink = snapshot.uplink;
    json::object link{{"state", uplink.state}, {"error", uplink.error}, {"sent", uplink.sent}};
    put_moment(link, "success", uplink.success_at, now);
    link["nextTryAt"] =
        uplink.next_try_at ? json::value(model::format_time(*uplink.next_try_at)) : json::value(nullptr);
    link["identityExpiresAt"] = uplink.identity_expires_at
                                    ? json::value(model::format_time(*uplink.identity_expires_at))
                                    : json::value(nullptr);
    out["uplink"] = std::move(link);
    json::object requests;
    for (Requests const& one : snapshot.requests) requests[one.verb] = one.count;
    out["requests"] = std::move(requests);
    json::array problems;
    for (std::string const& one : snapshot.problems) problems.emplace_back(one);
    out["intake"] = json::object{{"manifests", snapshot.manifests}, {"problems", std::move(problems)}};
    return json::serialize(out);
}

}  // namespace holdfast::status
