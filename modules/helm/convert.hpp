// modules/helm/convert.hpp: toYaml and its relatives, private to this folder.
#pragma once

#include "modules/helm/text.hpp"
#include "modules/text/gotemplate/funcs.hpp"

namespace holdfast::helm {

/// toYaml, toYamlPretty, fromYaml, fromYamlArray, toJson, fromJson, fromJsonArray, toToml, fromToml and the must forms.
void add_conversions(gotemplate::FuncMap& funcs);

}  // namespace holdfast::helm
