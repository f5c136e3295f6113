// modules/text/gotemplate/exec.cpp: walks a tree over data (text/template/exec.go), with budgets Go does not have.
#include "modules/base/machine_stack.hpp"
#include "modules/text/gotemplate/builtins.hpp"
#include "modules/text/gotemplate/fmt.hpp"
#include "modules/text/gotemplate/node.hpp"
#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/gotemplate/template.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace holdfast::gotemplate {

namespace {

// Leaves the walk; Executor::execute turns it into error().
struct ExecFailure {
    Error error;
    std::vector<std::size_t> chain;  // lengths of the messages of the chain, all of them tails of error.message
};

// A step stands for 0.2 microseconds; the slowest functions need some ten nanoseconds for a byte.
constexpr std::uint64_t kBytesPerStep = 16;

constexpr std::uint64_t kCopiedBytesPerStep = 512;
constexpr std::size_t kVariablesPerStep = 128;  // looked at in search of one

enum class Flow { normal, break_, continue_ };

bool can_be_nil(Type const& type) {
    return type.is_interface || type.kind == Kind::map || type.kind == Kind::slice || type.kind == Kind::pointer;
}

bool has_fraction_marks(std::string_view text) { return text.find_first_of(".eEpP") != std::string_view::npos; }
bool is_hex_int(std::string_view text) {
    return text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X') &&
           text.find_first_of("pP") == std::string_view::npos;
}

}  // namespace

class Run {
public:
    Run(Executor& executor, Tree const& tree, Value const& dot, std::string& out)
        : executor_(executor), tree_(&tree), out_(out) {
        variables_.reserve(8);
        variables_.emplace_back(0, dot);
    }

    Flow walk(Value const& dot, Node const& node) {
        at_ = &node;
        charge();
        switch (node.type) {
            case NodeType::text: write(static_cast<TextNode const&>(node).text); break;
            case NodeType::action: {
                auto const& pipe = *static_cast<ActionNode const&>(node).pipe;
                auto const value = eval_pipeline(dot, &pipe);
                if (pipe.declared.empty()) print_value(node, value);
                break;
            }
            case NodeType::break_: return Flow::break_;
            case NodeType::continue_: return Flow::continue_;
            case NodeType::if_:
            case NodeType::with: return walk_if_or_with(dot, static_cast<BranchNode const&>(node));
            case NodeType::range: return walk_range(dot, static_cast<BranchNode const&>(node));
            case NodeType::list: return walk_list(dot, static_cast<ListNode const&>(node));
            case NodeType::template_: walk_template(dot, static_cast<TemplateNode const&>(node)); break;
            default: fail("unknown node: " + to_string(node));
        }
        return Flow::normal;
    }

private:
    // ---- errors and budgets
    [[noreturn]] void fail(std::string const& message, Errc code = Errc::invalid_input,
                           std::vector<std::size_t> cause = {}) {
        auto const before = std::string_view{tree_->source->text}.substr(0, at_->pos);
        auto const newline = before.rfind('\n');
        auto const column = newline == std::string_view::npos ? before.size() : before.size() - newline - 1;
        auto const line = 1 + std::count(before.begin(), before.end(), '\n');
        auto text = "template: " + tree_->source->name + ":" + std::to_string(line) + ":" + std::to_string(column) +
                    ": executing " + quote(tree_->name) + " at <" + to_string(*at_) + ">: " + message;
        // A long text that fails at the bottom of a thousand includes is copied by each of them.
        if (!executor_.charge(text.size() / kCopiedBytesPerStep) && code != Errc::limit) {
            text = "step budget of " + std::to_string(executor_.budget_.steps_max) + " used up";
            code = Errc::limit;
            cause.clear();
        }
        // Each level of the chain is the tail of the one before: lengths are enough, and a thousand includes stay cheap.
        cause.insert(cause.begin(), text.size());
        cause.erase(std::unique(cause.begin(), cause.end()), cause.end());
        throw ExecFailure{Error{code, std::move(text)}, std::move(cause)};
    }

    void charge(std::uint64_t steps = 1) {
        if (!executor_.charge(steps))
            fail("step budget of " + std::to_string(executor_.budget_.steps_max) + " used up", Errc::limit);
        auto const used = executor_.stack_top_ - machine_stack();
        if (used > static_cast<std::ptrdiff_t>(executor_.budget_.stack_bytes_max) ||
            -used > static_cast<std::ptrdiff_t>(executor_.budget_.stack_bytes_max))
            fail("exceeded maximum template depth (" + std::to_string(executor_.budget_.template_depth_max) + ")",
                 Errc::limit);
    }

