// modules/yaml/event_collections.cpp: sequences and mappings, one function for each state of the grammar.
#include "modules/yaml/events.hpp"

namespace holdfast::yaml {

/// The first token of an entry; the token that opens the collection is taken when this is its first one.
Token* EventParser::enter(bool first) {
    auto* const token = peek();
    if (!token || !first) return token;
    marks_.push_back(token->start);
    return skip_and_peek();
}

/// The same between braces or brackets, where every entry but the first comes after a comma. The end of the collection is
/// returned as it stands.
Token* EventParser::enter_flow(bool first, TokenType end, std::string_view missing) {
    auto* const token = enter(first);
    if (!token || first || token->type == end) return token;
    if (token->type == TokenType::flow_entry) return skip_and_peek();
    fail_in(marks_.back(), missing, token->start);
    return nullptr;
}

// ---- block collections

bool EventParser::block_sequence_entry(Event& event, bool first) {
    auto* token = enter(first);
    if (!token) return false;
    if (token->type == TokenType::block_entry) {
        auto const mark = token->end();
        auto const head_length = head_.size();
        scanner_.skip();
        split_stem_comment(head_length);
        token = peek();
        if (!token) return false;
        if (token->type != TokenType::block_entry && token->type != TokenType::block_end) {
            return child(event, State::block_sequence_entry, true, false);
        }
        return empty_scalar(event, mark, State::block_sequence_entry);
    }
    if (token->type == TokenType::block_end) return end_collection(event, EventType::sequence_end, false);
    return fail_in(marks_.back(), "did not find expected '-' indicator", token->start);
}

bool EventParser::indentless_sequence_entry(Event& event) {
    auto* token = peek();
    if (!token) return false;
    if (token->type == TokenType::block_entry) {
        auto const mark = token->end();
        auto const head_length = head_.size();
        scanner_.skip();
        split_stem_comment(head_length);
        token = peek();
        if (!token) return false;
        if (token->type != TokenType::block_entry && token->type != TokenType::key && token->type != TokenType::value &&
            token->type != TokenType::block_end) {
            return child(event, State::indentless_sequence_entry, true, false);
        }
        return empty_scalar(event, mark, State::indentless_sequence_entry);
    }
    state_ = pop_state();
    start_event(event, EventType::sequence_end, token->start);
    return true;
}

bool EventParser::block_mapping_key(Event& event, bool first) {
    auto* token = enter(first);
    if (!token) return false;
    if (token->type == TokenType::key) {
        auto const mark = token->end();
        token = skip_and_peek();
        if (!token) return false;
        if (token->type != TokenType::key && token->type != TokenType::value && token->type != TokenType::block_end) {
            return child(event, State::block_mapping_value, true, true);
        }
        return empty_scalar(event, mark, State::block_mapping_value);
    }
    if (token->type == TokenType::block_end) return end_collection(event, EventType::mapping_end, true);
    return fail_in(marks_.back(), "did not find expected key", token->start);
}

bool EventParser::block_mapping_value(Event& event) {
    auto* token = peek();
    if (!token) return false;
    if (token->type != TokenType::value) return empty_scalar(event, token->start, State::block_mapping_key);
    auto const mark = token->end();
    token = skip_and_peek();
    if (!token) return false;
    if (token->type != TokenType::key && token->type != TokenType::value && token->type != TokenType::block_end) {
        return child(event, State::block_mapping_key, true, true);
    }
    return empty_scalar(event, mark, State::block_mapping_key);
}

// ---- flow collections

bool EventParser::flow_sequence_entry(Event& event, bool first) {
    auto* const token = enter_flow(first, TokenType::flow_sequence_end, "did not find expected ',' or ']'");
    if (!token) return false;
    if (token->type != TokenType::flow_sequence_end) {
        if (token->type == TokenType::key) {
            state_ = State::flow_sequence_entry_mapping_key;
            start_event(event, EventType::mapping_start, token->start);
            event.flow = true;
            scanner_.skip();
            return true;
        }
        if (token->type != TokenType::flow_sequence_end) return child(event, State::flow_sequence_entry, false, false);
    }
    return end_collection(event, EventType::sequence_end, true);
}

bool EventParser::flow_sequence_entry_mapping_key(Event& event) {
    auto const* const token = peek();
    if (!token) return false;
    if (token->type != TokenType::value && token->type != TokenType::flow_entry &&
        token->type != TokenType::flow_sequence_end) {
        return child(event, State::flow_sequence_entry_mapping_value, false, false);
    }
    auto const mark = token->end();
    scanner_.skip();
    return empty_scalar(event, mark, State::flow_sequence_entry_mapping_value);
}

bool EventParser::flow_sequence_entry_mapping_value(Event& event) {
    auto* token = peek();
    if (!token) return false;
    if (token->type == TokenType::value) {
        // go-yaml gives the empty value the place of the ":" itself.
        auto const mark = token->start;
        token = skip_and_peek();
        if (!token) return false;
        if (token->type != TokenType::flow_entry && token->type != TokenType::flow_sequence_end) {
            return child(event, State::flow_sequence_entry_mapping_end, false, false);
        }
        return empty_scalar(event, mark, State::flow_sequence_entry_mapping_end);
    }
    return empty_scalar(event, token->start, State::flow_sequence_entry_mapping_end);
}

bool EventParser::flow_sequence_entry_mapping_end(Event& event) {
    auto const* const token = peek();
    if (!token) return false;
    state_ = State::flow_sequence_entry;
    start_event(event, EventType::mapping_end, token->start);
    return true;
}

bool EventParser::flow_mapping_key(Event& event, bool first) {
    auto* token = enter_flow(first, TokenType::flow_mapping_end, "did not find expected ',' or '}'");
    if (!token) return false;
    if (token->type != TokenType::flow_mapping_end) {
        if (token->type == TokenType::key) {
            token = skip_and_peek();
            if (!token) return false;
            if (token->type != TokenType::value && token->type != TokenType::flow_entry &&
                token->type != TokenType::flow_mapping_end) {
                return child(event, State::flow_mapping_value, false, false);
            }
            return empty_scalar(event, token->start, State::flow_mapping_value);
        }
        if (token->type != TokenType::flow_mapping_end)
            return child(event, State::flow_mapping_empty_value, false, false);
    }
    return end_collection(event, EventType::mapping_end, true);
}

bool EventParser::flow_mapping_value(Event& event, bool empty) {
    auto* token = peek();
    if (!token) return false;
    if (!empty && token->type == TokenType::value) {
        token = skip_and_peek();
        if (!token) return false;
        if (token->type != TokenType::flow_entry && token->type != TokenType::flow_mapping_end) {
            return child(event, State::flow_mapping_key, false, false);
        }
    }
    return empty_scalar(event, token->start, State::flow_mapping_key);
}

}  // namespace holdfast::yaml
