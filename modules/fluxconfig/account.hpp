// modules/fluxconfig/account.hpp: the service account that acts for the FluxConfigs of a namespace, and what it may do.
// Names as Azure's agent gives them: flux-applier, in the namespace of the configuration and nowhere else.
#pragma once

#include "modules/kube/cluster.hpp"
#include "modules/model/kinds/flux_config.hpp"
#include "modules/model/registry.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::fluxconfig {

/// What the account of a namespace may do.
enum class Reach {
    none,           // there is no need of one
    own_namespace,  // what Kubernetes' role `admin` may, and write Flux objects; in that namespace only
    cluster         // everything
};

/// Does this configuration act through the account? Scope namespace always does: it is what keeps its objects there.
/// `multi_tenancy` false: the others act as the daemon.
bool needs_account(model::FluxConfigSpec const& spec, bool multi_tenancy);

/// What the account of `ns` may do: the least that any configuration there asks for, for all of them act as the same one.
/// In  `but`: a configuration that goes and does not count; may be null
Reach reach_of(model::Registry const& registry, std::string const& ns, bool multi_tenancy,
               model::Key const* but = nullptr);

/// The bindings of that reach, and a role where Kubernetes has none. Pure.
std::vector<boost::json::object> bindings(std::string const& ns, Reach reach);

/// Makes the account unless it is there, and what binds it.
/// Errors  those of kube::Cluster
Task<void> make_account(kube::Cluster& cluster, std::string ns, Reach reach);

/// Takes away what was made for another reach than this one; with `none` the account, too. What others made stays.
/// Errors  those of kube::Cluster
Task<void> unmake_account(kube::Cluster& cluster, std::string ns, Reach kept);

/// A namespace that a configuration of a file may be the first to need.
/// Errors  those of kube::Cluster
Task<void> make_namespace(kube::Cluster& cluster, std::string ns);

}  // namespace holdfast::fluxconfig
