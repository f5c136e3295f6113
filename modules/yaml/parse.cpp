// modules/yaml/parse.cpp: events to nodes; the parser half of go-yaml's decode.go, without its recursion.
#include "modules/yaml/parse.hpp"

#include "modules/yaml/events.hpp"
#include "modules/yaml/reader.hpp"
#include "modules/yaml/resolve.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace holdfast::yaml {

namespace {

Style style_of(ScalarStyle style) {
    switch (style) {
        case ScalarStyle::plain: return Style::none;
        case ScalarStyle::single_quoted: return Style::single_quoted;
        case ScalarStyle::double_quoted: return Style::double_quoted;
        case ScalarStyle::literal: return Style::literal;
        case ScalarStyle::folded: return Style::folded;
    }
    return Style::none;
}

/// The line that go-yaml prints, or 0. Both versions forget that lines count from 0, each in its own way.
std::uint32_t printed_line(SyntaxError const& error, Dialect dialect) {
    std::uint32_t const scanner = error.stage == SyntaxError::Stage::scanner ? 1 : 0;
    if (dialect == Dialect::v2) {
        if (error.problem.line != 0) return error.problem.line + scanner;
        return error.context.line;
    }
    if (error.context.line != 0) return error.context.line + scanner;
    if (error.problem.line != 0) return error.problem.line + scanner;
    return 0;
}

Error too_long(ParseOptions const& options) {
    return {Errc::limit, "yaml: more than " + std::to_string(options.bytes_max) + " bytes"};
}

/// With room for the zero bytes that the reader puts behind it.
std::string copy_of(std::string_view text) {
    std::string copy;
    copy.reserve(text.size() + 2);
    copy = text;
    return copy;
}

/// A collection that is being read. Its children wait on a list shared by all open collections.
struct Open {
    Node* node;
    std::size_t first;  // of its children on that list
};

}  // namespace

struct Parser::Impl {
    Arena& arena;
    ParseOptions options;
    ReadText read;
    EventParser events;
    std::optional<Error> failed;
    Place place;
    Event event;
    std::vector<Open> open;
    std::vector<Node*> waiting;
    std::unordered_map<std::string_view, Node*> anchors;
    std::size_t nodes = 0;
    std::size_t documents = 0;

    Impl(Arena& a, std::string text, ParseOptions o)
        : arena{a}, options{o}, read{read_text(a, std::move(text))},
          events{a, read.text, o.comments && o.dialect == Dialect::v3, o.dialect == Dialect::v3 ? 2u : 0u, read.error} {
    }

    Result<Node*> next();
    bool next_event();
    Node* compose();
    Node* start_node();
    Node* make_node(Kind kind);
    void finish(Node* node);
    bool add(Node* node);
    void set_tag(Node& node, Tag usual);
    void move_key_comments(Open const& parent);
    void move_value_comments();
    bool fail_with(std::string text);
    bool limit(std::string_view what, std::size_t bound);
};

bool Parser::Impl::fail_with(std::string text) {
    place = {event.start.line + 1, event.start.column + 1};
    failed = Error{Errc::invalid_input, "yaml: " + std::move(text)};
    return false;
}

bool Parser::Impl::limit(std::string_view what, std::size_t bound) {
    place = {event.start.line + 1, event.start.column + 1};
    auto const where = "yaml: line " + std::to_string(place.line) + ": ";
    failed = Error{Errc::limit, where + "more than " + std::to_string(bound) + " " + std::string{what}};
    return false;
}

bool Parser::Impl::next_event() {
    bool const good = events.next(event);
    auto const& error = events.error();
    if (good && error.stage == SyntaxError::Stage::none) return true;
    std::string text;
    if (auto const line = printed_line(error, options.dialect)) text = "line " + std::to_string(line) + ": ";
    text += error.text;
    fail_with(std::move(text));
    place = {error.problem.line + 1, error.problem.column + 1};
    if (error.stage == SyntaxError::Stage::reader) place = {};
    return false;
}

Node* Parser::Impl::make_node(Kind kind) {
    auto* const node = arena.make<Node>(kind);
    node->line = event.start.line + 1;
    node->column = event.start.column + 1;
    if (event.has_comments() || event.has_anchor) {
        node->set_extra(arena.make<Node::Extra>(event.type == EventType::alias ? std::string_view{} : event.anchor,
                                                event.head, event.line, event.foot, std::string_view{}, nullptr));
        if (event.has_anchor) anchors[event.anchor] = node;
    }
    return node;
}

void Parser::Impl::set_tag(Node& node, Tag usual) {
    if (event.tag.empty() || (event.tag == "!" && options.dialect == Dialect::v3)) {
        node.set_tag(usual);
        return;
    }
    node.style = node.style | Style::tagged;
    node.set_tag(arena, event.tag);
}

/// A foot comment before a key belongs to the entry above.
void Parser::Impl::move_key_comments(Open const& parent) {
    auto* const key = waiting.back();
    if (any(parent.node->style & Style::flow) || key->foot_comment().empty()) return;
    if (waiting.size() - parent.first <= 2) return;
    waiting[waiting.size() - 3]->set_foot_comment(arena, key->foot_comment());
    key->set_foot_comment(arena, {});
}

void Parser::Impl::move_value_comments() {
    auto* const key = waiting[waiting.size() - 2];
    auto* const value = waiting.back();
    if (!key->foot_comment().empty() || value->foot_comment().empty()) return;
    key->set_foot_comment(arena, value->foot_comment());
    value->set_foot_comment(arena, {});
}

