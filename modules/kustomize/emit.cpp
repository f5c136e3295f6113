// modules/kustomize/emit.cpp: what kustomize prints: the object as JSON, written as YAML by sigs.k8s.io/yaml.
#include "modules/kustomize/emit.hpp"

#include "modules/yaml/json.hpp"

namespace holdfast::kustomize {

Result<std::string> text_of(yaml::Node const& root) {
    auto value = yaml::to_json(root);
    if (!value) return fail(std::move(value));
    return yaml::write_sigs(*value);
}

Result<std::string> text_of(Resource const& object) {
    if (!object.root()) return std::string{"null\n"};
    return text_of(*object.root());
}

std::string json_of(Resource const& object) {
    if (!object.root()) return "null";
    auto value = yaml::to_json(*object.root());
    if (!value) return {};
    return yaml::marshal_json(*value).value_or("");
}

}  // namespace holdfast::kustomize
