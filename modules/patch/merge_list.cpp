// modules/patch/merge_list.cpp: lists whose elements are told apart by keys (kyaml walk/associative_sequence.go).
#include "modules/base/limits.hpp"
#include "modules/patch/field.hpp"
#include "modules/patch/merge_walk.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace holdfast::patch {

using yaml::Kind;
using yaml::Node;

namespace {

bool all_set(std::vector<std::string_view> const& values) {
    return std::ranges::none_of(values, &std::string_view::empty);
}

/// One text for several values; lengths keep "a","bc" and "ab","c" apart.
std::string joined(std::vector<std::string_view> const& values) {
    std::string text;
    for (auto const value : values) {
        text += std::to_string(value.size());
        text += ':';
        text += value;
    }
    return text;
}

/// Two elements are the same when they agree where both have a value, and agree somewhere.
bool same_element(std::vector<std::string_view> const& a, std::vector<std::string_view> const& b,
                  std::vector<std::string_view>& both) {
    if (a.size() != b.size()) return false;
    bool common = false;
    both.clear();
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] == b[i]) common = true;
        else if (!a[i].empty() && !b[i].empty()) return false;
        both.push_back(a[i].empty() ? b[i] : a[i]);
    }
    return common;
}

void unite(std::vector<std::vector<std::string_view>>& all) {
    std::vector<std::string_view> both;
    for (std::size_t i = 0; i < all.size(); ++i) {
        auto const values = all[i];
        for (std::size_t j = 0; j < all.size(); ++j) {
            if (same_element(values, all[j], both)) all[i] = all[j] = both;
        }
    }
}

bool has_name_everywhere(Node const& list) {
    return std::ranges::all_of(list.items(), [](Node const* element) { return bool{field(element, "name")}; });
}

}  // namespace

/// Finds the first element with given values at given keys; with an index once the list is long.
class MergeWalk::SourceIndex {
public:
    SourceIndex(Node* list, Keys const& keys) : list_{list && list->is_seq() ? list : nullptr}, keys_{keys} {}

    Node* find(Keys const& keys, Values const& values) {
        if (!list_) return nullptr;
        if (list_->size() < kShort || keys.size() != keys_.size() || !all_set(values)) {
            return find_element(list_, keys, values);
        }
        if (!built_) build();
        auto const found = elements_.find(joined(values));
        return found == elements_.end() ? nullptr : found->second;
    }

    std::size_t cost(Values const& values) const {
        if (!list_ || (list_->size() >= kShort && built_ && all_set(values))) return 1;
        return list_->size() + 1;
    }

    /// The list lost its elements with these values; with an empty value among them, others too.
    void forget(Values const& values) {
        if (values.size() == keys_.size() && all_set(values)) {
            elements_.erase(joined(values));
            return;
        }
        elements_.clear();
        built_ = false;
    }

private:
    static constexpr std::size_t kShort = 16;

    void build() {
        built_ = true;
        for (auto* const element : list_->items()) {
            Values values;
            for (auto const key : keys_) {
                if (key.empty()) {
                    values.push_back(element->value());
                } else if (!is_null(element) && element->is_map()) {
                    if (auto const* const found = element->find(key)) values.push_back(found->value());
                }
            }
            if (values.size() == keys_.size()) elements_.emplace(joined(values), element);
        }
    }

    Node* list_;
    Keys const& keys_;
    bool built_ = false;
    std::unordered_map<std::string, Node*> elements_;
};

/// A list that elements are put into by key: what kyaml's ElementSetter does, without looking at every element
/// as long as all of them have all keys. From the first odd element on it is ElementSetter itself.
class MergeWalk::GrowingList {
public:
    GrowingList(MergeWalk& walk, Node* list, Keys const& keys)
        : walk_{walk}, list_{list}, keys_{keys}, plain_{!list->empty()} {}

