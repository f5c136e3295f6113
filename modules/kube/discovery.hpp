// modules/kube/discovery.hpp: which kinds a server serves, from its discovery documents.
// Pure.
#pragma once

#include "modules/kube/cluster.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace holdfast::kube {

/// The kinds of one apidiscovery.k8s.io APIGroupDiscovery item; `stale` names group/versions whose server is down.
struct DiscoveredGroup {
    std::vector<Resource> resources;
    std::vector<std::string> stale;
};

DiscoveredGroup read_group_discovery(Object const& group);

/// The older form: APIResourceList of one group and version.
std::vector<Resource> read_resource_list(Object const& list);
/// "apps/v1" and so on, from an APIGroupList; every version of every group, of each group the preferred one first.
std::vector<std::string> read_group_versions(Object const& group_list);
/// The same of one APIGroup.
std::vector<std::string> read_versions(Object const& group);

/// Replaces what is known; kinds of stale groups are kept from before.
class KnownKinds {
public:
    /// In  resources  of each group in the order in which the server prefers its versions
    ///     stale      groups and versions about which the server could not say anything
    void replace(std::vector<Resource> resources, std::vector<std::string> stale);
    /// A kind that was found by itself.
    void add(Resource resource);
    void forget(GroupVersionKind const& gvk);
    std::optional<Resource> find(GroupVersionKind const& gvk) const;
    /// In `version` when that is served, else in the server's order.
    std::optional<Resource> find_any(std::string_view group, std::string_view kind, std::string_view version) const;
    bool is_stale(GroupVersionKind const& gvk) const;
    std::vector<Resource> const& all() const { return resources_; }
    bool empty() const { return resources_.empty(); }

private:
    std::vector<Resource> resources_;  // sorted by group, version, kind
    std::vector<std::string> order_;   // apiVersions as the server prefers them
    std::vector<std::string> stale_;
};

}  // namespace holdfast::kube
