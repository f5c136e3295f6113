// modules/patch/field.cpp: one field of a map, and the metadata of an object.
#include "modules/patch/field.hpp"

#include "modules/patch/path.hpp"
#include "modules/yaml/emit.hpp"
#include "modules/yaml/json.hpp"
#include "modules/yaml/resolve.hpp"

#include <algorithm>

namespace holdfast::patch {

using yaml::Kind;
using yaml::Node;
using yaml::Style;
using yaml::Tag;

namespace {

std::string_view kind_name(Kind kind) {
    switch (kind) {
        case Kind::sequence: return "SequenceNode";
        case Kind::mapping: return "MappingNode";
        case Kind::scalar: return "ScalarNode";
        case Kind::document: return "DocumentNode";
        case Kind::alias: return "AliasNode";
        case Kind::none: break;
    }
    return "";
}

Node* unwrapped(Node const* node) { return yaml::root_of(const_cast<Node*>(node)); }

bool is_set(Node const* value) { return value && !is_nil_or_empty(value); }

/// Surely one plain scalar when written without quotes: names, images, paths. Merging asks this of every text.
bool is_one_word(std::string_view text) {
    auto const is_alphanumeric = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    if (text.empty() || !is_alphanumeric(text.front()) || text.back() == ':') return false;
    return std::ranges::all_of(text,
                               [&](char c) { return is_alphanumeric(c) || std::string_view{"-_./+:@"}.contains(c); });
}

std::string_view meta_text(Node const& object, std::string_view name) {
    auto const metadata = field(&object, "metadata");
    if (!is_set(metadata.value)) return {};
    auto const found = field(metadata.value, name);
    return is_set(found.value) ? found.value->value() : std::string_view{};
}

std::string_view top_text(Node const& object, std::string_view name) {
    auto const found = field(&object, name);
    return found ? found.value->value() : std::string_view{};
}

Result<void> set_metadata_entry(yaml::Arena& arena, Node& object, std::string_view map, std::string_view key,
                                std::string_view value) {
    auto* const text = yaml::make_string(arena, value);
    text->style = Style::single_quoted;
    auto entries = lookup_create(arena, object, Kind::mapping, {"metadata", map});
    if (!entries) return fail(std::move(entries));
    if (!*entries) return {};
    auto done = set(arena, **entries, key, text);
    if (!done) return fail(std::move(done));
    return {};
}

}  // namespace

bool is_empty_map(Node const* node) {
    node = unwrapped(node);
    return is_null(node) || (node->is_map() && node->empty());
}

bool is_nil_or_empty(Node const* node) {
    node = unwrapped(node);
    return is_null(node) || ((node->is_map() || node->is_seq()) && node->empty()) || node->is_zero();
}

bool is_string(Node const& node) {
    return node.is_scalar() && (node.tag_id() == Tag::string || node.tag_id() == Tag::none);
}

std::string_view value_of(Node const* node) {
    node = unwrapped(node);
    return is_null(node) ? std::string_view{} : node->value();
}

Result<void> require(Node const* node, Kind kind) {
    node = unwrapped(node);
    if (is_null(node) || node->kind == kind) return {};
    auto message = "wrong node kind: expected " + std::string{kind_name(kind)} + " but got ";
    message += kind_name(node->kind);
    message += ": node contents:\n";
    message += text_of(*node);
    return fail(Errc::invalid_input, std::move(message));
}

Field field(Node const* node, std::string_view name) {
    auto* const map = unwrapped(node);
    if (!map || !map->is_map()) return {};
    auto const at = map->index_of(name);
    if (at == Node::npos) return {};
    return {map->item(at), map->item(at + 1)};
}

Result<Node*> get(Node* node, std::string_view name) {
    node = unwrapped(node);
    if (is_null(node)) return nullptr;
    if (name.empty()) {
        if (auto fits = require(node, Kind::scalar); !fits) return fail(std::move(fits));
        return node->value().empty() ? node : nullptr;
    }
    if (auto fits = require(node, Kind::mapping); !fits) return fail(std::move(fits));
    return node->find(name);
}

Result<Node*> clear(Node& node, std::string_view name, bool only_if_empty) {
    auto* const map = unwrapped(&node);
    if (auto fits = require(map, Kind::mapping); !fits) return fail(std::move(fits));
    if (!map || !map->is_map()) return nullptr;
    for (std::size_t i = 0; i + 1 < map->size(); i += 2) {
        if (map->item(i)->value() != name) continue;
        auto* const removed = map->item(i + 1);
        if (only_if_empty && !removed->empty()) continue;
        map->erase(i, 2);
        return removed;
    }
    return nullptr;
}

Result<Node*> set(yaml::Arena& arena, Node& node, std::string_view name, Node* value, SetOptions options) {
    auto* const map = unwrapped(&node);
    value = unwrapped(value);
    if (value && value->style == Style::none && is_string(*value) && is_yaml11_non_string(*value)) {
        value->style = Style::double_quoted;
    }
    if (!value || (is_null(value) && !options.keep_null)) {
        auto removed = clear(*map, name);
        if (!removed) return fail(std::move(removed));
        return nullptr;
    }
    if (auto fits = require(map, Kind::mapping); !fits) return fail(std::move(fits));
    if (!map->is_map()) return value;  // a null takes no fields; kyaml loses them too

    if (auto* const old = map->find(name)) {
        value->style = old->style;
        *old = *value;
        return old;
    }
    auto* const key = yaml::make_scalar(arena, name, Tag::none, options.append_key_style);
    if (auto const* from = options.key_comments) {
        key->set_head_comment(arena, from->head_comment());
        key->set_line_comment(arena, from->line_comment());
        key->set_foot_comment(arena, from->foot_comment());
    }
    map->append(arena, key);
    map->append(arena, value);
    return value;
}

Result<void> set_value(Node& node, Node* value) {
    auto* const target = unwrapped(&node);
    if (value && value->style == Style::none && is_string(*value) && is_yaml11_non_string(*value)) {
        value->style = Style::double_quoted;
    }
    if (auto fits = require(target, Kind::scalar); !fits) return fail(std::move(fits));
    if (is_null(value)) return {};
    value->style = target->style;
    *target = *value;
    return {};
}

Result<void> set_at(yaml::Arena& arena, Node& node, std::span<std::string_view const> path, Node* value) {
    std::vector<std::string> const parents(path.begin(), path.end() - 1);
    auto map = lookup_create(arena, node, Kind::mapping, Path{parents});
    if (!map) return fail(std::move(map));
    if (!*map) return {};
    auto done = set(arena, **map, path.back(), value);
    if (!done) return fail(std::move(done));
    return {};
}

std::string_view name_of(Node const& object) { return meta_text(object, "name"); }
std::string_view namespace_of(Node const& object) { return meta_text(object, "namespace"); }
std::string_view kind_of(Node const& object) { return top_text(object, "kind"); }
std::string_view api_version_of(Node const& object) { return top_text(object, "apiVersion"); }

Result<void> clear_empty_annotations(Node& object) {
    auto metadata = get(&object, "metadata");
    if (!metadata) return fail(std::move(metadata));
    if (*metadata) {
        auto cleared = clear(**metadata, "annotations", true);
        if (!cleared) return fail(std::move(cleared));
    }
    auto cleared = clear(object, "metadata", true);
    if (!cleared) return fail(std::move(cleared));
    return {};
}

Result<void> set_annotation(yaml::Arena& arena, Node& object, std::string_view key, std::string_view value) {
    if (auto cleared = clear_empty_annotations(object); !cleared) return fail(std::move(cleared));
    return set_metadata_entry(arena, object, "annotations", key, value);
}

Result<void> set_label(yaml::Arena& arena, Node& object, std::string_view key, std::string_view value) {
    return set_metadata_entry(arena, object, "labels", key, value);
}

Result<void> clear_annotation(Node& object, std::string_view key) {
    auto entries = lookup(object, {"metadata", "annotations"});
    if (!entries) return fail(std::move(entries));
    if (!*entries) return {};
    auto cleared = clear(**entries, key);
    if (!cleared) return fail(std::move(cleared));
    return {};
}

std::string text_of(Node const& node) {
    auto text = yaml::emit(node);
    return text ? std::move(*text) : std::string{};
}

bool is_yaml11_non_string(Node const& node) {
    if (!node.is_scalar()) return false;
    auto const text = node.value();
    if (!is_one_word(text)) return yaml::is_yaml11_non_string(text);
    auto const tag = yaml::resolve_tag(text, yaml::Dialect::v2);
    return tag != Tag::string && tag != Tag::timestamp;
}

}  // namespace holdfast::patch
