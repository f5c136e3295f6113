// modules/helm/yaml_pretty.hpp: Helm's toYamlPretty.
#pragma once

#include "modules/base/error.hpp"
#include "modules/text/gotemplate/value.hpp"

#include <string>

namespace holdfast::helm {

/// go-yaml v3's encoder with an indent of 2, without the last line break. Unlike toYaml it does not go through JSON.
/// Errors  limit  nested deeper than limits::kYamlDepthMax, or too large
Result<std::string> to_yaml_pretty(gotemplate::Value const& value);

}  // namespace holdfast::helm
