// modules/patch/json_patch.hpp: JSON patches (RFC 6902) as kustomize applies them, and merge patches (RFC 7386).
#pragma once

#include "modules/base/error.hpp"
#include "modules/yaml/node.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::patch {

/// A list of operations, read once and applied to any number of objects.
class JsonPatch {
public:
    /// Reads a patch in JSON or YAML.
    ///
    /// Errors  invalid_input  not a list of objects; texts as encoding/json and sigs.k8s.io/yaml
    ///         limit          limits::kPatchOperationsMax
    /// Never   checks the operations: that happens when one is applied, as in evanphx/json-patch v4
    static Result<JsonPatch> parse(std::string_view text);

    /// evanphx/json-patch v4 Apply on a JSON document: an object or a list.
    ///
    /// Errors  invalid_input  texts as evanphx: "remove operation does not apply: doc is missing path: "/a/b": missing value"
    ///         limit          limits::kPatchCopiedNodesMax values made by "copy"
    Result<void> apply(boost::json::value& document) const;

    /// kustomize's patchjson6902 filter: `object` becomes JSON, is patched and becomes YAML again, so its keys are
    /// sorted, comments and styles lost, and every number is a float64.
    Result<void> apply(yaml::Arena& arena, yaml::Node& object) const;

    std::size_t size() const { return operations_.size(); }

private:
    std::vector<boost::json::object> operations_;
    bool as_written_ = false;  // JSON, not YAML: "test" compares its text
};

/// RFC 7386: `patch` over `target`; a null removes.
void apply_merge_patch(boost::json::value& target, boost::json::value const& patch);

}  // namespace holdfast::patch
