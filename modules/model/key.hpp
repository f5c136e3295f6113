// modules/model/key.hpp: which object is meant, and what is read of every object whatever its kind.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::model {

/// A kind this daemon acts on itself; what it is called and who looks after it is its row in kinds.hpp.
enum class Kind : std::uint8_t { git_repository, oci_repository, kustomization, flux_config };

/// "GitRepository", "OCIRepository", "Kustomization", "FluxConfig".
std::string_view kind_name(Kind kind);

/// "source.toolkit.fluxcd.io/v1" and so on.
std::string_view api_version_of(Kind kind);

struct Key {
    Kind kind;
    std::string ns;
    std::string name;

    auto operator<=>(Key const&) const = default;

    /// "GitRepository/flux-system/apps", as Flux prints references.
    std::string text() const;
};

/// Where an object was read. A local object has no status in the cluster.
enum class Origin { cluster, local };

struct Meta {
    Origin origin = Origin::cluster;
    std::string uid;
    std::string resource_version;
    std::int64_t generation = 0;
    bool deleting = false;
    bool has_finalizer = false;
    bool has_other_finalizers = false;
    std::map<std::string, std::string> labels;
    std::string requested_at;                // annotation reconcile.fluxcd.io/requestedAt
    std::vector<std::string> updaters = {};  // field managers that wrote it, but not by applying
};

}  // namespace holdfast::model
