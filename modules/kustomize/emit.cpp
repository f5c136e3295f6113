// modules/kustomize/emit.cpp: what kustomize prints: the object as JSON, written as YAML by sigs.k8s.io/yaml.
#include "modules/kustomize/emit.hpp"

#include "modules/kustomize/text.hpp"
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

/// Keys that are null are in the map twice once kyaml has merged it.
void add_null_keys(yaml::Node const& node, std::string& lines) {
    for (std::size_t i = 0; node.is_map() && i + 1 < node.size(); i += 2) {
        auto const& key = *node.item(i);
        if (key.tag_id() != yaml::Tag::null) continue;
        auto const line = std::to_string(key.line);
        lines += "\n  line " + line + ": mapping key " + go_quote(key.value()) + " already defined at line " + line;
    }
    for (auto const* const child : node.items()) add_null_keys(*child, lines);
}

/// Kustomize shows the object that it cannot write in front of the reason. An object may be a Secret, and errors end in
/// logs and in the status of a Kustomization: here only what could not even be read, which is nothing, is shown.
std::unexpected<Error> cannot_write(yaml::Node const& root, Error error) {
    std::string null_keys;
    add_null_keys(root, null_keys);
    if (!null_keys.empty()) error.message = "yaml: unmarshal errors:" + null_keys;
    if (error.message.starts_with("json: ")) return std::unexpected{std::move(error)};
    return std::unexpected{std::move(error).in("map[string]interface {}(nil)")};
}

}  // namespace

Result<void> settle_folded(yaml::Arena& arena, yaml::Node& root) { return settle(arena, root); }

Result<std::string> text_of(yaml::Node const& root) {
    auto value = patch::to_json_as_written(root);
    if (!value) return cannot_write(root, std::move(value).error());
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
