// modules/model/kinds/flux_config.hpp: the fields of Azure's FluxConfig, and the labels on what it makes.
#pragma once

#include "modules/model/spec.hpp"
#include "modules/model/status.hpp"

#include <boost/json/array.hpp>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace holdfast::model {

class Fields;

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

/// Where the objects of a configuration may be.
enum class ConfigScope { cluster, own_namespace };

struct FluxConfigSpec {
    ConfigScope scope = ConfigScope::cluster;
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

/// ARM's words for a configuration.
struct FluxConfigStatus {
    std::string compliance_state;
    std::string provisioning_state;
    std::string error_message;
    std::string last_synced_commit;
    std::string last_source_synced_time;
    json::array statuses;
};

Spec read_flux_config(Fields& spec, std::string const& own_namespace);
std::span<StatusField const> flux_config_status();
std::string flux_config_revision(Status const& status);

/// What a FluxConfig made carries these.
inline constexpr std::string_view kManagedLabel = "clusterconfig.azure.com/is-managed";
inline constexpr std::string_view kConfigNameLabel = "clusterconfig.azure.com/name";
inline constexpr std::string_view kConfigNamespaceLabel = "clusterconfig.azure.com/namespace";

/// The FluxConfig that made an object with these labels; it follows the object.
std::optional<Key> maker_of(Meta const& meta, std::string const& ns);

}  // namespace holdfast::model
