// modules/kube/parse.hpp: inside kube only: the one way in which text of an API server becomes JSON.
// Pure.
#pragma once

#include "modules/kube/object.hpp"

#include <string_view>

namespace holdfast::kube {

/// Depth and size are bounded; an API server never nests as deep as kJsonDepthMax.
Result<json::value> parse_json(std::string_view text);
Result<Object> parse_object(std::string_view text);

}  // namespace holdfast::kube
