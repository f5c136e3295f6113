// tests/unit/modules/kube/kstatus_test.cpp: objects and what kstatus says about them.
//
// Goal: the same verdict and message as fluxcd/cli-utils 1.2.1, which Flux 2.9 uses (fluxcd/pkg/runtime 0.110.1 for Job).
// Method: one table; the expected column was printed by the Go code from these very objects.
#include "modules/kube/kstatus.hpp"

#include <boost/json/parse.hpp>

#include <catch2/catch.hpp>

#include <cstdio>

namespace holdfast::kube {

struct Case {
    char const* name;
    char const* object;
    char const* health;
    char const* message;
};

static Case const
    kCases
        [] =
            {
                {"deleted",
                 R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","deletionTimestamp":"2026-01-01T00:00:00Z"}})",
                 "Terminating", "Resource scheduled for deletion"},
                {"deleted but stale",
                 R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"generation":2,"deletionTimestamp":"2026-01-01T00:00:00Z"},"status":{"observedGeneration":1}})",
                 "Terminating", "Resource scheduled for deletion"},
                {"config map", R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}})", "Current",
                 "Resource is always ready"},
                {"secret", R"({"apiVersion":"v1","kind":"Secret"})", "Current", "Resource is always ready"},
                {"cron job", R"({"apiVersion":"batch/v1","kind":"CronJob","metadata":{"generation":1}})", "Current",
                 "Resource is always ready"},
                {"namespace", R"({"apiVersion":"v1","kind":"Namespace","status":{"phase":"Active"}})", "Current",
                 "Resource is current"},
                {"stale generation",
                 R"({"apiVersion":"example.com/v1","kind":"Thing","metadata":{"generation":3},"status":{"observedGeneration":2}})",
                 "InProgress", "Thing generation is 3, but latest observed generation is 2"},
                {"generation ahead",
                 R"({"apiVersion":"example.com/v1","kind":"Thing","metadata":{"generation":3},"status":{"observedGeneration":4}})",
                 "InProgress", "Thing generation is 3, but latest observed generation is 4"},
                {"observed without generation",
                 R"({"apiVersion":"example.com/v1","kind":"Thing","metadata":{},"status":{"observedGeneration":4}})",
                 "Current", "Resource is current"},
                {"no status", R"({"apiVersion":"example.com/v1","kind":"Thing","metadata":{"generation":3}})",
                 "Current", "Resource is current"},
                {"reconciling",
                 R"({"apiVersion":"example.com/v1","kind":"Thing","status":{"conditions":[{"type":"Reconciling","status":"True","reason":"Busy","message":"working"}]}})",
                 "InProgress", "working"},
                {"reconciling false",
                 R"({"apiVersion":"example.com/v1","kind":"Thing","status":{"conditions":[{"type":"Reconciling","status":"False","reason":"x","message":"working"}]}})",
                 "Current", "Resource is current"},
                {"stalled",
                 R"({"apiVersion":"example.com/v1","kind":"Thing","status":{"conditions":[{"type":"Stalled","status":"True","reason":"Broken","message":"stuck"}]}})",
                 "Failed", "stuck"},
                {"first of both",
                 R"({"apiVersion":"example.com/v1","kind":"Thing","status":{"conditions":[{"type":"Stalled","status":"True","message":"stuck"},{"type":"Reconciling","status":"True","message":"working"}]}})",
                 "Failed", "stuck"},
                {"ready",
                 R"({"apiVersion":"example.com/v1","kind":"Thing","status":{"conditions":[{"type":"Ready","status":"True","message":"fine"}]}})",
                 "Current", "Resource is Ready"},
                {"not ready",
                 R"({"apiVersion":"example.com/v1","kind":"Thing","status":{"conditions":[{"type":"Ready","status":"False","reason":"No","message":"why"}]}})",
                 "InProgress", "why"},
                {"ready unknown",
                 R"({"apiVersion":"example.com/v1","kind":"Thing","status":{"conditions":[{"type":"Ready","status":"Unknown","message":"later"}]}})",
                 "InProgress", "later"},
                {"ready odd",
                 R"({"apiVersion":"example.com/v1","kind":"Thing","status":{"conditions":[{"type":"Ready","status":"Perhaps","message":"later"}]}})",
                 "Current", "Resource is current"},
                {"other condition",
                 R"({"apiVersion":"example.com/v1","kind":"Thing","status":{"conditions":[{"type":"Synced","status":"False"}]}})",
                 "Current", "Resource is current"},
                {"ready and reconciling",
                 R"({"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","metadata":{"generation":1},"status":{"observedGeneration":1,"conditions":[{"type":"Ready","status":"Unknown","message":"m"},{"type":"Reconciling","status":"True","message":"Reconciliation in progress"}]}})",
                 "InProgress", "Reconciliation in progress"},

                {"deployment: no status",
                 R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"generation":1},"spec":{"replicas":2,"progressDeadlineSeconds":600}})",
                 "InProgress", "Replicas: 0/2"},
                {"deployment: default replicas", R"({"apiVersion":"apps/v1","kind":"Deployment","spec":{}})",
                 "InProgress", "Replicas: 0/1"},
                {"deployment: less updated",
                 R"({"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":2,"progressDeadlineSeconds":600},"status":{"replicas":2,"updatedReplicas":1}})",
                 "InProgress", "Updated: 1/2"},
                {"deployment: extra",
                 R"({"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":2,"progressDeadlineSeconds":600},"status":{"replicas":3,"updatedReplicas":2}})",
                 "InProgress", "Pending termination: 1"},
                {"deployment: less available",
                 R"({"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":2,"progressDeadlineSeconds":600},"status":{"replicas":2,"updatedReplicas":2,"availableReplicas":1}})",
                 "InProgress", "Available: 1/2"},
                {"deployment: less ready",
                 R"({"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":2,"progressDeadlineSeconds":600},"status":{"replicas":2,"updatedReplicas":2,"availableReplicas":2,"readyReplicas":1}})",
                 "InProgress", "Ready: 1/2"},
                {"deployment: not progressing",
                 R"({"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":1,"progressDeadlineSeconds":600},"status":{"replicas":1,"updatedReplicas":1,"availableReplicas":1,"readyReplicas":1,"conditions":[{"type":"Available","status":"True"}]}})",
                 "InProgress", "ReplicaSet not Available"},
                {"deployment: replica set updated only",
                 R"({"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":0,"progressDeadlineSeconds":600},"status":{"conditions":[{"type":"Available","status":"True"},{"type":"Progressing","status":"True","reason":"ReplicaSetUpdated"}]}})",
                 "InProgress", "ReplicaSet not Available"},
                {"deployment: not available",
                 R"({"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":1,"progressDeadlineSeconds":600},"status":{"replicas":1,"updatedReplicas":1,"availableReplicas":1,"readyReplicas":1,"conditions":[{"type":"Progressing","status":"True","reason":"NewReplicaSetAvailable"},{"type":"Available","status":"False"}]}})",
                 "InProgress", "Deployment not Available"},
                {"deployment: current",
                 R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"generation":4},"spec":{"replicas":1,"progressDeadlineSeconds":600},"status":{"observedGeneration":4,"replicas":1,"updatedReplicas":1,"availableReplicas":1,"readyReplicas":1,"conditions":[{"type":"Progressing","status":"True","reason":"NewReplicaSetAvailable"},{"type":"Available","status":"True"}]}})",
                 "Current", "Deployment is available. Replicas: 1"},
                {"deployment: zero",
                 R"({"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":0,"progressDeadlineSeconds":600},"status":{"conditions":[{"type":"Progressing","status":"True","reason":"NewReplicaSetAvailable"},{"type":"Available","status":"True"}]}})",
                 "Current", "Deployment is available. Replicas: 0"},
                {"deployment: no deadline",
                 R"({"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":1,"progressDeadlineSeconds":2147483647},"status":{"replicas":1,"updatedReplicas":1,"availableReplicas":1,"readyReplicas":1,"conditions":[{"type":"Available","status":"True"}]}})",
                 "Current", "Deployment is available. Replicas: 1"},
                {"deployment: deadline exceeded",
                 R"({"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":1,"progressDeadlineSeconds":600},"status":{"replicas":1,"conditions":[{"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded","message":"m"}]}})",
                 "Failed", "Progress deadline exceeded"},
                {"deployment: old group",
                 R"({"apiVersion":"extensions/v1beta1","kind":"Deployment","spec":{"replicas":1}})", "InProgress",
                 "Replicas: 0/1"},

                {"replica set: not labelled",
                 R"({"apiVersion":"apps/v1","kind":"ReplicaSet","spec":{"replicas":2},"status":{"replicas":2,"readyReplicas":2,"availableReplicas":2,"fullyLabeledReplicas":1}})",
                 "InProgress", "Labelled: 1/2"},
                {"replica set: not available", R"({"apiVersion":"apps/v1","kind":"ReplicaSet","spec":{"replicas":2},"status":{"replicas":2,"readyReplicas":2,"availableReplicas":1,"fullyLabeledReplicas":2}})",
                 "InProgress", "Available: 1/2"},
                {"replica set: not ready",
                 R"({"apiVersion":"apps/v1","kind":"ReplicaSet","spec":{"replicas":2},"status":{"replicas":2,"readyReplicas":1,"availableReplicas":2,"fullyLabeledReplicas":2}})",
                 "InProgress", "Ready: 1/2"},
                {"replica set: extra",
                 R"({"apiVersion":"apps/v1","kind":"ReplicaSet","spec":{"replicas":1},"status":{"replicas":2,"readyReplicas":2,"availableReplicas":2,"fullyLabeledReplicas":2}})",
                 "InProgress", "Pending termination: 1"},
                {"replica set: failure",
                 R"({"apiVersion":"apps/v1","kind":"ReplicaSet","spec":{"replicas":1},"status":{"conditions":[{"type":"ReplicaFailure","status":"True"}]}})",
                 "InProgress", "Replica Failure condition. Check Pods"},
                {"replica set: current",
                 R"({"apiVersion":"apps/v1","kind":"ReplicaSet","spec":{"replicas":2},"status":{"replicas":2,"readyReplicas":2,"availableReplicas":2,"fullyLabeledReplicas":2}})",
                 "Current", "ReplicaSet is available. Replicas: 2"},

                {"stateful set: on delete",
                 R"({"apiVersion":"apps/v1","kind":"StatefulSet","spec":{"replicas":2,"updateStrategy":{"type":"OnDelete"}}})",
                 "Current", "StatefulSet is using the ondelete update strategy"},
                {"stateful set: none", R"({"apiVersion":"apps/v1","kind":"StatefulSet","spec":{"replicas":2}})",
                 "InProgress", "Replicas: 0/2"},
                {"stateful set: not ready",
                 R"({"apiVersion":"apps/v1","kind":"StatefulSet","spec":{"replicas":2},"status":{"replicas":2,"readyReplicas":1}})",
                 "InProgress", "Ready: 1/2"},
                {"stateful set: extra",
                 R"({"apiVersion":"apps/v1","kind":"StatefulSet","spec":{"replicas":1},"status":{"replicas":3,"readyReplicas":3}})",
                 "InProgress", "Pending termination: 2"},
                {"stateful set: partition open",
                 R"({"apiVersion":"apps/v1","kind":"StatefulSet","spec":{"replicas":4,"updateStrategy":{"rollingUpdate":{"partition":2}}},"status":{"replicas":4,"readyReplicas":4,"updatedReplicas":1}})",
                 "InProgress", "updated: 1/2"},
                {"stateful set: partition done",
                 R"({"apiVersion":"apps/v1","kind":"StatefulSet","spec":{"replicas":4,"updateStrategy":{"rollingUpdate":{"partition":2}}},"status":{"replicas":4,"readyReplicas":4,"updatedReplicas":2}})",
                 "Current", "Partition rollout complete. updated: 2"},
                {"stateful set: less current",
                 R"({"apiVersion":"apps/v1","kind":"StatefulSet","spec":{"replicas":2},"status":{"replicas":2,"readyReplicas":2,"currentReplicas":1}})",
                 "InProgress", "current: 1/2"},
                {"stateful set: revisions differ",
                 R"({"apiVersion":"apps/v1","kind":"StatefulSet","spec":{"replicas":1},"status":{"replicas":1,"readyReplicas":1,"currentReplicas":1,"currentRevision":"a","updateRevision":"b"}})",
                 "InProgress", "Waiting for updated revision to match current"},
                {"stateful set: current",
                 R"({"apiVersion":"apps/v1","kind":"StatefulSet","spec":{"replicas":1},"status":{"replicas":1,"readyReplicas":1,"currentReplicas":1,"currentRevision":"a","updateRevision":"a"}})",
                 "Current", "All replicas scheduled as expected. Replicas: 1"},

                {"daemon set: no generation",
                 R"({"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{},"status":{"observedGeneration":1}})",
                 "InProgress", "DaemonSet metadata.generation not found"},
                {"daemon set: not observed",
                 R"({"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"generation":1}})", "InProgress",
                 "DaemonSet status.observedGeneration not found"},
                {"daemon set: no number",
                 R"({"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"generation":1},"status":{"observedGeneration":1}})",
                 "InProgress", "Missing .status.desiredNumberScheduled"},
                {"daemon set: less current",
                 R"({"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"generation":1},"status":{"observedGeneration":1,"desiredNumberScheduled":3,"currentNumberScheduled":2}})",
                 "InProgress", "Current: 2/3"},
                {"daemon set: less updated",
                 R"({"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"generation":1},"status":{"observedGeneration":1,"desiredNumberScheduled":3,"currentNumberScheduled":3,"updatedNumberScheduled":1}})",
                 "InProgress", "Updated: 1/3"},
                {"daemon set: less available",
                 R"({"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"generation":1},"status":{"observedGeneration":1,"desiredNumberScheduled":3,"currentNumberScheduled":3,"updatedNumberScheduled":3,"numberAvailable":1}})",
                 "InProgress", "Available: 1/3"},
                {"daemon set: less ready",
                 R"({"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"generation":1},"status":{"observedGeneration":1,"desiredNumberScheduled":3,"currentNumberScheduled":3,"updatedNumberScheduled":3,"numberAvailable":3,"numberReady":2}})",
                 "InProgress", "Ready: 2/3"},
                {"daemon set: current",
                 R"({"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"generation":1},"status":{"observedGeneration":1,"desiredNumberScheduled":0}})",
                 "Current", "All replicas scheduled as expected. Replicas: 0"},

                {"claim: no status", R"({"apiVersion":"v1","kind":"PersistentVolumeClaim"})", "InProgress",
                 "PVC is not Bound. phase: unknown"},
                {"claim: pending", R"({"apiVersion":"v1","kind":"PersistentVolumeClaim","status":{"phase":"Pending"}})",
                 "InProgress", "PVC is not Bound. phase: Pending"},
                {"claim: bound", R"({"apiVersion":"v1","kind":"PersistentVolumeClaim","status":{"phase":"Bound"}})",
                 "Current", "PVC is Bound"},

                {"pod: no phase", R"({"apiVersion":"v1","kind":"Pod"})", "InProgress", "Pod phase not available"},
                {"pod: succeeded", R"({"apiVersion":"v1","kind":"Pod","status":{"phase":"Succeeded"}})", "Current",
                 "Pod has completed successfully"},
                {"pod: failed", R"({"apiVersion":"v1","kind":"Pod","status":{"phase":"Failed"}})", "Current",
                 "Pod has completed, but not successfully"},
                {"pod: ready",
                 R"({"apiVersion":"v1","kind":"Pod","status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}})",
                 "Current", "Pod is Ready"},
                {"pod: not ready",
                 R"({"apiVersion":"v1","kind":"Pod","status":{"phase":"Running","conditions":[{"type":"Ready","status":"False"}]}})",
                 "InProgress", "Pod is running but is not Ready"},
                {"pod: crash loop",
                 R"({"apiVersion":"v1","kind":"Pod","status":{"phase":"Running","containerStatuses":[{"name":"a","state":{"waiting":{"reason":"CrashLoopBackOff"}}},{"name":"b","state":{"running":{}}},{"name":"c","state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}})",
                 "Failed", "Containers in CrashLoop state: a,c"},
                {"pod: pending", R"({"apiVersion":"v1","kind":"Pod","status":{"phase":"Pending"}})", "InProgress",
                 "Pod is in the Pending phase"},
                {"pod: unschedulable",
                 R"({"apiVersion":"v1","kind":"Pod","metadata":{"creationTimestamp":"2020-01-01T00:00:00Z"},"status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable"}]}})",
                 "Failed", "Pod could not be scheduled"},
                {"pod: not yet scheduled",
                 R"({"apiVersion":"v1","kind":"Pod","metadata":{"creationTimestamp":"2099-01-01T00:00:00Z"},"status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable"}]}})",
                 "InProgress", "Pod has not been scheduled"},
                {"pod: odd phase", R"({"apiVersion":"v1","kind":"Pod","status":{"phase":"Dreaming"}})", "Unknown",
                 "unknown phase Dreaming"},

                {"job: not started", R"({"apiVersion":"batch/v1","kind":"Job","spec":{"parallelism":2}})", "InProgress",
                 "Job not started. active: 0/2"},
                {"job: running",
                 R"({"apiVersion":"batch/v1","kind":"Job","status":{"startTime":"2026-01-01T00:00:00Z","active":1,"succeeded":2,"failed":3}})",
                 "InProgress", "Job in progress. success:2, active: 1, failed: 3"},
                {"job: complete",
                 R"({"apiVersion":"batch/v1","kind":"Job","spec":{"completions":3},"status":{"startTime":"2026-01-01T00:00:00Z","succeeded":3,"conditions":[{"type":"Complete","status":"True"}]}})",
                 "Current", "Job Completed. succeeded: 3/3"},
                {"job: failed",
                 R"({"apiVersion":"batch/v1","kind":"Job","spec":{"parallelism":2},"status":{"failed":1,"conditions":[{"type":"Failed","status":"True"}]}})",
                 "Failed", "Job Failed. failed: 1/2"},
                {"job: suspended", R"({"apiVersion":"batch/v1","kind":"Job","spec":{"suspend":true}})", "Current",
                 "Job is suspended"},
                {"job: deleted, and nobody looks",
                 R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}})",
                 "InProgress", "Job not started. active: 0/1"},

                {"service", R"({"apiVersion":"v1","kind":"Service","spec":{"clusterIP":"10.0.0.1"}})", "Current",
                 "Service is ready"},
                {"service: balancer waits", R"({"apiVersion":"v1","kind":"Service","spec":{"type":"LoadBalancer"}})",
                 "InProgress", "ClusterIP not set. Service type: LoadBalancer"},
                {"service: balancer",
                 R"({"apiVersion":"v1","kind":"Service","spec":{"type":"LoadBalancer","clusterIP":"10.0.0.1"}})",
                 "Current", "Service is ready"},

                {"crd: new", R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition"})",
                 "InProgress", "Install in progress"},
                {"crd: installing",
                 R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","status":{"conditions":[{"type":"Established","status":"False","reason":"Installing","message":"m"}]}})",
                 "InProgress", "Install in progress"},
                {"crd: established",
                 R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","status":{"conditions":[{"type":"NamesAccepted","status":"True"},{"type":"Established","status":"True"}]}})",
                 "Current", "CRD is established"},
                {"crd: names taken",
                 R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","status":{"conditions":[{"type":"NamesAccepted","status":"False","reason":"R","message":"taken"}]}})",
                 "Failed", "taken"},
                {"crd: refused",
                 R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","status":{"conditions":[{"type":"Established","status":"False","reason":"NotAccepted","message":"no"}]}})",
                 "Failed", "no"},
                {"budget",
                 R"({"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"generation":1},"status":{"observedGeneration":1}})",
                 "Current", "AllowedDisruptions has been computed."},
                {"budget: stale",
                 R"({"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"generation":2},"status":{"observedGeneration":1}})",
                 "InProgress", "PodDisruptionBudget generation is 2, but latest observed generation is 1"},
                {"helm release ready",
                 R"({"apiVersion":"helm.toolkit.fluxcd.io/v2","kind":"HelmRelease","metadata":{"generation":1},"status":{"observedGeneration":1,"conditions":[{"type":"Ready","status":"True"},{"type":"Released","status":"True"}]}})",
                 "Current", "Resource is Ready"},
                {"null conditions", R"({"apiVersion":"example.com/v1","kind":"Thing","status":{"conditions":null}})",
                 "Current", "Resource is current"},
};

