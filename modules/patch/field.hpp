// modules/patch/field.hpp: reading and changing one field or one list element, with kyaml's rules (yaml/fns.go).
// Reading order: field.hpp, path.hpp, fieldspec.hpp, schema.hpp, merge.hpp, json_patch.hpp, selector.hpp.
#pragma once

#include "modules/base/error.hpp"
#include "modules/yaml/node.hpp"

#include <span>
#include <string>
#include <string_view>

namespace holdfast::patch {

// ---- questions. "Null" means tagged so: a made node without a tag is no null, whatever its text.
inline bool is_null(yaml::Node const* node) { return !node || node->tag_id() == yaml::Tag::null; }  // or missing
bool is_empty_map(yaml::Node const* node);                                                          // or null
bool is_nil_or_empty(yaml::Node const* node);       // null, {}, [] or never set
bool is_string(yaml::Node const& node);             // a scalar that is !!str or has no tag
std::string_view value_of(yaml::Node const* node);  // text of a scalar; "" for null and for collections

/// kyaml ErrorIfInvalid: null passes.
/// Errors  invalid_input  "wrong node kind: expected MappingNode but got ScalarNode: node contents:\n..."
Result<void> require(yaml::Node const* node, yaml::Kind kind);

// ---- fields of a map; the first of equal keys wins. A document stands for its root everywhere here.
struct Field {
    yaml::Node* key = nullptr;
    yaml::Node* value = nullptr;
    explicit operator bool() const { return value != nullptr; }
};
/// RNode.Field: nothing when missing or `node` is no map.
Field field(yaml::Node const* node, std::string_view name);

/// kyaml Get: nullptr when missing or `node` is null; without a name: an empty scalar itself. Errors: `node` is no map.
Result<yaml::Node*> get(yaml::Node* node, std::string_view name);

/// kyaml Clear: removes the field and returns what it held (nullptr: was not there). Errors: `node` is no map.
Result<yaml::Node*> clear(yaml::Node& node, std::string_view name, bool only_if_empty = false);

struct SetOptions {
    bool keep_null = false;                            // write a null instead of removing the field
    yaml::Style append_key_style = yaml::Style::none;  // of a key that is new
    yaml::Node const* key_comments = nullptr;          // a new key gets the comments of this node
};
/// kyaml FieldSetter with a name: overwrites the field's node in place, keeping its style; appends a new field with
/// `value` itself. A null `value` (or nullptr) removes the field. A plain text that YAML 1.1 would not read as
/// text gets quotes. Returns the node that is in the map, nullptr when removed.
/// Errors  invalid_input  `node` is no map
Result<yaml::Node*> set(yaml::Arena& arena, yaml::Node& node, std::string_view name, yaml::Node* value,
                        SetOptions options = {});

/// kyaml FieldSetter without a name: overwrites a scalar in place and keeps its style; `value` takes that style too.
/// Errors  invalid_input  `node` is no scalar
Result<void> set_value(yaml::Node& node, yaml::Node* value);

/// RNode.SetMapField: sets node.a.b.c, making the maps on the way.
Result<void> set_at(yaml::Arena& arena, yaml::Node& node, std::span<std::string_view const> path, yaml::Node* value);

// ---- metadata
std::string_view name_of(yaml::Node const& object);  // metadata.name, "" when there is none
std::string_view namespace_of(yaml::Node const& object);
std::string_view kind_of(yaml::Node const& object);
std::string_view api_version_of(yaml::Node const& object);

/// kyaml ClearEmptyAnnotations: drops metadata.annotations when empty, then metadata.
Result<void> clear_empty_annotations(yaml::Node& object);
/// kyaml SetAnnotation / SetLabel: single-quoted; makes metadata and the map.
Result<void> set_annotation(yaml::Arena& arena, yaml::Node& object, std::string_view key, std::string_view value);
Result<void> set_label(yaml::Arena& arena, yaml::Node& object, std::string_view key, std::string_view value);
/// kyaml ClearAnnotation.
Result<void> clear_annotation(yaml::Node& object, std::string_view key);

// ---- elements of a list
using Texts = std::span<std::string_view const>;

/// RNode.ElementList: the first map whose fields `keys` have exactly `values`; with keys {""}: the first element
/// whose text is values[0]. nullptr when there is none or `node` is no list.
yaml::Node* find_element(yaml::Node* node, Texts keys, Texts values);

/// kyaml ElementSetter: replaces every element that has `values` at `keys`, appends `element` when none has,
/// removes them when it is nullptr. An empty value matches any. Null and empty elements are dropped on the way.
/// Errors  invalid_input  `node` is no list; an element of the wrong kind
Result<void> set_element(yaml::Arena& arena, yaml::Node& node, Texts keys, Texts values, yaml::Node* element);

// ---- text
/// YAML of a node as kyaml's String(): for error texts. "" when it cannot be written.
std::string text_of(yaml::Node const& node);

/// kyaml IsYaml1_1NonString: would YAML 1.1 read this plain text as something else than text?
bool is_yaml11_non_string(yaml::Node const& node);

}  // namespace holdfast::patch
