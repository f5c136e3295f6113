// modules/text/gotemplate/parse.cpp: recursive descent with three tokens of look-ahead, as in Go.
#include "modules/text/gotemplate/parse.hpp"

#include "modules/text/gotemplate/lex.hpp"
#include "modules/text/gotemplate/node.hpp"
#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/gotemplate/unicode.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace holdfast::gotemplate {

namespace {

constexpr int kParenDepthMax = 1'000;    // Go: 10'000 on a growing stack
constexpr int kControlDepthMax = 2'000;  // {{if}} inside {{range}} inside ...; else-if chains count

// Leaves the parser; parse_template turns it into a Result.
struct ParseFailure {
    Error error;
};

class Parser {
public:
    Parser(std::string_view name, std::string_view text, TextLife life, FuncMap const& funcs)
        : source_(std::make_shared<Source>(name, text, life)), funcs_(funcs), lexer_(source_->text) {}

    Trees run() {
        auto top = start(source_->name);
        Scope const scope{*this, top.get()};
        auto* const root = list_at(peek().pos);
        top->root = root;
        auto const mark = pending_.size();
        while (peek().type != Token::eof) {
            if (peek().type == Token::left_delim) {
                auto const delim = next();
                if (next_non_space().type == Token::define) {
                    parse_definition();
                    continue;
                }
                backup2(delim);
            }
            auto const* node = text_or_action();
            if (node->type == NodeType::end || node->type == NodeType::else_) fail("unexpected " + to_string(*node));
            pending_.push_back(node);
        }
        root->nodes = taken(mark);
        add(std::move(top));
        return std::move(trees_);
    }

private:
    // The tree being filled and its variables; definitions and blocks nest.
    struct Scope {
        Parser& parser;
        Tree* outer;
        std::vector<std::string_view> outer_vars;
        int outer_range_depth;
        std::size_t outer_action_line;
        Scope(Parser& p, Tree* tree)
            : parser(p), outer(p.tree_), outer_vars(std::exchange(p.vars_, {std::string_view{"$"}})),
              outer_range_depth(std::exchange(p.range_depth_, 0)), outer_action_line(std::exchange(p.action_line_, 0)) {
            p.tree_ = tree;
        }
        ~Scope() {
            parser.tree_ = outer;
            parser.vars_ = std::move(outer_vars);
            parser.range_depth_ = outer_range_depth;
            parser.action_line_ = outer_action_line;
        }
    };

    std::shared_ptr<Tree> start(std::string_view name) {
        auto tree = std::make_shared<Tree>(name, source_);
        tree->variables.push_back("$");
        return tree;
    }

    template <class T> T* room_for(std::size_t count) {
        return static_cast<T*>(source_->room(count * sizeof(T), alignof(T)));
    }

    template <class N, class... Args> N* make(Args&&... args) {
        static_assert(std::is_trivially_destructible_v<N>);
        return ::new (room_for<N>(1)) N(std::forward<Args>(args)...);
    }
    ListNode* list_at(std::size_t pos) { return make<ListNode>(pos); }

    /// What was collected since `mark`, now a list of its own.
    std::span<Node const* const> taken(std::size_t mark) {
        auto const count = pending_.size() - mark;
        if (count == 0) return {};
        auto* const made = room_for<Node const*>(count);
        std::copy_n(pending_.begin() + static_cast<std::ptrdiff_t>(mark), count, made);
        pending_.resize(mark);
        return {made, count};
    }

    /// A text that lives as long as the trees.
    std::string_view kept(std::string_view text) {
        auto* const made = room_for<char>(text.size());
        std::copy_n(text.data(), text.size(), made);
        return {made, text.size()};
    }

    /// The words of "a.b.c".
    Words words_of(std::string_view text) {
        auto const count = static_cast<std::size_t>(std::count(text.begin(), text.end(), '.')) + 1;
        auto* const made = room_for<std::string_view>(count);
        for (std::size_t i = 0; i < count; ++i) {
            auto const dot = text.find('.');
            ::new (made + i) std::string_view{text.substr(0, dot)};
            text.remove_prefix(std::min(text.size(), dot == text.npos ? dot : dot + 1));
        }
        return {made, count};
    }