    /// Replaces the elements with these values, or appends; removes them when `element` is nullptr.
    Result<void> set(Values const& values, Node* element) {
        if (!plain_ && (values.size() != keys_.size() || !all_set(values) || (element && !fits(*element)))) settle();
        if (plain_) {
            if (auto paid = walk_.spend(list_->size() + 1); !paid) return paid;
            return set_element(walk_.arena_, *list_, keys_, values, element);
        }
        auto key = joined(values);
        auto const found = places_.find(key);
        if (found == places_.end()) {
            if (!element) return {};
            places_.emplace(std::move(key), elements_.size());
            elements_.push_back(element);
        } else {
            elements_[found->second] = element;
            if (!element) places_.erase(found);
        }
        return {};
    }

    void append(Node* element) {
        settle();
        list_->append(walk_.arena_, element);
    }

    Node* finish() {
        settle();
        return list_;
    }

private:
    /// An element that ElementSetter would look at as expected.
    bool fits(Node const& element) const {
        if (is_empty_map(&element)) return false;
        return keys_[0].empty() ? element.is_scalar() : element.is_map();
    }

    void settle() {
        if (plain_) return;
        plain_ = true;
        std::erase(elements_, nullptr);
        list_->set_items(walk_.arena_, elements_);
    }

    MergeWalk& walk_;
    Node* list_;
    Keys const& keys_;
    bool plain_;
    std::vector<Node*> elements_;
    std::unordered_map<std::string, std::size_t> places_;
};

std::string MergeWalk::path_text() const {
    std::string text;
    for (auto const name : path_) {
        if (!text.empty()) text += '.';
        text += name;
    }
    return text;
}

Result<std::string_view> MergeWalk::inferred_key(Node* target, Node* patch) {
    std::string_view key;
    for (auto* const list : {target, patch}) {
        if (!list || list->empty()) continue;
        std::string_view const here = has_name_everywhere(*list) ? "name" : "";
        if (!key.empty() && key != here) {
            return fail(Errc::invalid_input, "conflicting merge keys [" + std::string{key} + "," + std::string{here} +
                                                 "] for field " + path_text());
        }
        key = here;
    }
    if (key.empty()) return fail(Errc::invalid_input, "no merge key found for field " + path_text());
    return key;
}

Result<std::vector<MergeWalk::Values>> MergeWalk::element_values(Keys const& keys, Node* target, Node* patch) {
    Node* const sources[] = {options_.growth == ListGrowth::prepend ? patch : target,
                             options_.growth == ListGrowth::prepend ? target : patch};
    std::vector<Values> all;
    std::unordered_set<std::string> seen;
    for (auto* const source : sources) {
        if (!source || !source->is_seq()) continue;
        if (auto paid = spend(source->size()); !paid) return fail(std::move(paid));
        for (auto const* const element : source->items()) {
            Values values;
            for (auto const key : keys) {
                if (key.empty()) {
                    values.push_back(element->value());
                    continue;
                }
                auto const found = field(element, key);
                values.push_back(found && !is_nil_or_empty(found.value) ? found.value->value() : std::string_view{});
            }
            if (!values.empty() && seen.insert(joined(values)).second) all.push_back(std::move(values));
        }
    }
    return all;
}

Result<Merged> MergeWalk::walk_list(TypeSchema type, Node* target, Node* patch) {
    bool by_key = type && type.merges();
    if (!type && options_.infer_keys) {
        by_key = (!is_null(target) && has_name_everywhere(*target)) || (!is_null(patch) && has_name_everywhere(*patch));
    }
    if (!by_key) {
        carry_comments(target, patch);
        if (patch) return Merged{patch, Merged::From::patch};
        return Merged{target, Merged::From::target};
    }

    auto visited = visit_list(target, patch);
    if (!visited || !visited->node) return visited;
    Keys keys;
    if (type) keys = type.merge_keys();
    if (keys.empty() && (!type || type.strategy().empty())) {
        auto key = inferred_key(visited->node, patch);
        if (!key) return fail(std::move(key));
        keys.push_back(*key);
    }
    if (keys.empty()) keys.push_back("");  // scalars, told apart by their text
    auto values = element_values(keys, visited->node, patch);
    if (!values) return fail(std::move(values));
    return merge_elements(type ? type.elements() : TypeSchema{}, std::move(keys), std::move(*values), *visited, patch);
}

