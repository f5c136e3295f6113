// modules/yaml/emit.cpp: a tree as a row of events; the node half of go-yaml v3's encode.go, without its recursion.
#include "modules/yaml/emit.hpp"

#include "modules/yaml/emitter.hpp"
#include "modules/yaml/resolve.hpp"
#include "modules/yaml/utf8.hpp"

#include <algorithm>
#include <deque>
#include <vector>

namespace holdfast::yaml {

namespace {

using Type = EmitEvent::Type;

/// The tag to write, and whether a string must be quoted because it would be read as something else.
struct Presentation {
    std::string_view tag;
    bool force_quoting = false;
};

Presentation present(Node const& node) {
    auto const tag = node.tag();
    if (tag.empty() || any(node.style & Style::tagged)) return {tag};
    auto const id = node.tag_id();
    if (node.is_map()) return {id == Tag::mapping ? std::string_view{} : tag};
    if (node.is_seq()) return {id == Tag::sequence ? std::string_view{} : tag};
    if (!node.is_scalar()) return {tag};
    if (id == Tag::string && any(node.style & kNotPlain)) return {};
    if (resolve_tag(node.value()) == id) return {};
    if (id == Tag::string) return {{}, true};
    return {tag};
}

ScalarStyle style_of(Node const& node, std::string_view value, bool force_quoting) {
    if (any(node.style & Style::double_quoted)) return ScalarStyle::double_quoted;
    if (any(node.style & Style::single_quoted)) return ScalarStyle::single_quoted;
    if (any(node.style & Style::literal)) return ScalarStyle::literal;
    if (any(node.style & Style::folded)) return ScalarStyle::folded;
    if (value.contains('\n')) return ScalarStyle::literal;
    return force_quoting ? ScalarStyle::double_quoted : ScalarStyle::plain;
}

class Walker {
public:
    Walker(std::string& out, EmitOptions options, bool first)
        : emitter_{out,
                   {.dialect = Dialect::v3,
                    .indent = options.indent,
                    .compact_sequences = options.sequences == SequenceIndent::compact},
                   first} {}

    Result<void> document(Node const& node) {
        if (walk(node)) return {};
        if (problem_.empty()) problem_ = emitter_.problem();
        return fail(Errc::invalid_input, "yaml: " + problem_);
    }

private:
    /// A collection whose children are being written.
    struct Open {
        Node const* node;
        std::size_t next = 0;
        std::string_view foot;  // its own foot comment; none for a key, where the mapping around it takes it
        std::string_view tail;  // foot comment of the key before: written once its whole value is out
    };

    bool walk(Node const& node) {
        open_.clear();
        if (node.is_document()) {
            if (!start_document(node)) return false;
        } else {
            if (!emitter_.emit({.type = Type::document_start}) || !start(node, {}, false)) return false;
        }
        while (!open_.empty()) {
            if (!advance()) return false;
        }
        return node.is_document() || emitter_.emit({.type = Type::document_end});
    }

    bool start_document(Node const& node) {
        open_.push_back({.node = &node, .foot = node.foot_comment()});
        return emitter_.emit({.type = Type::document_start, .head = node.head_comment()});
    }

    /// Writes the next child of the innermost open collection, or its end.
    bool advance() {
        auto& top = open_.back();
        auto const& node = *top.node;
        bool const is_map = node.is_map();
        auto const count = is_map ? node.size() / 2 * 2 : node.size();
        if (top.next == count) return finish();
        auto const index = top.next++;
        auto const& child = *node.item(index);
        if (!is_map || index % 2 == 1) return start(child, {}, false);
        auto const tail = top.tail;
        top.tail = child.foot_comment();
        return start(child, tail, true);
    }

    bool finish() {
        auto const top = open_.back();
        auto const& node = *top.node;
        open_.pop_back();
        if (node.is_document()) return emitter_.emit({.type = Type::document_end, .foot = top.foot});
        return emitter_.emit({.type = node.is_map() ? Type::mapping_end : Type::sequence_end,
                              .line = node.line_comment(),
                              .foot = top.foot,
                              .tail = node.is_map() ? top.tail : std::string_view{}});
    }