    // ---- tokens
    // What these return is gone with the next token: whoever keeps it copies it.
    Item const& next() {
        if (peek_count_ > 0) --peek_count_;
        else token_[0] = lexer_.next();
        return token_[peek_count_];
    }
    void backup() { ++peek_count_; }
    void backup2(Item const& t1) {
        token_[1] = t1;
        peek_count_ = 2;
    }
    void backup3(Item const& t2, Item const& t1) {
        token_[1] = t1;
        token_[2] = t2;
        peek_count_ = 3;
    }
    Item const& peek() {
        if (peek_count_ > 0) return token_[peek_count_ - 1];
        peek_count_ = 1;
        token_[0] = lexer_.next();
        return token_[0];
    }
    Item const& next_non_space() {
        for (;;) {
            auto const& token = next();
            if (token.type != Token::space) return token;
        }
    }
    Item const& peek_non_space() {
        auto const& token = next_non_space();
        backup();
        return token;
    }

    [[noreturn]] void fail(std::string const& message, Errc code = Errc::invalid_input) {
        throw ParseFailure{
            {code, "template: " + source_->name + ":" + std::to_string(token_[0].line) + ": " + message}};
    }
    [[noreturn]] void unexpected(Item const& token, std::string_view context) {
        if (token.type == Token::error) {
            std::string extra;
            if (action_line_ != 0 && action_line_ != token.line) {
                extra = " in action started at " + source_->name + ":" + std::to_string(action_line_);
                if (token.text.ends_with(" action")) extra.erase(0, std::string_view{" in action"}.size());
            }
            fail(to_string(token) + extra);
        }
        fail("unexpected " + to_string(token) + " in " + std::string{context});
    }
    Item expect(Token type, std::string_view context) {
        auto const token = next_non_space();
        if (token.type != type) unexpected(token, context);
        return token;
    }
    std::string_view unquoted(std::string_view text) {
        // Without escapes (and, in raw strings, carriage returns) it is the text between the quotes.
        if (text.find(text.front() == '`' ? '\r' : '\\') == text.npos) return text.substr(1, text.size() - 2);
        auto value = unquote(text);
        if (!value) fail(value.error().message);
        return kept(*value);
    }

    void add(std::shared_ptr<Tree> tree) {
        auto const found = trees_.find(tree->name);
        if (found == trees_.end()) {
            trees_.emplace(tree->name, std::move(tree));
        } else if (is_empty(*found->second->root)) {
            found->second = std::move(tree);
        } else if (!is_empty(*tree->root)) {
            fail("template: multiple definition of template " + quote(tree->name));
        }
    }

    // ---- grammar
    void parse_definition() {
        auto constexpr context = "define clause";
        auto tree = start("definition");
        Scope const scope{*this, tree.get()};
        auto const name = next_non_space();
        if (name.type != Token::string && name.type != Token::raw_string) unexpected(name, context);
        tree->name = unquoted(name.text);
        expect(Token::right_delim, context);
        auto const [list, end] = item_list();
        tree->root = list;
        if (end->type != NodeType::end) fail("unexpected " + to_string(*end) + " in " + context);
        add(std::move(tree));
    }

    std::pair<ListNode*, Node const*> item_list() {
        auto* list = list_at(peek_non_space().pos);
        auto const mark = pending_.size();
        while (peek_non_space().type != Token::eof) {
            auto const* node = text_or_action();
            if (node->type == NodeType::end || node->type == NodeType::else_) {
                list->nodes = taken(mark);
                return {list, node};
            }
            pending_.push_back(node);
        }
        fail("unexpected EOF");
    }

    Node const* text_or_action() {
        auto const token = next_non_space();
        if (token.type == Token::text) return make<TextNode>(token.pos, token.text);
        if (token.type == Token::left_delim) {
            action_line_ = token.line;
            auto const* node = action();
            action_line_ = 0;
            return node;
        }
        unexpected(token, "input");
    }

