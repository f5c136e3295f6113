// modules/yaml/node.hpp: one YAML node, shaped like go-yaml v3's yaml.Node so that ports read alike.
// Reading order: arena.hpp, node.hpp, parse.hpp, emit.hpp, resolve.hpp, json.hpp, go_number.hpp.
#pragma once

#include "modules/yaml/arena.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>

namespace holdfast::yaml {

enum class Kind : std::uint8_t { none = 0, document = 1, sequence = 2, mapping = 4, scalar = 8, alias = 16 };

/// How a node was written, or shall be. A set of bits, as in Go; none means plain or block.
enum class Style : std::uint8_t {
    none = 0,
    tagged = 1,
    double_quoted = 2,
    single_quoted = 4,
    literal = 8,
    folded = 16,
    flow = 32,
};
constexpr Style operator|(Style a, Style b) { return Style(std::uint8_t(a) | std::uint8_t(b)); }
constexpr Style operator&(Style a, Style b) { return Style(std::uint8_t(a) & std::uint8_t(b)); }
constexpr Style operator~(Style a) { return Style(~std::uint8_t(a)); }
constexpr bool any(Style bits) { return bits != Style::none; }
inline constexpr Style kQuoted = Style::double_quoted | Style::single_quoted;
inline constexpr Style kNotPlain = kQuoted | Style::literal | Style::folded;

/// The tags YAML itself knows, so that a node needs one byte for them. `other` is an application's own tag.
enum class Tag : std::uint8_t {
    none,
    null,
    boolean,
    string,
    integer,
    floating,
    timestamp,
    sequence,
    mapping,
    binary,
    merge,
    other,
};
std::string_view to_string(Tag tag);  // "!!str"; "" for none and other
Tag tag_of(std::string_view text);    // of the short or the long form; Tag::other when unknown

namespace tags {
inline constexpr std::string_view kNull = "!!null", kBool = "!!bool", kStr = "!!str", kInt = "!!int",
                                  kFloat = "!!float", kTimestamp = "!!timestamp", kSeq = "!!seq", kMap = "!!map",
                                  kBinary = "!!binary", kMerge = "!!merge";
}

/// A node of a document. 40 bytes, trivially copyable, always made in an Arena (functions below).
///
/// Copy      `*a = *b` is Go's shallow copy: the children are shared, and so is the array that lists them.
///           clone() and copy_to() copy deep.
/// Mapping   items() alternates key, value, key, value, like Go's Content.
/// Text      setters that take a string_view and no Arena keep the view: literals, or text of a living Arena.
struct Node {
    Node() = default;
    explicit Node(Kind is, Style look = Style::none) : kind{is}, style{look} {}

    Kind kind = Kind::none;
    Style style = Style::none;

private:
    Tag tag_ = Tag::none;

public:
    std::uint32_t line = 0;    // 1-based place in the text it was read from; 0 when made by hand
    std::uint32_t column = 0;  // 1-based, in characters

private:
    std::uint32_t size_ = 0;  // bytes of text, or number of children
    union {
        char const* text_ = nullptr;
        Node** children_;
    };
    std::uint32_t capacity_ = 0;  // of children_

public:
    bool is_map() const { return kind == Kind::mapping; }
    bool is_seq() const { return kind == Kind::sequence; }
    bool is_scalar() const { return kind == Kind::scalar; }
    bool is_alias() const { return kind == Kind::alias; }
    bool is_document() const { return kind == Kind::document; }

    // ---- tag: as Go's Node.Tag, in its short form; parsing always fills it ("!!str", "!!int", "!mine")
    std::string_view tag() const { return tag_ == Tag::other ? other_tag() : to_string(tag_); }
    Tag tag_id() const { return tag_; }
    void set_tag(Tag tag) { tag_ = tag; }
    void set_tag(Arena& arena, std::string_view tag);
    /// Node.ShortTag(): what the node is when its tag is empty or "!" too (resolves plain scalars as v3 does).
    std::string_view short_tag() const;
    Tag short_tag_id() const;
    bool is_null() const { return kind == Kind::none || short_tag_id() == Tag::null; }
    bool is_string() const { return is_scalar() && short_tag_id() == Tag::string; }

    // ---- scalar text; for an alias the name of its anchor; "" for collections
    std::string_view value() const { return has_text() ? std::string_view{text_, size_} : std::string_view{}; }
    void set_value(std::string_view kept);
    void set_value(Arena& arena, std::string_view copied) { set_value(arena.copy(copied)); }
    /// Node.SetString: a scalar !!str (literal style when it has a line break, !!binary when not UTF-8).
    void set_string(Arena& arena, std::string_view copied);

