// modules/text/gotemplate/sprig_common.cpp: spf13/cast's rules and sprig's small helpers.
#include "modules/text/gotemplate/sprig_common.hpp"

#include "modules/text/gotemplate/fmt.hpp"
#include "modules/text/gotemplate/sprig.hpp"
#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/gotemplate/template.hpp"

#include <cmath>
#include <limits>

namespace holdfast::gotemplate {

namespace sprig {

namespace {

std::string_view without_zero_decimals(std::string_view s) {
    bool zero = false;
    for (auto i = s.size(); i > 0; --i) {
        if (s[i - 1] == '.' && zero) return s.substr(0, i - 1);
        if (s[i - 1] == '0') zero = true;
        else if (s[i - 1] != '.') return s;
    }
    return s;
}

}  // namespace

std::int64_t truncated(double value) {
    if (std::isnan(value) || value >= 9223372036854775808.0 || value < -9223372036854775808.0)
        return std::numeric_limits<std::int64_t>::min();
    return static_cast<std::int64_t>(value);
}

std::int64_t to_int64(Value const& value) {
    switch (value.kind()) {
        case Kind::boolean: return value.as_bool() ? 1 : 0;
        case Kind::integer: return &value.type() == &types::duration ? 0 : value.as_int();
        case Kind::unsigned_integer: return value.as_int();
        case Kind::floating: return truncated(value.as_float());
        case Kind::string: return parse_int(without_zero_decimals(value.as_string()), 0).value_or(0);
        default: return 0;
    }
}

double to_float64(Value const& value) {
    switch (value.kind()) {
        case Kind::boolean: return value.as_bool() ? 1 : 0;
        case Kind::integer: return &value.type() == &types::duration ? 0 : static_cast<double>(value.as_int());
        case Kind::unsigned_integer: return static_cast<double>(value.as_uint());
        case Kind::floating: return value.as_float();
        case Kind::string: return parse_float(value.as_string()).value_or(0);
        default: return 0;
    }
}

std::string to_text_strict(Value const& value) {
    if (value.is_string() || value.is_bytes()) return std::string{value.as_string()};
    return to_text(value);
}

bool is_empty(Value const& value) { return !is_true(value); }

Result<void> charge_list(Call& call, std::uint64_t items) {
    if (auto charged = call.charge_bytes(items * sizeof(Value)); !charged) return charged;
    return call.charge_steps(items);
}

Result<Value> list_of(Call& call, std::vector<std::string_view> const& texts) {
    if (auto charged = charge_list(call, texts.size()); !charged) return fail(std::move(charged));
    std::vector<Value> items;
    items.reserve(texts.size());
    for (auto const text : texts) items.push_back(Value::string(text));
    return Value::list(std::move(items), types::list_string);
}

Result<void> charge_growth(Call& call, std::uint64_t before, std::uint64_t total) {
    return call.charge_bytes(total > call.executor().budget().output_bytes_max ? total : total - before);
}

Result<std::vector<Value>> to_strings(Call& call, Value const& value) {
    if (value.is_list())
        if (auto charged = charge_list(call, value.size()); !charged) return fail(std::move(charged));
    auto items = value.is_list() ? elements(value) : std::vector{value};
    std::erase_if(items, [](Value const& item) { return item.kind() == Kind::invalid; });
    std::uint64_t total = 0;
    for (auto& item : items) {
        if (item.is_string()) continue;
        item = Value::string(to_text_strict(item));
        if (auto charged = charge_growth(call, total, total + item.size()); !charged) return fail(std::move(charged));
        total += item.size();
    }
    return items;
}

std::string_view kind_name(Value const& value) {
    return value.kind() == Kind::invalid ? "invalid" : value.type().kind_name;
}

std::string assertion_text(Value const& value, std::string_view wanted) {
    auto const is = value.kind() == Kind::invalid ? std::string_view{"nil"} : value.type().name;
    return "interface conversion: interface {} is " + std::string{is} + ", not " + std::string{wanted};
}

Result<Value> text(Call& call, std::string_view text) {
    if (auto charged = call.charge_bytes(text.size()); !charged) return fail(std::move(charged));
    return Value::string(text);
}

std::vector<Value> elements(Value const& list) {
    if (!list.is_bytes()) return {list.items().begin(), list.items().end()};
    std::vector<Value> out;
    for (std::size_t i = 0; i < list.size(); ++i) out.push_back(list.at(i));
    return out;
}

}  // namespace sprig

void add_sprig(FuncMap& funcs) {
    add_sprig_strings(funcs);
    add_sprig_numbers(funcs);
    add_sprig_lists(funcs);
    add_sprig_dicts(funcs);
    add_sprig_defaults(funcs);
    add_sprig_dates(funcs);
    add_sprig_encoding(funcs);
    add_sprig_regex(funcs);
    add_sprig_semver(funcs);
}

}  // namespace holdfast::gotemplate
