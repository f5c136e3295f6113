// modules/kustomize/structured_text.hpp: fields inside of a text that is JSON or YAML, such as a ConfigMap's entry.
#pragma once

#include "modules/yaml/node.hpp"

#include <string>
#include <vector>

namespace holdfast::kustomize {

/// Replacements' setValueInStructuredData: when `path` leads to a scalar and on into its text, sets the value there
/// and writes the text again, as JSON (indented if it was) or YAML. false when it is not such a path, or when the
/// text has no such field: nothing is changed then.
bool write_inside_text(yaml::Arena& arena, yaml::Node& object, yaml::Node const& value,
                       std::vector<std::string> const& path, yaml::Kind create);

}  // namespace holdfast::kustomize
