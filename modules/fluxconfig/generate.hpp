// modules/fluxconfig/generate.hpp: the Flux objects that stand for one FluxConfig, named and labelled as Azure's agent does.
// Pure. Source  Azure fluxConfigurations 2025-04-01; names and labels as seen in clusters.
#pragma once

#include "modules/model/spec.hpp"

#include <boost/json/object.hpp>

#include <map>
#include <string>
#include <vector>

namespace holdfast::fluxconfig {

inline constexpr std::string_view kManagedLabel = "clusterconfig.azure.com/is-managed";
inline constexpr std::string_view kNameLabel = "clusterconfig.azure.com/name";
inline constexpr std::string_view kNamespaceLabel = "clusterconfig.azure.com/namespace";
inline constexpr std::string_view kOperationLabel = "clusterconfig.azure.com/operation-id";

/// Out  the GitRepository <config>, then one Kustomization <config>-<entry> per entry, in the order of the spec
std::vector<boost::json::object> generate(model::Key const& config, model::FluxConfigSpec const& spec);

/// Was an object with these labels generated for this configuration?
bool is_generated_for(std::map<std::string, std::string> const& labels, model::Key const& config);

}  // namespace holdfast::fluxconfig
