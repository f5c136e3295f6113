// modules/helm/typed.cpp: decoding with Go's rules: case-insensitive names, text from scalars, the first mismatch reported.
#include "modules/helm/typed.hpp"

#include "modules/helm/text.hpp"
#include "modules/yaml/go_number.hpp"
#include "modules/yaml/json.hpp"

#include <boost/json/monotonic_resource.hpp>

#include <algorithm>
#include <cmath>

namespace holdfast::helm {

using gotemplate::Value;
namespace json = boost::json;

namespace {

constexpr std::string_view kDecoding = "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ";

std::string_view kind_name(json::value const& value) {
    switch (value.kind()) {
        case json::kind::string: return "string";
        case json::kind::bool_: return "bool";
        case json::kind::array: return "array";
        case json::kind::object: return "object";
        default: return "number";
    }
}

std::optional<std::string> scalar_text(json::value const& value) {
    switch (value.kind()) {
        case json::kind::string: return std::string{value.get_string()};
        case json::kind::bool_: return value.get_bool() ? "true" : "false";
        case json::kind::int64: return std::to_string(value.get_int64());
        case json::kind::uint64: return std::to_string(value.get_uint64());
        case json::kind::double_: return yaml::format_float(value.get_double(), 'g', -1, 32);
        default: return std::nullopt;
    }
}

/// The tree lives in `memory`, which is freed as a whole.
Result<json::value> read(std::string_view text, json::monotonic_resource& memory) {
    auto tree = yaml::read_sigs_for_text(text, &memory);
    if (!tree) return fail(std::move(tree), "error converting YAML to JSON");
    return tree;
}

}  // namespace

class Decoder {
public:
    /// Fills `into` from `object`; keeps the first mismatch and goes on, as encoding/json does.
    void structure(json::object const& object, std::string_view struct_name, std::span<TypedField const> fields,
                   std::string const& path, Typed& into) {
        std::vector<json::key_value_pair const*> members;
        for (auto const& member : object) members.push_back(&member);
        std::ranges::sort(members, {}, [](auto const* member) { return std::string_view{member->key()}; });
        for (auto const* member : members) {
            if (auto const* field = field_of(fields, member->key()))
                one(member->value(), struct_name, *field, path, into);
        }
    }

    std::string first_error;

private:
    static TypedField const* field_of(std::span<TypedField const> fields, std::string_view key) {
        for (auto const& field : fields) {
            if (field.name == key) return &field;
        }
        auto const folded = lower(key);
        for (auto const& field : fields) {
            if (lower(field.name) == folded) return &field;
        }
        return nullptr;
    }

    void mismatch(json::value const& value, std::string_view struct_name, std::string const& path,
                  std::string_view type) {
        if (!first_error.empty()) return;
        first_error = std::string{kDecoding} + std::string{kind_name(value)} + " into Go struct field " +
                      std::string{struct_name} + '.' + path + " of type " + std::string{type};
    }

