// modules/patch/merge.hpp: strategic merge patches as kyaml's merge2 does them for kustomize.
#pragma once

#include "modules/base/error.hpp"
#include "modules/patch/schema.hpp"
#include "modules/yaml/node.hpp"

namespace holdfast::patch {

enum class ListGrowth : std::uint8_t {
    append,   // new elements after the old ones; kyaml's default
    prepend,  // before them: what kustomize uses for patches
};

struct MergeOptions {
    ListGrowth growth = ListGrowth::prepend;
    bool infer_keys = false;  // lists of unknown type whose elements all have "name" are merged by it
};

/// Merges `patch` into `target`.
///
/// In      target  an object, changed in place; its null fields without text ("a:") are dropped on the way
///         patch   consumed: $patch directives are taken out of it, and its nodes become part of `target`.
///                 Pass a clone when it is needed again. Aliases must be expanded before.
/// Out     `target`; nullptr when the patch says to delete it ("$patch: delete");
///         `patch` for a "$patch: replace" at the top, which kustomize ignores (the object stays as it is)
/// Errors  invalid_input  kyaml's texts: "wrong node kind: expected MappingNode but got SequenceNode: node contents:\n...",
///                        "unknown patch strategy 'x'"
///         limit          limits::kPatchDepthMax levels, limits::kPatchStepsMax steps
/// Never   does anything special with $setElementOrder, $retainKeys, $deleteFromPrimitiveList: as in kustomize they
///         are ordinary fields
/// Cost    O(nodes of both), lists merged by key in O(n) while keys are unique; recurses
/// Source  kyaml yaml/merge2, yaml/walk
Result<yaml::Node*> merge(yaml::Arena& arena, Schema const& schema, yaml::Node& patch, yaml::Node& target,
                          MergeOptions options = {});

}  // namespace holdfast::patch
