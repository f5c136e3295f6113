// modules/kustomize/anchors.cpp: aliases and merge keys replaced by copies, and how deep the result may be.
#include "modules/kustomize/factory.hpp"

#include "modules/base/limits.hpp"

#include <algorithm>
#include <unordered_set>
#include <vector>

namespace holdfast::kustomize {
namespace {

using yaml::Kind;
using yaml::Node;

class Expander {
public:
    explicit Expander(yaml::Arena& arena) : arena_{arena} {}

    Result<Node*> expand(Node* node) {
        if (!node) return node;
        if (++depth_ > limits::kYamlDepthMax) return fail(Errc::limit, "yaml: anchors nest too deep");
        auto done = expand_here(node);
        --depth_;
        return done;
    }

private:
    Result<Node*> expand_here(Node* node) {
        if (!node->anchor().empty()) {
            if (node->is_alias()) {
                return fail(Errc::invalid_input, "anchor \"" + std::string{node->anchor()} + "\" defined using alias");
            }
            node->set_anchor(arena_, "");
        }
        if (node->is_scalar()) return node;
        if (node->is_alias()) return expand_alias(node);
        if (node->kind == Kind::none) return fail(Errc::invalid_input, "cannot deAnchor kind '\\x00'");
        if (!open_.insert(node).second) return fail(Errc::invalid_input, "yaml: an anchor's value contains itself");
        if (node->is_map()) {
            if (auto ok = merge(node); !ok) return fail(std::move(ok));
        }
        for (std::size_t i = 0; i < node->size(); ++i) {
            auto child = expand(node->item(i));
            if (!child) return child;
            node->set_item(i, *child);
        }
        open_.erase(node);
        return node;
    }

    Result<Node*> expand_alias(Node* alias) {
        auto* const target = alias->alias();
        if (!target)
            return fail(Errc::invalid_input, "yaml: unknown anchor '" + std::string{alias->value()} + "' referenced");
        if (open_.contains(target)) {
            return fail(Errc::invalid_input,
                        "yaml: anchor '" + std::string{alias->value()} + "' value contains itself");
        }
        // A target that was expanded stays so: aliases come after their anchors.
        if (!expanded_.contains(target)) {
            auto done = expand(target);
            if (!done) return done;
            expanded_.insert(target);
        }
        return counted_clone(*target);
    }

    Result<Node*> counted_clone(Node const& node) {
        if (auto ok = count(node); !ok) return fail(std::move(ok));
        return yaml::clone(arena_, node);
    }

    Result<void> count(Node const& node) {
        if (++copied_ > limits::kYamlAliasNodesMax) {
            return fail(Errc::limit, "yaml: document contains excessive aliasing");
        }
        for (auto const* child : node.items()) {
            if (auto ok = count(*child); !ok) return ok;
        }
        return {};
    }

    /// findMergeValues: what "<<" names, later sequence entries first.
    Result<std::vector<Node*>> merge_sources(Node* value) {
        std::vector<Node*> sources;
        if (value->is_map()) {
            sources.push_back(value);
        } else if (value->is_alias()) {
            auto* const target = value->alias();
            if (!target || !target->is_map()) {
                return fail(Errc::invalid_input, "invalid map merge: received alias for a non-map value");
            }
            if (open_.contains(target)) {
                return fail(Errc::invalid_input,
                            "yaml: anchor '" + std::string{value->value()} + "' value contains itself");
            }
            sources.push_back(target);
        } else if (value->is_seq()) {
            for (auto* const item : value->items()) {
                if (item->is_seq()) return fail(Errc::invalid_input, "invalid map merge: received a nested sequence");
                auto more = merge_sources(item);
                if (!more) return more;
                sources.insert(sources.begin(), more->begin(), more->end());
            }
        } else {
            return fail(Errc::invalid_input, "map merge requires map or sequence of maps as the value");
        }
        return sources;
    }

    Result<void> merge(Node* map) {
        Node* value = nullptr;
        std::size_t at = 0;
        for (std::size_t i = 0; i + 1 < map->size(); i += 2) {
            if (map->item(i)->tag_id() != yaml::Tag::merge) continue;
            if (value) return fail(Errc::invalid_input, "duplicate merge key");
            value = map->item(i + 1);
            at = i;
        }
        if (!value) {
            // kyaml clears the field "<<" whether it merges or is quoted text.
            if (auto const quoted = map->index_of("<<"); quoted != Node::npos) map->erase(quoted, 2);
            return {};
        }
        auto sources = merge_sources(value);
        if (!sources) return fail(std::move(sources));
        map->erase(std::min(at, map->index_of("<<")), 2);
        // The mapping's own entries win; of the sources the last one does.
        std::unordered_set<std::string_view> own;
        for (std::size_t i = 0; i + 1 < map->size(); i += 2) own.insert(map->item(i)->value());
        for (auto* const source : *sources) {
            for (std::size_t i = 0; i + 1 < source->size(); i += 2) {
                auto const* const key = source->item(i);
                if (own.contains(key->value())) continue;
                auto copy = counted_clone(*source->item(i + 1));
                if (!copy) return fail(std::move(copy));
                if (auto const found = map->index_of(key->value()); found != Node::npos) {
                    map->set_item(found + 1, *copy);
                } else {
                    map->append(arena_, yaml::clone(arena_, *key));
                    map->append(arena_, *copy);
                }
            }
        }
        return {};
    }

    yaml::Arena& arena_;
    std::unordered_set<Node const*> open_, expanded_;
    std::size_t depth_ = 0, copied_ = 0;
};

bool has_anchors(Node const& node) {
    if (node.is_alias() || !node.anchor().empty() || node.tag_id() == yaml::Tag::merge) return true;
    if (node.is_map() && node.find("<<") != nullptr) return true;
    for (auto const* child : node.items()) {
        if (has_anchors(*child)) return true;
    }
    return false;
}

}  // namespace

Result<void> check_depth(Node const& root) {
    std::vector<std::pair<Node const*, std::size_t>> open{{&root, 1}};
    while (!open.empty()) {
        auto const [node, depth] = open.back();
        open.pop_back();
        if (depth > limits::kYamlDepthMax) {
            return fail(Errc::limit,
                        "an object nests deeper than " + std::to_string(limits::kYamlDepthMax) + " levels");
        }
        for (auto const* child : node->items()) {
            if (!child->empty()) open.emplace_back(child, depth + 1);
        }
    }
    return {};
}

Result<Node*> remove_anchors(yaml::Arena& arena, Node* node) {
    if (!node || !has_anchors(*node)) return node;
    return Expander{arena}.expand(node);
}

}  // namespace holdfast::kustomize
