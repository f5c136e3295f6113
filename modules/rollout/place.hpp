// modules/rollout/place.hpp: rendered objects get their place: normalised, stamped, and known by the id that the server's own
// scope gives them.
#pragma once

#include "modules/kube/cluster.hpp"
#include "modules/model/journal.hpp"
#include "modules/rollout/owner.hpp"

#include <set>
#include <string>
#include <vector>

namespace holdfast::rollout {

/// One object as it is wished for.
struct Wish {
    kube::ObjectId id;
    std::string version;
    kube::Object object;
    std::uint64_t wished = 0;  // digest of `object`: the same again needs no request
};

/// Normalises the objects and finds out where they live. A cluster-scoped object loses the namespace that its manifest may
/// carry: kustomize adds one wherever it does not know better, and an id with it would name an object that nobody serves.
/// A kind that is not served yet is placed by its definition among `objects`; without one it stays as it is written.
///
/// Errors  invalid_input  no kind or name, a name that no object can have, a Secret that SOPS encrypted
///         offline, busy, denied  the server's kinds could not be learned
Task<std::vector<Wish>> place(kube::Cluster& cluster, std::vector<kube::Object> objects);

/// An object of an inventory as the server knows it.
struct Named {
    std::string id;                // an id that somebody else wrote may carry a namespace for a cluster-scoped kind
    bool served = false;           // its kind is, in some version
    bool lacks_namespace = false;  // of a namespaced kind without one: no object has this id
};

/// Errors  as any_version_of(), but for a kind that is not served: then the id stays as it is written
Task<Named> name(kube::Cluster& cluster, model::InventoryEntry entry);

/// Of objects that were applied: the ids of those whose version is served no more, so that another apply would be refused.
///
/// Never  fails: what cannot be learned now is no reason to apply
/// Cost   no request for a kind that is known
asio::awaitable<std::set<std::string>> unserved(kube::Cluster& cluster, std::vector<model::OwnedObject> objects);

}  // namespace holdfast::rollout
