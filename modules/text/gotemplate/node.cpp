// modules/text/gotemplate/node.cpp: nodes back to text.
#include "modules/text/gotemplate/node.hpp"

#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/gotemplate/unicode.hpp"

#include <algorithm>

namespace holdfast::gotemplate {

namespace {

constexpr std::size_t kBlockBytesMax = 64u << 10;

void write(std::string& out, Node const& node);

void write_list(std::string& out, ListNode const* list) {
    for (auto const* node : list->nodes) write(out, *node);
}

void write_branch(std::string& out, BranchNode const& node, std::string_view name) {
    out += "{{";
    out += name;
    out.push_back(' ');
    write(out, *node.pipe);
    out += "}}";
    write_list(out, node.list);
    if (node.else_list != nullptr) {
        out += "{{else}}";
        write_list(out, node.else_list);
    }
    out += "{{end}}";
}

void write_joined(std::string& out, Words words) {
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) out.push_back('.');
        out += words[i];
    }
}

void write_pipe(std::string& out, PipeNode const& node) {
    for (std::size_t i = 0; i < node.declared.size(); ++i) {
        if (i > 0) out += ", ";
        write_joined(out, static_cast<VariableNode const&>(*node.declared[i]).ident);
    }
    if (!node.declared.empty()) out += node.is_assign ? " = " : " := ";
    for (std::size_t i = 0; i < node.commands.size(); ++i) {
        if (i > 0) out += " | ";
        write(out, *node.commands[i]);
    }
}

void write(std::string& out, Node const& node) {
    auto const parenthesized = [&](Node const& inner) {
        if (inner.type != NodeType::pipe) return write(out, inner);
        out.push_back('(');
        write(out, inner);
        out.push_back(')');
    };
    switch (node.type) {
        case NodeType::text: out += static_cast<TextNode const&>(node).text; break;
        case NodeType::action:
            out += "{{";
            write(out, *static_cast<ActionNode const&>(node).pipe);
            out += "}}";
            break;
        case NodeType::boolean: out += static_cast<BoolNode const&>(node).value ? "true" : "false"; break;
        case NodeType::chain: {
            auto const& chain = static_cast<ChainNode const&>(node);
            parenthesized(*chain.node);
            for (auto const field : chain.field) out.append(1, '.').append(field);
            break;
        }
        case NodeType::command: {
            auto const& command = static_cast<CommandNode const&>(node);
            for (std::size_t i = 0; i < command.args.size(); ++i) {
                if (i > 0) out.push_back(' ');
                parenthesized(*command.args[i]);
            }
            break;
        }
        case NodeType::dot: out.push_back('.'); break;
        case NodeType::else_: out += "{{else}}"; break;
        case NodeType::end: out += "{{end}}"; break;
        case NodeType::field:
            for (auto const ident : static_cast<FieldNode const&>(node).ident) out.append(1, '.').append(ident);
            break;
        case NodeType::identifier: out += static_cast<IdentifierNode const&>(node).name; break;
        case NodeType::if_: write_branch(out, static_cast<BranchNode const&>(node), "if"); break;
        case NodeType::with: write_branch(out, static_cast<BranchNode const&>(node), "with"); break;
        case NodeType::range: write_branch(out, static_cast<BranchNode const&>(node), "range"); break;
        case NodeType::list: write_list(out, &static_cast<ListNode const&>(node)); break;
        case NodeType::nil: out += "nil"; break;
        case NodeType::number: out += static_cast<NumberNode const&>(node).text; break;
        case NodeType::pipe: write_pipe(out, static_cast<PipeNode const&>(node)); break;
        case NodeType::string: out += static_cast<StringNode const&>(node).quoted; break;
        case NodeType::template_: {
            auto const& call = static_cast<TemplateNode const&>(node);
            out += "{{template " + quote(call.name);
            if (call.pipe != nullptr) {
                out.push_back(' ');
                write(out, *call.pipe);
            }
            out += "}}";
            break;
        }
        case NodeType::variable: write_joined(out, static_cast<VariableNode const&>(node).ident); break;
        case NodeType::break_: out += "{{break}}"; break;
        case NodeType::continue_: out += "{{continue}}"; break;
    }
}

}  // namespace

void* Source::room_in_new_block(std::size_t bytes) {
    // The first block is as large as nodes usually need, the next ones double.
    size_ = std::max(bytes, size_ == 0 ? text.size() + 256 : std::min(size_ * 2, kBlockBytesMax));
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size_));
    used_ = bytes;
    return blocks_.back().get();
}

std::string to_string(Node const& node) {
    std::string out;
    write(out, node);
    return out;
}

bool is_empty(Node const& node) {
    if (node.type == NodeType::text) return trim_space(static_cast<TextNode const&>(node).text).empty();
    if (node.type != NodeType::list) return false;
    for (auto const* inner : static_cast<ListNode const&>(node).nodes)
        if (!is_empty(*inner)) return false;
    return true;
}

}  // namespace holdfast::gotemplate
