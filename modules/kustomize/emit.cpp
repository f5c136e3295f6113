// modules/kustomize/emit.cpp: what kustomize prints: the object as JSON, written as YAML by sigs.k8s.io/yaml.
#include "modules/kustomize/emit.hpp"

#include "modules/patch/json_node.hpp"
#include "modules/yaml/emit.hpp"
#include "modules/yaml/json.hpp"
#include "modules/yaml/parse.hpp"

namespace holdfast::kustomize {
namespace {

Result<void> settle(yaml::Arena& arena, yaml::Node& node) {
    if (yaml::any(node.style & yaml::Style::flow)) return {};  // written in quotes
    for (auto* const child : node.items()) {
        if (auto ok = settle(arena, *child); !ok) return ok;
    }
    if (!node.is_scalar() || !yaml::any(node.style & yaml::Style::folded)) return {};
    if (node.value().find('\n') == std::string_view::npos) return {};
    auto* const map = yaml::make_map(arena);
    map->set(arena, "k", &node);
    auto text = yaml::emit(*map);
    if (!text) return fail(std::move(text));
    auto read = yaml::parse(arena, *text, {.comments = false});
    if (!read) return fail(std::move(read));
    if (auto const* const again = yaml::root_of(*read)->find("k")) node.set_value(again->value());
    node.style = yaml::Style::literal;
    return {};
}

}  // namespace

Result<void> settle_folded(yaml::Arena& arena, yaml::Node& root) { return settle(arena, root); }

Result<std::string> text_of(yaml::Node const& root) {
    auto value = patch::to_json_as_written(root);
    if (!value) return fail(std::move(value), "map[string]interface {}(nil)");  // kustomize prints what it could read
    return yaml::write_sigs(*value);
}

Result<std::string> text_of(Resource const& object) {
    if (!object.root()) return std::string{"null\n"};
    return text_of(*object.root());
}

std::string json_of(Resource const& object) { return json_of(object.root()); }

std::string json_of(yaml::Node const* root) {
    if (!root) return "null";
    auto value = patch::to_json_as_written(*root);
    if (!value) return {};
    return yaml::marshal_json(*value).value_or("");
}

}  // namespace holdfast::kustomize
