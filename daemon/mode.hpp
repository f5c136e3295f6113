// daemon/mode.hpp: whose rules hold on this node, chosen when our CRDs are installed and kept in the cluster.
// The choice is an annotation of the FluxConfig definition: whoever may write definitions may do anything already.
#pragma once

#include "modules/access/lock.hpp"
#include "modules/kube/cluster.hpp"

#include <optional>
#include <string_view>

namespace holdfast::daemon {

inline constexpr std::string_view kModeDefinition = "fluxconfigs.clusterconfig.azure.com";  // the first that is made
inline constexpr std::string_view kModeAnnotation = "holdfast/mode";

/// "flux", "azure"
std::string_view mode_name(access::Mode mode);
std::optional<access::Mode> mode_named(std::string_view name);

/// What was chosen when our CRDs were installed. Out  nothing: nobody chose, or they are not installed
/// Errors  those of kube::Cluster
Task<std::optional<access::Mode>> chosen_mode(kube::Cluster& cluster);

struct Choice {
    access::Mode mode;
    std::string_view why;  // "it was asked for", "it was chosen before", …
};

/// What is to be chosen: what is asked for; else what was chosen before; else flux where a definition of Flux is there,
/// for what runs there was written for its rules; else azure.
/// Errors  those of kube::Cluster
Task<Choice> choose_mode(kube::Cluster& cluster, std::optional<access::Mode> asked);

}  // namespace holdfast::daemon
