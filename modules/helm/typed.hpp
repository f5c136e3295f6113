// modules/helm/typed.hpp: YAML into Go structs, as sigs.k8s.io/yaml and encoding/json do it, error texts included.
#pragma once

#include "modules/base/error.hpp"
#include "modules/text/gotemplate/value.hpp"

#include <boost/json/value.hpp>

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::helm {

/// One field of a Go struct, by its JSON name.
struct TypedField {
    enum class Kind { string, boolean, string_list, string_map, any_list, structure, structure_list };
    std::string_view name;
    Kind kind = Kind::string;
    std::span<TypedField const> fields{};  // of the structure, or of a list's elements
    std::string_view go_type = "string";   // as an error text names the field's type
    std::string_view element{};            // name of the elements' struct, "" when it has none
    std::string_view element_type{};       // as an error text names it, "v2.Dependency"
};

struct TypedStruct {
    std::string_view name;     // "Metadata"
    std::string_view go_type;  // "v2.Metadata"
    std::span<TypedField const> fields;
};

/// A decoded struct. A field that was absent or null reads as its zero value.
class Typed {
public:
    bool has(std::string_view field) const { return fields_.contains(field); }
    std::string text(std::string_view field) const;
    bool flag(std::string_view field) const;
    std::vector<std::string> list(std::string_view field) const;
    std::map<std::string, std::string> strings(std::string_view field) const;
    gotemplate::Value values(std::string_view field) const;  // []any; invalid when absent
    Typed const* child(std::string_view field) const;
    std::vector<Typed const*> children(std::string_view field) const;  // nullptr for null elements

private:
    friend class Decoder;
    struct Slot {
        std::string text{};
        bool flag = false;
        std::vector<std::string> list{};
        std::map<std::string, std::string> strings{};
        gotemplate::Value values{};
        std::vector<Typed> children{};
        std::vector<bool> null_children{};
    };
    std::map<std::string, Slot, std::less<>> fields_;
};

/// yaml.Unmarshal(text, &struct). Scalars become text where the field is a string; unknown keys are skipped.
/// Errors  invalid_input  "error converting YAML to JSON: yaml: line 2: ...",
///                        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type ..."
Result<Typed> decode_yaml(std::string_view text, TypedStruct const& type);

/// yaml.Unmarshal(text, &map[string]any): every number a float64. An empty or null text is an empty map.
Result<gotemplate::Value> read_yaml_map(std::string_view text);
/// The same into []any.
Result<gotemplate::Value> read_yaml_list(std::string_view text);

/// A JSON tree as encoding/json gives it to `any`.
Result<gotemplate::Value> to_value(boost::json::value const& tree);

}  // namespace holdfast::helm
