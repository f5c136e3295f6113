// modules/fluxconfig/generate.hpp: the Flux objects that stand for one FluxConfig, named and labelled as Azure's agent does.
// Pure. Source  Azure fluxConfigurations 2025-04-01; names and labels as seen in clusters.
#pragma once

#include "modules/model/kinds.hpp"

#include <boost/json/object.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::fluxconfig {

inline constexpr std::string_view kOperationLabel = "clusterconfig.azure.com/operation-id";

struct Terms {
    std::string account = {};                        // what the Kustomizations act as; empty: as the daemon
    std::map<std::string, std::string> labels = {};  // of the configuration, to be carried on
};

/// Out  the GitRepository <config>, then one Kustomization <config>-<entry> per entry, in the order of the spec
std::vector<boost::json::object> generate(model::Key const& config, model::FluxConfigSpec const& spec,
                                          Terms const& terms);

}  // namespace holdfast::fluxconfig
