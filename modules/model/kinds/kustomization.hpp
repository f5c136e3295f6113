// modules/model/kinds/kustomization.hpp: the fields of a Kustomization.
#pragma once

#include "modules/base/packed.hpp"
#include "modules/model/duration.hpp"
#include "modules/model/inventory.hpp"
#include "modules/model/kube_config.hpp"
#include "modules/model/spec.hpp"
#include "modules/model/status.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace holdfast::model {

class Fields;

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
    std::string service_account;               // of the object's own namespace; empty: none is named
    std::optional<KubeConfigRef> kube_config;  // the cluster; nothing: the daemon's own
    DeletionPolicy deletion_policy = DeletionPolicy::mirror_prune;
    std::vector<NamespacedName> depends_on;
    std::vector<HealthCheckRef> health_checks;
    std::map<std::string, std::string> common_labels;
    std::map<std::string, std::string> common_annotations;
    // JSON of namePrefix, nameSuffix, patches, images, components…: handed to the engine as they are, read by nobody else.
    Packed kustomize;
};

struct AppliedRevision {
    std::string text;
    std::string origin = {};  // the commit that an OCI artifact says it was made of
};

/// Flux's Snapshot: passes with the same outcome over the same manifests are one row.
struct HistoryEntry {
    std::string digest;
    WallTime first_reconciled;
    WallTime last_reconciled;
    Duration last_duration{};
    std::string last_status;
    std::int64_t total = 0;
    AppliedRevision revision;
};

struct KustomizationStatus {
    std::string last_applied_revision;
    std::string last_attempted_revision;
    std::string last_applied_origin;
    std::vector<InventoryEntry> inventory;
    bool has_inventory = false;  // something was applied once, though it may have been nothing
    std::vector<HistoryEntry> history;

    /// Adds a pass to the history: newest first, at most five rows, same digest and status folded.
    void remember(std::string digest, std::string_view outcome, AppliedRevision revision, Duration took, WallTime now);
};

Spec read_kustomization(Fields& spec, std::string const& own_namespace);
std::span<StatusField const> kustomization_status();
std::string kustomization_revision(Status const& status);

}  // namespace holdfast::model
