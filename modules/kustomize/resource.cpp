// modules/kustomize/resource.cpp: reading and writing an object's identity and its notes to itself.
#include "modules/kustomize/resource.hpp"

#include "modules/kustomize/context.hpp"
#include "modules/patch/field.hpp"
#include "modules/patch/path.hpp"

#include <algorithm>
#include <array>

namespace holdfast::kustomize {
namespace {

constexpr std::array<std::string_view, 18> kBuildAnnotations = {
    annotation::kPreviousKinds,
    annotation::kPreviousNames,
    annotation::kPrefixes,
    annotation::kSuffixes,
    annotation::kPreviousNamespaces,
    annotation::kAllowNameChange,
    annotation::kAllowKindChange,
    "internal.config.kubernetes.io/refBy",
    annotation::kBehavior,
    annotation::kNeedsHash,
    "internal.config.kubernetes.io/path",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/seqindent",
    "internal.config.kubernetes.io/id",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
    "config.k8s.io/id"};

bool is_build_annotation(std::string_view key) {
    return key == annotation::kHelmGenerated || std::ranges::find(kBuildAnnotations, key) != kBuildAnnotations.end();
}

std::vector<std::string_view> split_commas(std::string_view text) {
    std::vector<std::string_view> parts;
    for (;;) {
        auto const comma = text.find(',');
        parts.push_back(text.substr(0, comma));
        if (comma == std::string_view::npos) return parts;
        text.remove_prefix(comma + 1);
    }
}

/// utils.SameEndingSubSlice on comma lists; no annotation is an empty list.
bool same_ending(std::optional<std::string_view> a, std::optional<std::string_view> b) {
    auto shorter = a ? split_commas(*a) : std::vector<std::string_view>{};
    auto longer = b ? split_commas(*b) : std::vector<std::string_view>{};
    if (shorter.size() > longer.size()) std::swap(shorter, longer);
    if (shorter.empty()) return longer.empty();
    return std::equal(shorter.rbegin(), shorter.rend(), longer.rbegin());
}

}  // namespace

bool Resource::gone() const { return patch::is_nil_or_empty(root_); }

std::string_view Resource::kind() const {
    auto const* node = root_ ? root_->find("kind") : nullptr;
    return node ? node->value() : std::string_view{};
}

std::string_view Resource::api_version() const {
    auto const* node = root_ ? root_->find("apiVersion") : nullptr;
    return node ? node->value() : std::string_view{};
}

yaml::Node const* Resource::metadata() const {
    auto const* node = root_ ? root_->find("metadata") : nullptr;
    return patch::is_nil_or_empty(node) ? nullptr : node;
}

yaml::Node const* Resource::metadata_map(std::string_view field) const {
    auto const* meta = metadata();
    return meta ? meta->find(field) : nullptr;
}

std::string_view Resource::name() const {
    auto const* node = metadata_map("name");
    return patch::is_nil_or_empty(node) ? std::string_view{} : node->value();
}

std::string_view Resource::ns() const {
    auto const* node = metadata_map("namespace");
    return patch::is_nil_or_empty(node) ? std::string_view{} : node->value();
}

ResId const& Resource::id() const {
    if (!has_id_) {
        id_.gvk = make_gvk(context_->schema, api_version(), kind());
        if (!context_->schema_is_chosen && !context_->unknown_type_met) {
            context_->unknown_type_met = !context_->schema.is_namespaced(api_version(), kind());
        }
        id_.name = name();
        id_.ns = ns();
        has_id_ = true;
    }
    return id_;
}

std::vector<ResId> const& Resource::previous_ids() const {
    if (has_previous_) return previous_;
    has_previous_ = true;
    previous_.clear();
    auto const names_text = annotation_of(annotation::kPreviousNames);
    if (!names_text) return previous_;
    auto const names = split_commas(*names_text);
    auto const spaces = split_commas(annotation_of(annotation::kPreviousNamespaces).value_or(""));
    auto const kinds = split_commas(annotation_of(annotation::kPreviousKinds).value_or(""));
    if (names.size() != spaces.size() || names.size() != kinds.size()) return previous_;
    auto const [group, version] = split_api_version(api_version());
    for (std::size_t i = 0; i < names.size(); ++i) {
        previous_.push_back({{std::string{group}, std::string{version}, std::string{kinds[i]}},
                             std::string{names[i]},
                             std::string{spaces[i]}});
    }
    return previous_;
}

ResId const& Resource::original_id() const {
    auto const& previous = previous_ids();
    return previous.empty() ? id() : previous.front();
}

void Resource::store_previous_id() {
    auto const now = id();
    append_csv(annotation::kPreviousNames, now.name);
    append_csv(annotation::kPreviousNamespaces, now.effective_namespace());
    append_csv(annotation::kPreviousKinds, now.gvk.kind);
}

StringMap Resource::annotations() const {
    StringMap out;
    if (auto const* map = metadata_map("annotations"); map && map->is_map()) {
        for (std::size_t i = 0; i + 1 < map->size(); i += 2) {
            out[std::string{map->item(i)->value()}] = map->item(i + 1)->value();
        }
    }
    return out;
}

StringMap Resource::labels() const {
    StringMap out;
    if (auto const* map = metadata_map("labels"); map && map->is_map()) {
        for (std::size_t i = 0; i + 1 < map->size(); i += 2) {
            out[std::string{map->item(i)->value()}] = map->item(i + 1)->value();
        }
    }
    return out;
}

std::optional<std::string_view> Resource::annotation_of(std::string_view key) const {
    auto const* map = metadata_map("annotations");
    auto const* node = map ? map->find(key) : nullptr;
    if (!node) return std::nullopt;
    return node->value();
}

void Resource::enable(std::string_view key) {
    auto map = annotations();
    map[std::string{key}] = "enabled";
    (void)set_annotations(map).has_value();
}

Result<yaml::Node*> Resource::make_metadata() {
    touch();
    return patch::lookup_create(context_->arena, *root_, yaml::Kind::mapping, {"metadata"});
}

Result<void> Resource::set_metadata_map(std::string_view field, StringMap const& map) {
    auto& arena = context_->arena;
    auto meta = make_metadata();
    if (!meta) return fail(std::move(meta));
    if (!*meta) return {};
    if (auto cleared = patch::clear(**meta, field); !cleared) return fail(std::move(cleared));
    if (map.empty()) return {};
    auto* const node = yaml::make_map(arena);
    for (auto const& [key, value] : map) {
        auto set = patch::set(arena, *node, key, yaml::make_string(arena, value));
        if (!set) return fail(std::move(set));
    }
    (*meta)->append(arena, yaml::make_scalar(arena, field));
    (*meta)->append(arena, node);
    return {};
}

Result<void> Resource::set_annotation(std::string_view key, std::string_view value) {
    touch();
    return patch::set_annotation(context_->arena, *root_, key, value);
}

void Resource::append_csv(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    if (auto const old = annotation_of(key)) {
        (void)set_annotation(key, std::string{*old} + "," + std::string{value}).has_value();
    } else {
        (void)set_annotation(key, value).has_value();
    }
}

Result<void> Resource::set_text(std::initializer_list<std::string_view> path, std::string_view text) {
    touch();
    return patch::set_at(context_->arena, *root_, {path.begin(), path.size()},
                         yaml::make_scalar(context_->arena, text));
}

Result<void> Resource::set_namespace(std::string_view ns) {
    if (!ns.empty()) return set_text({"metadata", "namespace"}, ns);
    touch();
    auto meta = patch::get(root_, "metadata");
    if (!meta) return fail(std::move(meta));
    if (!*meta) return {};
    auto cleared = patch::clear(**meta, "namespace");
    if (!cleared) return fail(std::move(cleared));
    return {};
}

bool Resource::same_affixes(Resource const& other, bool allow_empty) const {
    auto const prefix = annotation_of(annotation::kPrefixes), suffix = annotation_of(annotation::kSuffixes);
    auto const other_prefix = other.annotation_of(annotation::kPrefixes);
    auto const other_suffix = other.annotation_of(annotation::kSuffixes);
    return ((allow_empty && (!prefix || !other_prefix)) || same_ending(prefix, other_prefix)) &&
           ((allow_empty && (!suffix || !other_suffix)) || same_ending(suffix, other_suffix));
}

Result<void> Resource::merge_metadata_from(Resource const& other) {
    auto merged = other.labels();
    for (auto& [key, value] : labels()) merged[key] = value;
    if (auto ok = set_labels(merged); !ok) return ok;
    auto const theirs = other.annotations(), ours = annotations();
    merged = theirs;
    for (auto const& [key, value] : ours) merged[key] = value;
    // What kustomize noted about the other object stays; what it noted about this one goes.
    std::erase_if(merged, [&](auto const& entry) { return is_build_annotation(entry.first); });
    for (auto const& [key, value] : theirs) {
        if (is_build_annotation(key)) merged[key] = value;
    }
    if (!ours.contains(annotation::kNeedsHash)) merged.erase(std::string{annotation::kNeedsHash});
    if (auto ok = set_annotations(merged); !ok) return ok;
    if (auto ok = set_name(std::string{other.name()}); !ok) return ok;
    if (auto ok = set_namespace(std::string{other.ns()}); !ok) return ok;
    var_names = other.var_names;
    return {};
}

Result<void> Resource::remove_build_annotations() {
    auto map = annotations();
    if (map.empty()) return {};
    std::erase_if(map, [](auto const& entry) { return is_build_annotation(entry.first); });
    return set_annotations(map);
}

}  // namespace holdfast::kustomize
