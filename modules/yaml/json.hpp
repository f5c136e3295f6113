// modules/yaml/json.hpp: between YAML and Boost.JSON, as go-yaml, encoding/json and sigs.k8s.io/yaml do it.
#pragma once

#include "modules/base/error.hpp"
#include "modules/yaml/emit.hpp"
#include "modules/yaml/node.hpp"
#include "modules/yaml/parse.hpp"

#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace holdfast::yaml {

struct JsonOptions {
    Dialect dialect = Dialect::v3;
    bool strict = false;  // v2 only: UnmarshalStrict, a key set twice is an error (v3 always checks)
    bool text_keys_at_root =
        false;  // v3: decode into map[string]any, as kyaml's MarshalJSON: `1: a` at the root is "1"
    boost::json::storage_ptr storage{};  // of the value; a monotonic_resource is freed as a whole
};

/// node.Decode(&any), then made JSON: aliases and merge keys expanded.
///
/// In      node   a document or any other node; in v2 a timestamp stays text, in v3 it becomes RFC 3339 text
///                (trees for v2 must be read with ParseOptions::dialect v2)
/// Out     int64, uint64 or double as go-yaml picks them; keys in their order in the text
/// Errors  invalid_input  go-yaml's text: duplicate keys ("yaml: unmarshal errors:\n  line 3: mapping key "a"
///                        already defined at line 2"), merges that are no map, a key that is no string,
///                        "document contains excessive aliasing", "anchor 'a' value contains itself"
///         limit          limits::kYamlAliasNodesMax nodes made by aliases, kYamlDepthMax levels
Result<boost::json::value> to_json(Node const& node, JsonOptions options = {});

/// Block style nodes for a JSON value: strings get tag !!str and no style (the emitter quotes as needed),
/// numbers are written as Go writes them. Keys keep their order.
Node* from_json(Arena& arena, boost::json::value const& value);

/// sigs.k8s.io/yaml YAMLToJSON / Unmarshal(&any): the first document of `text`, v2 rules. null when empty.
Result<boost::json::value> read_sigs(std::string_view text, bool strict = false, boost::json::storage_ptr storage = {});
/// The same for a target with fields of type string: a float stays a double (else a whole one is an integer, as it is
/// in JSON), because such a field gets strconv.FormatFloat's text of it, "1e+06".
Result<boost::json::value> read_sigs_for_text(std::string_view text, boost::json::storage_ptr storage = {});
Result<std::string> yaml_to_json(std::string_view text, bool strict = false);

/// sigs.k8s.io/yaml Marshal(value): helm's toYaml, byte for byte, final line break included.
/// Keys sorted as v2 does ("a2" before "a10"), lines folded at 80, yes/no/on/off quoted.
/// Errors  invalid_input  what v2 refuses to read back (control characters), not-a-number
Result<std::string> write_sigs(boost::json::value const& value);

/// sigs.k8s.io/yaml JSONToYAML.
Result<std::string> json_to_yaml(std::string_view json_text);

/// go-yaml v3's Marshal of a JSON-like value (map[string]any): keys sorted as v3 does.
/// helm's toYamlPretty: EmitOptions{.indent = 2, .sequences = SequenceIndent::wide}.
Result<std::string> write_v3(boost::json::value const& value, EmitOptions options = {});

/// encoding/json Marshal: keys sorted by bytes, <, > and & escaped, floats as Go writes them.
/// Errors  invalid_input  "json: unsupported value: NaN"
Result<std::string> marshal_json(boost::json::value const& value, bool escape_html = true);

/// Reports equal keys of one mapping as v3's decoder does, for all mappings of the tree.
Result<void> check_unique_keys(Node const& node);

/// kyaml IsValueNonString: does YAML 1.1 read this text, written plain, as something else than a string?
bool is_yaml11_non_string(std::string_view text);

/// keyList.Less: how go-yaml sorts the keys of a map[string]any before writing.
bool key_less(std::string_view a, std::string_view b, Dialect dialect);

}  // namespace holdfast::yaml
