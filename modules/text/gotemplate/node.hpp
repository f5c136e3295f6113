// modules/text/gotemplate/node.hpp: the parsed form of one template; made by parse.cpp, read by exec.cpp.
#pragma once

#include "modules/text/gotemplate/funcs.hpp"
#include "modules/text/gotemplate/value.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::gotemplate {

enum class NodeType : std::uint8_t {
    text, action, boolean, chain, command, dot, else_, end, field, identifier, if_, list, nil, number, pipe, range, string, template_,
    variable, with, break_, continue_
};

struct Node {
    NodeType type;
    std::uint32_t pos;
    Node(NodeType t, std::size_t p) : type(t), pos(static_cast<std::uint32_t>(p)) {}
    virtual ~Node() = default;
};

struct ListNode : Node {
    std::vector<Node const*> nodes;
    explicit ListNode(std::size_t p) : Node(NodeType::list, p) {}
};
struct TextNode : Node {
    std::string_view text;  // of Tree::text
    TextNode(std::size_t p, std::string_view t) : Node(NodeType::text, p), text(t) {}
};
struct VariableNode : Node {
    std::vector<std::string> ident;  // "$x", then fields
    std::uint32_t id;                // of ident[0] in Tree::variables
    VariableNode(std::size_t p, std::uint32_t i) : Node(NodeType::variable, p), id(i) {}
};
struct CommandNode : Node {
    std::vector<Node const*> args;
    explicit CommandNode(std::size_t p) : Node(NodeType::command, p) {}
};
struct PipeNode : Node {
    bool is_assign = false;
    std::vector<VariableNode const*> declared;
    std::vector<CommandNode const*> commands;
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
    BranchNode(NodeType t, PipeNode const* n, ListNode const* yes, ListNode const* no) : Node(t, n->pos), pipe(n), list(yes), else_list(no) {}
};
struct TemplateNode : Node {
    std::string name;
    PipeNode const* pipe;  // may be null
    TemplateNode(std::size_t p, std::string n, PipeNode const* d) : Node(NodeType::template_, p), name(std::move(n)), pipe(d) {}
};
struct IdentifierNode : Node {
    std::string name;
    Function const* function;
    bool builtin;
    IdentifierNode(std::size_t p, std::string_view n, Function const* f, bool b) : Node(NodeType::identifier, p), name(n), function(f), builtin(b) {}
};
struct FieldNode : Node {
    std::vector<std::string> ident;
    explicit FieldNode(std::size_t p) : Node(NodeType::field, p) {}
};
struct ChainNode : Node {
    Node const* node;
    std::vector<std::string> field;
    ChainNode(std::size_t p, Node const* n) : Node(NodeType::chain, p), node(n) {}
};
struct BoolNode : Node {
    bool value;
    BoolNode(std::size_t p, bool v) : Node(NodeType::boolean, p), value(v) {}
};
struct NumberNode : Node {
    std::string text;
    bool is_int = false, is_uint = false, is_float = false, is_complex = false;
    std::int64_t integer = 0;
    std::uint64_t unsigned_integer = 0;
    double floating = 0;
    explicit NumberNode(std::size_t p) : Node(NodeType::number, p) {}
};
struct StringNode : Node {
    std::string_view quoted;  // of Tree::text
    Value value;
    StringNode(std::size_t p, std::string_view q, Value v) : Node(NodeType::string, p), quoted(q), value(std::move(v)) {}
};
/// {{end}}, {{else}}, {{break}}, {{continue}}, dot and nil have nothing but their place.

struct Tree {
    std::string name;
    std::string parse_name;                  // of the text it came from, for errors
    std::shared_ptr<std::string const> text;
    ListNode const* root = nullptr;
    std::vector<std::string> variables;      // names by id; 0 is "$"
    std::vector<std::unique_ptr<Node>> nodes;
};

/// As Go prints a node in error texts.
std::string to_string(Node const& node);
/// Blank text and comments only: such a definition does not replace another.
bool is_empty(Node const& node);

/// Finds one of the functions every template has.
Function const* find_builtin(std::string_view name);

}  // namespace holdfast::gotemplate