Result<Merged> MergeWalk::merge_elements(TypeSchema elements, Keys keys, std::vector<Values> all, Merged list,
                                         Node* patch) {
    if (all.empty()) return list;
    if (keys.size() > 1 && !std::ranges::all_of(all, all_set)) {
        if (auto paid = spend(all.size() * all.size()); !paid) return fail(std::move(paid));
        unite(all);
    }

    // Keys that no element has are left out, unless that would leave none.
    std::vector<bool> used(keys.size(), false);
    for (auto const& values : all) {
        for (std::size_t i = 0; i < keys.size(); ++i) used[i] = used[i] || !values[i].empty();
    }
    if (std::ranges::find(used, true) != used.end()) {
        auto const only_used = [&](std::vector<std::string_view>& texts) {
            std::size_t kept = 0;
            for (std::size_t i = 0; i < used.size(); ++i) {
                if (used[i]) texts[kept++] = texts[i];
            }
            texts.resize(kept);
        };
        only_used(keys);
        for (auto& values : all) only_used(values);
    }

    auto* const target = list.node;
    SourceIndex in_target{target, keys};
    SourceIndex in_patch{patch, keys};
    GrowingList added{*this, arena_.make<Node>(Kind::sequence), keys};
    for (auto const& values : all) {
        Keys own_keys;
        Values own_values;
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (values[i].empty()) continue;
            own_keys.push_back(keys[i]);
            own_values.push_back(values[i]);
        }
        if (own_keys.empty()) own_keys = keys, own_values = values;

        if (auto paid = spend(in_target.cost(own_values) + in_patch.cost(own_values)); !paid) {
            return fail(std::move(paid));
        }
        auto const outer = std::exchange(path_, {});
        auto merged = walk(elements, in_target.find(own_keys, own_values), in_patch.find(own_keys, own_values));
        if (!merged) return merged;
        path_ = outer;
        auto* const element = merged->node;
        if (is_empty_map(element)) {
            if (auto paid = spend(target->size()); !paid) return fail(std::move(paid));
            if (auto done = set_element(arena_, *target, keys, values, nullptr); !done) return fail(std::move(done));
            in_target.forget(values);
            if (patch == target) in_patch.forget(values);
            continue;
        }
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (values[i].empty() || field(element, keys[i])) continue;
            auto* const text = yaml::make_scalar(arena_, values[i]);
            if (keys[i].empty()) {
                if (auto done = set_value(*element, text); !done) return fail(std::move(done));
            } else if (auto done = set(arena_, *element, keys[i], text); !done) {
                return fail(std::move(done));
            }
        }
        if (auto done = added.set(values, element); !done) return fail(std::move(done));
    }

    bool const prepends = options_.growth == ListGrowth::prepend;
    GrowingList grown = prepends ? std::move(added) : GrowingList{*this, target, keys};
    auto* const rest = prepends ? target : added.finish();
    std::vector<Node*> const items{rest->items().begin(), rest->items().end()};
    for (auto* const element : items) {
        Values values;
        for (auto const key : keys) {
            if (key.empty()) {
                values.push_back(element->value());
                continue;
            }
            auto found = get(element, key);
            if (!found) return fail(std::move(found));
            if (*found) values.push_back((*found)->value());
            else grown.append(element);
        }
        if (keys.size() > 1) {
            if (auto done = grown.set(values, nullptr); !done) return fail(std::move(done));
        }
        if (auto done = grown.set(values, element); !done) return fail(std::move(done));
    }
    if (prepends) return Merged{grown.finish(), Merged::From::made};
    grown.finish();
    return list;
}

}  // namespace holdfast::patch
