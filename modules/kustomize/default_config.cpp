// modules/kustomize/default_config.cpp: kustomize's own transformer configuration.
#include "modules/kustomize/config.hpp"

#include <array>
#include <span>

namespace holdfast::kustomize {
namespace {

struct Spec {
    char const *group, *version, *kind, *path;
    bool create;
};

struct References {
    char const *group, *version, *kind;
    std::size_t referrers;  // how many of kReferrers, in order
};

#include "modules/kustomize/default_config.inc"

FieldSpecs specs_of(std::span<Spec const> table) {
    FieldSpecs specs;
    specs.reserve(table.size());
    for (auto const& one : table) specs.push_back({one.group, one.version, one.kind, one.path, one.create});
    return specs;
}

}  // namespace

TransformerConfig default_config() {
    TransformerConfig made{
        .name_prefix = specs_of(kNamePrefix),
        .name_suffix = specs_of(kNameSuffix),
        .name_space = specs_of(kNamespace),
        .common_labels = specs_of(kCommonLabels),
        .template_labels = specs_of(kTemplateLabels),
        .common_annotations = specs_of(kCommonAnnotations),
        .var_reference = specs_of(kVarReference),
        .images = specs_of(kImages),
        .replicas = specs_of(kReplicas),
    };
    std::span<Spec const> rest{kReferrers};
    for (auto const& one : kNameReference) {
        made.name_reference.push_back(
            {.gvk = {one.group, one.version, one.kind}, .referrers = specs_of(rest.first(one.referrers))});
        rest = rest.subspan(one.referrers);
    }
    return made;
}

}  // namespace holdfast::kustomize
