// modules/patch/element.cpp: finding, replacing and removing elements of a list by the values of their keys.
#include "modules/patch/field.hpp"

#include <vector>

namespace holdfast::patch {

using yaml::Kind;
using yaml::Node;

namespace {

/// kyaml FieldMatcher with a value: the field's node when its text is `wanted`, or when any text will do.
Result<Node*> matching(Node* element, std::string_view key, std::string_view wanted, bool any_value) {
    if (is_null(element)) return nullptr;
    if (key.empty()) {
        if (auto fits = require(element, Kind::scalar); !fits) return fail(std::move(fits));
        return element->value() == wanted ? element : nullptr;
    }
    if (auto fits = require(element, Kind::mapping); !fits) return fail(std::move(fits));
    auto* const found = element->find(key);
    return found && (any_value || found->value() == wanted) ? found : nullptr;
}

}  // namespace

Node* find_element(Node* node, Texts keys, Texts values) {
    node = yaml::root_of(node);
    if (!node || !node->is_seq() || keys.empty()) return nullptr;
    if (keys[0].empty()) {
        for (auto* const element : node->items()) {
            if (element->value() == values[0]) return element;
        }
        return nullptr;
    }
    for (auto* const element : node->items()) {
        if (!element->is_map() && !is_null(element)) continue;
        if (keys.size() != values.size()) return nullptr;
        bool matches = true;
        for (std::size_t i = 0; i < keys.size() && matches; ++i) {
            auto* const found = element->is_map() && !is_null(element) ? element->find(keys[i]) : nullptr;
            matches = found && found->value() == values[i];
        }
        if (matches) return element;
    }
    return nullptr;
}

Result<void> set_element(yaml::Arena& arena, Node& node, Texts keys, Texts values, Node* element) {
    static constexpr std::string_view kOwnText[] = {""};
    if (keys.empty()) keys = kOwnText;
    auto* const list = yaml::root_of(&node);
    if (auto fits = require(list, Kind::sequence); !fits) return fail(std::move(fits));
    if (!list->is_seq()) return {};

    bool const wants_maps = !keys[0].empty() && !values.empty() && !values[0].empty();
    bool replaced = false;
    std::vector<Node*> kept;
    kept.reserve(list->size() + 1);
    for (auto* const old : list->items()) {
        if (is_empty_map(old)) continue;
        if (wants_maps && !old->is_map()) {
            kept.push_back(old);
            continue;
        }
        Node* match = nullptr;
        bool found = true;
        for (std::size_t i = 0; i < keys.size() && found; ++i) {
            if (i < values.size()) {
                auto matched = matching(old, keys[i], values[i], values[i].empty());
                if (!matched) return fail(std::move(matched));
                match = *matched;
            }
            found = match != nullptr;
        }
        if (!found) {
            // Without any value kyaml forgets the elements that do not match.
            if (!values.empty()) kept.push_back(old);
            continue;
        }
        replaced = true;
        if (element) kept.push_back(element);
    }
    if (!is_null(element) && !replaced) kept.push_back(element);
    list->set_items(arena, kept);
    return {};
}

}  // namespace holdfast::patch
