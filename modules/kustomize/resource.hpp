// modules/kustomize/resource.hpp: one Kubernetes object on its way through a build.
#pragma once

#include "modules/base/error.hpp"
#include "modules/kustomize/ids.hpp"
#include "modules/kustomize/types.hpp"
#include "modules/yaml/node.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::kustomize {

class Context;

namespace annotation {
inline constexpr std::string_view kDomain = "internal.config.kubernetes.io/";
inline constexpr std::string_view kPreviousKinds = "internal.config.kubernetes.io/previousKinds";
inline constexpr std::string_view kPreviousNames = "internal.config.kubernetes.io/previousNames";
inline constexpr std::string_view kPreviousNamespaces = "internal.config.kubernetes.io/previousNamespaces";
inline constexpr std::string_view kPrefixes = "internal.config.kubernetes.io/prefixes";
inline constexpr std::string_view kSuffixes = "internal.config.kubernetes.io/suffixes";
inline constexpr std::string_view kAllowNameChange = "internal.config.kubernetes.io/allowNameChange";
inline constexpr std::string_view kAllowKindChange = "internal.config.kubernetes.io/allowKindChange";
inline constexpr std::string_view kBehavior = "internal.config.kubernetes.io/generatorBehavior";
inline constexpr std::string_view kNeedsHash = "internal.config.kubernetes.io/needsHashSuffix";
inline constexpr std::string_view kHelmGenerated = "internal.config.kubernetes.io/helm-generated";
inline constexpr std::string_view kOrigin = "config.kubernetes.io/origin";
inline constexpr std::string_view kTransformations = "alpha.config.kubernetes.io/transformations";
inline constexpr std::string_view kLocalConfig = "config.kubernetes.io/local-config";
}  // namespace annotation

/// The object's nodes plus what is derived from them. kustomize notes an object's history in annotations of the
/// object itself, where patches see it, and so does this: same annotations, removed at the end.
class Resource {
public:
    Resource(Context& context, yaml::Node* root) : context_{&context}, root_{root} {}

    /// The mapping; nullptr when a patch deleted the object.
    yaml::Node const* root() const { return root_; }
    /// For changing the object: what is derived from it is forgotten.
    yaml::Node* edit() { return touch(), root_; }
    void reset(yaml::Node* root) { root_ = root, touch(); }
    bool gone() const;  // IsNilOrEmpty
    Context& context() const { return *context_; }

    std::string_view kind() const;
    std::string_view api_version() const;
    std::string_view name() const;
    std::string_view ns() const;

    ResId const& id() const;                         // CurId
    ResId const& original_id() const;                // OrgId
    std::vector<ResId> const& previous_ids() const;  // oldest first
    bool any_id(auto&& matches) const {
        for (auto const& old : previous_ids()) {
            if (matches(old)) return true;
        }
        return matches(id());
    }
    void store_previous_id();

    StringMap annotations() const;
    StringMap labels() const;
    std::optional<std::string_view> annotation_of(std::string_view key) const;
    bool enabled(std::string_view key) const { return annotation_of(key) == "enabled"; }
    void enable(std::string_view key);

    // The setters fail when metadata is no mapping.
    Result<void> set_annotations(StringMap const& map) { return set_metadata_map("annotations", map); }
    Result<void> set_labels(StringMap const& map) { return set_metadata_map("labels", map); }
    Result<void> set_annotation(std::string_view key, std::string_view value);  // kyaml SetAnnotation
    Result<void> set_kind(std::string_view kind) { return set_text({"kind"}, kind); }
    Result<void> set_api_version(std::string_view api_version) { return set_text({"apiVersion"}, api_version); }
    Result<void> set_name(std::string_view name) { return set_text({"metadata", "name"}, name); }
    Result<void> set_namespace(std::string_view ns);  // "" removes it

    void add_prefix(std::string_view prefix) { append_csv(annotation::kPrefixes, prefix); }
    void add_suffix(std::string_view suffix) { append_csv(annotation::kSuffixes, suffix); }
    /// PrefixesSuffixesEquals
    bool same_affixes(Resource const& other, bool allow_empty) const;

    /// CopyMergeMetaDataFieldsFrom
    Result<void> merge_metadata_from(Resource const& other);
    Result<void> remove_build_annotations();

    /// For var references: names of the vars that read this object.
    std::vector<std::string> var_names;

private:
    void touch() { has_id_ = has_previous_ = false; }
    yaml::Node const* metadata() const;
    yaml::Node const* metadata_map(std::string_view field) const;
    Result<yaml::Node*> make_metadata();
    Result<void> set_text(std::initializer_list<std::string_view> path, std::string_view text);
    Result<void> set_metadata_map(std::string_view field, StringMap const& map);
    void append_csv(std::string_view key, std::string_view value);

    Context* context_;
    yaml::Node* root_;
    mutable bool has_id_ = false, has_previous_ = false;
    mutable ResId id_;
    mutable std::vector<ResId> previous_;
};

}  // namespace holdfast::kustomize
