// modules/kustomize/t_replica.cpp: replicas.
#include "modules/kustomize/context.hpp"
#include "modules/kustomize/transformers.hpp"

namespace holdfast::kustomize {

Transform set_replicas(Replica replica, FieldSpecs specs) {
    return [replica = std::move(replica), specs = std::move(specs)](ResMap& objects) -> Result<void> {
        bool found = false;
        auto const count = std::to_string(replica.count);
        for (auto const& spec : specs) {
            Gvk const gvk{spec.group, spec.version, spec.kind};
            auto const named =
                objects.by_any_id([&](ResId const& id) { return id.name == replica.name && id.gvk.selected_by(gvk); });
            for (auto* const object : named) {
                found = true;
                auto& arena = object->context().arena;
                auto ok =
                    patch::apply(arena, spec, *object->edit(), patch::set_entry(arena, "", count, yaml::Tag::integer),
                                 {yaml::Kind::scalar, yaml::Tag::integer});
                if (!ok) return ok;
            }
        }
        if (found) return {};
        std::string kinds = "[";
        for (auto const& spec : specs) {
            if (kinds.size() > 1) kinds += ' ';
            kinds += Gvk{spec.group, spec.version, spec.kind}.str();
        }
        return fail(Errc::invalid_input, "resource with name " + replica.name +
                                             " does not match a config with the following GVK " + kinds + "]");
    };
}

}  // namespace holdfast::kustomize
