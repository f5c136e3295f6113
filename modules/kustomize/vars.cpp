// modules/kustomize/vars.cpp: $(NAME) references, replaced by typed values.
#include "modules/kustomize/vars.hpp"

#include "modules/kustomize/context.hpp"
#include "modules/patch/field.hpp"
#include "modules/patch/fieldspec.hpp"
#include "modules/patch/path.hpp"
#include "modules/yaml/go_number.hpp"
#include "modules/yaml/utf8.hpp"

#include <charconv>
#include <map>
#include <variant>

namespace holdfast::kustomize {
namespace {

using yaml::Node;
using yaml::Tag;

struct Compound {};  // a map or a list: no value for a text
using Value = std::variant<std::string, std::int64_t, double, bool, Compound>;

struct Known {
    Value value;
    bool used = false;
};
using KnownVars = std::map<std::string, Known, std::less<>>;

/// fmt's %v of a types.Var.
std::string describe(Var const& var) {
    return "{" + var.name + " " + Gvk{var.group, var.version, var.kind}.str() + " {" + var.field_path + "}}";
}

/// strconv.Atoi
std::optional<std::int64_t> decimal(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    std::int64_t number = 0;
    auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec != std::errc{} || end != text.data() + text.size()) return {};
    return number;
}

/// strconv.ParseBool
std::optional<bool> boolean(std::string_view text) {
    for (auto const* const yes : {"1", "t", "T", "TRUE", "true", "True"}) {
        if (text == yes) return true;
    }
    for (auto const* const no : {"0", "f", "F", "FALSE", "false", "False"}) {
        if (text == no) return false;
    }
    return {};
}

/// RNode.GetFieldValue
std::optional<Value> field_value(Node& object, std::string_view path) {
    auto const found = patch::lookup_field(object, path);
    if (!found) return {};
    auto const& node = **found;
    if (node.is_map() || node.is_seq()) return Compound{};
    if (!node.is_scalar()) return {};
    auto const text = node.value();
    switch (node.tag_id()) {
        case Tag::integer:
            if (auto const number = decimal(text)) return *number;
            return {};
        case Tag::floating:
            if (auto const number = yaml::parse_float(text)) return *number;
            return {};
        case Tag::boolean:
            if (auto const truth = boolean(text)) return *truth;
            return {};
        default: return std::string{text};
    }
}

Result<KnownVars> read_vars(std::vector<Var> const& vars, ResMap const& objects) {
    KnownVars known;
    for (auto const& var : vars) {
        Resource* holder = nullptr;
        for (auto* const object : objects.all()) {
            auto const& names = object->var_names;
            if (!holder && std::find(names.begin(), names.end(), var.name) != names.end()) holder = object;
        }
        if (!holder) {
            return fail(Errc::invalid_input,
                        "var '" + describe(var) + "' cannot be mapped to a field in the set of known resources");
        }
        auto value = holder->gone() ? std::nullopt : field_value(*holder->edit(), var.field_path);
        if (!value) {
            return fail(Errc::invalid_input,
                        "field specified in var '" + describe(var) + "' not found in corresponding resource");
        }
        known[var.name] = {std::move(*value)};
    }
    return known;
}

std::string printed(Value const& value) {
    if (auto const* const text = std::get_if<std::string>(&value)) return *text;
    if (auto const* const number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
    if (auto const* const number = std::get_if<double>(&value)) return yaml::format_float(*number);
    return std::get<bool>(value) ? "true" : "false";
}

std::string wrapped(std::string_view name) { return "$(" + std::string{name} + ")"; }

Value look_up(KnownVars& known, std::string_view name) {
    auto const found = known.find(name);
    if (found == known.end() || std::holds_alternative<Compound>(found->second.value)) return wrapped(name);
    found->second.used = true;
    return found->second.value;
}

/// refvar.DoReplacements: "$$" is a dollar; a text that is one reference takes the value's type.
Value replace(std::string_view input, KnownVars& known) {
    std::string out;
    std::size_t copied = 0;
    for (std::size_t at = 0; at < input.size(); ++at) {
        if (input[at] != '$' || at + 1 >= input.size()) continue;
        out += input.substr(copied, at - copied);
        auto const next = input[at + 1];
        std::size_t consumed = 1;
        auto const close = next == '(' ? input.find(')', at + 2) : std::string_view::npos;
        if (close != std::string_view::npos) {
            auto const name = input.substr(at + 2, close - at - 2);
            auto value = look_up(known, name);
            if (at == 0 && close + 1 == input.size()) return value;
            out += printed(value);
            consumed = close - at;
        } else if (next == '$') {
            out += '$';
        } else {
            out += '$';
            yaml::append_rune(out, static_cast<unsigned char>(next));  // Go makes a character of the byte
        }
        at += consumed;
        copied = at + 1;
    }
    out += input.substr(std::min(copied, input.size()));
    return out;
}

void write(yaml::Arena& arena, Node& node, Value const& value) {
    if (auto const* const number = std::get_if<std::int64_t>(&value)) {
        node.set_value(arena, std::to_string(*number));
        node.set_tag(Tag::integer);
    } else if (auto const* const real = std::get_if<double>(&value)) {
        node.set_string(arena, yaml::format_float(*real, 'f'));
        node.set_tag(Tag::floating);
    } else if (auto const* const truth = std::get_if<bool>(&value)) {
        node.set_string(arena, *truth ? "true" : "false");
        node.set_tag(Tag::boolean);
    } else {
        node.set_string(arena, std::get<std::string>(value));
        node.set_tag(Tag::string);
    }
    node.style = yaml::Style::none;
}

Result<void> replace_in(yaml::Arena& arena, Node& field, KnownVars& known) {
    auto const replace_text = [&](Node& node) { write(arena, node, replace(node.value(), known)); };
    if (patch::is_null(&field)) return {};
    if (field.is_scalar()) {
        if (patch::is_string(field)) replace_text(field);
        return {};
    }
    if (field.is_map()) {
        for (std::size_t i = 0; i + 1 < field.size(); i += 2) {
            auto const& key = *field.item(i);
            if (!patch::is_string(key)) {
                return fail(Errc::invalid_input, "invalid map key: value='" + std::string{key.value()} + "', tag='" +
                                                     std::string{key.tag()} + "'");
            }
            if (patch::is_string(*field.item(i + 1))) replace_text(*field.item(i + 1));
        }
        return {};
    }
    if (!field.is_seq()) {
        return fail(Errc::invalid_input, "invalid type encountered " + std::to_string(static_cast<int>(field.kind)));
    }
    for (auto* const item : field.items()) {
        if (!patch::is_string(*item)) return fail(Errc::invalid_input, "invalid value type expect a string");
        replace_text(*item);
    }
    return {};
}

}  // namespace

Result<void> resolve_vars(Context& context, std::vector<Var> const& vars, FieldSpecs const& var_reference,
                          ResMap& objects) {
    auto known = read_vars(vars, objects);
    if (!known) return fail(std::move(known));
    if (known->empty()) return {};
    patch::Visit const visit = [&](Node& field) { return replace_in(context.arena, field, *known); };
    Result<void> done;
    for (auto* const object : objects.all()) {
        if (object->gone()) continue;
        done = patch::apply(context.arena, var_reference, *object->edit(), visit);
        if (!done) break;
    }
    std::string unused;
    for (auto const& [name, one] : *known) {
        if (one.used) continue;
        if (!unused.empty()) unused += ",";
        unused += name;
    }
    if (!unused.empty()) context.warn("well-defined vars that were never replaced: " + unused);
    return done;
}

}  // namespace holdfast::kustomize
