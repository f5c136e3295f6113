// modules/text/gotemplate/builtins.cpp: index, slice, len, comparison, printing (text/template/funcs.go).
#include "modules/text/gotemplate/builtins.hpp"

#include "modules/text/gotemplate/escape.hpp"
#include "modules/text/gotemplate/fmt.hpp"
#include "modules/text/gotemplate/node.hpp"
#include "modules/text/gotemplate/template.hpp"

namespace holdfast::gotemplate {

namespace {

std::unexpected<Error> bad(std::string message) { return fail(Errc::invalid_input, std::move(message)); }

// reflect's Kind, coarse as comparison sees it.
enum class Basic { invalid, boolean, integer, floating, string, unsigned_integer };

Basic basic_kind(Value const& value) {
    switch (value.kind()) {
        case Kind::boolean: return Basic::boolean;
        case Kind::integer: return Basic::integer;
        case Kind::unsigned_integer: return Basic::unsigned_integer;
        case Kind::floating: return Basic::floating;
        case Kind::string: return Basic::string;
        default: return Basic::invalid;
    }
}

std::string name_of(Value const& value) { return std::string{value.type().name}; }

// %s of a reflect.Value
std::string text_of(Value const& value) {
    std::string out;
    printf(out, "%s", std::span{&value, 1});
    return out;
}

Result<bool> equal_pair(Call& call, Value const& left, Value const& right) {
    auto const k1 = basic_kind(left), k2 = basic_kind(right);
    if (k1 != k2) {
        if (k1 == Basic::integer && k2 == Basic::unsigned_integer)
            return left.as_int() >= 0 && left.as_uint() == right.as_uint();
        if (k1 == Basic::unsigned_integer && k2 == Basic::integer)
            return right.as_int() >= 0 && left.as_uint() == right.as_uint();
        if (left.kind() != Kind::invalid && right.kind() != Kind::invalid)
            return bad("incompatible types for comparison: " + name_of(left) + " and " + name_of(right));
        return false;
    }
    switch (k1) {
        case Basic::boolean: return left.as_bool() == right.as_bool();
        case Basic::integer:
        case Basic::unsigned_integer: return left.as_int() == right.as_int();
        case Basic::floating: return left.as_float() == right.as_float();
        case Basic::string: return left.as_string() == right.as_string();
        case Basic::invalid: break;
    }
    if (left.kind() != right.kind() && left.kind() != Kind::invalid && right.kind() != Kind::invalid)
        return bad("non-comparable types " + text_of(left) + ": " + name_of(left) + ", " + name_of(right) + ": " +
                   to_text(right));
    if (left.is_nil() || right.is_nil()) return left.is_nil() == right.is_nil();
    if (right.is_map() || right.is_list()) return bad("non-comparable type " + text_of(right) + ": " + name_of(right));
    if (&left.type() != &right.type()) return false;
    return call.equal(left, right);
}

Result<bool> equal(Call& call) {
    if (call.size() < 2) return bad("missing argument for comparison");
    for (std::size_t i = 1; i < call.size(); ++i) {
        auto const same = equal_pair(call, call[0], call[i]);
        if (!same || *same) return same;
    }
    return false;
}

Result<bool> less(Value const& left, Value const& right) {
    auto const k1 = basic_kind(left), k2 = basic_kind(right);
    if (k1 == Basic::invalid || k2 == Basic::invalid) return bad("invalid type for comparison");
    if (k1 != k2) {
        if (k1 == Basic::integer && k2 == Basic::unsigned_integer)
            return left.as_int() < 0 || left.as_uint() < right.as_uint();
        if (k1 == Basic::unsigned_integer && k2 == Basic::integer)
            return right.as_int() >= 0 && left.as_uint() < right.as_uint();
        return bad("incompatible types for comparison: " + name_of(left) + " and " + name_of(right));
    }
    switch (k1) {
        case Basic::floating: return left.as_float() < right.as_float();
        case Basic::integer: return left.as_int() < right.as_int();
        case Basic::unsigned_integer: return left.as_uint() < right.as_uint();
        case Basic::string: return left.as_string() < right.as_string();
        default: return bad("invalid type for comparison");
    }
}

Result<bool> less_or_equal(Call& call, Value const& left, Value const& right) {
    auto smaller = less(left, right);
    if (!smaller || *smaller) return smaller;
    return equal_pair(call, left, right);
}

Result<Value> answer(Result<bool> result, bool negate = false) {
    if (!result) return fail(std::move(result));
    return Value::boolean(*result != negate);
}

// A position into a list or string. `length` itself passes, as in Go; the caller's access then fails.
Result<std::size_t> position(Value const& index, std::size_t length) {
    if (index.kind() == Kind::invalid) return bad("cannot index slice/array with nil");
    if (index.kind() != Kind::integer && index.kind() != Kind::unsigned_integer)
        return bad("cannot index slice/array with type " + name_of(index));
    auto const x = index.as_int();
    if (x < 0 || static_cast<std::uint64_t>(x) > length) return bad("index out of range: " + std::to_string(x));
    return static_cast<std::size_t>(x);
}

Result<Value> index(Call& call) {
    Value item = call[0];
    if (item.kind() == Kind::invalid) return bad("index of untyped nil");
    for (std::size_t i = 1; i < call.size(); ++i) {
        auto const& key = call[i];
        if (item.kind() == Kind::invalid || (item.kind() == Kind::pointer && item.is_nil()))
            return bad("index of nil pointer");
        if (item.is_string() || item.is_list()) {
            auto const x = position(key, item.size());
            if (!x) return std::unexpected{x.error()};
            if (*x == item.size())
                return bad(item.is_string() ? "reflect: string index out of range"
                                            : "reflect: slice index out of range");
            item = item.is_string()
                       ? Value::unsigned_integer(static_cast<unsigned char>(item.as_string()[*x]), types::uint8)
                       : item.at(*x);
        } else if (item.is_map()) {
            if (key.kind() == Kind::invalid) return bad("value is nil; should be of type string");
            if (!key.is_string()) return bad("value has type " + name_of(key) + "; should be string");
            auto found = item.lookup(key.as_string());
            item = found.is_valid() ? std::move(found) : Value::zero(*item.type().elem);
        } else {
            return bad("can't index item of type " + name_of(item));
        }
    }
    return item;
}

Result<Value> slice(Call& call) {
    auto const& item = call[0];
    if (item.kind() == Kind::invalid) return bad("slice of untyped nil");
    auto const indexes = call.size() - 1;
    if (indexes > 3) return bad("too many slice indexes: " + std::to_string(indexes));
    if (item.is_string() && indexes == 3) return bad("cannot 3-index slice a string");
    if (!item.is_string() && !item.is_list()) return bad("can't slice item of type " + name_of(item));
    std::size_t bounds[3] = {0, item.size(), 0};
    for (std::size_t i = 0; i < indexes; ++i) {
        // Go looks into an interface for the item here, but not for an index.
        if (call[i + 1].in_interface()) return bad("cannot index slice/array with type interface {}");
        auto const x = position(call[i + 1], item.size());
        if (!x) return std::unexpected{x.error()};
        bounds[i] = *x;
    }
    auto const refused = [](std::size_t a, std::size_t b) {
        return bad("invalid slice index: " + std::to_string(a) + " > " + std::to_string(b));
    };
    if (bounds[0] > bounds[1]) return refused(bounds[0], bounds[1]);
    if (indexes == 3 && bounds[1] > bounds[2]) return refused(bounds[1], bounds[2]);
    auto const count = bounds[1] - bounds[0];
    if (item.is_string()) return Value::string(item.as_string().substr(bounds[0], count));
    if (item.is_bytes()) return Value::bytes(item.as_string().substr(bounds[0], count));
    if (auto charged = call.charge_steps(count / 4); !charged) return fail(std::move(charged));
    auto const part = item.items().subspan(bounds[0], count);
    return Value::list({part.begin(), part.end()}, item.type());
}

Result<Value> length(Call& call) {
    auto const& item = call[0];
    if (item.kind() == Kind::invalid)
        return bad(item.in_interface() ? "len of nil pointer" : "reflect: call of reflect.Value.Type on zero Value");
    if (item.kind() == Kind::pointer && item.is_nil()) return bad("len of nil pointer");
    if (!item.is_string() && !item.is_list() && !item.is_map()) return bad("len of type " + name_of(item));
    return Value::integer(static_cast<std::int64_t>(item.size()));
}

// evalArgs of Go: one string is taken as it is, everything else goes through Sprint.
std::string joined(Call& call) {
    if (call.size() == 1 && call[0].is_string()) return std::string{call.text(0)};
    for (auto& arg : call.args())
        if (arg.kind() == Kind::invalid) arg = Value::string("<no value>");
    std::string out;
    print(out, call.args());
    return out;
}

Result<Value> text_result(Call& call, std::string const& text) {
    if (auto charged = call.charge_bytes(text.size()); !charged) return fail(std::move(charged));
    return Value::string(text);
}

std::unexpected<Error> too_large() { return fail(Errc::limit, "a printed value nests too deep or is too large"); }

FuncMap make_builtins() {
    FuncMap map;
    // Evaluated in exec.cpp; here for their names and types.
    map.add("and", "value, ...value -> value", {});
    map.add("or", "value, ...value -> value", {});
    map.add("call", "value, ...value -> value", {});
    map.add("index", "value, ...value -> value", index);
    map.add("slice", "value, ...value -> value", slice);
    map.add("len", "value -> int", length);
    map.add("not", "value -> bool", [](Call& call) -> Result<Value> { return Value::boolean(!is_true(call[0])); });
    map.add("eq", "value, ...value -> bool", [](Call& call) { return answer(equal(call)); });
    map.add("ne", "value, value -> bool", [](Call& call) { return answer(equal_pair(call, call[0], call[1]), true); });
    map.add("lt", "value, value -> bool", [](Call& call) { return answer(less(call[0], call[1])); });
    map.add("le", "value, value -> bool", [](Call& call) { return answer(less_or_equal(call, call[0], call[1])); });
    map.add("gt", "value, value -> bool",
            [](Call& call) { return answer(less_or_equal(call, call[0], call[1]), true); });
    map.add("ge", "value, value -> bool", [](Call& call) { return answer(less(call[0], call[1]), true); });
    map.add("print", "...any -> string", [](Call& call) -> Result<Value> {
        std::string out;
        if (!print(out, call.args())) return too_large();
        return text_result(call, out);
    });
    map.add("println", "...any -> string", [](Call& call) -> Result<Value> {
        std::string out;
        if (!println(out, call.args())) return too_large();
        return text_result(call, out);
    });
    map.add("printf", "string, ...any -> string", [](Call& call) -> Result<Value> {
        std::string out;
        if (!printf(out, call.text(0), call.args().subspan(1), call.executor().budget().output_bytes_max))
            return too_large();
        return text_result(call, out);
    });
    map.add("html", "...any -> string", [](Call& call) { return text_result(call, html_escape(joined(call))); });
    map.add("js", "...any -> string", [](Call& call) { return text_result(call, js_escape(joined(call))); });
    map.add("urlquery", "...any -> string", [](Call& call) { return text_result(call, query_escape(joined(call))); });
    return map;
}

}  // namespace

FuncMap const& builtins() {
    static FuncMap const map = make_builtins();
    return map;
}

Function const* find_builtin(std::string_view name) { return builtins().find(name); }

}  // namespace holdfast::gotemplate
