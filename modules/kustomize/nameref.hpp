// modules/kustomize/nameref.hpp: names that changed are changed where other objects refer to them.
#pragma once

#include "modules/base/error.hpp"
#include "modules/kustomize/config.hpp"
#include "modules/kustomize/resmap.hpp"

namespace holdfast::kustomize {

/// FixBackReferences.
/// Errors  invalid_input  a reference that fits several objects, a field that is no name
/// Cost    O(objects x fields that may refer) plus a look-up by name each
Result<void> fix_references(std::vector<NameBackReferences> const& references, ResMap& objects);

}  // namespace holdfast::kustomize