    void write(std::string_view text) {
        if (text.size() >= kCopiedBytesPerStep) charge(text.size() / kCopiedBytesPerStep);
        if (out_.size() + text.size() > executor_.budget_.output_bytes_max)
            fail("output of more than " + std::to_string(executor_.budget_.output_bytes_max) + " bytes", Errc::limit);
        out_ += text;
    }

    // ---- variables
    struct Mark {
        Run& run;
        std::size_t size;
        explicit Mark(Run& r) : run(r), size(r.variables_.size()) {}
        ~Mark() { run.variables_.resize(size); }
    };
    void set_variable(VariableNode const& node, Value const& value) { variables_[slot_of(node)].second = value; }
    static VariableNode const& variable_node(Node const* node) { return static_cast<VariableNode const&>(*node); }
    Value const& variable(VariableNode const& node) { return variables_[slot_of(node)].second; }
    // From the newest back, as Go: few templates have more than a handful. Those that do pay for the way.
    std::size_t slot_of(VariableNode const& node) {
        for (auto i = variables_.size(); i-- > 0;) {
            if (variables_[i].first != node.id) continue;
            if (auto const passed = variables_.size() - i; passed >= kVariablesPerStep)
                charge(passed / kVariablesPerStep);
            return i;
        }
        fail("undefined variable: " + std::string{node.ident[0]});
    }

    // ---- control
    Flow walk_list(Value const& dot, ListNode const& list) {
        for (auto const* node : list.nodes) {
            auto const flow = walk(dot, *node);
            if (flow != Flow::normal) return flow;
        }
        return Flow::normal;
    }

    Flow walk_if_or_with(Value const& dot, BranchNode const& node) {
        Mark const mark{*this};
        auto const value = eval_pipeline(dot, node.pipe);
        if (is_true(value)) return walk(node.type == NodeType::with ? value : dot, *node.list);
        if (node.else_list != nullptr) return walk(dot, *node.else_list);
        return Flow::normal;
    }

    // One turn; true: the loop ends.
    bool turn(BranchNode const& node, std::size_t mark, Value const& index, Value const& element, Flow& outer) {
        auto const& declared = node.pipe->declared;
        if (node.pipe->is_assign) {
            if (declared.size() > 1) {
                set_variable(variable_node(declared[0]), index);
                set_variable(variable_node(declared[1]), element);
            } else if (!declared.empty()) {
                set_variable(variable_node(declared[0]), element);
            }
        } else if (!declared.empty()) {
            variables_[variables_.size() - 1].second = element;
            if (declared.size() > 1) variables_[variables_.size() - 2].second = index;
        }
        outer = walk(element, *node.list);
        variables_.resize(mark);
        return outer == Flow::break_;
    }

    Flow walk_range(Value const& dot, BranchNode const& node) {
        at_ = &node;
        Mark const restore{*this};
        auto const value = eval_pipeline(dot, node.pipe);
        auto const mark = variables_.size();
        Flow flow = Flow::normal;
        switch (value.kind()) {
            case Kind::integer:
            case Kind::unsigned_integer: {
                if (node.pipe->declared.size() > 1)
                    fail("can't use " + to_text(value) + " to iterate over more than one variable");
                auto const count = value.as_int();
                if (count <= 0) break;
                for (std::int64_t i = 0; i < count; ++i) {
                    auto const element = value.kind() == Kind::integer
                                             ? Value::integer(i, value.type())
                                             : Value::unsigned_integer(static_cast<std::uint64_t>(i), value.type());
                    if (turn(node, mark, Value{}, element, flow)) break;
                }
                return Flow::normal;
            }
            case Kind::slice: {
                auto const count = value.size();
                if (count == 0) break;
                for (std::size_t i = 0; i < count; ++i)
                    if (turn(node, mark, Value::integer(static_cast<std::int64_t>(i)), value.at(i), flow)) break;
                return Flow::normal;
            }
            case Kind::map: {
                if (value.size() == 0) break;
                // A copy: the body may change the map, and Go walks what was there at the start.
                auto const entries = value.entries();
                charge(entries.size() / 2);
                std::vector<std::pair<Value, Value>> const held{entries.begin(), entries.end()};
                auto const boxed = value.type().elem->is_interface;
                for (auto const& [key, element] : held)
                    if (turn(node, mark, key, boxed ? element.boxed() : element, flow)) break;
                return Flow::normal;
            }
            case Kind::invalid: break;
            case Kind::pointer:
                if (value.is_nil()) break;
                [[fallthrough]];
            default: fail("range can't iterate over " + to_text(value));
        }
        if (node.else_list != nullptr) return walk(dot, *node.else_list);
        return Flow::normal;
    }

