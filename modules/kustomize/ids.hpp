// modules/kustomize/ids.hpp: group, version, kind, name and namespace: how kustomize tells objects apart.
#pragma once

#include "modules/patch/schema.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::kustomize {

struct Gvk {
    std::string group, version, kind;
    bool cluster_scoped = false;  // certainly so by the schema; unknown kinds are namespaced

    std::string api_version() const { return group.empty() ? version : group + "/" + version; }
    std::string str() const;              // "Deployment.v1.apps"; empty parts are "[noGrp]" ...
    std::string without_empty() const;    // "apps_v1_Deployment"
    std::string legacy_sort_key() const;  // "apps_v1_Deployment"; empty parts are "~G" ...

    bool same(Gvk const& other) const { return kind == other.kind && version == other.version && group == other.group; }
    /// Every part the selector names is equal.
    bool selected_by(Gvk const& selector) const {
        return (selector.kind.empty() || selector.kind == kind) &&
               (selector.group.empty() || selector.group == group) &&
               (selector.version.empty() || selector.version == version);
    }
};

/// "apps/v1" -> {apps, v1}; "v1" -> {"", v1}.
std::pair<std::string_view, std::string_view> split_api_version(std::string_view api_version);
Gvk make_gvk(patch::Schema const& schema, std::string_view api_version, std::string_view kind);

/// The order in which transformer configuration is kept: well-known kinds first and last.
bool less_than(Gvk const& a, Gvk const& b);

inline constexpr std::string_view kNotNamespaced = "_non_namespaceable_";
inline constexpr std::string_view kDefaultNamespace = "default";

struct ResId {
    Gvk gvk;
    std::string name, ns;

    /// Never empty: "default" for none, kNotNamespaced for cluster-scoped kinds.
    std::string_view effective_namespace() const {
        if (gvk.cluster_scoped) return kNotNamespaced;
        return ns.empty() ? kDefaultNamespace : std::string_view{ns};
    }
    bool same_namespace(ResId const& other) const { return effective_namespace() == other.effective_namespace(); }
    bool same_gvkn(ResId const& other) const { return name == other.name && gvk.same(other.gvk); }
    bool same(ResId const& other) const { return same_gvkn(other) && same_namespace(other); }
    /// Go's ==: every field as written.
    bool identical(ResId const& other) const {
        return same_gvkn(other) && ns == other.ns && gvk.cluster_scoped == other.gvk.cluster_scoped;
    }
    bool empty() const {
        return gvk.group.empty() && gvk.version.empty() && gvk.kind.empty() && name.empty() && ns.empty();
    }
    /// Of what same() compares.
    std::size_t hash() const;
    std::string str() const;        // "Deployment.v1.apps/web.[noNs]"
    std::string go_syntax() const;  // fmt's %#v
};

}  // namespace holdfast::kustomize
