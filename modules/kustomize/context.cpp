// modules/kustomize/context.cpp: counting what a build holds.
#include "modules/kustomize/context.hpp"

namespace holdfast::kustomize {

Result<Resource*> Context::adopt(yaml::Node* node) {
    if (resources_.size() >= options.limits.objects_max) {
        return fail(Errc::limit, "more than " + std::to_string(options.limits.objects_max) + " objects in one build");
    }
    return &resources_.emplace_back(*this, node);
}

Result<Resource*> Context::copy(Resource const& from, yaml::SharedScalars* shared) {
    if (auto ok = check_memory(); !ok) return fail(std::move(ok));
    auto* const root = shared ? yaml::clone(arena, *from.root(), *shared) : yaml::clone(arena, *from.root());
    auto& made = resources_.emplace_back(*this, root);
    made.var_names = from.var_names;
    return &made;
}

Result<void> Context::check_memory() const {
    if (arena.bytes() <= options.limits.arena_bytes_max) return {};
    return fail(Errc::limit, "the build needs more than " + std::to_string(options.limits.arena_bytes_max) + " bytes");
}

void Context::warn(std::string line) {
    if (warnings.size() < limits::kKustomizeWarningsMax) warnings.push_back(std::move(line));
}

}  // namespace holdfast::kustomize
