// modules/kustomize/plugin_config.hpp: what a builtin plugin gets of its fields: kustomize writes them as YAML and reads that.
#pragma once

#include "modules/kustomize/types.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

namespace holdfast::kustomize {

/// Every text of the arguments as it arrives: U+0085 is a line break to the reader, so a blank.
/// Errors  invalid_input  "builtin ConfigMapGenerator marshal: yaml: control characters are not allowed"
Result<void> pass_through_config(std::string_view plugin, GeneratorArgs& args);

/// Whether texts get through at all.
/// Errors  as above
Result<void> check_config(std::string_view plugin, std::initializer_list<std::string_view> texts);
Result<void> check_config(std::string_view plugin, StringMap const& texts);

}  // namespace holdfast::kustomize
