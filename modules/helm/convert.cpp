// modules/helm/convert.cpp: values to and from YAML, JSON and TOML inside of templates.
#include "modules/helm/convert.hpp"

#include "modules/base/base64.hpp"
#include "modules/helm/functions.hpp"
#include "modules/helm/typed.hpp"
#include "modules/helm/yaml_pretty.hpp"
#include "modules/text/gotemplate/json.hpp"
#include "modules/text/gotemplate/unicode.hpp"
#include "modules/yaml/go_number.hpp"
#include "modules/yaml/json.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <cmath>

namespace holdfast::helm {

using gotemplate::Call;
using gotemplate::Kind;
using gotemplate::Value;
namespace json = boost::json;
namespace types = gotemplate::types;

namespace {

constexpr std::size_t kDepthMax = 1'000;

/// Trees of one conversion, freed as a whole.
struct Memory {
    unsigned char first[2048];
    json::monotonic_resource rest{first, sizeof first};
};

/// Whole numbers become integers, as they do on the way through json.Marshal.
json::value float_value(double number) {
    if (number != std::trunc(number) || std::fabs(number) >= 1e21) return number;
    if (number == 0 && std::signbit(number)) return -0.0;
    // Past 2^53 the digits are those json.Marshal prints, not the exact value's.
    auto const text = yaml::format_float(number, 'f');
    if (auto const whole = yaml::parse_int(text, 10)) return *whole;
    if (auto const whole = yaml::parse_uint(text, 10)) return *whole;
    return number;
}

/// An empty Value has no bytes to point to, which Boost.JSON does not like.
json::string_view view_of(std::string_view text) {
    return text.empty() ? json::string_view{""} : json::string_view{text};
}

std::string valid_text(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        auto const rune = gotemplate::decode_rune(text.substr(at));
        gotemplate::append_rune(out, rune.value);
        at += rune.width;
    }
    return out;
}

Result<json::value> tree_of(Value const& value, json::storage_ptr const& storage, std::size_t depth = 0) {
    if (depth > kDepthMax) return fail(Errc::limit, "value nested too deep");
    if (value.is_nil()) return json::value(nullptr);
    switch (value.kind()) {
        case Kind::boolean: return json::value(value.as_bool());
        case Kind::integer: return json::value(value.as_int());
        case Kind::unsigned_integer: return json::value(value.as_uint());
        case Kind::floating:
            if (!std::isfinite(value.as_float()))
                return fail(Errc::invalid_input, "error marshaling into JSON: json: unsupported value: NaN");
            return float_value(value.as_float());
        case Kind::string: {
            auto const text = value.as_string();
            if (gotemplate::is_valid_utf8(text)) return json::value(view_of(text), storage);
            return json::value(json::string_view{valid_text(text)}, storage);
        }
        case Kind::slice: {
            if (value.is_bytes()) return json::value(base64_encode(value.as_string()));
            json::array list(storage);
            list.reserve(value.size());
            for (auto const& item : value.items()) {
                auto made = tree_of(item, storage, depth + 1);
                if (!made) return made;
                list.push_back(std::move(*made));
            }
            return json::value(std::move(list));
        }
        case Kind::map: {
            json::object object(storage);
            object.reserve(value.size());
            for (auto const& [key, item] : value.entries()) {
                auto made = tree_of(item, storage, depth + 1);
                if (!made) return made;
                auto const name = key.as_string();
                if (gotemplate::is_valid_utf8(name)) object.emplace(view_of(name), std::move(*made));
                else object.emplace(valid_text(name), std::move(*made));
            }
            return json::value(std::move(object));
        }
        default: {
            auto text = gotemplate::to_json(value);
            if (!text) return fail(std::move(text), "error marshaling into JSON");
            boost::system::error_code ec;
            auto parsed = json::parse(*text, ec, storage);
            if (ec) return fail(Errc::invalid_input, "error marshaling into JSON: " + ec.message());
            return parsed;
        }
    }
}

enum class Bytes { as_text, as_numbers };  // how a []byte is written

/// Counts values up to `most`, a long text as several: shared ones as often as they are met, as they are written.
std::uint64_t values_in(Value const& value, std::uint64_t most, Bytes bytes, std::size_t depth = 0) {
    std::uint64_t count = 1;
    if (depth > kDepthMax) return count;
    auto const add = [&](Value const& item) { count += values_in(item, most - count, bytes, depth + 1); };
    if (value.is_map()) {
        for (auto const& [key, item] : value.entries())
            if (count < most) add(item);
    } else if (value.is_list() && !value.is_bytes()) {
        for (auto const& item : value.items())
            if (count < most) add(item);
    } else if (value.is_bytes() || value.is_string()) {
        auto const as_values = value.is_bytes() && bytes == Bytes::as_numbers ? value.size() : value.size() / 64;
        count += std::min<std::uint64_t>(as_values, most - count);
    }
    return count;
}

/// Before a tree is written: what that takes.
Result<void> charge_tree(Call& call, Value const& value, Bytes bytes) {
    auto const left =
        call.executor().budget().steps_max - std::min(call.executor().budget().steps_max, call.executor().steps_used());
    return call.charge_steps(values_in(value, left + 1, bytes));
}

/// `write(value)` of a value that may be large.
template <class Write> Result<std::string> written(Call& call, Write write, Bytes bytes = Bytes::as_text) {
    if (auto charged = charge_tree(call, call[0], bytes); !charged) return fail(std::move(charged));
    return write(call[0]);
}

Value text(std::string_view value) { return Value::string(value); }

/// The string a failing function gives when it may not fail: empty, or the reason.
Result<Value> or_empty(Call& call, Result<std::string> made) {
    if (!made) {
        if (made.error().code == Errc::limit) return fail(std::move(made));
        return text("");
    }
    if (auto charged = call.charge_bytes(made->size()); !charged) return fail(std::move(charged));
    return text(*made);
}

Result<Value> or_fail(Call& call, Result<std::string> made) {
    if (!made) return fail(std::move(made));
    return or_empty(call, std::move(made));
}

Result<std::string> json_text(Value const& value) { return gotemplate::to_json(value); }

Value error_map(std::string_view message) {
    Value map = Value::map();
    map.set("Error", text(message).boxed());
    return map;
}

Value error_list(std::string_view message) { return Value::list({text(message).boxed()}); }

Result<Value> from_yaml(Call& call) {
    if (auto charged = call.charge_steps(call.text(0).size() / 8 + 1); !charged) return fail(std::move(charged));
    auto made = read_yaml_map(call.text(0));
    if (made) return made;
    return error_map(made.error().message);
}

Result<Value> from_yaml_array(Call& call) {
    if (auto charged = call.charge_steps(call.text(0).size() / 8 + 1); !charged) return fail(std::move(charged));
    auto made = read_yaml_list(call.text(0));
    if (made) return made;
    return error_list(made.error().message);
}

std::string kind_name(Value const& value) {
    switch (value.kind()) {
        case Kind::boolean: return "bool";
        case Kind::string: return "string";
        case Kind::slice: return "array";
        case Kind::map: return "object";
        default: return "number";
    }
}

Result<Value> from_json(Call& call) {
    if (auto charged = call.charge_steps(call.text(0).size() / 8 + 1); !charged) return fail(std::move(charged));
    auto made = gotemplate::from_json(call.text(0));
    if (!made) return error_map(made.error().message);
    if (made->is_nil() && !made->is_map()) return Value::zero(types::map_any);
    if (made->is_map()) return made->unboxed();
    return error_map("json: cannot unmarshal " + kind_name(*made) + " into Go value of type map[string]interface {}");
}

Result<Value> from_json_array(Call& call) {
    if (auto charged = call.charge_steps(call.text(0).size() / 8 + 1); !charged) return fail(std::move(charged));
    auto made = gotemplate::from_json(call.text(0));
    if (!made) return error_list(made.error().message);
    if (made->is_nil() && !made->is_list()) return Value::zero(types::list_any);
    if (made->is_list()) return made->unboxed();
    return error_list("json: cannot unmarshal " + kind_name(*made) + " into Go value of type []interface {}");
}

Result<Value> to_toml_text(Call& call) {
    auto made = written(call, to_toml, Bytes::as_numbers);
    // Go panics on a nil before it encodes anything; that is no text but an error of the call.
    bool const panics = call[0].kind() == Kind::invalid;
    if (!made && !panics && made.error().code != Errc::limit) return text(made.error().message);
    return or_fail(call, std::move(made));
}

Result<Value> from_toml_text(Call& call) {
    if (auto charged = call.charge_steps(call.text(0).size() / 8 + 1); !charged) return fail(std::move(charged));
    return from_toml(call.text(0));
}

}  // namespace

