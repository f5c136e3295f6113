// modules/yaml/resolve.hpp: what a scalar is: the implicit types of go-yaml v3 and v2.
#pragma once

#include "modules/base/error.hpp"
#include "modules/yaml/node.hpp"
#include "modules/yaml/parse.hpp"

#include <cstdint>
#include <string_view>
#include <variant>

namespace holdfast::yaml {

/// A scalar's type and, where it has one, its value. A timestamp and a merge key keep their text.
struct Resolved {
    Tag tag = Tag::string;
    std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double> value;
};

/// resolve("", text): the type of a plain, untagged scalar. Cost: one table look-up for most words.
Resolved resolve_plain(std::string_view text, Dialect dialect = Dialect::v3);
Tag resolve_tag(std::string_view text, Dialect dialect = Dialect::v3);  // only the type

/// resolve(tag, text). Errors: invalid_input "yaml: cannot decode !!str `abc` as a !!int".
Result<Resolved> resolve(std::string_view tag, std::string_view text, Dialect dialect = Dialect::v3);

/// A scalar node as go-yaml decodes it into interface{}: quoted text stays text, tags are obeyed.
Result<Resolved> resolve_node(Node const& scalar, Dialect dialect = Dialect::v3);

/// yes, no, on, off, y, n of YAML 1.1: v3 reads them as text but quotes them, and takes them for a typed bool.
bool is_old_bool(std::string_view text);
bool is_base60_float(std::string_view text);  // "1:20", quoted on the way out

/// time.Parse with go-yaml's four layouts.
bool is_timestamp(std::string_view text);

}  // namespace holdfast::yaml