    Node const* action() {
        auto const token = next_non_space();
        switch (token.type) {
            case Token::block: return block_control();
            case Token::break_: return jump(token, NodeType::break_, "{{break}}");
            case Token::continue_: return jump(token, NodeType::continue_, "{{continue}}");
            case Token::else_: return else_control();
            case Token::end: return make<Node>(NodeType::end, expect(Token::right_delim, "end").pos);
            case Token::if_: return control(NodeType::if_, "if");
            case Token::range: return control(NodeType::range, "range");
            case Token::template_: return template_control();
            case Token::with: return control(NodeType::with, "with");
            default: break;
        }
        backup();
        auto const pos = peek().pos;
        return make<ActionNode>(pos, pipeline("command", Token::right_delim));
    }

    Node const* jump(Item const& at, NodeType type, std::string const& text) {
        auto const token = next_non_space();
        if (token.type != Token::right_delim) unexpected(token, text);
        if (range_depth_ == 0) fail(text + " outside {{range}}");
        return make<Node>(type, at.pos);
    }

    VariableNode* variable(std::size_t pos, std::string_view text) {
        auto const words = words_of(text);
        std::uint32_t id = 0;
        while (id < tree_->variables.size() && tree_->variables[id] != words[0]) ++id;
        if (id == tree_->variables.size()) tree_->variables.push_back(words[0]);
        return make<VariableNode>(pos, words, id);
    }

    PipeNode* pipeline(std::string_view context, Token end) {
        auto* pipe = make<PipeNode>(peek_non_space().pos);
        auto const mark = pending_.size();
        parse_declarations(pipe, context);
        pipe->declared = taken(mark);
        for (;;) {
            auto const token = next_non_space();
            if (token.type == end) {
                pipe->commands = taken(mark);
                check_pipeline(*pipe, context);
                return pipe;
            }
            switch (token.type) {
                case Token::boolean:
                case Token::char_constant:
                case Token::complex:
                case Token::dot:
                case Token::field:
                case Token::identifier:
                case Token::number:
                case Token::nil:
                case Token::raw_string:
                case Token::string:
                case Token::variable:
                case Token::left_paren:
                    backup();
                    pending_.push_back(command());
                    break;
                default: unexpected(token, context);
            }
        }
    }

    void parse_declarations(PipeNode* pipe, std::string_view context) {
        for (int count = 0;;) {
            auto const v = peek_non_space();
            if (v.type != Token::variable) return;
            next();
            // A space after the variable may matter: "$x .y" is a call, "$x.y" a field.
            auto const after = peek();
            auto const following = peek_non_space();
            auto const declare = [&] {
                next_non_space();
                pending_.push_back(variable(v.pos, v.text));
                vars_.push_back(v.text);
                ++count;
            };
            if (following.type == Token::assign || following.type == Token::declare) {
                pipe->is_assign = following.type == Token::assign;
                declare();
            } else if (following.type == Token::character && following.text == ",") {
                declare();
                if (context == "range" && count < 2) {
                    auto const type = peek_non_space().type;
                    if (type == Token::variable || type == Token::right_delim || type == Token::right_paren) continue;
                    fail("range can only initialize variables");
                }
                fail("too many declarations in " + std::string{context});
            } else if (after.type == Token::space) {
                backup3(v, after);
            } else {
                backup2(v);
            }
            return;
        }
    }

    void check_pipeline(PipeNode const& pipe, std::string_view context) {
        if (pipe.commands.empty()) fail("missing value for " + std::string{context});
        for (std::size_t i = 1; i < pipe.commands.size(); ++i) {
            auto const type = static_cast<CommandNode const&>(*pipe.commands[i]).args[0]->type;
            if (type == NodeType::boolean || type == NodeType::dot || type == NodeType::nil ||
                type == NodeType::number || type == NodeType::string)
                fail("non executable command in pipeline stage " + std::to_string(i + 1));
        }
    }

