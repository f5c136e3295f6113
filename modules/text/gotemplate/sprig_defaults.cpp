// modules/text/gotemplate/sprig_defaults.cpp: sprig's defaults, JSON, reflection and copying.
#include "modules/text/gotemplate/json.hpp"
#include "modules/text/gotemplate/sprig.hpp"
#include "modules/text/gotemplate/sprig_common.hpp"

namespace holdfast::gotemplate {

namespace {

using namespace sprig;

constexpr int kCopyDepthMax = 2'000;

std::string_view type_name(Value const& value) { return value.kind() == Kind::invalid ? "<nil>" : value.type().name; }

Result<Value> copied(Call& call, Value const& value, int depth) {
    if (depth > kCopyDepthMax) return fail(Errc::limit, "a value to copy nests too deep");
    if ((!value.is_map() && !value.is_list()) || value.is_nil() || value.is_bytes()) return value;
    if (auto charged = call.charge_steps(4 + value.size() * 2); !charged) return fail(std::move(charged));
    if (value.is_map()) {
        auto made = Value::map(value.type());
        for (auto const& [key, item] : value.entries()) {
            auto inner = copied(call, item, depth + 1);
            if (!inner) return inner;
            made.set(key, *std::move(inner));
        }
        return made;
    }
    std::vector<Value> items;
    for (auto const& item : value.items()) {
        auto inner = copied(call, item, depth + 1);
        if (!inner) return inner;
        items.push_back(*std::move(inner));
    }
    return Value::list(std::move(items), value.type());
}

Result<Value> deep_copy(Call& call, std::string_view prefix) {
    if (call[0].kind() == Kind::invalid) return bad("reflect: call of reflect.Value.Type on zero Value");
    auto made = copied(call, call[0], 0);
    if (!made && !prefix.empty()) return fail(std::move(made), prefix);
    return made;
}

Result<Value> json(Call& call, JsonStyle const& style, bool must) {
    auto made = to_json(call[0], style);
    if (made) {
        if (auto charged = call.charge_steps(made->size() / 16); !charged) return fail(std::move(charged));
    }
    if (made) return text(call, *made);
    if (made.error().code == Errc::limit || must) return fail(std::move(made));
    return Value::string("");
}

}  // namespace

void add_sprig_defaults(FuncMap& funcs) {
    funcs.add("default", "any, ...any -> any",
              [](Call& call) -> Result<Value> { return call.size() < 2 || is_empty(call[1]) ? call[0] : call[1]; });
    funcs.add("empty", "any -> bool", [](Call& call) -> Result<Value> { return Value::boolean(is_empty(call[0])); });
    funcs.add("coalesce", "...any -> any", [](Call& call) -> Result<Value> {
        for (auto const& arg : call.args())
            if (!is_empty(arg)) return arg;
        return Value::nil();
    });
    funcs.add("all", "...any -> bool", [](Call& call) -> Result<Value> {
        for (auto const& arg : call.args())
            if (is_empty(arg)) return Value::boolean(false);
        return Value::boolean(true);
    });
    funcs.add("any", "...any -> bool", [](Call& call) -> Result<Value> {
        for (auto const& arg : call.args())
            if (!is_empty(arg)) return Value::boolean(true);
        return Value::boolean(false);
    });
    funcs.add("ternary", "any, any, bool -> any",
              [](Call& call) -> Result<Value> { return call[2].as_bool() ? call[0] : call[1]; });
    funcs.add("deepCopy", "any -> any", [](Call& call) { return deep_copy(call, ""); });
    funcs.add("mustDeepCopy", "any -> any", [](Call& call) { return deep_copy(call, ""); });

    funcs.add("fromJson", "string -> any", [](Call& call) -> Result<Value> {
        auto value = from_json(call.text(0));
        return value ? *std::move(value) : Value::nil();
    });
    funcs.add("mustFromJson", "string -> any", [](Call& call) -> Result<Value> { return from_json(call.text(0)); });
    funcs.add("toJson", "any -> string", [](Call& call) { return json(call, {}, false); });
    funcs.add("mustToJson", "any -> string", [](Call& call) { return json(call, {}, true); });
    funcs.add("toPrettyJson", "any -> string", [](Call& call) { return json(call, {.indent = "  "}, false); });
    funcs.add("mustToPrettyJson", "any -> string", [](Call& call) { return json(call, {.indent = "  "}, true); });
    funcs.add("toRawJson", "any -> string", [](Call& call) { return json(call, {.escape_html = false}, true); });
    funcs.add("mustToRawJson", "any -> string", [](Call& call) { return json(call, {.escape_html = false}, true); });

    funcs.add("typeOf", "any -> string", [](Call& call) -> Result<Value> { return Value::string(type_name(call[0])); });
    funcs.add("typeIs", "string, any -> bool",
              [](Call& call) -> Result<Value> { return Value::boolean(call.text(0) == type_name(call[1])); });
    funcs.add("typeIsLike", "string, any -> bool", [](Call& call) -> Result<Value> {
        auto const name = type_name(call[1]);
        return Value::boolean(call.text(0) == name || "*" + std::string{call.text(0)} == name);
    });
    funcs.add("kindOf", "any -> string", [](Call& call) -> Result<Value> { return Value::string(kind_name(call[0])); });
    funcs.add("kindIs", "string, any -> bool",
              [](Call& call) -> Result<Value> { return Value::boolean(call.text(0) == kind_name(call[1])); });
    funcs.add("deepEqual", "any, any -> bool", [](Call& call) -> Result<Value> {
        auto const same = call.equal(call[0], call[1]);
        if (!same) return std::unexpected{same.error()};
        return Value::boolean(*same);
    });
}

}  // namespace holdfast::gotemplate
