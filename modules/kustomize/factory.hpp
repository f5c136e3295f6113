// modules/kustomize/factory.hpp: text in, Kubernetes objects out.
#pragma once

#include "modules/base/error.hpp"
#include "modules/kustomize/resource.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::kustomize {

/// SliceFromBytes: every document is an object; Lists are unrolled, anchors expanded.
/// Errors  "MalformedYAMLError: yaml: line 3: ...", "missing metadata.name in object ..."
Result<std::vector<Resource*>> parse_objects(Context& context, std::string_view text);

/// kusterr.Handler: names the file where that makes sense.
std::string name_file(std::string message, std::string_view path);

/// DeAnchor: aliases and merge keys replaced by copies.
/// Errors  a cycle; limit when aliases make more than kYamlAliasNodesMax nodes
Result<yaml::Node*> remove_anchors(yaml::Arena& arena, yaml::Node* node);

/// Errors  limit: nodes nest deeper than kYamlDepthMax, which a patch or a replacement can bring about
Result<void> check_depth(yaml::Node const& root);

/// GetValidatedMetadata.
Result<void> check_metadata(yaml::Node const* root);

}  // namespace holdfast::kustomize
