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
/// "apps/v1" and so on, from an APIGroupList; every version of every group.
std::vector<std::string> read_group_versions(Object const& group_list);

/// Replaces what is known; kinds of stale groups are kept from before.
class KnownKinds {
public:
    void replace(std::vector<Resource> resources, std::vector<std::string> const& stale);
    std::optional<Resource> find(GroupVersionKind const& gvk) const;
    std::vector<Resource> const& all() const { return resources_; }
    bool empty() const { return resources_.empty(); }

private:
    std::vector<Resource> resources_;  // sorted by group, version, kind
};

}  // namespace holdfast::kube
