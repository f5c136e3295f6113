// modules/kustomize/types.hpp: what a kustomization.yaml says, field by field.
#pragma once

#include "modules/kustomize/ids.hpp"
#include "modules/patch/fieldspec.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::kustomize {

using StringMap = std::map<std::string, std::string, std::less<>>;
using FieldSpec = patch::FieldSpec;  // group, version, kind, path, create
using FieldSpecs = std::vector<FieldSpec>;

/// Names objects: every part is a regular expression, anchored; empty parts match all.
struct Selector {
    std::string group, version, kind, name, ns;
    std::string annotation_selector, label_selector;
};

struct PatchOptions {
    bool allow_name_change = false, allow_kind_change = false;
};

struct Patch {
    std::string path, patch;
    std::optional<Selector> target;
    std::optional<PatchOptions> options;
};

struct Label {
    StringMap pairs;
    bool include_selectors = false, include_templates = false;
    FieldSpecs fields;
};

struct Image {
    std::string name, new_name, tag_suffix, new_tag, digest;
};

struct Replica {
    std::string name;
    std::int64_t count = 0;
};

struct FieldOptions {
    std::string delimiter, encoding;
    std::int64_t index = 0;
    bool create = false;
};

struct SourceSelector {
    std::string group, version, kind, name, ns;
    std::string field_path;
    std::optional<FieldOptions> options;
};

struct TargetSelector {
    std::optional<Selector> select;
    std::vector<std::optional<Selector>> reject;
    std::vector<std::string> field_paths;
    std::optional<FieldOptions> options;
};

struct Replacement {
    std::optional<SourceSelector> source;
    std::vector<std::optional<TargetSelector>> targets;
    std::optional<std::string> source_value;
};

struct ReplacementField {
    Replacement replacement;
    std::string path;
};

struct Var {
    std::string name;
    std::string api_version, group, version, kind, object_name, object_ns;  // objref
    std::string field_path;                                                 // fieldref.fieldPath
};

struct GeneratorOptions {
    std::optional<StringMap> labels, annotations;
    bool disable_name_suffix_hash = false, immutable = false;
};

/// configMapGenerator and secretGenerator entries; `type` is of the second only.
struct GeneratorArgs {
    std::string ns, name, behavior, type;
    std::vector<std::string> literals, files, envs;
    std::string env;
    std::optional<GeneratorOptions> options;
};

struct HelmGlobals {
    std::string chart_home, config_home;
};

struct HelmChart {
    std::string name, version, repo, release_name, ns, values_file, values_merge, kube_version, name_template;
    std::vector<std::string> additional_values_files, api_versions;
    boost::json::object values_inline;
    bool include_crds = false, skip_hooks = false, skip_tests = false, debug = false, devel = false;
};

struct LegacySortOptions {
    std::vector<std::string> order_first, order_last;
};

struct SortOptions {
    std::string order;
    std::optional<LegacySortOptions> legacy;
};

struct Kustomization {
    std::string api_version, kind;
    StringMap openapi;
    std::string name_prefix, name_suffix, ns;
    StringMap common_labels, common_annotations;
    std::vector<Label> labels;
    std::vector<std::string> patches_strategic_merge;
    std::vector<Patch> patches_json6902, patches;
    std::vector<Image> images;
    std::vector<ReplacementField> replacements;
    std::vector<Replica> replicas;
    std::vector<Var> vars;
    std::optional<SortOptions> sort_options;
    std::vector<std::string> resources, components, crds;
    std::vector<GeneratorArgs> config_maps, secrets;
    std::optional<HelmGlobals> helm_globals;
    std::vector<HelmChart> helm_charts;
    std::optional<GeneratorOptions> generator_options;
    std::vector<std::string> configurations, generators, transformers, validators, build_metadata;

    bool is_empty = true;               // nothing but apiVersion and kind was there
    std::vector<std::string> warnings;  // deprecated fields, in kustomize's words
};

}  // namespace holdfast::kustomize
