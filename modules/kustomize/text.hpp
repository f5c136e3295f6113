// modules/kustomize/text.hpp: Go's ways of printing, for error messages.
#pragma once

#include "modules/kustomize/types.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::kustomize {

/// strconv.Quote, fmt's %q.
std::string go_quote(std::string_view text);
/// fmt's %v of a []string: "[a b]".
std::string go_list(std::vector<std::string> const& list);
/// strings.TrimSpace
std::string_view trim_space(std::string_view text);
/// types.Selector.String
std::string describe(Selector const& selector);
/// fmt's %v of a []types.Var.
std::string describe(std::vector<Var> const& vars);

}  // namespace holdfast::kustomize