    void walk_template(Value const& dot, TemplateNode const& node) {
        auto const* tree = executor_.set_->find(node.name);
        if (tree == nullptr) fail("template " + quote(node.name) + " not defined");
        if (depth_ == executor_.budget_.template_depth_max)
            fail("exceeded maximum template depth (" + std::to_string(executor_.budget_.template_depth_max) + ")",
                 Errc::limit);
        auto const argument = eval_pipeline(dot, node.pipe);
        Run inner{executor_, *tree, argument, out_};
        inner.depth_ = depth_ + 1;
        inner.walk(argument, *tree->root);
    }

    // ---- pipelines and commands
    Value eval_pipeline(Value const& dot, PipeNode const* pipe) {
        if (pipe == nullptr) return {};
        at_ = pipe;
        Value value;
        bool first = true;
        for (auto const* command : pipe->commands) {
            value = eval_command(dot, static_cast<CommandNode const&>(*command), first ? nullptr : &value).unboxed();
            first = false;
        }
        for (auto const* declared : pipe->declared) {
            auto const& node = variable_node(declared);
            if (pipe->is_assign) set_variable(node, value);
            else variables_.emplace_back(node.id, value);
        }
        return value;
    }

    using Args = std::span<Node const* const>;

    void not_a_function(Args args, Value const* final) {
        if (args.size() > 1 || final != nullptr) fail("can't give argument to non-function " + to_string(*args[0]));
    }

    Value eval_command(Value const& dot, CommandNode const& command, Value const* final) {
        charge();
        Args const args{command.args};
        auto const& first = *args[0];
        switch (first.type) {
            case NodeType::field: return eval_field_node(dot, static_cast<FieldNode const&>(first), args, final);
            case NodeType::chain: return eval_chain_node(dot, static_cast<ChainNode const&>(first), args, final);
            case NodeType::identifier: {
                auto const& node = static_cast<IdentifierNode const&>(first);
                at_ = &node;
                return eval_call(dot, *node.function, node.builtin, command, node.name, args, final, Value{});
            }
            case NodeType::pipe:
                not_a_function(args, final);
                return eval_pipeline(dot, &static_cast<PipeNode const&>(first));
            case NodeType::variable:
                return eval_variable_node(dot, static_cast<VariableNode const&>(first), args, final);
            default: break;
        }
        at_ = &first;
        not_a_function(args, final);
        switch (first.type) {
            case NodeType::boolean: return Value::boolean(static_cast<BoolNode const&>(first).value);
            case NodeType::dot: return dot;
            case NodeType::nil: fail("nil is not a command");
            case NodeType::number: return ideal_constant(static_cast<NumberNode const&>(first));
            case NodeType::string: return tree_->source->value_of(static_cast<StringNode const&>(first));
            default: fail("can't evaluate command " + quote(to_string(first)));
        }
    }

    Value ideal_constant(NumberNode const& node) {
        at_ = &node;
        if (node.is_complex) fail("complex constants are not supported");
        auto const rune = !node.text.empty() && node.text[0] == '\'';
        if (node.is_float && !is_hex_int(node.text) && !rune && has_fraction_marks(node.text))
            return Value::floating(node.floating);
        if (node.is_int) return Value::integer(node.integer);
        fail(std::string{node.text} + " overflows int");
    }

    Value eval_field_node(Value const& dot, FieldNode const& node, Args args, Value const* final) {
        at_ = &node;
        return eval_field_chain(dot, dot, node, node.ident, args, final);
    }

    Value eval_chain_node(Value const& dot, ChainNode const& node, Args args, Value const* final) {
        at_ = &node;
        if (node.node->type == NodeType::nil) fail("indirection through explicit nil in " + to_string(node));
        auto const receiver = eval_arg(dot, nullptr, *node.node);
        return eval_field_chain(dot, receiver, node, node.field, args, final);
    }

