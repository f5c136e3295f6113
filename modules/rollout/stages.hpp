// modules/rollout/stages.hpp: in which order objects are applied, and which must work before the next are tried.
// Pure. Source  fluxcd/pkg ssa: ApplyAllStaged and its sort order.
#pragma once

#include "modules/rollout/place.hpp"

#include <vector>

namespace holdfast::rollout {

/// One stage: a dry run of all its objects comes before the first write; `wait` for all of them ends it.
struct Stage {
    std::vector<Wish> wishes;
    bool wait = false;
};

/// Out  up to three stages, empty ones left out: definitions (CRD, Namespace, ClusterRole), classes, everything else;
///      inside a stage Flux's order of kinds, then group, kind, namespace, name
std::vector<Stage> stages_of(std::vector<Wish> wishes);

/// Ids in the order in which they are deleted: the reverse of applying.
void sort_for_deletion(std::vector<kube::ObjectId>& ids);

}  // namespace holdfast::rollout
