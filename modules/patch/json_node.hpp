// modules/patch/json_node.hpp: between nodes and JSON values the way kyaml goes: through YAML text.
#pragma once

#include "modules/base/error.hpp"
#include "modules/yaml/node.hpp"

#include <boost/json/value.hpp>

namespace holdfast::patch {

/// RNode.MarshalJSON: what the node would be read as after it was written: a number that has the style of quoted
/// text is text. Writes and reads only when there is such a scalar.
/// Errors  invalid_input  go-yaml's
Result<boost::json::value> to_json_as_written(yaml::Node const& node);

/// kyaml FromMap: `value` through YAML text, as the nodes a reader would make of it: keys sorted, quotes as written.
/// Every number is a float64 first, as encoding/json reads it.
Result<yaml::Node*> from_map(yaml::Arena& arena, boost::json::value const& value);

}  // namespace holdfast::patch
