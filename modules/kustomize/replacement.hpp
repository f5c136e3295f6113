// modules/kustomize/replacement.hpp: copies field values from one object into others.
#pragma once

#include "modules/base/error.hpp"
#include "modules/kustomize/resmap.hpp"
#include "modules/kustomize/types.hpp"

#include <vector>

namespace holdfast::kustomize {

/// api/filters/replacement.
/// Errors  invalid_input  no or several sources, a field that is missing, delimiter and index that do not fit
Result<void> apply_replacements(Context& context, std::vector<Replacement> const& replacements, ResMap& objects);

}  // namespace holdfast::kustomize
