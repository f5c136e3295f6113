// modules/kustomize/vars.hpp: $(NAME) in fields, replaced by the value of a field of an object.
#pragma once

#include "modules/base/error.hpp"
#include "modules/kustomize/resmap.hpp"
#include "modules/kustomize/types.hpp"

#include <vector>

namespace holdfast::kustomize {

/// ResAccumulator.ResolveVars.
///
/// In      vars      sorted by name, defaulted; Resource::var_names says which object each reads
/// Errors  invalid_input  a var without object or field, a value of the wrong type
Result<void> resolve_vars(Context& context, std::vector<Var> const& vars, FieldSpecs const& var_reference,
                          ResMap& objects);

}  // namespace holdfast::kustomize
