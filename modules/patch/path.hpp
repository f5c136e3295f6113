// modules/patch/path.hpp: paths into objects: "spec.template.spec.containers.[name=app].image" and their like.
#pragma once

#include "modules/base/error.hpp"
#include "modules/yaml/node.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::patch {

/// kyaml PathSplitter: a delimiter after a backslash belongs to the name; one leading delimiter is skipped.
std::vector<std::string> split_path(std::string_view path, std::string_view delimiter = "/");

/// kyaml SmarterPathSplitter: "[a=b.c]" stays together, "[a.b.c]" becomes one name without brackets.
std::vector<std::string> split_field_path(std::string_view path, std::string_view delimiter = ".");

using Path = std::span<std::string const>;
using Names = std::span<std::string_view const>;

/// kyaml Lookup: follows names, "[name=app]", "[=text]", "0" and "-" (the last element).
///
/// Out     nullptr when something on the way is missing or null
/// Errors  invalid_input  a part that does not fit its node, a negative index, "*"
Result<yaml::Node*> lookup(yaml::Node& node, Path path);
Result<yaml::Node*> lookup(yaml::Node& node, std::initializer_list<std::string_view> path);

/// kyaml LookupCreate: the same, making what is missing; the last node becomes of `kind`. List elements named by
/// an index are never made.
Result<yaml::Node*> lookup_create(yaml::Arena& arena, yaml::Node& node, yaml::Kind kind, Path path,
                                  yaml::Style style = yaml::Style::none);
Result<yaml::Node*> lookup_create(yaml::Arena& arena, yaml::Node& node, yaml::Kind kind,
                                  std::initializer_list<std::string_view> path, yaml::Style style = yaml::Style::none);

/// kyaml PathMatcher: every node the path names: "*" is each element, "[name=regex]" each element that matches,
/// "3" one element. A path that goes on below a scalar reads the scalar's text as YAML.
///
/// In      create  Kind::none: makes nothing; else what is missing is made, an element one past the end too
/// Out     the nodes, in document order; nullopt-like empty `found` false when the path ends in nothing
/// Errors  invalid_input  index out of range, regular expression, a part that does not fit its node
///         limit          limits::kPatchMatchesMax nodes
struct Matches {
    bool found = false;  // kyaml's non-nil result
    std::vector<yaml::Node*> nodes;
};
Result<Matches> match(yaml::Arena& arena, yaml::Node& node, Path path, yaml::Kind create = yaml::Kind::none);

/// RNode.GetFieldValue's look-up: "spec.ports[0].port", "metadata.annotations.[a.b/c]".
/// Out     the node, an alias followed; never nullptr
/// Errors  not_found      "no field named 'spec.x'"
///         invalid_input  as lookup
Result<yaml::Node*> lookup_field(yaml::Node& node, std::string_view path);

bool is_list_index(std::string_view part);    // "[...]"
bool is_index_number(std::string_view part);  // strconv.Atoi succeeds and is not negative

}  // namespace holdfast::patch
