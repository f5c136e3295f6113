// modules/fluxconfig/generate.hpp: the Flux objects that stand for one FluxConfig, named and labelled as Azure's agent does.
// Pure. Source  Azure fluxConfigurations 2025-04-01; names and labels as seen in clusters.
#pragma once

#include "modules/model/kinds.hpp"

#include <boost/json/object.hpp>

#include <string_view>
#include <vector>

namespace holdfast::fluxconfig {

inline constexpr std::string_view kOperationLabel = "clusterconfig.azure.com/operation-id";

/// Out  the GitRepository <config>, then one Kustomization <config>-<entry> per entry, in the order of the spec
std::vector<boost::json::object> generate(model::Key const& config, model::FluxConfigSpec const& spec);

}  // namespace holdfast::fluxconfig
