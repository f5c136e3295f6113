// modules/text/jsonschema/schema.hpp: compiled subschemas and where they come from, private to this folder.
#pragma once

#include "modules/text/jsonschema/jsonschema.hpp"
#include "modules/text/regex/regex.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace holdfast::jsonschema {

enum Types : unsigned { kNull = 1, kBoolean = 2, kNumber = 4, kInteger = 8, kString = 16, kArray = 32, kObject = 64 };
unsigned type_of(Json const& value);
unsigned type_named(std::string_view name);
std::string type_names(unsigned types);  // "null or string"

struct Pointer {  // where a subschema is: document url and JSON pointer in it
    std::string url;
    std::string ptr;
    auto operator<=>(Pointer const&) const = default;
    std::string string() const;  // url#ptr, percent-encoded
};

/// Draft 4, 6, 7, 2019 or 2020.
struct Draft {
    int version;
    std::string_view url;
    std::string_view id_key;
};
Draft const* draft_of_url(std::string_view url);  // nullptr: not one of ours
Draft const& latest_draft();
std::string_view metaschema_text(std::string_view url);  // empty: not built in

struct Resource {  // a part of a document with its own $id
    std::string ptr;
    std::string id;
    Draft const* draft = nullptr;
    std::map<std::string, std::string> anchors;
    std::set<std::string> dynamic_anchors;
};

struct Root {  // one document
    std::string url;
    Json const* document = nullptr;
    std::map<std::string, Resource> resources;         // by pointer
    std::unordered_map<std::string, std::string> ids;  // of resources, to their pointers
    std::set<std::string> collected;

    void add(Resource resource);
    Resource const* resource_of(std::string const& id) const;  // nullptr: none
    Resource const& resource_at(std::string ptr) const;
    Resource& resource_at(std::string ptr);
};

using Regex = std::shared_ptr<regex::Regex const>;
using FormatCheck = std::optional<std::string> (*)(std::string_view text);  // the reason it is not of the format

/// A schema, a plain true or false, or absent (additionalProperties and additionalItems).
struct Additional {
    enum class Kind { absent, allowed, refused, schema } kind = Kind::absent;
    struct Subschema const* schema = nullptr;
};

struct Subschema {
    Pointer at;
    std::string location;
    Subschema const* resource = nullptr;
    std::map<std::string, Subschema const*> dynamic_schemas;
    int draft = 2020;

    std::optional<bool> boolean;
    Subschema const* ref = nullptr;
    Subschema const* recursive_ref = nullptr;
    bool recursive_anchor = false;
    Subschema const* dynamic_ref = nullptr;
    std::string dynamic_ref_anchor;
    std::string dynamic_anchor;
    unsigned types = 0;
    Json const* enumeration = nullptr;
    unsigned enum_types = 0;
    Json const* constant = nullptr;
    std::string format_name;
    FormatCheck format = nullptr;

    Subschema const* negated = nullptr;
    std::vector<Subschema const*> all_of, any_of, one_of;
    Subschema const *if_schema = nullptr, *then_schema = nullptr, *else_schema = nullptr;

    std::optional<std::int64_t> min_properties, max_properties, min_items, max_items, min_contains, max_contains,
        min_length, max_length;
    std::vector<std::string> required;
    Subschema const* property_names = nullptr;
    std::map<std::string, Subschema const*> properties;
    std::vector<std::pair<Regex, Subschema const*>> pattern_properties;
    Additional additional_properties;
    std::map<std::string, std::vector<std::string>> dependent_lists;  // draft 4 to 7 `dependencies`
    std::map<std::string, Subschema const*> dependent_on;             // the same, as schemas
    std::map<std::string, std::vector<std::string>> dependent_required;
    std::map<std::string, Subschema const*> dependent_schemas;
    Subschema const* unevaluated_properties = nullptr;

    bool unique_items = false;
    Subschema const* contains = nullptr;
    Subschema const* items = nullptr;  // of every item (before 2020), or of those after prefix_items
    std::vector<Subschema const*> prefix_items;
    bool items_is_list = false;
    Additional additional_items;
    Subschema const* unevaluated_items = nullptr;

    Regex pattern;
    std::string pattern_text;
    std::string minimum, maximum, exclusive_minimum, exclusive_maximum, multiple_of;  // number texts; empty: absent

    bool all_properties_evaluated = false;
    bool all_items_evaluated = false;
    std::size_t items_evaluated = 0;
};

/// Owns everything a schema points to.
class Compiled {
public:
    Limits limits;
    std::deque<Json> documents;
    std::map<std::string, Root> roots;
    std::map<Pointer, Subschema*> by_pointer;
    std::deque<Subschema> schemas;
    Subschema const* start = nullptr;

    /// The pattern, compiled once however often it is written.
    Result<Regex> pattern(std::string const& text);

private:
    std::unordered_map<std::string, Regex> patterns_;
    std::size_t instructions_ = 0;
};

/// Compiles the subschema at `url` of documents already added to `into` (or built in).
Result<Subschema const*> compile_into(Compiled& into, std::string const& url, bool assert_formats);
Subschema const* metaschema(Draft const& draft);

/// What Helm says when the library dereferences a number that it could not read.
inline constexpr std::string_view kPanic =
    "unable to validate schema: runtime error: invalid memory address or nil pointer dereference";

/// Applies `schema` and reports as Schema::validate. `roots` is set when the value is itself a schema document.
Result<void> check(Subschema const& schema, Json const& value, Limits const& limits, Root const* as_schema);

/// Whether `schema` is surely valid against its draft's metaschema. False: unknown, ask check(). Values nested deeper than
/// the reader's limit do not get here.
bool is_plainly_valid(Compiled& owner, Json const& schema, int draft, bool at_root);

FormatCheck format_named(std::string_view name);

// ---- text helpers
std::string quoted(std::string_view text);           // the library's '...' quoting
std::string go_quoted(std::string_view text);        // %q
std::string escape_token(std::string_view token);    // JSON pointer
std::string encode_fragment(std::string_view text);  // percent-encoding, "/" kept
Result<std::string> join_url(std::string_view base, std::string_view reference);
std::pair<std::string, std::string> split_url(std::string_view url);  // at '#'
std::string percent_decode(std::string_view text, bool& good);
Json const* look_up(Json const& document, std::string_view ptr);

// ---- numbers as decimal texts, with Go's math/big as the judge
bool is_readable(std::string_view number);  // false: an exponent beyond a million, which big.Rat refuses
int compare_numbers(std::string_view left, std::string_view right);  // readable ones
bool is_integer(std::string_view number);
std::int64_t low_bits(std::string_view integer);  // big.Int.Int64 of a readable one
/// Of readable ones. Nothing: it would take more than `looks_max` looks at a few digits; `looks` is what it took.
std::optional<bool> is_multiple(std::string_view number, std::string_view of, std::uint64_t looks_max,
                                std::uint64_t& looks);
std::string localized(std::string_view number);  // of a float64, as golang.org/x/text prints it
std::string localized(std::int64_t number);      // 1,234
bool equal(Json const& left, Json const& right);

}  // namespace holdfast::jsonschema