    bool start(Node const& node, std::string_view tail, bool is_key) {
        auto const foot = is_key ? std::string_view{} : node.foot_comment();
        switch (node.kind) {
            case Kind::scalar: return scalar(node, tail, foot);
            case Kind::alias:
                return emitter_.emit({.type = Type::alias,
                                      .anchor = node.value(),
                                      .head = node.head_comment(),
                                      .line = node.line_comment(),
                                      .foot = foot});
            case Kind::mapping:
            case Kind::sequence: {
                auto const tag = present(node).tag;
                bool const is_map = node.is_map();
                open_.push_back({.node = &node, .foot = foot});
                return emitter_.emit({.type = is_map ? Type::mapping_start : Type::sequence_start,
                                      .flow = any(node.style & Style::flow),
                                      .empty = is_map ? node.size() < 2 : node.empty(),
                                      .implicit = tag.empty(),
                                      .anchor = node.anchor(),
                                      .tag = tag,
                                      .head = node.head_comment(),
                                      .tail = is_map ? tail : std::string_view{}});
            }
            case Kind::document: return start_document(node);
            case Kind::none: break;
        }
        if (node.is_zero()) return emitter_.emit({.type = Type::scalar, .value = "null"});
        problem_ = "cannot encode node with unknown kind 0";
        return false;
    }

    bool scalar(Node const& node, std::string_view tail, std::string_view foot) {
        auto [tag, force_quoting] = present(node);
        auto value = node.value();
        if (!is_utf8(value)) {
            if (node.tag_id() == Tag::binary) {
                problem_ = "explicitly tagged !!binary data must be base64-encoded";
                return false;
            }
            if (!node.tag().empty()) {
                problem_ = "cannot marshal invalid UTF-8 data as " + std::string{node.tag()};
                return false;
            }
            tag = tags::kBinary;
            value = encoded_.emplace_back(encode_base64(value));
        }
        return emitter_.emit({.type = Type::scalar,
                              .style = style_of(node, value, force_quoting),
                              .implicit = tag.empty(),
                              .anchor = node.anchor(),
                              .tag = tag,
                              .value = value,
                              .head = node.head_comment(),
                              .line = node.line_comment(),
                              .foot = foot,
                              .tail = tail});
    }

    Emitter emitter_;
    std::vector<Open> open_;
    std::deque<std::string> encoded_;
    std::string problem_;
};

}  // namespace

Result<void> emit_to(std::string& out, Node const& node, EmitOptions options, bool first) {
    return Walker{out, options, first}.document(node);
}

Result<std::string> emit(Node const& node, EmitOptions options) {
    std::string out;
    auto written = emit_to(out, node, options);
    if (!written) return fail(std::move(written));
    return out;
}

Result<std::string> emit_all(std::span<Node* const> documents, EmitOptions options) {
    std::string out;
    Walker walker{out, options, true};
    for (auto const* const document : documents) {
        auto written = walker.document(*document);
        if (!written) return fail(std::move(written));
    }
    return out;
}

namespace {

std::string_view trim_spaces(std::string_view text) {
    auto const from = text.find_first_not_of(' ');
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(' ') - from + 1);
}

}  // namespace

SequenceIndent derive_sequence_indent(std::string_view text) {
    // The last line that is no comment, up to its "#": the key line of the sequence entry that follows.
    std::string_view key_line;
    while (!text.empty()) {
        auto const end = std::min(text.find('\n'), text.size());
        auto const line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));

        auto const dash = line.find("- ");
        if (dash != std::string_view::npos && trim_spaces(line.substr(0, dash)).empty() && !key_line.empty()) {
            auto const key = trim_spaces(key_line);
            if (std::ranges::count(key, ':') == 1 && key.ends_with(':')) {
                auto const key_indent = key_line.find_first_not_of(' ');
                if (dash == key_indent) return SequenceIndent::compact;
                if (dash == key_indent + 2) return SequenceIndent::wide;
            }
        }
        if (!trim_spaces(line).starts_with('#')) key_line = line.substr(0, line.find('#'));
    }
    return SequenceIndent::compact;
}

}  // namespace holdfast::yaml
