// tests/unit/modules/yaml/report.cpp: one text through every door of modules/yaml.
#include "tests/unit/modules/yaml/report.hpp"

#include "modules/yaml/emit.hpp"
#include "modules/yaml/json.hpp"
#include "modules/yaml/parse.hpp"

#include <string>
#include <vector>

namespace holdfast::yaml::test {

namespace {

void append_quoted(std::string& out, std::string_view text) {
    constexpr char digits[] = "0123456789abcdef";
    out += '"';
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || c == '"' || c == '\\' || byte == 0x7F) {
            out += '\\';
            out += digits[byte >> 4];
            out += digits[byte & 15];
        } else {
            out += c;
        }
    }
    out += '"';
}

void dump(std::string& out, Node const& node, int depth) {
    out += std::to_string(depth) + " k" + std::to_string(static_cast<int>(node.kind)) + " s" +
           std::to_string(static_cast<int>(node.style)) + " t" + std::string{node.tag()} + " v";
    append_quoted(out, node.value());
    auto const part = [&](std::string_view name, std::string_view text) {
        if (text.empty()) return;
        out += name;
        append_quoted(out, text);
    };
    part(" a", node.anchor());
    part(" H", node.head_comment());
    part(" L", node.line_comment());
    part(" F", node.foot_comment());
    out += " " + std::to_string(node.line) + ":" + std::to_string(node.column) + "\n";
    for (auto const* const child : node.items()) dump(out, *child, depth + 1);
}

std::string answer(Result<std::string> result) {
    return result ? std::move(*result) : "error: " + result.error().message;
}

Result<std::string> first_as_json(std::vector<Node*> const& nodes) {
    if (nodes.empty()) return std::string{};
    auto value = to_json(*nodes[0], {.text_keys_at_root = true});
    if (!value) return fail(std::move(value));
    return marshal_json(*value);
}

}  // namespace

boost::json::object report(std::string_view name, std::string_view text) {
    Arena arena;
    Parser parser{arena, text};
    std::vector<Node*> nodes;
    std::string dumped;
    for (;;) {
        auto node = parser.next();
        if (!node) dumped += "error: " + node.error().message + "\n";
        if (!node || *node == nullptr) break;
        nodes.push_back(*node);
        dump(dumped, **node, 0);
    }
    auto sigs = answer(yaml_to_json(text));
    auto strict = answer(yaml_to_json(text, true));
    boost::json::object out{
        {"name", name},
        {"dump", dumped},
        {"emit", answer(emit_all(nodes))},
        {"wide", answer(emit_all(nodes, {.sequences = SequenceIndent::wide}))},
        {"four", answer(emit_all(nodes, {.indent = 4, .sequences = SequenceIndent::wide}))},
        {"json", answer(first_as_json(nodes))},
        {"sigs", sigs},
        {"strict", strict == sigs ? "" : strict},
        {"yaml", ""},
        {"pretty", ""},
    };
    auto value = read_sigs(text);
    if (sigs.starts_with("error: ") || !value) return out;
    out["yaml"] = answer(write_sigs(*value));
    out["pretty"] = answer(write_v3(*value, {.sequences = SequenceIndent::wide}));
    return out;
}

}  // namespace holdfast::yaml::test
