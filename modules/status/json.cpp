// modules/status/json.cpp: the snapshot as the REST endpoint answers it.
#include "modules/base/mask.hpp"
#include "modules/status/snapshot.hpp"
#include "modules/status/text.hpp"

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

std::string_view list_of(Role role) {
    switch (role) {
        case Role::configuration: return "configurations";
        case Role::source: return "sources";
        case Role::applier: return "kustomizations";
    }
    return "";
}

json::object object_json(Object const& one, model::WallTime now) {
    json::object out{{"kind", one.kind},          {"namespace", one.ns},
                     {"name", one.name},          {"complianceState", model::compliance_name(one.state)},
                     {"reason", one.reason},      {"message", one.message},
                     {"suspended", one.suspended}};
    put_moment(out, "changed", one.changed_at, now);
    if (one.role == Role::configuration) {
        out["sourceUrl"] = mask_url(one.url);
        out["sourceSyncedCommitId"] = one.revision;
    } else {
        out["revision"] = one.revision;
    }
    if (one.role == Role::source) {
        out["url"] = mask_url(one.url);
        put_moment(out, "fetched", one.fetched_at, now);
        put_moment(out, "checked", one.checked_at, now);
    }
    if (one.role == Role::applier) {
        json::array unhealthy;
        for (std::string const& object : one.unhealthy) unhealthy.emplace_back(object);
        out["objects"] = one.objects;
        out["unhealthy"] = std::move(unhealthy);
    }
    for (auto const& [name, value] : one.extra) out[name] = value;
    return out;
}

json::object summary_json(Summary const& sum) {
    return {{"why", sum.why},
            {"wishes", sum.wishes},
            {"compliant", sum.compliant},
            {"nonCompliant", sum.non_compliant},
            {"notReady", sum.not_ready},
            {"drifted", sum.drifted},
            {"driftRepaired", sum.drift_repaired}};
}

}  // namespace

std::string to_json(Snapshot const& snapshot) {
    auto const now = snapshot.now;
    Summary const sum = summarize(snapshot);
    json::object out{{"version", snapshot.version},
                     {"site", snapshot.site},
                     {"now", model::format_time(now)},
                     {"complianceState", model::compliance_name(sum.state)},
                     {"summary", summary_json(sum)},
                     {"passes", snapshot.passes},
                     {"cluster", cluster_json(snapshot.cluster, now)},
                     {"sandbox", json::object{{"seccomp", snapshot.seccomp},
                                              {"landlockAbi", snapshot.landlock_abi},
                                              {"landlockScopes", snapshot.landlock_scopes},
                                              {"workersDieFirst", snapshot.workers_die_first}}},
                     {"limits", json::object{{"memoryBytesMax", snapshot.memory_bytes_max},
                                             {"memoryBytesUsed", snapshot.memory_bytes_used},
                                             {"diskBytesMax", snapshot.disk_bytes_max},
                                             {"diskBytesUsed", snapshot.disk_bytes_used}}}};
    put_moment(out, "started", snapshot.started_at, now);
    for (Role const role : {Role::configuration, Role::source, Role::applier}) out[list_of(role)] = json::array{};
    for (Object const& one : snapshot.objects) out[list_of(one.role)].as_array().push_back(object_json(one, now));
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
                       {"refusing", outbox.refusing},
                       {"folded", outbox.folded},
                       {"deadLetters", outbox.dead_letters},
                       {"error", outbox.error}};
    put_moment(queue, "oldest", outbox.oldest_at, now);
    out["outbox"] = std::move(queue);
    Uplink const& uplink = snapshot.uplink;
    json::object link{{"state", uplink.state},
                      {"error", uplink.error},
                      {"sent", uplink.sent},
                      {"requests", uplink.requests},
                      {"setAside", uplink.set_aside}};
    link["errorAt"] = uplink.error_at ? json::value(model::format_time(*uplink.error_at)) : json::value(nullptr);
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
    json::value document(std::move(out));  // braces would make it a list of one
    mask_logins(document);
    return json::serialize(document);
}

}  // namespace holdfast::status