    Value eval_variable_node(Value const& dot, VariableNode const& node, Args args, Value const* final) {
        at_ = &node;
        auto const& value = variable(node);
        if (node.ident.size() == 1) {
            not_a_function_if_any(node, args, final);
            return value;
        }
        auto const held = value;
        return eval_field_chain(dot, held, node, node.ident.subspan(1), args, final);
    }
    void not_a_function_if_any(Node const& node, Args args, Value const* final) {
        if (args.size() > 1 || final != nullptr)
            fail("can't give argument to non-function " + to_string(args.empty() ? node : *args[0]));
    }

    Value eval_field_chain(Value const& dot, Value const& receiver, Node const& node, Words ident, Args args,
                           Value const* final) {
        // Plain maps all the way, the usual case: follow pointers, copy only the last value.
        auto const has_args = args.size() > 1 || final != nullptr;
        Value const* current = &receiver;
        bool boxed = receiver.in_interface();
        std::size_t i = 0;
        for (; i < ident.size() && current->is_map() && !(has_args && i + 1 == ident.size()); ++i) {
            auto const& type = current->type();
            if (type.method != nullptr) break;
            auto const* found = current->find(ident[i]);
            if (found == nullptr) break;
            boxed = type.elem->is_interface;
            current = found;
        }
        auto value = boxed ? current->boxed() : *current;
        for (; i < ident.size(); ++i) {
            auto const last = i + 1 == ident.size();
            value = eval_field(dot, ident[i], node, last ? args : Args{}, last ? final : nullptr, value);
        }
        return value;
    }

    Value eval_field(Value const& dot, std::string_view name, Node const& node, Args args, Value const* final,
                     Value const& receiver) {
        if (!receiver.is_valid()) {
            if (executor_.missing_key_ == MissingKey::error) fail("nil data; no entry for key " + quote(name));
            return {};
        }
        auto const& type = receiver.static_type();
        if (receiver.kind() == Kind::invalid)
            fail("nil pointer evaluating " + std::string{type.name} + "." + std::string{name});
        bool const has_methods = !receiver.type().pointer_methods || receiver.addressable();
        if (auto const find = receiver.type().method; find != nullptr && has_methods)
            if (auto const* method = find(name); method != nullptr)
                return eval_call(dot, *method, false, node, name, args, final, receiver);
        auto const has_args = args.size() > 1 || final != nullptr;
        if (receiver.is_map()) {
            if (has_args) fail(std::string{name} + " is not a method but has arguments");
            auto found = receiver.lookup(name);
            if (found.is_valid()) return found;
            if (executor_.missing_key_ == MissingKey::error) fail("map has no entry for key " + quote(name));
            if (executor_.missing_key_ == MissingKey::zero) return Value::zero(*receiver.type().elem);
            return {};
        }
        if (receiver.kind() == Kind::pointer && receiver.is_nil())
            fail("nil pointer evaluating " + std::string{type.name} + "." + std::string{name});
        if (receiver.kind() == Kind::structure || receiver.kind() == Kind::pointer) {
            if (auto field = receiver.as_object()->field(name)) {
                if (has_args) fail(std::string{name} + " has arguments but cannot be invoked as function");
                return *std::move(field);
            }
        }
        fail("can't evaluate field " + std::string{name} + " in type " + std::string{type.name});
    }

    // ---- calls
    Value eval_call(Value const& dot, Function const& function, bool builtin, Node const& node, std::string_view name,
                    Args args, Value const* final, Value const& receiver) {
        if (!args.empty()) args = args.subspan(1);
        auto const count = args.size() + (final != nullptr ? 1 : 0);
        auto const& params = function.params;
        auto fixed = args.size();
        if (function.variadic) {
            fixed = params.size() - 1;
            if (count < fixed)
                fail("wrong number of args for " + std::string{name} + ": want at least " + std::to_string(fixed) +
                     " got " + std::to_string(args.size()));
        } else if (count != params.size()) {
            fail("wrong number of args for " + std::string{name} + ": want " + std::to_string(params.size()) + " got " +
                 std::to_string(count));
        }
        if (!function.refusal.empty()) fail(std::string{function.refusal});
        if (builtin && (name == "and" || name == "or")) return eval_and_or(dot, name == "or", args, final);

        std::array<Value, 6> few;
        std::vector<Value> many;
        if (count > few.size()) many.resize(count);
        std::span<Value> const values{count > few.size() ? many.data() : few.data(), count};
        std::size_t i = 0;
        for (; i < args.size(); ++i) values[i] = eval_arg(dot, params[std::min(i, params.size() - 1)], *args[i]);
        if (final != nullptr)
            values[i] =
                validate_type(*final, params[std::min(function.variadic ? i : params.size() - 1, params.size() - 1)]);
        if (builtin && name == "call") return refuse_call(values, args, node);

        // Whatever a function does to a long text, it reads it.
        std::uint64_t bytes = 0;
        for (auto const& value : values) bytes += value.is_string() || value.is_bytes() ? value.size() : 0;
        if (bytes >= kBytesPerStep) charge(bytes / kBytesPerStep);

        Call call{executor_, function, values, receiver};
        auto result = function.implementation(call);
        if (!result) {
            at_ = &node;
            auto cause = std::exchange(executor_.cause_, {});
            if (cause.empty() || cause.front() != result.error().message.size())
                cause = {result.error().message.size()};
            fail("error calling " + std::string{name} + ": " + result.error().message, result.error().code,
                 std::move(cause));
        }
        if (function.result->is_reflect_value) return *std::move(result);
        return function.result->is_interface ? std::move(*result).boxed() : std::move(*result).unboxed();
    }

