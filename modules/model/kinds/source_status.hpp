// modules/model/kinds/source_status.hpp: what every source says in .status: the artifact it holds.
#pragma once

#include "modules/model/duration.hpp"
#include "modules/model/status.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::model {

/// Flux's Artifact. `digest` is "sha256:<hex>" of the stored tar.gz.
struct Artifact {
    std::string revision;
    std::string digest;
    std::string path;
    std::string url;
    std::uint64_t size = 0;
    WallTime last_update;
    WallTime last_checked;   // when upstream last said that this is still the newest; not part of .status
    std::string metadata{};  // what upstream says of it, a JSON object of texts; empty: nothing
};

struct SourceStatus {
    std::optional<Artifact> artifact;
    std::optional<std::string> observed_ignore;
    std::string observed_layer_selector;  // of an OCIRepository, as JSON; empty: none
    /// A later revision than the held one, which the cluster has seen: what is held is not to be applied before upstream was
    /// asked. Not part of .status.
    std::string overtaken_by;
};

/// The artifact a source holds; null while it holds none.
Artifact const* artifact_of(Status const& status);

std::string source_revision(Status const& status);
/// The commit that an OCI artifact says it was made of; empty: it says none.
std::string origin_of(Artifact const& artifact);

std::string source_face(Status const& status);

void write_artifact_status(Status const& status, json::object& out);
void read_artifact_status(json::object const& from, Status& status);
void write_observed_ignore(Status const& status, json::object& out);
void read_observed_ignore(json::object const& from, Status& status);
void write_observed_layer_selector(Status const& status, json::object& out);
void read_observed_layer_selector(json::object const& from, Status& status);
/// Where the newest artifact is under a name that stays the same.
void write_latest_url(Status const& status, json::object& out);

inline constexpr StatusField kArtifactField{"artifact", write_artifact_status, read_artifact_status};
inline constexpr StatusField kObservedIgnoreField{"observedIgnore", write_observed_ignore, read_observed_ignore};
inline constexpr StatusField kObservedLayerSelectorField{"observedLayerSelector", write_observed_layer_selector,
                                                         read_observed_layer_selector};

}  // namespace holdfast::model
