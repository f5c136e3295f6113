// modules/rollout/prune.hpp: deletes what an owner applied and no longer wishes; never anything else.
#pragma once

#include "modules/kube/cluster.hpp"
#include "modules/model/journal.hpp"
#include "modules/rollout/owner.hpp"

#include <set>
#include <string>
#include <vector>

namespace holdfast::rollout {

struct PruneReport {
    std::vector<std::string> changes;             // "Deployment/apps/web deleted" or "… skipped", in order of deletion
    std::vector<model::OwnedObject> terminating;  // the same ones, to wait for
    std::vector<model::OwnedObject> survivors;    // not confirmed: stay in the inventory and are tried again
    std::string error;                            // of all survivors, as Flux lists them; empty when there is none
    Errc code = Errc::busy;                       // of the first survivor
};

/// Deletes `stale` in reverse order of applying, with the live object's uid as precondition, in the background.
/// Skipped: an object without this owner's labels, or with <label group>/prune or /reconcile: disabled.
/// An object is settled when the server says that it, or its kind, is not there; in whatever version that is served.
///
/// In      applied  ids that this pass has applied: never deleted, whatever other id names the same object
Task<PruneReport> prune(kube::Cluster& cluster, Owner owner, std::vector<model::OwnedObject> stale,
                        std::set<std::string> applied = {});

/// Which of the deleted objects are still there: "Deployment/apps/web". What cannot be asked for counts as there.
asio::awaitable<std::vector<std::string>> still_there(kube::Cluster& cluster, std::vector<model::OwnedObject> objects);

}  // namespace holdfast::rollout
