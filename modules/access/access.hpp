// modules/access/access.hpp: the cluster of an object: where its requests go, and with whose rights.
// Used from the event loop.
#pragma once

#include "modules/access/lock.hpp"
#include "modules/kube/cluster.hpp"

#include <functional>
#include <memory>
#include <string>

namespace holdfast::access {

/// A cluster as one object may use it.
struct Reach {
    std::shared_ptr<kube::Cluster> cluster = {};  // null: none is configured
    std::string user = {};  // whom the server decides about: "system:serviceaccount:apps:web"; empty: the daemon itself
};

class Access {
public:
    /// The daemon's own cluster as another user, over the same connections and with the same discovery.
    using As = std::function<std::shared_ptr<kube::Cluster>(std::string user)>;

    /// `own` is null without a cluster; all outlive this object and what it reaches.
    Access(kube::Cluster* own, As as, Locks const& locks) : own_(own), as_(std::move(as)), locks_(locks) {}

    /// What the object is held to.
    Lock lock_of(model::Entry const& entry) const { return locks_.of(entry); }

    /// With whose rights everything is asked that is asked for this object: as the account that it names in its own
    /// namespace, else as the one that its lock names, else as the daemon. Whether there is such an account is for the server
    /// to say, with each request.
    ///
    /// Source  fluxcd/pkg runtime/client Impersonator: the user alone; the server adds a service account's groups
    Reach reach(model::Entry const& entry, std::string const& service_account) const;

    /// Does the account exist that reach() acts as? True when it is the daemon itself. Asked as the daemon.
    /// Errors  as kube::Cluster::get, but not_found
    Task<bool> has_account(model::Entry entry, std::string service_account) const;

private:
    std::string account_of(model::Entry const& entry, std::string const& service_account) const;

    kube::Cluster* own_;
    As as_;
    Locks const& locks_;
};

}  // namespace holdfast::access
