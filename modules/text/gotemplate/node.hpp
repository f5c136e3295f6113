// modules/text/gotemplate/node.hpp: the parsed form of one template; made by parse.cpp, read by exec.cpp.
#pragma once

#include "modules/text/gotemplate/funcs.hpp"
#include "modules/text/gotemplate/template.hpp"
#include "modules/text/gotemplate/value.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::gotemplate {

enum class NodeType : std::uint8_t {
    text,
    action,
    boolean,
    chain,
    command,
    dot,
    else_,
    end,
    field,
    identifier,
    if_,
    list,
    nil,
    number,
    pipe,
    range,
    string,
    template_,
    variable,
    with,
    break_,
    continue_
};

/// Nodes, their lists and their words live in the memory of their Source and die with it, unseen: no destructors.
struct Node {
    NodeType type;
    std::uint32_t pos;
    Node(NodeType t, std::size_t p) : type(t), pos(static_cast<std::uint32_t>(p)) {}
};

using Words = std::span<std::string_view const>;  // of Source::text, or of its memory

struct ListNode : Node {
    std::span<Node const* const> nodes;
    explicit ListNode(std::size_t p) : Node(NodeType::list, p) {}
};
struct TextNode : Node {
    std::string_view text;  // of Source::text
    TextNode(std::size_t p, std::string_view t) : Node(NodeType::text, p), text(t) {}
};
struct VariableNode : Node {
    Words ident;       // "$x", then fields
    std::uint32_t id;  // of ident[0] in Tree::variables
    VariableNode(std::size_t p, Words words, std::uint32_t i) : Node(NodeType::variable, p), ident(words), id(i) {}
};
struct CommandNode : Node {
    std::span<Node const* const> args;
    explicit CommandNode(std::size_t p) : Node(NodeType::command, p) {}
};
struct PipeNode : Node {
    bool is_assign = false;
    std::span<Node const* const> declared;  // VariableNodes
    std::span<Node const* const> commands;  // CommandNodes
    explicit PipeNode(std::size_t p) : Node(NodeType::pipe, p) {}
};
struct ActionNode : Node {
    PipeNode const* pipe;
    ActionNode(std::size_t p, PipeNode const* n) : Node(NodeType::action, p), pipe(n) {}
};
struct BranchNode : Node {  // if, with, range
    PipeNode const* pipe;
    ListNode const* list;
    ListNode const* else_list;
    BranchNode(NodeType t, PipeNode const* n, ListNode const* yes, ListNode const* no)
        : Node(t, n->pos), pipe(n), list(yes), else_list(no) {}
};
struct TemplateNode : Node {
    std::string_view name;
    PipeNode const* pipe;  // may be null
    TemplateNode(std::size_t p, std::string_view n, PipeNode const* d)
        : Node(NodeType::template_, p), name(n), pipe(d) {}
};
struct IdentifierNode : Node {
    std::string_view name;
    Function const* function;
    bool builtin;
    IdentifierNode(std::size_t p, std::string_view n, Function const* f, bool b)
        : Node(NodeType::identifier, p), name(n), function(f), builtin(b) {}
};
struct FieldNode : Node {
    Words ident;
    FieldNode(std::size_t p, Words words) : Node(NodeType::field, p), ident(words) {}
};
struct ChainNode : Node {
    Node const* node;
    Words field;
    ChainNode(std::size_t p, Node const* n, Words words) : Node(NodeType::chain, p), node(n), field(words) {}
};
struct BoolNode : Node {
    bool value;
    BoolNode(std::size_t p, bool v) : Node(NodeType::boolean, p), value(v) {}
};
struct NumberNode : Node {
    std::string_view text;
    bool is_int = false, is_uint = false, is_float = false, is_complex = false;
    std::int64_t integer = 0;
    std::uint64_t unsigned_integer = 0;
    double floating = 0;
    NumberNode(std::size_t p, std::string_view t) : Node(NodeType::number, p), text(t) {}
};
struct StringNode : Node {
    std::string_view quoted;      // of Source::text
    std::string_view text;        // unquoted
    mutable std::uint32_t value;  // in Source::strings, once it was asked for
    StringNode(std::size_t p, std::string_view q, std::string_view t)
        : Node(NodeType::string, p), quoted(q), text(t), value(kNotYet) {}
    static constexpr std::uint32_t kNotYet = 0xFFFFFFFF;
};
/// {{end}}, {{else}}, {{break}}, {{continue}}, dot and nil have nothing but their place.

/// One parsed text with everything made from it; shared by the trees it defines. One thread.
struct Source {
    Source(std::string_view n, std::string_view t, TextLife life)
        : name(n), own_(life == TextLife::copied ? t : std::string_view{}), text(life == TextLife::copied ? own_ : t) {}
    std::string const name;  // for errors

private:
    std::string const own_;

public:
    std::string_view const text;
    mutable std::vector<Value> strings;  // what string constants give, made when first used

    Value const& value_of(StringNode const& node) const {
        if (node.value == StringNode::kNotYet) {
            node.value = static_cast<std::uint32_t>(strings.size());
            strings.push_back(Value::string(node.text));
        }
        return strings[node.value];
    }

    /// Memory for nodes and words.
    void* room(std::size_t bytes, std::size_t alignment) {
        auto const padding = (alignment - used_ % alignment) % alignment;
        if (blocks_.empty() || used_ + padding + bytes > size_) return room_in_new_block(bytes);
        auto* const found = blocks_.back().get() + used_ + padding;
        used_ += padding + bytes;
        return found;
    }

private:
    void* room_in_new_block(std::size_t bytes);
    std::vector<std::unique_ptr<char[]>> blocks_;
    std::size_t used_ = 0, size_ = 0;  // of the last block
};

struct Tree {
    std::string_view name;
    std::shared_ptr<Source const> source;
    ListNode const* root = nullptr;
    std::vector<std::string_view> variables{};  // names by id; 0 is "$"
};

/// As Go prints a node in error texts.
std::string to_string(Node const& node);
/// Blank text and comments only: such a definition does not replace another.
bool is_empty(Node const& node);

/// Finds one of the functions every template has.
Function const* find_builtin(std::string_view name);

}  // namespace holdfast::gotemplate
