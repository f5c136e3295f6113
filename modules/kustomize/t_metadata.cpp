// modules/kustomize/t_metadata.cpp: labels and annotations.
#include "modules/kustomize/context.hpp"
#include "modules/kustomize/transformers.hpp"

namespace holdfast::kustomize {
namespace {

Transform add_entries(StringMap entries, FieldSpecs specs) {
    return [entries = std::move(entries), specs = std::move(specs)](ResMap& objects) -> Result<void> {
        if (entries.empty()) return {};
        for (auto* const object : objects.all()) {
            auto& arena = object->context().arena;
            for (auto const& [key, value] : entries) {
                auto ok =
                    patch::apply(arena, specs, *object->edit(), patch::set_entry(arena, key, value, yaml::Tag::string),
                                 {yaml::Kind::mapping, yaml::Tag::mapping});
                if (!ok) return ok;
            }
        }
        objects.drop_empty();
        return {};
    };
}

}  // namespace

Transform add_labels(StringMap labels, FieldSpecs specs) { return add_entries(std::move(labels), std::move(specs)); }
Transform add_annotations(StringMap annotations, FieldSpecs specs) {
    return add_entries(std::move(annotations), std::move(specs));
}

}  // namespace holdfast::kustomize
