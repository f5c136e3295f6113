// modules/yaml/node.cpp: changing nodes, making them, and walking whole trees.
#include "modules/yaml/node.hpp"

#include "modules/base/assert.hpp"
#include "modules/base/limits.hpp"
#include "modules/yaml/resolve.hpp"
#include "modules/yaml/utf8.hpp"

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace holdfast::yaml {

namespace {

constexpr std::string_view kTagNames[] = {"",      "!!null", "!!bool",   "!!str",   "!!int", "!!float", "!!timestamp",
                                          "!!seq", "!!map",  "!!binary", "!!merge", ""};
constexpr std::string_view kLongPrefix = "tag:yaml.org,2002:";

bool has_indicated_string(Node const& node) {
    if (!node.is_scalar()) return false;
    if (node.tag_id() == Tag::string) return true;
    return (node.tag().empty() || node.tag() == "!") && any(node.style & kNotPlain);
}

}  // namespace

std::string_view to_string(Tag tag) { return kTagNames[static_cast<std::size_t>(tag)]; }

Tag tag_of(std::string_view text) {
    if (text.empty()) return Tag::none;
    auto name = text;
    if (name.starts_with("!!")) name.remove_prefix(2);
    else if (name.starts_with(kLongPrefix)) name.remove_prefix(kLongPrefix.size());
    else return Tag::other;
    for (std::size_t i = 1; i < std::size(kTagNames) - 1; ++i) {
        if (kTagNames[i].substr(2) == name) return static_cast<Tag>(i);
    }
    return Tag::other;
}

Node::Extra* Node::own_extra(Arena& arena) {
    auto* const extra = arena.make<Extra>(extra_ ? *extra_ : Extra{});
    extra_ = extra;
    return extra;
}

void Node::set_tag(Arena& arena, std::string_view tag) {
    tag_ = tag_of(tag);
    if (tag_ != Tag::other) return;
    auto* const extra = own_extra(arena);
    if (tag.starts_with(kLongPrefix)) {
        auto* const to = arena.allocate_text(tag.size() - kLongPrefix.size() + 2);
        std::memcpy(to, "!!", 2);
        std::memcpy(to + 2, tag.data() + kLongPrefix.size(), tag.size() - kLongPrefix.size());
        extra->tag = {to, tag.size() - kLongPrefix.size() + 2};
    } else {
        extra->tag = arena.copy(tag);
    }
}

Tag Node::short_tag_id() const {
    if (has_indicated_string(*this)) return Tag::string;
    if (tag_ != Tag::none && !(tag_ == Tag::other && other_tag() == "!")) return tag_;
    switch (kind) {
        case Kind::mapping: return Tag::mapping;
        case Kind::sequence: return Tag::sequence;
        case Kind::scalar: return resolve_tag(value());
        case Kind::none: return is_zero() ? Tag::null : Tag::none;
        case Kind::alias: {
            auto* const target = follow(const_cast<Node*>(this));
            return target ? target->short_tag_id() : Tag::none;
        }
        case Kind::document: return Tag::none;
    }
    return Tag::none;
}

std::string_view Node::short_tag() const {
    auto const id = short_tag_id();
    return id == Tag::other ? other_tag() : to_string(id);
}

void Node::set_value(std::string_view kept) {
    HOLDFAST_ASSERT(has_text());
    HOLDFAST_ASSERT(kept.size() <= UINT32_MAX);
    text_ = kept.data();
    size_ = static_cast<std::uint32_t>(kept.size());
}

void Node::set_string(Arena& arena, std::string_view copied) {
    if (!has_text()) {
        Node scalar{Kind::scalar, style};
        scalar.line = line;
        scalar.column = column;
        *this = scalar;
    }
    kind = Kind::scalar;
    if (is_utf8(copied)) {
        set_value(arena, copied);
        set_tag(Tag::string);
    } else {
        set_value(arena, encode_base64(copied));
        set_tag(Tag::binary);
    }
    if (value().contains('\n')) style = Style::literal;
}

void Node::insert(Arena& arena, std::size_t index, Node* child) {
    HOLDFAST_ASSERT(!has_text() && index <= size_);
    if (size_ == capacity_) {
        auto const grown = std::max<std::uint32_t>(4, capacity_ * 2);
        auto** const list = arena.make_array<Node*>(grown);
        if (size_ != 0) std::memcpy(list, children_, size_ * sizeof(Node*));
        children_ = list;
        capacity_ = grown;
    }
    if (index < size_) std::memmove(children_ + index + 1, children_ + index, (size_ - index) * sizeof(Node*));
    children_[index] = child;
    ++size_;
}

void Node::erase(std::size_t index, std::size_t count) {
    HOLDFAST_ASSERT(!has_text() && index + count <= size_);
    if (count == 0) return;
    std::memmove(children_ + index, children_ + index + count, (size_ - index - count) * sizeof(Node*));
    size_ -= static_cast<std::uint32_t>(count);
}

void Node::set_items(Arena& arena, std::span<Node* const> children) {
    HOLDFAST_ASSERT(!has_text() && children.size() <= UINT32_MAX);
    auto** const list = children.empty() ? nullptr : arena.make_array<Node*>(children.size());
    std::ranges::copy(children, list);
    adopt_items(list, static_cast<std::uint32_t>(children.size()));
}

std::size_t Node::index_of(std::string_view key) const {
    if (!is_map()) return npos;
    for (std::size_t i = 0; i + 1 < size_; i += 2) {
        if (children_[i]->is_scalar() && children_[i]->value() == key) return i;
    }
    return npos;
}

Node* Node::find(std::string_view key) {
    auto const at = index_of(key);
    return at == npos ? nullptr : children_[at + 1];
}

Node const* Node::find(std::string_view key) const { return const_cast<Node*>(this)->find(key); }

Node const* Node::find_key(std::string_view key) const {
    auto const at = index_of(key);
    return at == npos ? nullptr : children_[at];
}

Node* Node::set(Arena& arena, std::string_view key, Node* value) {
    auto const at = index_of(key);
    if (at != npos) return children_[at + 1] = value;
    append(arena, make_scalar(arena, key));
    append(arena, value);
    return value;
}

bool Node::remove(std::string_view key) {
    auto const at = index_of(key);
    if (at == npos) return false;
    erase(at, 2);
    return true;
}

void Node::set_anchor(Arena& arena, std::string_view name) { own_extra(arena)->anchor = arena.copy(name); }

void Node::set_head_comment(Arena& arena, std::string_view text) {
    if (extra_ || !text.empty()) own_extra(arena)->head = arena.copy(text);
}

void Node::set_line_comment(Arena& arena, std::string_view text) {
    if (extra_ || !text.empty()) own_extra(arena)->line = arena.copy(text);
}

void Node::set_foot_comment(Arena& arena, std::string_view text) {
    if (extra_ || !text.empty()) own_extra(arena)->foot = arena.copy(text);
}

void Node::set_alias(Arena& arena, Node* target) { own_extra(arena)->alias = target; }

void Node::clear_comments(Arena& arena) {
    if (!has_comments()) return;
    auto* const extra = own_extra(arena);
    extra->head = extra->line = extra->foot = {};
}

bool Node::is_zero() const {
    return kind == Kind::none && style == Style::none && tag_ == Tag::none && line == 0 && column == 0 && !extra_;
}

Node* make_scalar(Arena& arena, std::string_view value, Tag tag, Style style) {
    auto* const node = arena.make<Node>(Kind::scalar, style);
    node->set_tag(tag);
    node->set_value(arena, value);
    return node;
}

Node* make_string(Arena& arena, std::string_view value) { return make_scalar(arena, value, Tag::string); }

Node* make_null(Arena& arena) {
    auto* const node = arena.make<Node>(Kind::scalar);
    node->set_tag(Tag::null);
    node->set_value("null");
    return node;
}

Node* make_map(Arena& arena, Style style) {
    auto* const node = arena.make<Node>(Kind::mapping, style);
    node->set_tag(Tag::mapping);
    return node;
}

Node* make_seq(Arena& arena, Style style) {
    auto* const node = arena.make<Node>(Kind::sequence, style);
    node->set_tag(Tag::sequence);
    return node;
}

Node* make_document(Arena& arena, Node* root) {
    auto* const node = arena.make<Node>(Kind::document);
    node->append(arena, root);
    return node;
}

Node* make_alias(Arena& arena, Node* target) {
    auto* const node = arena.make<Node>(Kind::alias);
    node->set_value(target->anchor());
    node->set_alias(arena, target);
    return node;
}

Node* follow(Node* node) {
    // An alias of an alias cannot be read, only made by hand: a short bound is enough.
    for (int steps = 0; node && node->is_alias(); ++steps) {
        if (steps == 100) return nullptr;
        node = node->alias();
    }
    return node;
}

namespace {

/// Copies level by level, with a list of its own: a tree that patches made very deep costs no stack.
class Copier {
public:
    Copier(Arena& arena, bool all, SharedScalars* shared = nullptr) : arena_{arena}, all_{all}, shared_{shared} {}

    Node* copy(Node const& from) {
        auto* const root = copy_one(from);
        while (!open_.empty()) {
            auto* const node = open_.back();
            open_.pop_back();
            for (auto*& child : node->items()) child = copy_one(*child);
        }
        return root;
    }

    void point_aliases_inside() {
        for (auto* const alias : aliases_) {
            auto const found = copies_.find(alias->alias());
            if (found != copies_.end()) alias->set_alias(arena_, found->second);
        }
    }

private:
    Node* copy_one(Node const& from) {
        if (!shared_ || !from.is_scalar() || from.line != 0) return copy_alone(from);
        auto& copy = (*shared_)[&from];
        if (!copy) copy = copy_alone(from);
        return copy;
    }

    Node* copy_alone(Node const& from) {
        auto* const node = arena_.make<Node>(Node{from});
        if (all_) copy_text(*node, from);
        if (from.is_scalar() || from.is_alias()) return node;
        node->set_items(arena_, from.items());
        if (!node->empty()) open_.push_back(node);
        return node;
    }

    void copy_text(Node& node, Node const& from) {
        if (from.is_scalar() || from.is_alias()) node.set_value(arena_, from.value());
        if (auto const* const extra = from.extra()) {
            node.set_extra(arena_.make<Node::Extra>(arena_.copy(extra->anchor), arena_.copy(extra->head),
                                                    arena_.copy(extra->line), arena_.copy(extra->foot),
                                                    arena_.copy(extra->tag), extra->alias));
            if (!extra->anchor.empty()) copies_[&from] = &node;
        }
        if (from.is_alias()) aliases_.push_back(&node);
    }

    Arena& arena_;
    bool all_;
    SharedScalars* shared_;
    std::vector<Node*> open_;  // copied, but their children are still the originals
    std::unordered_map<Node const*, Node*> copies_;
    std::vector<Node*> aliases_;
};

bool equal_alone(Node const& a, Node const& b) {
    return a.kind == b.kind && a.short_tag() == b.short_tag() && a.value() == b.value() && a.size() == b.size();
}

}  // namespace

Node* clone(Arena& arena, Node const& from) { return Copier{arena, false}.copy(from); }
Node* clone(Arena& arena, Node const& from, SharedScalars& shared) { return Copier{arena, false, &shared}.copy(from); }

Node* copy_to(Arena& arena, Node const& from) {
    Copier copier{arena, true};
    auto* const copy = copier.copy(from);
    copier.point_aliases_inside();
    return copy;
}

bool equal(Node const& a, Node const& b) {
    std::vector<std::pair<Node const*, Node const*>> open{{&a, &b}};
    while (!open.empty()) {
        auto const [left, right] = open.back();
        open.pop_back();
        if (!equal_alone(*left, *right)) return false;
        for (std::size_t i = 0; i < left->size(); ++i) open.emplace_back(left->item(i), right->item(i));
    }
    return true;
}

}  // namespace holdfast::yaml
