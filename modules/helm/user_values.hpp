// modules/helm/user_values.hpp: values files and --set lines into one map, in Helm's order.
#pragma once

#include "modules/helm/strvals.hpp"

#include <span>
#include <string>

namespace holdfast::helm {

struct UserValues {
    std::span<std::string const> files;  // names, read through `read`
    std::span<std::string const> json, set, set_string, set_file, literal;
};

/// Files first, then --set-json, --set, --set-string, --set-file, --set-literal.
/// Errors  invalid_input  "failed to parse x.yaml: ...", "failed parsing --set data: ..."; whatever `read` returns
Result<gotemplate::Value> merge_user_values(UserValues const& from, ReadFile const& read);

}  // namespace holdfast::helm