    Value eval_and_or(Value const& dot, bool stop_at, Args args, Value const* final) {
        Value value;
        for (auto const* arg : args) {
            value = eval_arg(dot, &types::reflect_value, *arg);
            if (is_true(value) == stop_at) return value;
        }
        if (final != nullptr) value = validate_type(*final, &types::reflect_value);
        return value;
    }

    // Data holds no functions here, so `call` can only fail.
    [[noreturn]] Value refuse_call(std::span<Value> values, Args args, Node const& node) {
        at_ = &node;
        if (values[0].kind() == Kind::invalid)
            fail("error calling call: call of nil", Errc::invalid_input, {std::string_view{"call of nil"}.size()});
        auto const callee = args.empty() ? "<" + std::string{values[0].type().name} + " Value>" : to_string(*args[0]);
        auto const text = "non-function " + callee + " of type " + std::string{values[0].type().name};
        fail("error calling call: " + text, Errc::invalid_input, {text.size()});
    }

    Value validate_type(Value const& value, Type const* type) {
        if (!value.is_valid()) {
            if (type == nullptr || type->is_reflect_value) return {};
            if (can_be_nil(*type)) return Value::zero(*type);
            fail("invalid value; expected " + std::string{type->name});
        }
        if (type == nullptr || type->is_reflect_value) return value;
        if (type->is_interface) return value.addressable() ? value.addressed(false) : value;  // a copy of the struct
        if (value.kind() == Kind::invalid)
            fail("wrong type for value; expected " + std::string{type->name} + "; got interface {}");
        auto const& from = value.type();
        if (!is_assignable(from, *type))
            fail("wrong type for value; expected " + std::string{type->name} + "; got " + std::string{from.name});
        // The function sees its parameter's type, and so does whoever gets the map back from it.
        if (&from != type && value.is_map() && !value.is_nil()) return value.viewed_as(*type);
        return value;
    }

    Value eval_arg(Value const& dot, Type const* type, Node const& node) {
        at_ = &node;
        switch (node.type) {
            case NodeType::dot: return validate_type(dot, type);
            case NodeType::nil:
                if (type->is_reflect_value) return {};
                if (can_be_nil(*type)) return Value::zero(*type);
                fail("cannot assign nil to " + std::string{type->name});
            case NodeType::field:
                return validate_type(eval_field_node(dot, static_cast<FieldNode const&>(node), {}, nullptr), type);
            case NodeType::variable:
                return validate_type(eval_variable_node(dot, static_cast<VariableNode const&>(node), {}, nullptr),
                                     type);
            case NodeType::pipe: return validate_type(eval_pipeline(dot, &static_cast<PipeNode const&>(node)), type);
            case NodeType::identifier: {
                auto const& identifier = static_cast<IdentifierNode const&>(node);
                return validate_type(eval_call(dot, *identifier.function, identifier.builtin, node, identifier.name, {},
                                               nullptr, Value{}),
                                     type);
            }
            case NodeType::chain:
                return validate_type(eval_chain_node(dot, static_cast<ChainNode const&>(node), {}, nullptr), type);
            default: break;
        }
        return eval_constant(type, node);
    }

