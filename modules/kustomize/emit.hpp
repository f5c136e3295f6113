// modules/kustomize/emit.hpp: objects as text.
#pragma once

#include "modules/base/error.hpp"
#include "modules/kustomize/resource.hpp"

#include <string>

namespace holdfast::kustomize {

/// What kustomize's detour through YAML text does to folded scalars ("a: >"): a blank line more before lines that
/// are indented further. Done once, in place, before an object becomes JSON.
Result<void> settle_folded(yaml::Arena& arena, yaml::Node& root);

/// Resource.AsYAML: keys sorted, styles forgotten.
Result<std::string> text_of(yaml::Node const& root);
Result<std::string> text_of(Resource const& object);
/// Resource.String: JSON on one line, "" when it cannot be written.
std::string json_of(Resource const& object);
std::string json_of(yaml::Node const* root);

}  // namespace holdfast::kustomize
