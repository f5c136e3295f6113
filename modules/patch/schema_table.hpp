// modules/patch/schema_table.hpp: the builtin types as arrays in read-only memory; for schema.cpp only.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace holdfast::patch::table {

inline constexpr std::uint16_t kNoType = 0xFFFF;

struct BuiltinField {
    std::uint16_t name;  // offset of a word
    std::uint16_t type;
};

struct BuiltinType {
    std::uint16_t first_field, fields;  // sorted by name
    std::uint16_t rest;                 // type of the elements of an array, of the values of a map
    std::uint16_t strategy;             // offset of a word
    std::uint8_t keys;                  // which list of merge keys
    std::uint8_t is_array;
};

struct BuiltinDefinition {
    std::uint16_t name;  // offset of a word; sorted by it
    std::uint16_t type;
};

enum class Scope : std::uint8_t { unknown, cluster, namespaced };

struct BuiltinKind {
    std::uint16_t api_version, kind;  // offsets of words; sorted by both
    std::uint16_t type;
    std::uint8_t scope;
};

std::string_view word(std::uint16_t offset);
BuiltinType const& type(std::uint16_t index);
std::span<BuiltinField const> fields(BuiltinType const& type);
std::span<std::string_view const> keys(BuiltinType const& type);
std::uint16_t find_definition(std::string_view name);  // kNoType when there is none
BuiltinKind const* find_kind(std::string_view api_version, std::string_view kind);

}  // namespace holdfast::patch::table