    Node const* control(NodeType type, std::string_view context) {
        if (++control_depth_ > kControlDepthMax) fail("max control nesting exceeded", Errc::limit);
        auto const variables = vars_.size();
        auto const* pipe = pipeline(context, Token::right_delim);
        if (type == NodeType::range) ++range_depth_;
        auto [list, following] = item_list();
        if (type == NodeType::range) --range_depth_;
        ListNode* else_list = nullptr;
        if (following->type == NodeType::else_) {
            if ((type == NodeType::if_ && peek().type == Token::if_) ||
                (type == NodeType::with && peek().type == Token::with)) {
                next();
                else_list = list_at(following->pos);
                auto const mark = pending_.size();
                pending_.push_back(control(type, context));
                else_list->nodes = taken(mark);
            } else {
                Node const* end = nullptr;
                std::tie(else_list, end) = item_list();
                if (end->type != NodeType::end) fail("expected end; found " + to_string(*end));
            }
        }
        vars_.resize(variables);
        --control_depth_;
        return make<BranchNode>(type, pipe, list, else_list);
    }

    Node const* else_control() {
        auto const ahead = peek_non_space();
        if (ahead.type == Token::if_ || ahead.type == Token::with) return make<Node>(NodeType::else_, ahead.pos);
        return make<Node>(NodeType::else_, expect(Token::right_delim, "else").pos);
    }

    std::string_view template_name(Item const& token, std::string_view context) {
        if (token.type != Token::string && token.type != Token::raw_string) unexpected(token, context);
        return unquoted(token.text);
    }

    Node const* block_control() {
        auto constexpr context = "block clause";
        if (++control_depth_ > kControlDepthMax) fail("max control nesting exceeded", Errc::limit);
        auto const token = next_non_space();
        auto const name = template_name(token, context);
        auto const* pipe = pipeline(context, Token::right_delim);
        {
            auto tree = start(name);
            Scope const scope{*this, tree.get()};
            auto const [list, end] = item_list();
            tree->root = list;
            if (end->type != NodeType::end) fail("unexpected " + to_string(*end) + " in " + context);
            add(std::move(tree));
        }
        --control_depth_;
        return make<TemplateNode>(token.pos, name, pipe);
    }

    Node const* template_control() {
        auto constexpr context = "template clause";
        auto const token = next_non_space();
        auto const name = template_name(token, context);
        PipeNode const* pipe = nullptr;
        if (next_non_space().type != Token::right_delim) {
            backup();
            pipe = pipeline(context, Token::right_delim);
        }
        return make<TemplateNode>(token.pos, name, pipe);
    }

    CommandNode const* command() {
        auto* command = make<CommandNode>(peek_non_space().pos);
        auto const mark = pending_.size();
        for (;;) {
            peek_non_space();
            if (auto const* operand = parse_operand(); operand != nullptr) pending_.push_back(operand);
            auto const token = next();
            if (token.type == Token::space) continue;
            if (token.type == Token::right_delim || token.type == Token::right_paren) backup();
            else if (token.type != Token::pipe) unexpected(token, "operand");
            break;
        }
        command->args = taken(mark);
        if (command->args.empty()) fail("empty command");
        return command;
    }

    Node const* parse_operand() {
        auto const* node = term();
        if (node == nullptr || peek().type != Token::field) return node;
        auto const pos = peek().pos;
        std::vector<std::string_view> fields;
        while (peek().type == Token::field) fields.push_back(next().text.substr(1));
        auto* const words = room_for<std::string_view>(fields.size());
        std::uninitialized_copy(fields.begin(), fields.end(), words);
        auto* const chain = make<ChainNode>(pos, node, Words{words, fields.size()});
        switch (node->type) {
            case NodeType::field: return field(chain->pos, kept(to_string(*chain)));
            case NodeType::variable: return variable(chain->pos, kept(to_string(*chain)));
            case NodeType::boolean:
            case NodeType::string:
            case NodeType::number:
            case NodeType::nil:
            case NodeType::dot: fail("unexpected . after term " + quote(to_string(*node)));
            default: return chain;
        }
    }

    FieldNode* field(std::size_t pos, std::string_view text) { return make<FieldNode>(pos, words_of(text.substr(1))); }

