// modules/yaml/events.cpp: documents, nodes, and comments handed to the events they belong to.
#include "modules/yaml/events.hpp"

#include <cstring>

namespace holdfast::yaml {

void EventParser::Joined::add(std::string_view piece) {
    if (empty()) {
        first_ = piece;
        return;
    }
    if (all_.empty()) all_ = first_;
    all_.push_back('\n');
    all_ += piece;
}

std::string_view EventParser::Joined::text(Arena& arena) {
    if (!all_.empty()) {
        first_ = arena.copy(all_);
        all_.clear();
    }
    return first_;
}

Token* EventParser::skip_and_peek() {
    scanner_.skip();
    return peek();
}

Token* EventParser::peek() {
    auto* const token = scanner_.peek();
    if (token && scanner_.has_comments()) unfold_comments(*token);
    return token;
}

/// Collects the comments at or before the token.
void EventParser::unfold_comments(Token const& token) {
    while (scanner_.has_comments()) {
        auto const& comment = scanner_.next_comment();
        if (token.start.index < comment.token.index) return;
        if (!comment.head.empty()) {
            if (token.type == TokenType::block_end) return;  // kept for a token that can have a head
            head_.add(comment.head);
        }
        if (!comment.foot.empty()) foot_.add(comment.foot);
        if (!comment.line.empty()) line_.add(comment.line);
        scanner_.drop_comment();
    }
}

void EventParser::take_comments(Event& event) {
    if (!head_.empty()) event.head = head_.text(arena_), head_.clear();
    if (!line_.empty()) event.line = line_.text(arena_), line_.clear();
    if (!foot_.empty()) event.foot = foot_.text(arena_), foot_.clear();
    stem_ = {};
}

/// The head comment of an entry that holds a block collection belongs to the collection, not to its first entry.
void EventParser::split_stem_comment(std::size_t stem_length) {
    if (stem_length == 0) return;
    auto const* const token = peek();
    if (!token || (token->type != TokenType::block_sequence_start && token->type != TokenType::block_mapping_start))
        return;
    auto const all = head_.text(arena_);
    stem_ = all.substr(0, stem_length);
    head_.assign(all.size() == stem_length ? std::string_view{} : all.substr(stem_length + 1));
}

EventParser::State EventParser::pop_state() {
    auto const state = states_.back();
    states_.pop_back();
    return state;
}

bool EventParser::fail(Mark problem, std::string_view text) {
    scanner_.set_error({SyntaxError::Stage::parser, {}, problem, text});
    return false;
}

bool EventParser::fail_in(Mark context, std::string_view text, Mark problem) {
    scanner_.set_error({SyntaxError::Stage::parser, context, problem, text});
    return false;
}

void EventParser::start_event(Event& event, EventType type, Mark start) const {
    event = Event{};
    event.type = type;
    event.start = start;
}

bool EventParser::next(Event& event) {
    if (scanner_.stream_ended() || error().stage != SyntaxError::Stage::none || state_ == State::end) {
        event = Event{};
        return error().stage == SyntaxError::Stage::none;
    }
    switch (state_) {
        case State::stream_start: return stream_start(event);
        case State::implicit_document_start: return document_start(event, true);
        case State::document_start: return document_start(event, false);
        case State::document_content: return document_content(event);
        case State::document_end: return document_end(event);
        case State::block_node: return node(event, true, false);
        case State::block_sequence_first_entry: return block_sequence_entry(event, true);
        case State::block_sequence_entry: return block_sequence_entry(event, false);
        case State::indentless_sequence_entry: return indentless_sequence_entry(event);
        case State::block_mapping_first_key: return block_mapping_key(event, true);
        case State::block_mapping_key: return block_mapping_key(event, false);
        case State::block_mapping_value: return block_mapping_value(event);
        case State::flow_sequence_first_entry: return flow_sequence_entry(event, true);
        case State::flow_sequence_entry: return flow_sequence_entry(event, false);
        case State::flow_sequence_entry_mapping_key: return flow_sequence_entry_mapping_key(event);
        case State::flow_sequence_entry_mapping_value: return flow_sequence_entry_mapping_value(event);
        case State::flow_sequence_entry_mapping_end: return flow_sequence_entry_mapping_end(event);
        case State::flow_mapping_first_key: return flow_mapping_key(event, true);
        case State::flow_mapping_key: return flow_mapping_key(event, false);
        case State::flow_mapping_value: return flow_mapping_value(event, false);
        case State::flow_mapping_empty_value: return flow_mapping_value(event, true);
        case State::end: break;
    }
    return false;
}

// ---- documents

bool EventParser::stream_start(Event& event) {
    auto const* const token = peek();
    if (!token) return false;
    state_ = State::implicit_document_start;
    start_event(event, EventType::stream_start, token->start);
    scanner_.skip();
    return true;
}

bool EventParser::document_start(Event& event, bool implicit) {
    auto* token = peek();
    if (!token) return false;
    while (!implicit && token->type == TokenType::document_end) {
        token = skip_and_peek();
        if (!token) return false;
    }

    if (token->type == TokenType::stream_end) {
        state_ = State::end;
        start_event(event, EventType::stream_end, token->start);
        scanner_.skip();
        return true;
    }
    bool const is_explicit = token->type == TokenType::version_directive || token->type == TokenType::tag_directive ||
                             token->type == TokenType::document_start;
    auto const start = token->start;
    if (implicit && !is_explicit) {
        if (!process_directives()) return false;
        states_.push_back(State::document_end);
        state_ = State::block_node;
        start_event(event, EventType::document_start, start);
        // What stands above the last empty line of a head comment belongs to the document.
        auto const head = head_.text(arena_);
        for (std::size_t i = head.size(); i-- > 1;) {
            if (head[i] != '\n') continue;
            bool const at_end = i == head.size() - 1;
            if (!at_end && head[i - 1] != '\n') continue;
            event.head = head.substr(0, at_end ? i : i - 1);
            head_.assign(head.substr(i + 1));
            break;
        }
        return true;
    }

    if (!process_directives()) return false;
    token = peek();
    if (!token) return false;
    if (token->type != TokenType::document_start) return fail(token->start, "did not find expected <document start>");
    states_.push_back(State::document_end);
    state_ = State::document_content;
    start_event(event, EventType::document_start, start);
    scanner_.skip();
    return true;
}

bool EventParser::document_content(Event& event) {
    auto const* const token = peek();
    if (!token) return false;
    switch (token->type) {
        case TokenType::version_directive:
        case TokenType::tag_directive:
        case TokenType::document_start:
        case TokenType::document_end:
        case TokenType::stream_end: return empty_scalar(event, token->start, pop_state());
        default: return node(event, true, false);
    }
}

bool EventParser::document_end(Event& event) {
    auto const* const token = peek();
    if (!token) return false;
    start_event(event, EventType::document_end, token->start);
    if (token->type == TokenType::document_end) scanner_.skip();
    tag_directives_.clear();
    state_ = State::document_start;
    take_comments(event);
    if (event.foot.empty()) std::swap(event.foot, event.head);
    return true;
}

bool EventParser::process_directives() {
    auto* token = peek();
    if (!token) return false;
    bool has_version = false;
    while (token->type == TokenType::version_directive || token->type == TokenType::tag_directive) {
        if (token->type == TokenType::version_directive) {
            if (has_version) return fail(token->start, "found duplicate %YAML directive");
            if (!token->compatible) return fail(token->start, "found incompatible YAML document");
            has_version = true;
        } else if (!append_tag_directive({token->text, token->suffix}, false, token->start)) {
            return false;
        }
        token = skip_and_peek();
        if (!token) return false;
    }
    append_tag_directive({"!", "!"}, true, token->start);
    append_tag_directive({"!!", "tag:yaml.org,2002:"}, true, token->start);
    return true;
}

bool EventParser::append_tag_directive(TagDirective directive, bool allow_duplicates, Mark mark) {
    for (auto const& known : tag_directives_) {
        if (known.handle != directive.handle) continue;
        return allow_duplicates || fail(mark, "found duplicate %TAG directive");
    }
    tag_directives_.push_back(directive);
    return true;
}

// ---- nodes

bool EventParser::empty_scalar(Event& event, Mark mark, State next) {
    state_ = next;
    start_event(event, EventType::scalar, mark);
    return true;
}

bool EventParser::child(Event& event, State after, bool block, bool indentless_sequence) {
    states_.push_back(after);
    return node(event, block, indentless_sequence);
}

bool EventParser::collection(Event& event, EventType type, bool flow, State state) {
    event.type = type;
    event.flow = flow;
    state_ = state;
    return true;
}

bool EventParser::end_collection(Event& event, EventType type, bool comments) {
    state_ = pop_state();
    marks_.pop_back();
    start_event(event, type, peek()->start);
    if (comments) take_comments(event);
    scanner_.skip();
    return true;
}

bool EventParser::node_tag(std::string_view handle, std::string_view suffix, std::string_view& tag) {
    if (handle.empty()) {
        tag = suffix;
        return true;
    }
    for (auto const& directive : tag_directives_) {
        if (directive.handle != handle) continue;
        auto* const to = arena_.allocate_text(directive.prefix.size() + suffix.size());
        std::memcpy(to, directive.prefix.data(), directive.prefix.size());
        if (!suffix.empty()) std::memcpy(to + directive.prefix.size(), suffix.data(), suffix.size());
        tag = {to, directive.prefix.size() + suffix.size()};
        break;
    }
    return !tag.empty();
}

bool EventParser::node(Event& event, bool block, bool indentless_sequence) {
    auto* token = peek();
    if (!token) return false;
    start_event(event, EventType::none, token->start);

    if (token->type == TokenType::alias) {
        state_ = pop_state();
        event.type = EventType::alias;
        event.anchor = token->text;
        take_comments(event);
        scanner_.skip();
        return true;
    }

    // Properties: a tag and an anchor, in either order, each at most once.
    bool has_tag = false;
    std::string_view handle;
    std::string_view suffix;
    Mark tag_mark;
    while ((token->type == TokenType::anchor && !event.has_anchor) || (token->type == TokenType::tag && !has_tag)) {
        if (token->type == TokenType::anchor) {
            event.has_anchor = true;
            event.anchor = token->text;
        } else {
            has_tag = true;
            handle = token->text;
            suffix = token->suffix;
            tag_mark = token->start;
        }
        token = skip_and_peek();
        if (!token) return false;
    }
    if (has_tag && !node_tag(handle, suffix, event.tag)) {
        return fail_in(event.start, "found undefined tag handle", tag_mark);
    }

    switch (token->type) {
        case TokenType::block_entry:
            if (!indentless_sequence) break;
            return collection(event, EventType::sequence_start, false, State::indentless_sequence_entry);
        case TokenType::scalar:
            state_ = pop_state();
            event.type = EventType::scalar;
            event.style = token->style;
            event.value = token->text;
            take_comments(event);
            scanner_.skip();
            return true;
        case TokenType::flow_sequence_start:
            take_comments(event);
            return collection(event, EventType::sequence_start, true, State::flow_sequence_first_entry);
        case TokenType::flow_mapping_start:
            take_comments(event);
            return collection(event, EventType::mapping_start, true, State::flow_mapping_first_key);
        case TokenType::block_sequence_start:
            if (!block) break;
            event.head = std::exchange(stem_, {});
            return collection(event, EventType::sequence_start, false, State::block_sequence_first_entry);
        case TokenType::block_mapping_start:
            if (!block) break;
            event.head = std::exchange(stem_, {});
            return collection(event, EventType::mapping_start, false, State::block_mapping_first_key);
        default: break;
    }
    if (event.has_anchor || !event.tag.empty()) {
        state_ = pop_state();
        event.type = EventType::scalar;
        return true;
    }
    return fail_in(event.start, "did not find expected node content", token->start);
}

}  // namespace holdfast::yaml
