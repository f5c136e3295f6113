// modules/kustomize/config.hpp: which fields the transformers touch: the defaults, and what files add.
#pragma once

#include "modules/base/error.hpp"
#include "modules/kustomize/types.hpp"

#include <string_view>
#include <vector>

namespace holdfast::kustomize {

/// Fields that hold the name of an object of this kind.
struct NameBackReferences {
    Gvk gvk;
    FieldSpecs referrers;
};

struct TransformerConfig {
    FieldSpecs name_prefix, name_suffix, name_space, common_labels, labels, template_labels, common_annotations;
    std::vector<NameBackReferences> name_reference;
    FieldSpecs var_reference, images, replicas;
};

/// kustomize's own tables (default_config*.cpp).
TransformerConfig default_config();

/// Adds `incoming` to `into`; a field that is there already must agree on `create`.
/// Errors  invalid_input  "conflicting fieldspecs"
Result<void> merge_specs(FieldSpecs& into, FieldSpecs incoming);
Result<void> merge_spec(FieldSpecs& into, FieldSpec incoming);
Result<void> merge_references(std::vector<NameBackReferences>& into, NameBackReferences incoming);
Result<void> merge_config(TransformerConfig& into, TransformerConfig incoming);

/// One file of `crds:`: OpenAPI definitions with x-kubernetes-* hints.
Result<TransformerConfig> config_from_crd(std::string_view text);

/// One file of `configurations:`.
Result<TransformerConfig> parse_config(std::string_view text);
void sort_config(TransformerConfig& config);
/// fmt's %v of a *TransformerConfig.
std::string describe(TransformerConfig const& config);

}  // namespace holdfast::kustomize