TEST_CASE("kstatus: verdict and message are those of the Go library", "[kube][kstatus]") {
    auto const now = parse_rfc3339("2026-06-01T00:00:00Z").value();
    for (auto const& c : kCases) {
        INFO(c.name);
        auto const status = status_of(json::parse(c.object).get_object(), now);
        CHECK(to_string(status.health) == c.health);
        CHECK(status.message == c.message);
    }
}

TEST_CASE("kstatus: fields of an impossible type are Unknown, never a crash", "[kube][kstatus]") {
    auto const now = parse_rfc3339("2026-06-01T00:00:00Z").value();
    for (auto const* object :
         {R"({"kind":"T","status":{"conditions":{}}})", R"({"kind":"T","status":{"conditions":["x"]}})",
          R"({"kind":"T","status":[]})", R"({"kind":"T","status":{"conditions":[{"type":1}]}})",
          R"({"kind":"T","metadata":{"generation":"x"}})",
          R"({"kind":"T","metadata":{"generation":1},"status":{"observedGeneration":"x"}})"}) {
        INFO(object);
        CHECK(status_of(json::parse(object).get_object(), now).health == Health::unknown);
    }
    CHECK(status_of({}, now).health == Health::current);
    CHECK(status_of(json::parse(R"({"apiVersion":1,"kind":[],"metadata":"x"})").get_object(), now).health ==
          Health::current);
}

TEST_CASE("kstatus: print the table for the Go library", "[.print]") {
    for (auto const& c : kCases) std::printf("%s\t%s\t%s\n", c.object, c.health, c.message);
}

}  // namespace holdfast::kube
