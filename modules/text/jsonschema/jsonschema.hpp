// modules/text/jsonschema/jsonschema.hpp: values against a JSON schema, draft-04 to 2020-12, with santhosh-tekuri's texts.
// Pure. Reading order: jsonschema.hpp, json.hpp, schema.hpp, compile.cpp, validate.cpp, format.cpp, failure.cpp.
#pragma once

#include "modules/base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::jsonschema {

struct Limits {
    std::size_t schema_bytes_max = 5u << 20;
    std::size_t depth_max = 256;                 // of nested values and of schemas that apply schemas
    std::size_t schemas_max = 200'000;           // subschemas compiled
    std::uint64_t checks_max = 5'000'000;        // subschemas applied to values, and what keywords compare meanwhile
    std::size_t failures_max = 20'000;           // failures kept for the report
    std::size_t report_bytes_max = 16u << 20;    // of all of them
    std::size_t instructions_max = 2'000'000;    // of the programs of all patterns
    std::size_t location_bytes_max = 64u << 20;  // of the places of all subschemas
};

struct Member;

/// A JSON value. Numbers keep their text, objects are sorted by key.
struct Json {
    enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
    Kind kind = Kind::null;
    bool truth = false;
    std::string text;  // of numbers and strings
    std::vector<Json> items;
    std::vector<Member> members;

    Json const* find(std::string_view key) const;
    static Json number(std::string text);
    static Json string(std::string text);
    static Json boolean(bool value);
};

struct Member {
    std::string first;
    Json second;
};

/// Reads strict JSON; of equal keys the last one counts.
/// Errors  invalid_input  Go's text ("invalid character 'x' looking for beginning of value", "unexpected EOF"); limit
Result<Json> parse_json(std::string_view text, std::size_t depth_max = 1000);

class Compiled;

/// A compiled schema; cheap to copy, immutable.
class Schema {
public:
    explicit Schema(std::shared_ptr<Compiled const> compiled);

    /// Nothing wrong: success. Else invalid_input with the report, "jsonschema validation failed with '<url>#'\n- at ..."
    /// Errors  limit  checks_max or depth_max reached
    Result<void> validate(Json const& value) const;

    /// The urn: references that nothing stands behind, each once.
    std::vector<std::string> unresolved_urns() const;

private:
    std::shared_ptr<Compiled const> compiled_;
};

/// Compiles a schema document known as `url` ("file:///values.schema.json").
///
/// In      document without $schema counts as 2020-12; formats are checked up to draft-07
/// Errors  invalid_input  the library's text: not valid against its metaschema, unknown anchor, bad regex, ...
///         limit          a Limits field was exceeded
/// Never   loads a remote or local file: such a $ref is an error; an unresolved urn: accepts everything, as in Helm
/// Source  github.com/santhosh-tekuri/jsonschema v6.0.2
Result<Schema> compile(std::string_view url, std::string_view document, Limits const& limits = {});

}  // namespace holdfast::jsonschema
