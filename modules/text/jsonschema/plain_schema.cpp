// modules/text/jsonschema/plain_schema.cpp: schemas that are valid at sight, without compiling a metaschema for them.
#include "modules/text/jsonschema/schema.hpp"

#include <algorithm>
#include <iterator>

namespace holdfast::jsonschema {
namespace {

using Kind = Json::Kind;

constexpr std::string_view kSchemas[] = {
    "additionalItems", "additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then"};
constexpr std::string_view kListsOfSchemas[] = {"allOf", "anyOf", "oneOf"};
constexpr std::string_view kMapsOfSchemas[] = {"$defs", "definitions", "properties"};
constexpr std::string_view kTexts[] = {"$comment", "description", "format", "title"};
constexpr std::string_view kFlags[] = {"deprecated", "readOnly", "uniqueItems", "writeOnly"};
constexpr std::string_view kNumbers[] = {"maximum", "minimum"};
constexpr std::string_view kCounts[] = {"maxItems", "maxLength", "maxProperties",
                                        "minItems", "minLength", "minProperties"};
/// Keywords of any draft that are left to the metaschema. Words no draft knows may hold anything.
constexpr std::string_view kOthers[] = {
    "contentEncoding",      "contentMediaType", "contentSchema",     "dependencies", "dependentRequired",
    "dependentSchemas",     "exclusiveMaximum", "exclusiveMinimum",  "id",           "maxContains",
    "minContains",          "multipleOf",       "patternProperties", "prefixItems",  "unevaluatedItems",
    "unevaluatedProperties"};

bool is_one_of(auto const& words, std::string_view word) { return std::ranges::find(words, word) != std::end(words); }

bool is_count(Json const& value) {
    return value.kind == Kind::number && value.text.size() < 16 &&
           std::ranges::all_of(value.text, [](char c) { return c >= '0' && c <= '9'; });
}

/// At least one text, all different.
bool are_texts(Json const& value) {
    if (value.kind != Kind::array || value.items.empty()) return false;
    std::set<std::string_view> seen;
    return std::ranges::all_of(
        value.items, [&](Json const& item) { return item.kind == Kind::string && seen.insert(item.text).second; });
}

bool is_type(Json const& value) {
    if (value.kind == Kind::string) return type_named(value.text) != 0;
    return are_texts(value) &&
           std::ranges::all_of(value.items, [](Json const& item) { return type_named(item.text) != 0; });
}

/// "#/definitions/some_name"
bool is_local_reference(Json const& value) {
    return value.kind == Kind::string && value.text.starts_with('#') &&
           std::ranges::all_of(value.text.substr(1), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
                      c == '_' || c == '-' || c == '.';
           });
}

bool are_schemas(Compiled& owner, std::vector<Json> const& items, int draft) {
    return !items.empty() &&
           std::ranges::all_of(items, [&](Json const& item) { return is_plainly_valid(owner, item, draft, false); });
}

bool is_plain_keyword(Compiled& owner, std::string_view word, Json const& value, int draft, bool at_root) {
    if (is_one_of(kMapsOfSchemas, word)) {
        return value.kind == Kind::object && std::ranges::all_of(value.members, [&](Member const& member) {
                   return is_plainly_valid(owner, member.second, draft, false);
               });
    }
    if (is_one_of(kTexts, word)) return value.kind == Kind::string;
    if (word == "type") return is_type(value);
    if (word == "default") return true;
    if (word == "items" && value.kind == Kind::array) return draft < 2020 && are_schemas(owner, value.items, draft);
    if (word == "additionalProperties" && value.kind == Kind::boolean) return true;
    if (is_one_of(kSchemas, word)) return is_plainly_valid(owner, value, draft, false);
    if (is_one_of(kListsOfSchemas, word)) return value.kind == Kind::array && are_schemas(owner, value.items, draft);
    if (word == "required" || word == "enum") return are_texts(value);
    if (word == "const") return true;
    if (word == "examples") return value.kind == Kind::array;
    if (is_one_of(kFlags, word)) return value.kind == Kind::boolean;
    if (is_one_of(kNumbers, word)) return value.kind == Kind::number;
    if (is_one_of(kCounts, word)) return is_count(value);
    if (word == "pattern") return value.kind == Kind::string && owner.pattern(value.text);
    if (word == "$ref") return is_local_reference(value);
    if (word == "$schema") return at_root && value.kind == Kind::string && draft_of_url(value.text) != nullptr;
    return !word.starts_with('$') && !is_one_of(kOthers, word);
}

}  // namespace

bool is_plainly_valid(Compiled& owner, Json const& schema, int draft, bool at_root) {
    if (schema.kind == Kind::boolean) return draft >= 6;
    return schema.kind == Kind::object && std::ranges::all_of(schema.members, [&](Member const& member) {
               return is_plain_keyword(owner, member.first, member.second, draft, at_root);
           });
}

}  // namespace holdfast::jsonschema
