// modules/kustomize/t_affix.cpp: namePrefix and nameSuffix.
#include "modules/kustomize/context.hpp"
#include "modules/kustomize/transformers.hpp"

namespace holdfast::kustomize {
namespace {

bool keeps_its_name(Gvk const& gvk) {
    return gvk.kind == "CustomResourceDefinition" || gvk.kind == "Namespace" ||
           (gvk.kind == "APIService" && gvk.group == "apiregistration.k8s.io");
}

Gvk gvk_of(FieldSpec const& spec) { return {spec.group, spec.version, spec.kind}; }

Transform add_affix(std::string affix, FieldSpecs specs, bool front) {
    return [affix = std::move(affix), specs = std::move(specs), front](ResMap& objects) -> Result<void> {
        for (auto* const object : objects.all()) {
            auto const original = object->original_id();
            if (keeps_its_name(original.gvk)) continue;
            auto& arena = object->context().arena;
            for (auto const& spec : specs) {
                if (!original.gvk.selected_by(gvk_of(spec))) continue;
                if (spec.path == "metadata/name") {
                    front ? object->add_prefix(affix) : object->add_suffix(affix);
                    if (!affix.empty()) object->store_previous_id();
                }
                auto const visit = [&](yaml::Node& node) {
                    auto const text = front ? affix + std::string{node.value()} : std::string{node.value()} + affix;
                    return patch::set_scalar(arena, text)(node);
                };
                auto ok = patch::apply(arena, spec, *object->edit(), visit, {yaml::Kind::scalar, yaml::Tag::string});
                if (!ok) return ok;
            }
        }
        return {};
    };
}

}  // namespace

Transform add_prefix(std::string prefix, FieldSpecs specs) {
    return add_affix(std::move(prefix), std::move(specs), true);
}
Transform add_suffix(std::string suffix, FieldSpecs specs) {
    return add_affix(std::move(suffix), std::move(specs), false);
}

}  // namespace holdfast::kustomize