    Value eval_constant(Type const* type, Node const& node) {
        switch (type->kind) {
            case Kind::boolean:
                if (node.type == NodeType::boolean) return Value::boolean(static_cast<BoolNode const&>(node).value);
                fail("expected bool; found " + to_string(node));
            case Kind::string:
                if (node.type == NodeType::string) return tree_->source->value_of(static_cast<StringNode const&>(node));
                fail("expected string; found " + to_string(node));
            case Kind::integer:
                if (node.type == NodeType::number && static_cast<NumberNode const&>(node).is_int)
                    return Value::integer(static_cast<NumberNode const&>(node).integer, *type);
                fail("expected integer; found " + to_string(node));
            case Kind::unsigned_integer:
                if (node.type == NodeType::number && static_cast<NumberNode const&>(node).is_uint)
                    return Value::unsigned_integer(static_cast<NumberNode const&>(node).unsigned_integer, *type);
                fail("expected unsigned integer; found " + to_string(node));
            case Kind::floating:
                if (node.type == NodeType::number && static_cast<NumberNode const&>(node).is_float)
                    return Value::floating(static_cast<NumberNode const&>(node).floating, *type);
                fail("expected float; found " + to_string(node));
            case Kind::invalid:
                if (node.type == NodeType::boolean) return Value::boolean(static_cast<BoolNode const&>(node).value);
                if (node.type == NodeType::number) return ideal_constant(static_cast<NumberNode const&>(node));
                if (node.type == NodeType::string) return tree_->source->value_of(static_cast<StringNode const&>(node));
                fail("can't handle assignment of " + to_string(node) + " to empty interface argument");
            default: fail("can't handle " + to_string(node) + " for arg of type " + std::string{type->name});
        }
    }

    void print_value(Node const& node, Value const& value) {
        at_ = &node;
        if (value.is_string()) return write(value.as_string());
        if (value.kind() == Kind::invalid) return write("<no value>");
        if (value.kind() == Kind::integer && !value.type().named) return write(std::to_string(value.as_int()));
        if (value.addressable())
            if (auto const text = value.as_object()->pointer_text()) return write(*text);
        std::string text;
        if (!print(text, std::span{&value, 1})) fail("a printed value nests too deep or is too large", Errc::limit);
        if (text.size() >= kBytesPerStep) charge(text.size() / kBytesPerStep);
        // fmt prints &{...} for a pointer; text/template has followed it before.
        auto const skip = value.kind() == Kind::pointer && text.starts_with("&{") ? 1u : 0u;
        write(std::string_view{text}.substr(skip));
    }

    Executor& executor_;
    Tree const* tree_;
    std::string& out_;
    Node const* at_ = nullptr;
    std::vector<std::pair<std::uint32_t, Value>> variables_;
    std::size_t depth_ = 0;
};

Executor::Executor(TemplateSet const& set, MissingKey missing_key, Ports const& ports, Budget const& budget)
    : set_(&set), missing_key_(missing_key), ports_(ports), budget_(budget) {}
Executor::~Executor() = default;

bool Executor::execute(std::string_view name, Value const& dot, std::string& out) {
    auto const* tree = set_->find(name);
    if (tree == nullptr) {
        auto text = "template: no template " + quote(name) + " associated with template " + quote(root_name);
        chain_ = {text.size()};
        error_ = ExecError{Error{Errc::invalid_input, std::move(text)}, {}, {}};
        if (stack_top_ == nullptr) publish_chain();
        return false;
    }
    return execute(*tree, dot, out);
}

bool Executor::execute(Tree const& tree, Value const& dot, std::string& out) {
    auto const outermost = stack_top_ == nullptr;
    if (outermost) stack_top_ = machine_stack();
    bool done = true;
    try {
        auto const value = dot.unboxed();
        Run{*this, tree, value, out}.walk(value, *tree.root);
    } catch (ExecFailure& failure) {
        error_ = ExecError{std::move(failure.error), {}, {}};
        chain_ = std::move(failure.chain);
        done = false;
    }
    if (!outermost) return done;
    stack_top_ = nullptr;
    if (!done) publish_chain();
    return done;
}

void Executor::publish_chain() {
    error_.text = std::make_shared<std::string const>(error_.error.message);
    std::string_view const text = *error_.text;
    for (auto const length : chain_) error_.chain.push_back(text.substr(text.size() - length));
}

std::unexpected<Error> Executor::fail_with_cause(std::string_view prefix) {
    auto message = std::string{prefix} + error_.error.message;
    cause_ = std::move(chain_);
    if (!prefix.empty()) cause_.insert(cause_.begin(), message.size());
    return fail(error_.error.code, std::move(message));
}

}  // namespace holdfast::gotemplate
