// modules/helm/convert.hpp: toYaml and its relatives, private to this folder.
#pragma once

#include "modules/helm/text.hpp"
#include "modules/text/gotemplate/funcs.hpp"

namespace holdfast::helm {

/// toYaml, toYamlPretty, fromYaml, fromYamlArray, toJson, fromJson, fromJsonArray, toToml, fromToml and the must forms.
void add_conversions(gotemplate::FuncMap& funcs);
/// to_yaml() of a value of any size, charged before it is written.
Result<std::string> charged_yaml(gotemplate::Call& call, gotemplate::Value const& value);

}  // namespace holdfast::helm