/// Hangs a finished node into the collection around it.
bool Parser::Impl::add(Node* node) {
    waiting.push_back(node);
    auto const& parent = open.back();
    if (!parent.node->is_map()) return true;
    bool const is_key = (waiting.size() - parent.first) % 2 == 1;
    if (is_key && node->extra()) move_key_comments(parent);
    if (!is_key && node->extra()) move_value_comments();
    return true;
}

/// The end event of a collection.
void Parser::Impl::finish(Node* node) {
    auto const first = open.back().first;
    open.pop_back();
    node->set_items(arena, std::span{waiting}.subspan(first));
    waiting.resize(first);
    node->set_line_comment(arena, event.line);
    auto const foot = event.foot;
    if (node->is_map() && !any(node->style & Style::flow) && !foot.empty() && node->size() > 1) {
        node->item(node->size() - 2)->set_foot_comment(arena, foot);
        node->set_foot_comment(arena, {});
    } else {
        node->set_foot_comment(arena, foot);
    }
}

/// The node of the current event: whole for scalars and aliases, empty for collections. nullptr after an error.
Node* Parser::Impl::start_node() {
    if (++nodes > options.nodes_max) {
        limit("nodes", options.nodes_max);
        return nullptr;
    }
    switch (event.type) {
        case EventType::scalar: {
            auto* const node = make_node(Kind::scalar);
            node->style = style_of(event.style);
            node->set_value(event.value);
            Tag usual = Tag::string;
            if (event.style == ScalarStyle::plain && event.tag.size() <= 1) {
                if (options.dialect == Dialect::v2) usual = Tag::none;
                else usual = event.value == "<<" ? Tag::merge : resolve_tag(event.value);
            }
            set_tag(*node, usual);
            return node;
        }
        case EventType::alias: {
            auto* const node = make_node(Kind::alias);
            node->set_value(event.anchor);
            auto const found = anchors.find(event.anchor);
            if (found == anchors.end()) {
                fail_with("unknown anchor '" + std::string{event.anchor} + "' referenced");
                return nullptr;
            }
            node->set_alias(arena, found->second);
            return node;
        }
        default: {
            bool const is_map = event.type == EventType::mapping_start;
            auto* const node = make_node(is_map ? Kind::mapping : Kind::sequence);
            if (event.flow) node->style = Style::flow;
            set_tag(*node, is_map ? Tag::mapping : Tag::sequence);
            if (open.size() >= options.depth_max) {
                limit("levels of nesting", options.depth_max);
                return nullptr;
            }
            open.push_back({node, waiting.size()});
            return node;
        }
    }
}

/// One document's content. The current event is its first.
Node* Parser::Impl::compose() {
    for (;;) {
        Node* node = nullptr;
        if (event.type == EventType::sequence_end || event.type == EventType::mapping_end) {
            node = open.back().node;
            finish(node);
        } else {
            auto const depth = open.size();
            node = start_node();
            if (!node) return nullptr;
            if (open.size() != depth) node = nullptr;  // not finished yet
        }
        if (node) {
            if (open.empty()) return node;
            add(node);
        }
        if (!next_event()) return nullptr;
    }
}

Result<Node*> Parser::Impl::next() {
    if (failed) return fail(failed->code, failed->message);
    auto const give_up = [&]() -> Result<Node*> { return fail(failed->code, failed->message); };
    if (!next_event()) return give_up();
    if (event.type == EventType::stream_start && !next_event()) return give_up();
    if (event.type == EventType::stream_end || event.type == EventType::none) return nullptr;
    if (++documents > options.documents_max) {
        limit("documents", options.documents_max);
        return give_up();
    }
    if (options.dialect == Dialect::v2) anchors.clear();

    auto* const document = make_node(Kind::document);
    if (!next_event()) return give_up();
    Node* root = compose();
    if (!root || !next_event()) return give_up();
    document->set_items(arena, std::span<Node* const>{&root, 1});
    document->set_foot_comment(arena, event.foot);
    return document;
}

Parser::Parser(Arena& arena, std::string_view text, ParseOptions options)
    : Parser{arena, Owned{copy_of(text.size() <= options.bytes_max ? text : std::string_view{})}, options} {
    if (text.size() > options.bytes_max) impl_->failed = too_long(options);
}

Parser::Parser(Arena& arena, Owned owned, ParseOptions options) {
    bool const fits = owned.text.size() <= options.bytes_max;
    impl_ = std::make_unique<Impl>(arena, fits ? std::move(owned.text) : std::string{}, options);
    if (!fits) impl_->failed = too_long(options);
}

Parser::Parser(Parser&&) noexcept = default;
Parser::~Parser() = default;

Result<Node*> Parser::next() { return impl_->next(); }
Place Parser::error_place() const { return impl_->place; }

Result<Node*> parse(Arena& arena, std::string_view text, ParseOptions options, Place* error_place) {
    Parser parser{arena, text, options};
    auto document = parser.next();
    if (!document && error_place) *error_place = parser.error_place();
    return document;
}

Result<std::vector<Node*>> parse_all(Arena& arena, std::string_view text, ParseOptions options, Place* error_place) {
    Parser parser{arena, text, options};
    std::vector<Node*> documents;
    for (;;) {
        auto document = parser.next();
        if (!document) {
            if (error_place) *error_place = parser.error_place();
            return fail(std::move(document));
        }
        if (*document == nullptr) return documents;
        documents.push_back(*document);
    }
}

}  // namespace holdfast::yaml
