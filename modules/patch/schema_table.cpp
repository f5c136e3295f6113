// modules/patch/schema_table.cpp: look-ups in the generated table.
#include "modules/patch/schema_table.hpp"

#include <algorithm>
#include <iterator>

namespace holdfast::patch::table {

namespace {
#include "modules/patch/schema_table.inc"

static_assert(std::size(kWords) < 0xFFFF && std::size(kFields) < 0xFFFF && std::size(kTypes) < 0xFFFF);
}  // namespace

std::string_view word(std::uint16_t offset) { return kWords + offset; }

BuiltinType const& type(std::uint16_t index) { return kTypes[index]; }

std::span<BuiltinField const> fields(BuiltinType const& type) { return {kFields + type.first_field, type.fields}; }

std::span<std::string_view const> keys(BuiltinType const& type) {
    auto const& list = kKeyLists[type.keys];
    return {list, static_cast<std::size_t>(std::ranges::find(list, std::string_view{}) - list)};
}

std::uint16_t find_definition(std::string_view name) {
    auto const* const found =
        std::ranges::partition_point(kDefinitions, [&](BuiltinDefinition const& one) { return word(one.name) < name; });
    return found != std::end(kDefinitions) && word(found->name) == name ? found->type : kNoType;
}

BuiltinKind const* find_kind(std::string_view api_version, std::string_view kind) {
    auto const* const found = std::ranges::partition_point(kKinds, [&](BuiltinKind const& one) {
        auto const order = word(one.api_version).compare(api_version);
        return order != 0 ? order < 0 : word(one.kind) < kind;
    });
    if (found == std::end(kKinds) || word(found->api_version) != api_version || word(found->kind) != kind) {
        return nullptr;
    }
    return found;
}

}  // namespace holdfast::patch::table
