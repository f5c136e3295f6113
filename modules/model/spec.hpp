// modules/model/spec.hpp: what users wish for, read from the Flux and FluxConfig objects.
// Field names, defaults and precedence are those of Flux 2.9 (docs/kinds.md); durations are already durations.
#pragma once

#include "modules/base/error.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::model {

namespace json = boost::json;
using Duration = std::chrono::nanoseconds;

/// A kind this daemon acts on itself. Other kinds travel as plain objects.
enum class Kind { git_repository, kustomization, flux_config };

/// "GitRepository", "Kustomization", "FluxConfig".
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
    std::map<std::string, std::string> labels;
    std::string requested_at;  // annotation reconcile.fluxcd.io/requestedAt
};

struct GitRepositorySpec {
    std::string url;
    Duration interval{};
    Duration timeout = std::chrono::seconds{60};
    std::string branch;
    std::string tag;
    std::string semver;
    std::string ref_name;
    std::string commit;
    std::string secret_name;
    std::optional<std::string> ignore;
    bool suspend = false;
};

struct NamespacedName {
    std::string ns;
    std::string name;
};

enum class DeletionPolicy { mirror_prune, remove, wait_for_termination, orphan };

struct HealthCheckRef {
    std::string api_version;
    std::string kind;
    std::string ns;
    std::string name;
};

struct KustomizationSpec {
    std::string source_kind;
    NamespacedName source;
    std::string path = "./";
    Duration interval{};
    Duration retry_interval{};
    Duration timeout{};
    bool prune = false;
    bool wait = false;
    bool force = false;
    bool suspend = false;
    std::string target_namespace;
    DeletionPolicy deletion_policy = DeletionPolicy::mirror_prune;
    std::vector<NamespacedName> depends_on;
    std::vector<HealthCheckRef> health_checks;
    std::map<std::string, std::string> common_labels;
    std::map<std::string, std::string> common_annotations;
    json::object kustomize;  // namePrefix, nameSuffix, patches, images, components… handed to the engine as they are
};

struct FluxConfigKustomization {
    std::string name;
    std::string path;
    Duration timeout{};
    Duration sync_interval{};
    std::optional<Duration> retry_interval;
    bool prune = false;
    bool force = false;
    bool wait = true;
    std::vector<std::string> depends_on;
    json::value post_build;  // null, or as it stands in Kustomization.spec.postBuild
};

struct FluxConfigSpec {
    std::string scope = "cluster";
    bool suspend = false;
    std::string url;
    std::string branch;
    std::string tag;
    std::string semver;
    std::string commit;
    Duration timeout = std::chrono::minutes{10};
    Duration sync_interval = std::chrono::minutes{10};
    std::string local_auth_ref;
    std::string operation_id;
    std::vector<FluxConfigKustomization> kustomizations;
};

using Spec = std::variant<GitRepositorySpec, KustomizationSpec, FluxConfigSpec>;

/// Reads metadata and spec of an object of a kind above.
/// Errors  invalid_input  a field has the wrong type or an unreadable value (message: "spec.interval: …")
Result<Spec> read_spec(Kind kind, json::object const& object);

/// Never fails: an absent field keeps its default.
Meta read_meta(json::object const& object, Origin origin);

/// The kind of an object by its apiVersion and kind, when it is one of ours.
std::optional<Kind> kind_of(json::object const& object);

}  // namespace holdfast::model
