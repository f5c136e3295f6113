// modules/access/access.hpp: the cluster of an object: where its requests go, and with whose rights.
// Used from the event loop.
#pragma once

#include "modules/access/lock.hpp"
#include "modules/access/remotes.hpp"
#include "modules/kube/cluster.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace holdfast::access {

/// What a spec says about where its objects are, and by whom they are made.
struct Wanted {
    std::string service_account = {};
    std::optional<model::KubeConfigRef> kube_config = {};
};

/// A cluster as one object may use it.
struct Reach {
    std::shared_ptr<kube::Cluster> cluster = {};  // null: none is configured
    std::string user =
        {};  // whom the server decides about: "system:serviceaccount:apps:web"; empty: whose connection it is
    std::string account = {};                   // its name alone
    std::shared_ptr<kube::Cluster> plain = {};  // the same without the account
    std::string where = {};                     // which cluster, for as long as it lives; "": the daemon's own
    std::string server = {};                    // its address; "": the daemon's own
    std::string connection = {};                // other credentials or another user: another one; "": the daemon's own
    std::string rights = {};                    // changes with the user and with what is written about the credentials
    std::function<void()> forget_kinds = {};    // a definition was applied: the server serves another kind now
};

class Access {
public:
    /// The daemon's own cluster as another user, over the same connections and with the same discovery.
    using As = std::function<std::shared_ptr<kube::Cluster>(std::string user)>;
    struct Own {
        kube::Cluster* cluster;  // null: none is configured
        As as;
        std::function<void()> forget_kinds = {};
    };

    /// All outlive this object and what it reaches. Without `remotes` a kubeConfig reaches nothing.
    Access(Own own, Locks const& locks, Remotes* remotes = nullptr)
        : own_(std::move(own)), locks_(locks), remotes_(remotes) {}

    /// What the object is held to.
    Lock lock_of(model::Entry const& entry) const { return locks_.of(entry); }

    /// Where and with whose rights everything is asked that is asked for this object: on the cluster of its kubeConfig, else
    /// on the daemon's own; as the account that it names in its own namespace, else as the one that its lock names, else as
    /// whoever the connection is of. Whether there is such an account is for the server to say, with each request.
    ///
    /// Errors  as Remotes::of; none without kubeConfig
    /// Source  fluxcd/pkg runtime/client Impersonator: the user alone; the server adds a service account's groups
    Task<Reach> reach(model::Entry entry, Wanted wanted) const;

    /// Does the account exist that `reach` acts as? True when it acts as nobody's, and where only the server could say.
    /// Errors  as kube::Cluster::get, but not_found
    Task<bool> has_account(model::Entry entry, Reach reach) const;

    /// The object needs no cluster any more.
    void forget(model::Key const& key) const {
        if (remotes_ != nullptr) remotes_->forget(key);
    }

private:
    Own own_;
    Locks const& locks_;
    Remotes* remotes_;
};

}  // namespace holdfast::access
