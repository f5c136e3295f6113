// modules/patch/json_node.cpp: nodes to JSON values and back.
#include "modules/patch/json_node.hpp"

#include "modules/yaml/emit.hpp"
#include "modules/yaml/json.hpp"
#include "modules/yaml/parse.hpp"

namespace holdfast::patch {

namespace json = boost::json;
using yaml::Node;
using yaml::Tag;

namespace {

/// Would writing this tree change what some scalar is? Between braces no text is written as "", elsewhere as null.
bool changes_when_written(Node const& node, bool in_flow = false) {
    if (node.is_scalar()) {
        if (any(node.style & yaml::kNotPlain)) return node.tag_id() != Tag::string && node.tag_id() != Tag::none;
        return node.value().empty() && (in_flow || node.tag_id() == Tag::none) && node.tag_id() != Tag::string;
    }
    in_flow = in_flow || any(node.style & yaml::Style::flow);
    for (auto const* const child : node.items()) {
        if (changes_when_written(*child, in_flow)) return true;
    }
    return false;
}

json::value as_floats(json::value const& value) {
    switch (value.kind()) {
        case json::kind::int64: return static_cast<double>(value.get_int64());
        case json::kind::uint64: return static_cast<double>(value.get_uint64());
        case json::kind::array: {
            json::array list;
            list.reserve(value.get_array().size());
            for (auto const& one : value.get_array()) list.push_back(as_floats(one));
            return list;
        }
        case json::kind::object: {
            json::object object;
            object.reserve(value.get_object().size());
            for (auto const& [name, one] : value.get_object()) object.emplace(name, as_floats(one));
            return object;
        }
        default: return value;
    }
}

}  // namespace

Result<json::value> to_json_as_written(Node const& node) {
    if (!changes_when_written(node)) {
        // The lines that an error names are those of the written text.
        if (auto value = yaml::to_json(node)) return value;
    }
    auto text = yaml::emit(node);
    if (!text) return fail(std::move(text));
    yaml::Arena arena;
    auto read = yaml::parse(arena, *text);
    if (!read) return fail(std::move(read));
    if (!*read) return json::value{};
    return yaml::to_json(**read);
}

Result<Node*> from_map(yaml::Arena& arena, json::value const& value) {
    auto text = yaml::write_v3(as_floats(value));
    if (!text) return fail(std::move(text));
    auto read = yaml::parse(arena, *text);
    if (!read) return fail(std::move(read));
    return *read ? yaml::root_of(*read) : yaml::make_map(arena);
}

}  // namespace holdfast::patch
