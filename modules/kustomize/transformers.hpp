// modules/kustomize/transformers.hpp: the steps of a kustomization, each made from its arguments, then run.
#pragma once

#include "modules/base/error.hpp"
#include "modules/kustomize/config.hpp"
#include "modules/kustomize/loader.hpp"
#include "modules/kustomize/resmap.hpp"
#include "modules/kustomize/types.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::kustomize {

using Transform = std::function<Result<void>(ResMap&)>;
using Generate = std::function<Result<std::vector<Resource*>>()>;

struct PatchArgs {
    std::string path, patch;
    std::optional<Selector> target;
    std::optional<PatchOptions> options;
    std::string config;  // all of this as YAML, for the message when there are both or none of path and patch
};

struct NamespaceArgs {
    std::string ns;
    FieldSpecs specs;
    bool unset_only = false;
    std::string subjects = "defaultOnly";  // of role bindings: defaultOnly, allServiceAccounts, none
};

struct ValueAddTarget {
    std::optional<Selector> selector;
    std::string field_path;
    std::int64_t file_path_position = 0;
};

Transform add_prefix(std::string prefix, FieldSpecs specs);
Transform add_suffix(std::string suffix, FieldSpecs specs);
Transform add_labels(StringMap labels, FieldSpecs specs);
Transform add_annotations(StringMap annotations, FieldSpecs specs);
Transform set_namespaces(NamespaceArgs args);
Transform set_replicas(Replica replica, FieldSpecs specs);
Transform add_values(std::string value, std::vector<ValueAddTarget> targets);
Transform add_hashes();
Transform replace_values(Context& context, std::vector<Replacement> replacements);
Transform sort_objects(std::optional<SortOptions> options);

// These read files or compile patterns, so making them can fail.
Result<Transform> change_image(Image image, FieldSpecs specs);
Result<Transform> apply_any_patch(Context& context, Loader const& loader, PatchArgs args);
Result<Transform> apply_json_patch(Context& context, Loader const& loader, PatchArgs args);
Result<Transform> apply_merge_patches(Context& context, Loader const& loader, std::vector<std::string> paths,
                                      std::string const& patches);
/// Paths among the fields are read.
Result<std::vector<Replacement>> load_replacements(Context& context, Loader const& loader,
                                                   std::vector<ReplacementField> const& fields);

/// hasher.Hash: ten characters for the name.
Result<std::string> hash_of(Resource const& object);

}  // namespace holdfast::kustomize
