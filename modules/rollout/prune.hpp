// modules/reconcile/prune.hpp: deletes what an owner applied and no longer wishes; never anything else.
#pragma once

#include "modules/kube/cluster.hpp"
#include "modules/model/journal.hpp"
#include "modules/model/spec.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace holdfast::reconcile {

struct PruneReport {
    std::vector<std::string> deleted;           // "Deployment/apps/web", in order of deletion
    std::vector<kube::ObjectId> terminating;    // the same ones, to wait for
    std::vector<model::OwnedObject> survivors;  // not confirmed: stay in the inventory and are tried again
    std::string error;                          // of the first survivor; empty when there is none
    Errc code = Errc::busy;
};

/// Deletes `stale` in reverse order of applying, with the live object's uid as precondition, in the background.
/// Skipped: an object without this owner's labels, or with kustomize.toolkit.fluxcd.io/prune or reconcile: disabled.
/// An object or kind that the server does not have is settled.
Task<PruneReport> prune(kube::Cluster& cluster, model::Key owner, std::vector<model::OwnedObject> stale);

/// Waits until the objects are gone. Errors  timeout  "<object> is still there after 1m0s"
Task<void> wait_gone(kube::Cluster& cluster, std::vector<kube::ObjectId> ids, std::chrono::nanoseconds limit);

}  // namespace holdfast::reconcile