    Node const* term() {
        auto const token = next_non_space();
        switch (token.type) {
            case Token::identifier: {
                auto const* function = funcs_.find(token.text);
                auto const builtin = function == nullptr;
                if (builtin) function = find_builtin(token.text);
                if (function == nullptr) fail("function " + quote(token.text) + " not defined");
                return make<IdentifierNode>(token.pos, token.text, function, builtin);
            }
            case Token::dot: return make<Node>(NodeType::dot, token.pos);
            case Token::nil: return make<Node>(NodeType::nil, token.pos);
            case Token::variable: return use_variable(token);
            case Token::field: return field(token.pos, token.text);
            case Token::boolean: return make<BoolNode>(token.pos, token.text == "true");
            case Token::char_constant:
            case Token::complex:
            case Token::number: return number(token);
            case Token::left_paren: {
                if (paren_depth_ >= kParenDepthMax) fail("max expression depth exceeded");
                ++paren_depth_;
                auto const* pipe = pipeline("parenthesized pipeline", Token::right_paren);
                --paren_depth_;
                return pipe;
            }
            case Token::string:
            case Token::raw_string: return make<StringNode>(token.pos, token.text, unquoted(token.text));
            default: break;
        }
        backup();
        return nullptr;
    }

    Node const* use_variable(Item const& token) {
        auto const* node = variable(token.pos, token.text);
        for (auto const name : vars_)
            if (name == node->ident[0]) return node;
        fail("undefined variable " + quote(node->ident[0]));
    }

    Node const* number(Item const& token) {
        auto* node = make<NumberNode>(token.pos, token.text);
        if (token.type == Token::char_constant) {
            auto const rune = unquote(token.text);
            if (!rune) {
                // strconv.UnquoteChar stops after one character; what is left over is another message.
                auto const escaped = token.text.size() > 3 && token.text[1] != '\\';
                fail(escaped ? "malformed character constant: " + std::string{node->text} : "invalid syntax");
            }
            node->integer = static_cast<std::int64_t>(decode_rune(*rune).value);
            node->unsigned_integer = static_cast<std::uint64_t>(node->integer);
            node->floating = static_cast<double>(node->integer);
            node->is_int = node->is_uint = node->is_float = true;
            return node;
        }
        if (token.type == Token::complex || (!node->text.empty() && node->text.back() == 'i' &&
                                             parse_float(node->text.substr(0, node->text.size() - 1)))) {
            // Complex numbers are parsed and then refused wherever they are used.
            node->is_complex = true;
            return node;
        }
        read_real(*node);
        return node;
    }

    void read_real(NumberNode& node) {
        auto const u = parse_uint(node.text, 0);
        if (u) {
            node.is_uint = true;
            node.unsigned_integer = *u;
        }
        auto const i = parse_int(node.text, 0);
        if (i) {
            node.is_int = true;
            node.integer = *i;
            if (*i == 0) node.is_uint = true;
        }
        if (node.is_int || node.is_uint) {
            node.is_float = true;
            node.floating =
                node.is_int ? static_cast<double>(node.integer) : static_cast<double>(node.unsigned_integer);
            return;
        }
        auto const f = parse_float(node.text);
        if (!f) fail("illegal number syntax: " + quote(node.text));
        if (node.text.find_first_of(".eEpP") == std::string::npos) fail("integer overflow: " + quote(node.text));
        node.is_float = true;
        node.floating = *f;
        if (std::trunc(*f) == *f && std::fabs(*f) < 9.2e18) {
            node.is_int = true;
            node.integer = static_cast<std::int64_t>(*f);
        }
        if (std::trunc(*f) == *f && *f >= 0 && *f < 1.8e19) {
            node.is_uint = true;
            node.unsigned_integer = static_cast<std::uint64_t>(*f);
        }
    }

    std::shared_ptr<Source> source_;
    FuncMap const& funcs_;
    Lexer lexer_;
    Item token_[3];
    int peek_count_ = 0;
    Trees trees_;
    Tree* tree_ = nullptr;
    std::vector<std::string_view> vars_;
    std::vector<Node const*> pending_;  // children of the nodes being parsed, innermost last
    std::size_t action_line_ = 0;
    int range_depth_ = 0, paren_depth_ = 0, control_depth_ = 0;
};

}  // namespace

Result<Trees> parse_template(std::string_view name, std::string_view text, TextLife life, FuncMap const& funcs) {
    try {
        return Parser{name, text, life, funcs}.run();
    } catch (ParseFailure& failure) {
        return std::unexpected{std::move(failure.error)};
    }
}

}  // namespace holdfast::gotemplate
