// modules/kustomize/structured_text.cpp: reading, changing and writing the text of one field.
#include "modules/kustomize/structured_text.hpp"

#include "modules/kustomize/text.hpp"
#include "modules/patch/field.hpp"
#include "modules/patch/json_node.hpp"
#include "modules/patch/path.hpp"
#include "modules/yaml/emit.hpp"
#include "modules/yaml/json.hpp"
#include "modules/yaml/parse.hpp"

#include <optional>

namespace holdfast::kustomize {
namespace {

using yaml::Node;

/// encoding/json Indent with two spaces, of text without any.
std::string indented(std::string_view compact) {
    std::string out;
    std::size_t depth = 0;
    bool in_text = false;
    auto const line = [&] { out.append(1, '\n').append(depth * 2, ' '); };
    for (std::size_t i = 0; i < compact.size(); ++i) {
        auto const c = compact[i];
        if (in_text) {
            out += c;
            if (c == '\\') out += compact[++i];
            else if (c == '"') in_text = false;
            continue;
        }
        switch (c) {
            case '"':
                in_text = true;
                out += c;
                break;
            case '{':
            case '[':
                out += c;
                if (compact[i + 1] == '}' || compact[i + 1] == ']') out += compact[++i];
                else ++depth, line();
                break;
            case '}':
            case ']':
                --depth, line();
                out += c;
                break;
            case ',':
                out += c;
                line();
                break;
            case ':': out += ": "; break;
            default: out += c;
        }
    }
    return out;
}

std::optional<std::string> written(Node const& document, std::string_view original) {
    auto const trimmed = trim_space(original);
    if (trimmed.empty()) return {};
    if (trimmed[0] != '{' && trimmed[0] != '[') {
        auto const text = yaml::emit(document);
        if (!text) return {};
        return std::string{trim_space(*text)};
    }
    auto const value = patch::to_json_as_written(document);
    if (!value) return {};
    auto text = yaml::marshal_json(*value);
    if (!text) return {};
    bool const was_indented = original.contains('\n') && original.contains("  ");
    return was_indented ? indented(*text) : std::move(*text);
}

struct TextField {
    Node* scalar;
    Node* document;
    std::size_t depth;  // parts of the path that lead to it
};

std::optional<TextField> find_text(yaml::Arena& arena, Node& object, std::vector<std::string> const& path) {
    for (std::size_t depth = 1; depth < path.size(); ++depth) {
        auto const found = patch::lookup(object, patch::Path{path.data(), depth});
        if (!found || !*found || !(*found)->is_scalar()) continue;
        auto document = yaml::parse(arena, (*found)->value());
        if (!document) continue;
        return TextField{*found, *document ? *document : arena.make<Node>(), depth};
    }
    return {};
}

}  // namespace

bool write_inside_text(yaml::Arena& arena, Node& object, Node const& value, std::vector<std::string> const& path,
                       yaml::Kind create) {
    auto const text = find_text(arena, object, path);
    if (!text) return false;
    auto const rest = patch::Path{path}.subspan(text->depth);
    auto const fields = patch::match(arena, *text->document, rest, create);
    if (!fields || fields->nodes.empty()) return false;
    for (auto* const field : fields->nodes) {
        if (field->is_scalar()) field->set_value(arena, value.value());
        else *field = value;
    }
    auto const changed = written(*text->document, text->scalar->value());
    if (!changed) return false;
    text->scalar->set_value(arena, *changed);
    return true;
}

}  // namespace holdfast::kustomize