    // ---- children: of a document (one), a sequence, or a mapping (key, value, ...)
    std::span<Node*> items() { return {has_text() ? nullptr : children_, has_text() ? 0u : size_}; }
    std::span<Node* const> items() const { return {has_text() ? nullptr : children_, has_text() ? 0u : size_}; }
    std::size_t size() const { return has_text() ? 0 : size_; }  // children; a mapping has two per entry
    bool empty() const { return size() == 0; }
    Node* item(std::size_t index) { return children_[index]; }
    Node const* item(std::size_t index) const { return children_[index]; }
    void set_item(std::size_t index, Node* child) { children_[index] = child; }
    void append(Arena& arena, Node* child) { insert(arena, size(), child); }
    void insert(Arena& arena, std::size_t index, Node* child);
    void erase(std::size_t index, std::size_t count = 1);
    void clear_items() {
        if (!has_text()) size_ = 0;
    }
    /// Replaces all children by a copy of this list of pointers.
    void set_items(Arena& arena, std::span<Node* const> children);

    // ---- mapping: by the text of a scalar key; the first of equal keys wins. Linear in the number of keys.
    static constexpr std::size_t npos = static_cast<std::size_t>(-1);
    std::size_t entries() const { return size() / 2; }
    std::size_t index_of(std::string_view key) const;  // index of the key in items(), or npos
    Node* find(std::string_view key);                  // its value, or nullptr (also when not a mapping)
    Node const* find(std::string_view key) const;
    Node const* find_key(std::string_view key) const;
    /// Sets the value of `key`: in place when the key is there, else appended with a new plain key. Returns value.
    Node* set(Arena& arena, std::string_view key, Node* value);
    bool remove(std::string_view key);  // true when it was there

    // ---- the rest, kept outside of the node because it is rare
    std::string_view anchor() const { return extra_ ? extra_->anchor : std::string_view{}; }
    std::string_view head_comment() const { return extra_ ? extra_->head : std::string_view{}; }
    std::string_view line_comment() const { return extra_ ? extra_->line : std::string_view{}; }
    std::string_view foot_comment() const { return extra_ ? extra_->foot : std::string_view{}; }
    bool has_comments() const {
        return extra_ && !(extra_->head.empty() && extra_->line.empty() && extra_->foot.empty());
    }
    Node* alias() const { return extra_ ? extra_->alias : nullptr; }  // where an alias points
    void set_anchor(Arena& arena, std::string_view name);
    void set_head_comment(Arena& arena, std::string_view text);
    void set_line_comment(Arena& arena, std::string_view text);
    void set_foot_comment(Arena& arena, std::string_view text);
    void set_alias(Arena& arena, Node* target);
    void clear_comments(Arena& arena);

    /// Node.IsZero()
    bool is_zero() const;

    struct Extra {
        std::string_view anchor, head, line, foot, tag;
        Node* alias = nullptr;
    };
    Extra const* extra() const { return extra_; }
    /// For the reader, which knows that nobody shares the record. Everyone else: the setters above.
    void set_extra(Extra const* extra) { extra_ = extra; }
    void adopt_items(Node** children, std::uint32_t count) { children_ = children, size_ = capacity_ = count; }

private:
    bool has_text() const { return kind == Kind::scalar || kind == Kind::alias; }
    std::string_view other_tag() const { return extra_ ? extra_->tag : std::string_view{}; }
    Extra* own_extra(Arena& arena);

    Extra const* extra_ = nullptr;
};

// ---- making nodes. Text is copied into the arena.
Node* make_scalar(Arena& arena, std::string_view value, Tag tag = Tag::none, Style style = Style::none);
Node* make_string(Arena& arena, std::string_view value);  // kyaml NewStringRNode: tag !!str, no style
Node* make_null(Arena& arena);                            // tag !!null, value "null"
Node* make_map(Arena& arena, Style style = Style::none);
Node* make_seq(Arena& arena, Style style = Style::none);
Node* make_document(Arena& arena, Node* root);
Node* make_alias(Arena& arena, Node* target);  // target->anchor() must be set

/// kyaml CopyYNode: new nodes for all of the tree, text and alias targets shared with the original.
/// Never    follows an alias; recurses.
Node* clone(Arena& arena, Node const& from);

/// The same for several trees that share scalars made by hand: their copies share the copy of such a scalar.
using SharedScalars = std::unordered_map<Node const*, Node*>;
Node* clone(Arena& arena, Node const& from, SharedScalars& shared);

/// Copies a tree so that nothing of it points outside of `arena`: text too, and an alias to a node inside of
/// the tree points to the copy of that node.
Node* copy_to(Arena& arena, Node const& from);

/// Same kinds, tags, values and children in the same order. Styles, comments, anchors and places are not looked at.
bool equal(Node const& a, Node const& b);

/// The root of a document, or the node itself.
inline Node* root_of(Node* node) {
    return node && node->is_document() ? (node->empty() ? nullptr : node->item(0)) : node;
}
inline Node const* root_of(Node const* node) { return root_of(const_cast<Node*>(node)); }

/// What an alias stands for, followed to the end; any other node itself. nullptr when the chain does not end.
Node* follow(Node* node);

}  // namespace holdfast::yaml
