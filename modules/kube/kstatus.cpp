// modules/kube/kstatus.cpp: the rules of kstatus, kind by kind; messages are the originals, people grep for them.
#include "modules/kube/kstatus.hpp"

#include <array>
#include <limits>
#include <optional>
#include <vector>

namespace holdfast::kube {

std::string_view to_string(Health health) {
    switch (health) {
        case Health::in_progress: return "InProgress";
        case Health::failed: return "Failed";
        case Health::current: return "Current";
        case Health::terminating: return "Terminating";
        case Health::not_found: return "NotFound";
        case Health::unknown: return "Unknown";
    }
    return "Unknown";
}

namespace {

using Now = std::chrono::system_clock::time_point;

constexpr auto kScheduleWindow = std::chrono::seconds{15};

struct BasicCondition {
    std::string_view type;
    std::string_view status;
    std::string_view reason;
    std::string_view message;
};
using Conditions = std::vector<BasicCondition>;

ObjectStatus current(std::string message) { return {Health::current, std::move(message)}; }
ObjectStatus failed(std::string_view reason, std::string message) {
    return {Health::failed, std::move(message), std::string{reason}};
}
ObjectStatus unknown(std::string message) { return {Health::unknown, std::move(message)}; }
ObjectStatus in_progress(std::string_view reason, std::string message) {
    return {Health::in_progress, std::move(message), std::string{reason}};
}

std::string ratio(std::string_view what, std::int64_t have, std::int64_t want) {
    return std::string{what} + ": " + std::to_string(have) + "/" + std::to_string(want);
}

std::int64_t integer(Object const& object, std::initializer_list<std::string_view> path, std::int64_t otherwise) {
    return find_integer(object, path).value_or(otherwise);
}

/// The converter of kstatus refuses conditions of the wrong shape; nothing means that happened.
std::optional<Conditions> read_conditions(Object const& object) {
    Conditions out;
    auto const* const status = find(object, {"status"});
    if (status == nullptr || status->is_null()) return out;
    if (!status->is_object()) return std::nullopt;
    auto const* const list = status->get_object().if_contains("conditions");
    if (list == nullptr || list->is_null()) return out;
    if (!list->is_array()) return std::nullopt;
    for (auto const& item : list->get_array()) {
        if (!item.is_object()) return std::nullopt;
        auto const& condition = item.get_object();
        for (auto const* const name : {"type", "status", "reason", "message"}) {
            auto const* const field = condition.if_contains(name);
            if (field != nullptr && !field->is_string() && !field->is_null()) return std::nullopt;
        }
        out.push_back({find_string(condition, {"type"}), find_string(condition, {"status"}),
                       find_string(condition, {"reason"}), find_string(condition, {"message"})});
    }
    return out;
}

BasicCondition const* find_in(Conditions const& conditions, std::string_view type, std::string_view status) {
    for (auto const& condition : conditions) {
        if (condition.type == type && condition.status == status) return &condition;
    }
    return nullptr;
}

std::optional<ObjectStatus> check_generation(Object const& object) {
    auto const* const generation = find(object, {"metadata", "generation"});
    if (generation == nullptr) return std::nullopt;
    if (!find_integer(object, {"metadata", "generation"})) {
        return unknown("looking up metadata.generation from resource: not an integer");
    }
    auto const* const observed = find(object, {"status", "observedGeneration"});
    if (observed == nullptr) return std::nullopt;
    auto const number = find_integer(object, {"status", "observedGeneration"});
    if (!number) return unknown("looking up status.observedGeneration from resource: not an integer");
    if (*number == generation_of(object)) return std::nullopt;
    return in_progress("LatestGenerationNotObserved", std::string{find_string(object, {"kind"})} + " generation is " +
                                                          std::to_string(generation_of(object)) +
                                                          ", but latest observed generation is " +
                                                          std::to_string(*number));
}

std::optional<ObjectStatus> check_generic(Object const& object, Conditions const& conditions) {
    if (is_being_deleted(object)) return ObjectStatus{Health::terminating, "Resource scheduled for deletion"};
    if (auto stale = check_generation(object)) return stale;
    for (auto const& condition : conditions) {
        if (condition.status != "True") continue;
        if (condition.type == "Reconciling") return in_progress(condition.reason, std::string{condition.message});
        if (condition.type == "Stalled") return failed(condition.reason, std::string{condition.message});
    }
    return std::nullopt;
}

ObjectStatus deployment(Object const& object, Conditions const& conditions, Now) {
    // Without a deadline the controller never sets Progressing, and MaxInt32 is how "without" is spelled.
    constexpr auto kNoDeadline = std::numeric_limits<std::int32_t>::max();
    bool progressing = integer(object, {"spec", "progressDeadlineSeconds"}, kNoDeadline) == kNoDeadline;
    bool available = false;
    for (auto const& condition : conditions) {
        if (condition.type == "Progressing") {
            if (condition.reason == "ProgressDeadlineExceeded")
                return failed(condition.reason, "Progress deadline exceeded");
            if (condition.status == "True" && condition.reason == "NewReplicaSetAvailable") progressing = true;
        }
        if (condition.type == "Available" && condition.status == "True") available = true;
    }
    auto const wanted = integer(object, {"spec", "replicas"}, 1);
    auto const replicas = integer(object, {"status", "replicas"}, 0);
    auto const updated = integer(object, {"status", "updatedReplicas"}, 0);
    auto const ready = integer(object, {"status", "readyReplicas"}, 0);
    auto const available_replicas = integer(object, {"status", "availableReplicas"}, 0);

    if (wanted > replicas) return in_progress("LessReplicas", ratio("Replicas", replicas, wanted));
    if (wanted > updated) return in_progress("LessUpdated", ratio("Updated", updated, wanted));
    if (replicas > wanted) return in_progress("ExtraPods", "Pending termination: " + std::to_string(replicas - wanted));
    if (updated > available_replicas)
        return in_progress("LessAvailable", ratio("Available", available_replicas, updated));
    if (wanted > ready) return in_progress("LessReady", ratio("Ready", ready, wanted));
    if (!progressing) return in_progress("ReplicaSetNotAvailable", "ReplicaSet not Available");
    if (!available) return in_progress("DeploymentNotAvailable", "Deployment not Available");
    return current("Deployment is available. Replicas: " + std::to_string(replicas));
}

ObjectStatus replica_set(Object const& object, Conditions const& conditions, Now) {
    if (find_in(conditions, "ReplicaFailure", "True") != nullptr) {
        return in_progress("ReplicaFailure", "Replica Failure condition. Check Pods");
    }
    auto const wanted = integer(object, {"spec", "replicas"}, 1);
    auto const replicas = integer(object, {"status", "replicas"}, 0);
    auto const ready = integer(object, {"status", "readyReplicas"}, 0);
    auto const available = integer(object, {"status", "availableReplicas"}, 0);
    auto const labelled = integer(object, {"status", "fullyLabeledReplicas"}, 0);
    if (wanted > labelled) return in_progress("LessLabelled", ratio("Labelled", labelled, wanted));
    if (wanted > available) return in_progress("LessAvailable", ratio("Available", available, wanted));
    if (wanted > ready) return in_progress("LessReady", ratio("Ready", ready, wanted));
    if (replicas > wanted) return in_progress("ExtraPods", "Pending termination: " + std::to_string(replicas - wanted));
    return current("ReplicaSet is available. Replicas: " + std::to_string(replicas));
}

ObjectStatus stateful_set(Object const& object, Conditions const&, Now) {
    if (find_string(object, {"spec", "updateStrategy", "type"}) == "OnDelete") {
        return current("StatefulSet is using the ondelete update strategy");
    }
    auto const wanted = integer(object, {"spec", "replicas"}, 1);
    auto const ready = integer(object, {"status", "readyReplicas"}, 0);
    auto const current_replicas = integer(object, {"status", "currentReplicas"}, 0);
    auto const updated = integer(object, {"status", "updatedReplicas"}, 0);
    auto const replicas = integer(object, {"status", "replicas"}, 0);
    auto const partition = integer(object, {"spec", "updateStrategy", "rollingUpdate", "partition"}, -1);

    if (wanted > replicas) return in_progress("LessReplicas", ratio("Replicas", replicas, wanted));
    if (wanted > ready) return in_progress("LessReady", ratio("Ready", ready, wanted));
    if (replicas > wanted) return in_progress("ExtraPods", "Pending termination: " + std::to_string(replicas - wanted));
    if (partition != -1) {
        if (updated < wanted - partition)
            return in_progress("PartitionRollout", ratio("updated", updated, wanted - partition));
        return current("Partition rollout complete. updated: " + std::to_string(updated));
    }
    if (wanted > current_replicas) return in_progress("LessCurrent", ratio("current", current_replicas, wanted));
    if (find_string(object, {"status", "currentRevision"}) != find_string(object, {"status", "updateRevision"})) {
        return in_progress("RevisionMismatch", "Waiting for updated revision to match current");
    }
    return current("All replicas scheduled as expected. Replicas: " + std::to_string(replicas));
}

ObjectStatus daemon_set(Object const& object, Conditions const&, Now) {
    auto const kind = std::string{find_string(object, {"kind"})};
    if (find(object, {"metadata", "generation"}) == nullptr) {
        return in_progress("NoGeneration", kind + " metadata.generation not found");
    }
    if (find(object, {"status", "observedGeneration"}) == nullptr) {
        return in_progress("NoObservedGeneration", kind + " status.observedGeneration not found");
    }
    auto const desired = integer(object, {"status", "desiredNumberScheduled"}, -1);
    auto const scheduled = integer(object, {"status", "currentNumberScheduled"}, 0);
    auto const updated = integer(object, {"status", "updatedNumberScheduled"}, 0);
    auto const available = integer(object, {"status", "numberAvailable"}, 0);
    auto const ready = integer(object, {"status", "numberReady"}, 0);
    if (desired == -1) return in_progress("NoDesiredNumber", "Missing .status.desiredNumberScheduled");
    if (desired > scheduled) return in_progress("LessCurrent", ratio("Current", scheduled, desired));
    if (desired > updated) return in_progress("LessUpdated", ratio("Updated", updated, desired));
    if (desired > available) return in_progress("LessAvailable", ratio("Available", available, desired));
    if (desired > ready) return in_progress("LessReady", ratio("Ready", ready, desired));
    return current("All replicas scheduled as expected. Replicas: " + std::to_string(desired));
}

ObjectStatus volume_claim(Object const& object, Conditions const&, Now) {
    auto const* const value = find(object, {"status", "phase"});
    auto const phase =
        value != nullptr && value->is_string() ? std::string{find_string(object, {"status", "phase"})} : "unknown";
    if (phase != "Bound") return in_progress("NotBound", "PVC is not Bound. phase: " + phase);
    return current("PVC is Bound");
}

std::string crash_looping(Object const& object) {
    std::string names;
    auto const* const containers = find_array(object, {"status", "containerStatuses"});
    if (containers == nullptr) return names;
    for (auto const& item : *containers) {
        if (!item.is_object()) continue;
        if (find_string(item.get_object(), {"state", "waiting", "reason"}) != "CrashLoopBackOff") continue;
        names += (names.empty() ? "" : ",") + std::string{find_string(item.get_object(), {"name"})};
    }
    return names;
}

ObjectStatus pod(Object const& object, Conditions const& conditions, Now now) {
    auto const phase = find_string(object, {"status", "phase"});
    if (phase == "Succeeded") return current("Pod has completed successfully");
    if (phase == "Failed") return current("Pod has completed, but not successfully");
    if (phase == "Running") {
        if (find_in(conditions, "Ready", "True") != nullptr) return current("Pod is Ready");
        auto const names = crash_looping(object);
        if (!names.empty()) return failed("ContainerCrashLooping", "Containers in CrashLoop state: " + names);
        return in_progress("PodRunningNotReady", "Pod is running but is not Ready");
    }
    if (phase == "Pending") {
        auto const* const scheduled = find_in(conditions, "PodScheduled", "False");
        if (scheduled == nullptr || scheduled->reason != "Unschedulable")
            return in_progress("PodPending", "Pod is in the Pending phase");
        auto const created = parse_rfc3339(find_string(object, {"metadata", "creationTimestamp"}));
        if (created && now - kScheduleWindow < *created)
            return in_progress("PodNotScheduled", "Pod has not been scheduled");
        return failed("PodUnschedulable", "Pod could not be scheduled");
    }
    if (phase.empty()) return in_progress("PodNotObserved", "Pod phase not available");
    return unknown("unknown phase " + std::string{phase});
}

// Flux's own rule: a running Job is not done yet. It looks at nothing else, not even at a deletion.
// Source  fluxcd/pkg runtime/statusreaders/job.go
ObjectStatus job(Object const& object, Conditions const& conditions, Now) {
    auto const* const suspend = find(object, {"spec", "suspend"});
    if (suspend != nullptr && suspend->is_bool() && suspend->get_bool()) return current("Job is suspended");
    auto const parallelism = integer(object, {"spec", "parallelism"}, 1);
    auto const completions = integer(object, {"spec", "completions"}, parallelism);
    auto const active = integer(object, {"status", "active"}, 0);
    auto const succeeded = integer(object, {"status", "succeeded"}, 0);
    auto const failures = integer(object, {"status", "failed"}, 0);
    for (auto const& condition : conditions) {
        if (condition.status != "True") continue;
        if (condition.type == "Complete") return current(ratio("Job Completed. succeeded", succeeded, completions));
        if (condition.type == "Failed") return failed("JobFailed", ratio("Job Failed. failed", failures, completions));
    }
    if (find_string(object, {"status", "startTime"}).empty()) {
        return in_progress("JobNotStarted", "Job not started. active: 0/" + std::to_string(parallelism));
    }
    return in_progress("JobInProgress", "Job in progress. success:" + std::to_string(succeeded) + ", active: " +
                                            std::to_string(active) + ", failed: " + std::to_string(failures));
}

ObjectStatus service(Object const& object, Conditions const&, Now) {
    if (find_string(object, {"spec", "type"}) == "LoadBalancer" && find_string(object, {"spec", "clusterIP"}).empty()) {
        return in_progress("NoIPAssigned", "ClusterIP not set. Service type: LoadBalancer");
    }
    return current("Service is ready");
}

ObjectStatus custom_resource_definition(Object const&, Conditions const& conditions, Now) {
    for (auto const& condition : conditions) {
        if (condition.type == "NamesAccepted" && condition.status == "False")
            return failed(condition.reason, std::string{condition.message});
        if (condition.type != "Established") continue;
        if (condition.status == "False" && condition.reason != "Installing")
            return failed(condition.reason, std::string{condition.message});
        if (condition.status == "True") return current("CRD is established");
    }
    return in_progress("Installing", "Install in progress");
}

ObjectStatus disruption_budget(Object const&, Conditions const&, Now) {
    return current("AllowedDisruptions has been computed.");
}
ObjectStatus always_ready(Object const&, Conditions const&, Now) { return current("Resource is always ready"); }

struct KindRule {
    std::string_view group;
    std::string_view kind;
    ObjectStatus (*rule)(Object const&, Conditions const&, Now);
};

constexpr std::array kRules = std::to_array<KindRule>({
    {"", "Service", service},
    {"", "Pod", pod},
    {"", "Secret", always_ready},
    {"", "PersistentVolumeClaim", volume_claim},
    {"apps", "StatefulSet", stateful_set},
    {"apps", "DaemonSet", daemon_set},
    {"extensions", "DaemonSet", daemon_set},
    {"apps", "Deployment", deployment},
    {"extensions", "Deployment", deployment},
    {"apps", "ReplicaSet", replica_set},
    {"extensions", "ReplicaSet", replica_set},
    {"policy", "PodDisruptionBudget", disruption_budget},
    {"batch", "CronJob", always_ready},
    {"", "ConfigMap", always_ready},
    {"apiextensions.k8s.io", "CustomResourceDefinition", custom_resource_definition},
});

ObjectStatus by_ready_condition(Conditions const& conditions) {
    for (auto const& condition : conditions) {
        if (condition.type != "Ready") continue;
        if (condition.status == "True") return current("Resource is Ready");
        if (condition.status == "False" || condition.status == "Unknown") {
            return in_progress(condition.reason, std::string{condition.message});
        }
    }
    return current("Resource is current");
}

}  // namespace

ObjectStatus status_of(Object const& object, std::chrono::system_clock::time_point now) {
    auto const gvk = parse_api_version(find_string(object, {"apiVersion"}), find_string(object, {"kind"}));
    auto const conditions = read_conditions(object);
    if (!conditions) return unknown("status.conditions is not a list of conditions");
    if (gvk.group == "batch" && gvk.kind == "Job") return job(object, *conditions, now);
    if (auto decided = check_generic(object, *conditions)) return std::move(*decided);
    for (auto const& entry : kRules) {
        if (entry.group == gvk.group && entry.kind == gvk.kind) return entry.rule(object, *conditions, now);
    }
    return by_ready_condition(*conditions);
}

}  // namespace holdfast::kube
