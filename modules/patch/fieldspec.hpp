// modules/patch/fieldspec.hpp: "this field of objects of this kind": how kustomize's transformers find what to change.
#pragma once

#include "modules/base/error.hpp"
#include "modules/yaml/node.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace holdfast::patch {

/// Empty parts match every object. `path` is separated by "/" ("\/" is a slash of a name); "name[]" is a list.
struct FieldSpec {
    std::string group, version, kind;
    std::string path;
    bool create = false;  // makes the path when it is missing

    bool operator==(FieldSpec const&) const = default;
    /// "Deployment.apps:false:spec/x" is kustomize's; only for its error texts.
    bool matches(yaml::Node const& object) const;  // group, version and kind
};

/// Called for every node at the end of the path, null nodes included; may overwrite the node in place.
using Visit = std::function<Result<void>(yaml::Node&)>;

struct Create {
    yaml::Kind kind = yaml::Kind::none;  // none: the path is never made
    yaml::Tag tag = yaml::Tag::none;     // a null that becomes `kind` gets this tag
};

/// api/filters/fieldspec: calls `visit` on the field of `object` that `spec` names, through all lists on the way.
///
/// Out     nothing when `object` is of another kind, or the path is not there and not to be made
/// Errors  invalid_input  kustomize's text: "considering field 'spec/x' of object Deployment.v1.apps/web.[noNs]: ..."
Result<void> apply(yaml::Arena& arena, FieldSpec const& spec, yaml::Node& object, Visit const& visit,
                   Create create = {});

/// api/filters/fsslice: all specs, in order.
Result<void> apply(yaml::Arena& arena, std::span<FieldSpec const> specs, yaml::Node& object, Visit const& visit,
                   Create create = {});

/// filtersutil.SetScalar / SetEntry: sets a scalar, or an entry of a map when `name` is given. As in kustomize
/// all entries that one setter makes are one node, so make a setter per object. Tag none: typed by its text.
Visit set_scalar(yaml::Arena& arena, std::string_view value);
Visit set_entry(yaml::Arena& arena, std::string_view name, std::string_view value, yaml::Tag tag);

/// filtersutil.SetEntryIfEmpty: leaves what has a value.
Visit set_entry_if_empty(yaml::Arena& arena, std::string_view name, std::string_view value, yaml::Tag tag);

/// resid.FromRNode(object).String(): "Deployment.v1.apps/web.default".
std::string describe(yaml::Node const& object);

}  // namespace holdfast::patch