    void one(json::value const& value, std::string_view struct_name, TypedField const& field, std::string const& outer,
             Typed& into) {
        if (value.is_null()) return;
        using Kind = TypedField::Kind;
        auto const path = outer.empty() ? std::string{field.name} : outer + '.' + std::string{field.name};
        auto const wrong = [&](std::string_view type) { mismatch(value, struct_name, path, type); };
        auto& slot = into.fields_[std::string{field.name}];
        switch (field.kind) {
            case Kind::string:
                if (auto text = scalar_text(value)) return void(slot.text = std::move(*text));
                return wrong("string");
            case Kind::boolean:
                if (value.is_bool()) return void(slot.flag = value.get_bool());
                return wrong("bool");
            case Kind::string_list:
                if (!value.is_array()) return wrong(field.go_type);
                slot.list.clear();
                for (auto const& item : value.get_array()) {
                    auto text = scalar_text(item);
                    if (!text && !item.is_null()) mismatch(item, struct_name, path, "string");
                    slot.list.push_back(text.value_or(""));
                }
                return;
            case Kind::string_map:
                if (!value.is_object()) return wrong(field.go_type);
                for (auto const& member : value.get_object()) {
                    auto text = scalar_text(member.value());
                    if (!text && !member.value().is_null()) mismatch(member.value(), struct_name, path, "string");
                    slot.strings[std::string{member.key()}] = text.value_or("");
                }
                return;
            case Kind::any_list: {
                if (!value.is_array()) return wrong(field.go_type);
                if (auto list = to_value(value)) slot.values = std::move(*list);
                return;
            }
            case Kind::structure:
                if (!value.is_object()) return wrong(field.go_type);
                slot.children.resize(1);
                slot.null_children = {false};
                return structure(value.get_object(), field.element, field.fields, path, slot.children[0]);
            case Kind::structure_list:
                if (!value.is_array()) return wrong(field.go_type);
                slot.children.clear();
                slot.null_children.clear();
                for (auto const& item : value.get_array()) {
                    slot.null_children.push_back(item.is_null());
                    auto& child = slot.children.emplace_back();
                    if (item.is_object()) {
                        structure(item.get_object(), field.element, field.fields, path, child);
                    } else if (!item.is_null()) {
                        mismatch(item, struct_name, path, field.element_type);
                    }
                }
                return;
        }
    }
};

std::string Typed::text(std::string_view field) const {
    auto const found = fields_.find(field);
    return found == fields_.end() ? std::string{} : found->second.text;
}

bool Typed::flag(std::string_view field) const {
    auto const found = fields_.find(field);
    return found != fields_.end() && found->second.flag;
}

std::vector<std::string> Typed::list(std::string_view field) const {
    auto const found = fields_.find(field);
    return found == fields_.end() ? std::vector<std::string>{} : found->second.list;
}

std::map<std::string, std::string> Typed::strings(std::string_view field) const {
    auto const found = fields_.find(field);
    return found == fields_.end() ? std::map<std::string, std::string>{} : found->second.strings;
}

Value Typed::values(std::string_view field) const {
    auto const found = fields_.find(field);
    return found == fields_.end() ? Value{} : found->second.values;
}

Typed const* Typed::child(std::string_view field) const {
    auto const found = fields_.find(field);
    return found == fields_.end() || found->second.children.empty() ? nullptr : &found->second.children[0];
}

std::vector<Typed const*> Typed::children(std::string_view field) const {
    std::vector<Typed const*> all;
    auto const found = fields_.find(field);
    if (found == fields_.end()) return all;
    for (std::size_t i = 0; i < found->second.children.size(); ++i)
        all.push_back(found->second.null_children[i] ? nullptr : &found->second.children[i]);
    return all;
}

Result<Typed> decode_yaml(std::string_view text, TypedStruct const& type) {
    json::monotonic_resource memory;
    auto tree = read(text, memory);
    if (!tree) return fail(std::move(tree));
    Typed decoded;
    if (tree->is_null()) return decoded;
    if (!tree->is_object())
        return fail(Errc::invalid_input, std::string{kDecoding} + std::string{kind_name(*tree)} +
                                             " into Go value of type " + std::string{type.go_type});
    Decoder decoder;
    decoder.structure(tree->get_object(), type.name, type.fields, {}, decoded);
    if (!decoder.first_error.empty()) return fail(Errc::invalid_input, decoder.first_error);
    return decoded;
}

Result<Value> to_value(json::value const& tree) {
    auto const number = [](double value) -> Result<Value> {
        if (std::isfinite(value)) return Value::floating(value);
        return fail(Errc::invalid_input, "json: unsupported value: " + yaml::format_float(value));
    };
    switch (tree.kind()) {
        case json::kind::null: return Value::nil();
        case json::kind::bool_: return Value::boolean(tree.get_bool());
        case json::kind::int64: return Value::floating(static_cast<double>(tree.get_int64()));
        case json::kind::uint64: return Value::floating(static_cast<double>(tree.get_uint64()));
        case json::kind::double_: return number(tree.get_double());
        case json::kind::string: return Value::string(tree.get_string());
        case json::kind::array: {
            std::vector<Value> items;
            items.reserve(tree.get_array().size());
            for (auto const& item : tree.get_array()) {
                auto value = to_value(item);
                if (!value) return value;
                items.push_back(std::move(*value).boxed());
            }
            return Value::list(std::move(items));
        }
        case json::kind::object: {
            Value map = Value::map();
            for (auto const& member : tree.get_object()) {
                auto value = to_value(member.value());
                if (!value) return value;
                map.set(std::string_view{member.key()}, std::move(*value).boxed());
            }
            return map;
        }
    }
    return Value::nil();
}

namespace {

Result<Value> read_as(std::string_view text, json::kind wanted, std::string_view type) {
    json::monotonic_resource memory;
    auto tree = read(text, memory);
    if (!tree) return fail(std::move(tree));
    if (tree->is_null()) return wanted == json::kind::object ? Value::map() : Value::list({});
    if (tree->kind() != wanted)
        return fail(Errc::invalid_input, std::string{kDecoding} + std::string{kind_name(*tree)} +
                                             " into Go value of type " + std::string{type});
    auto value = to_value(*tree);
    if (!value) return fail(std::move(value), "error converting YAML to JSON");
    return value;
}

}  // namespace

Result<Value> read_yaml_map(std::string_view text) {
    return read_as(text, json::kind::object, "map[string]interface {}");
}
Result<Value> read_yaml_list(std::string_view text) { return read_as(text, json::kind::array, "[]interface {}"); }

}  // namespace holdfast::helm
