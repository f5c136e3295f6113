// modules/kustomize/emit.hpp: objects as text.
#pragma once

#include "modules/base/error.hpp"
#include "modules/kustomize/resource.hpp"

#include <string>

namespace holdfast::kustomize {

/// Resource.AsYAML: keys sorted, styles forgotten.
Result<std::string> text_of(yaml::Node const& root);
Result<std::string> text_of(Resource const& object);
/// Resource.String: JSON on one line, "" when it cannot be written.
std::string json_of(Resource const& object);

}  // namespace holdfast::kustomize
