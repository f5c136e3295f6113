// modules/access/remotes.hpp: the clusters of spec.kubeConfig: one connection for each Secret or ConfigMap that objects of
// its namespace name, made anew when what is written there changes. Used from the event loop.
#pragma once

#include "modules/base/clock.hpp"
#include "modules/base/shares.hpp"
#include "modules/kube/cluster.hpp"
#include "modules/kube/config.hpp"
#include "modules/model/key.hpp"
#include "modules/model/kube_config.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::access {

/// A way to a cluster with the credentials that were given for it. Filled by daemon/.
class Connection {
public:
    virtual ~Connection() = default;
    /// The cluster as one of its users; empty: as whoever the credentials are of. It outlives this object.
    virtual std::shared_ptr<kube::Cluster> as(std::string user) = 0;
    virtual void forget_kinds() = 0;
    /// Newer credentials of the same user. Errors  invalid_input
    virtual Result<void> renew(kube::Config fresh) = 0;
    virtual std::uint64_t breaks() const = 0;  // requests that got no answer, ever
    virtual unsigned last_code() const = 0;    // HTTP status of its last refusal; 0: it said yes since, or nothing
};

/// How a cluster is known, so that it is known again after a restart: its address, and the uid of its namespace kube-system when
/// that may be read. "" is the daemon's own.
std::string cluster_name(std::string const& address, std::string const& uid);

/// By the uid when both have one, else by the address.
bool is_same_cluster(std::string const& a, std::string const& b);

/// The same cluster under the name that says more: who may not read the uid today could yesterday.
std::string fuller_name(std::string const& before, std::string const& now);

struct Remote {
    std::shared_ptr<Connection> connection = {};
    std::string id = {};       // no other credentials had or get this one, in this process
    std::string where = {};    // cluster_name()
    std::string version = {};  // of the Secret or ConfigMap
    std::string server = {};   // its address
};

class Remotes {
public:
    using Connect = std::function<Result<std::unique_ptr<Connection>>(kube::Config config)>;
    using RequestToken =
        std::function<Task<kube::Object>(std::string ns, std::string account, std::vector<std::string> audiences)>;
    struct Ports {
        kube::Cluster* own;  // where the Secrets are
        Connect connect;
        RequestToken request_token;  // of the daemon's own cluster
        http::Reach reach;           // how far an address goes that a kubeConfig names
        Clock const& clock;
    };
    static constexpr std::size_t kConnectionsMax = 16;  // of which a namespace has its share

    explicit Remotes(Ports ports) : ports_(std::move(ports)), places_(kConnectionsMax) {}

    /// The cluster that `ref` names for the object `key`, of its own namespace. What is written there is read each time, with the
    /// daemon's own rights. While that cannot be asked for, what was read before is used.
    ///
    /// In      default_account  of a ConfigMap that names no service account; empty: such a one is refused
    /// Errors  not_found, invalid_input, denied  Flux's words: "unable to read KubeConfig secret 'apps/prod' error: …"
    ///         denied  the remote server knows nobody with these credentials (401)
    ///         limit   the namespace has its share of connections
    ///         offline, timeout, busy  of either server
    /// Never   reads a file or starts a program that a kubeconfig names, nor lends the daemon's own account
    /// Cost    one request; two more when the connection is new or was broken
    /// Source  fluxcd/pkg runtime/client Impersonator, auth/utils GetRESTConfig
    Task<Remote> of(model::Key key, model::KubeConfigRef ref, std::string default_account);

    /// The object needs no connection any more.
    void forget(model::Key const& key);

    std::size_t size() const { return slots_.size(); }

private:
    struct Place {
        std::string ns;
        model::KubeConfigRef ref;
        std::string default_account;
        auto operator<=>(Place const&) const = default;
    };
    struct Slot {
        Remote remote = {};
        std::uint64_t breaks = 0;                               // of the connection, when its identity was asked for
        std::optional<std::chrono::nanoseconds> renew_at = {};  // of a token that ends; boot clock
    };
    struct Written {
        kube::Config config;
        std::optional<std::chrono::nanoseconds> renew_at = {};
    };

    Result<std::shared_ptr<Slot>> hold(model::Key const& key, Place const& place);
    Task<kube::Object> read(Place place) const;
    Result<Written> from_secret(Place const& place, kube::Object const& secret) const;
    Task<Written> understand(Place place, kube::Object written) const;
    Task<Written> from_config_map(Place place, kube::Object config_map) const;
    bool is_stale(Slot const& slot, std::string const& version) const;
    Result<void> connect(Slot& slot, std::string version, Written written);
    Task<void> identify(std::shared_ptr<Slot> slot);

    Ports ports_;
    std::map<Place, std::shared_ptr<Slot>> slots_;
    std::map<model::Key, Place> used_;  // which connection an object uses
    Shares places_;                     // of connections, by namespace
    std::uint64_t connections_ = 0;     // ever made
};

}  // namespace holdfast::access