Result<std::string> to_yaml(Value const& value) {
    Memory memory;
    auto tree = tree_of(value, &memory.rest);
    if (!tree) return fail(std::move(tree));
    auto made = yaml::write_sigs(*tree);
    if (made && made->ends_with('\n')) made->pop_back();
    return made;
}

Result<std::string> charged_yaml(Call& call, Value const& value) {
    if (auto charged = charge_tree(call, value, Bytes::as_text); !charged) return fail(std::move(charged));
    return to_yaml(value);
}

void add_conversions(gotemplate::FuncMap& funcs) {
    funcs.add("toYaml", "any -> string", [](Call& call) { return or_empty(call, written(call, to_yaml)); });
    funcs.add("mustToYaml", "any -> string", [](Call& call) { return or_fail(call, written(call, to_yaml)); });
    funcs.add("toYamlPretty", "any -> string",
              [](Call& call) { return or_empty(call, written(call, to_yaml_pretty, Bytes::as_numbers)); });
    funcs.add("fromYaml", "string -> map", from_yaml);
    funcs.add("fromYamlArray", "string -> []any", from_yaml_array);
    funcs.add("toJson", "any -> string", [](Call& call) { return or_empty(call, written(call, json_text)); });
    funcs.add("mustToJson", "any -> string", [](Call& call) { return or_fail(call, written(call, json_text)); });
    funcs.add("fromJson", "string -> map", from_json);
    funcs.add("fromJsonArray", "string -> []any", from_json_array);
    funcs.add("toToml", "any -> string", to_toml_text);
    funcs.add("mustToToml", "any -> string",
              [](Call& call) { return or_fail(call, written(call, to_toml, Bytes::as_numbers)); });
    funcs.add("fromToml", "string -> map", from_toml_text);
}

}  // namespace holdfast::helm
