// modules/yaml/emitter.cpp: what is written between scalars: indentation, indicators, keys, documents.
#include "modules/yaml/emitter.hpp"

#include "modules/yaml/utf8.hpp"

#include <algorithm>
#include <limits>

namespace holdfast::yaml {

using Type = EmitEvent::Type;

Emitter::Emitter(std::string& out, EmitterOptions options, bool first_document)
    : out_{out}, v3_{options.dialect == Dialect::v3}, compact_{options.compact_sequences},
      best_indent_{options.indent < 2 || options.indent > 9 ? 2 : options.indent},
      best_width_{v3_ ? std::numeric_limits<int>::max() : 80},
      state_{first_document ? State::first_document_start : State::document_start} {}

bool Emitter::emit(EmitEvent const& event) { return analyze(event) && step(event); }

bool Emitter::step(EmitEvent const& event) {
    switch (state_) {
        case State::first_document_start: return document_start(true);
        case State::document_start: return document_start(false);
        case State::document_content: return document_content(event);
        case State::document_end: return document_end();
        case State::flow_sequence_first_item: return flow_sequence_item(event, true, false);
        case State::flow_sequence_trail_item: return flow_sequence_item(event, false, true);
        case State::flow_sequence_item: return flow_sequence_item(event, false, false);
        case State::flow_mapping_first_key: return flow_mapping_key(event, true, false);
        case State::flow_mapping_trail_key: return flow_mapping_key(event, false, true);
        case State::flow_mapping_key: return flow_mapping_key(event, false, false);
        case State::flow_mapping_simple_value: return flow_mapping_value(event, true);
        case State::flow_mapping_value: return flow_mapping_value(event, false);
        case State::block_sequence_first_item: return block_sequence_item(event, true);
        case State::block_sequence_item: return block_sequence_item(event, false);
        case State::block_mapping_first_key: return block_mapping_key(event, true);
        case State::block_mapping_key: return block_mapping_key(event, false);
        case State::block_mapping_simple_value: return block_mapping_value(event, true);
        case State::block_mapping_value: return block_mapping_value(event, false);
    }
    return false;
}

// ---- what an event brings

bool Emitter::analyze(EmitEvent const& event) {
    anchor_ = {};
    tag_handle_ = {};
    tag_suffix_ = {};
    scalar_.value = {};
    if (!event.head.empty()) head_ = event.head;
    if (!event.line.empty()) line_ = event.line;
    if (!event.foot.empty()) foot_ = event.foot;
    if (!event.tail.empty()) tail_ = event.tail;
    switch (event.type) {
        case Type::alias: return analyze_anchor(event.anchor, true);
        case Type::scalar:
        case Type::sequence_start:
        case Type::mapping_start:
            if (!event.anchor.empty() && !analyze_anchor(event.anchor, false)) return false;
            if (!event.tag.empty() && !event.implicit) analyze_tag(event.tag);
            if (event.type == Type::scalar) analyze_scalar(event.value);
            return true;
        default: return true;
    }
}

bool Emitter::analyze_anchor(std::string_view anchor, bool alias) {
    if (anchor.empty()) return fail(alias ? "alias value must not be empty" : "anchor value must not be empty");
    if (!std::ranges::all_of(anchor, chars::is_word)) {
        return fail(alias ? "alias value must contain alphanumerical characters only"
                          : "anchor value must contain alphanumerical characters only");
    }
    anchor_ = anchor;
    is_alias_ = alias;
    return true;
}

void Emitter::analyze_tag(std::string_view tag) {
    constexpr std::string_view yaml_prefix = "tag:yaml.org,2002:";
    if (tag.starts_with("!!")) {
        tag_handle_ = "!!";
        tag_suffix_ = tag.substr(2);
    } else if (tag.starts_with('!')) {
        tag_handle_ = "!";
        tag_suffix_ = tag.substr(1);
    } else if (tag.starts_with(yaml_prefix)) {
        tag_handle_ = "!!";
        tag_suffix_ = tag.substr(yaml_prefix.size());
    } else {
        tag_suffix_ = tag;
    }
}

bool Emitter::is_simple_key(EmitEvent const& event) const {
    std::size_t length = anchor_.size();
    switch (event.type) {
        case Type::alias: break;
        case Type::scalar:
            if (scalar_.multiline) return false;
            length += tag_handle_.size() + tag_suffix_.size() + scalar_.value.size();
            break;
        case Type::sequence_start:
        case Type::mapping_start:
            if (!event.empty) return false;
            length += tag_handle_.size() + tag_suffix_.size();
            break;
        default: return false;
    }
    return length <= 128;
}

void Emitter::increase_indent(bool flow, bool indentless, bool compact) {
    indents_.push_back(indent_);
    if (indent_ < 0) {
        indent_ = flow ? best_indent_ : 0;
    } else if (!indentless) {
        if (!v3_) {
            indent_ += best_indent_;
        } else if (!states_.empty() && states_.back() == State::block_sequence_item) {
            indent_ += 2;  // behind the "- "
        } else {
            indent_ = best_indent_ * ((indent_ + best_indent_) / best_indent_);
            if (compact) indent_ -= 2;
        }
    }
}

// ---- documents

bool Emitter::document_start(bool first) {
    if (!first) {
        write_indent();
        write_indicator("---", true, false, false);
        if (v3_) write_indent();
    }
    if (!head_.empty()) {
        process_head_comment();
        put_break();
    }
    state_ = State::document_content;
    return true;
}

bool Emitter::document_content(EmitEvent const& event) {
    states_.push_back(State::document_end);
    process_head_comment();
    if (!node(event, true, false, false, false)) return false;
    process_line_comment();
    process_foot_comment();
    return true;
}

bool Emitter::document_end() {
    foot_indent_ = 0;  // a foot of the document stands apart
    if (!v3_) foot_indent_ = -1;
    process_foot_comment();
    foot_indent_ = -1;
    write_indent();
    state_ = State::document_start;
    return true;
}

// ---- flow collections

bool Emitter::flow_sequence_item(EmitEvent const& event, bool first, bool trail) {
    if (first) {
        write_indicator("[", true, true, false);
        increase_indent(true, false);
        ++flow_level_;
    }
    if (event.type == Type::sequence_end) {
        --flow_level_;
        decrease_indent();
        if (column_ == 0) write_indent();
        write_indicator("]", false, false, false);
        process_line_comment();
        process_foot_comment();
        pop_state();
        return true;
    }
    if (!first && !trail) write_indicator(",", false, false, false);
    process_head_comment();
    if (column_ == 0) write_indent();
    if (column_ > best_width_) write_indent();
    states_.push_back(has_trailing_comment() ? State::flow_sequence_trail_item : State::flow_sequence_item);
    if (!node(event, false, true, false, false)) return false;
    if (has_trailing_comment()) write_indicator(",", false, false, false);
    process_line_comment();
    process_foot_comment();
    return true;
}

bool Emitter::flow_mapping_key(EmitEvent const& event, bool first, bool trail) {
    if (first) {
        write_indicator("{", true, true, false);
        increase_indent(true, false);
        ++flow_level_;
    }
    if (event.type == Type::mapping_end) {
        bool const has_comment = !(head_.empty() && foot_.empty() && tail_.empty());
        if (has_comment && !first && !trail) write_indicator(",", false, false, false);
        process_head_comment();
        --flow_level_;
        decrease_indent();
        write_indicator("}", false, false, false);
        process_line_comment();
        process_foot_comment();
        pop_state();
        return true;
    }
    if (!first && !trail) write_indicator(",", false, false, false);
    process_head_comment();
    if (column_ == 0) write_indent();
    if (column_ > best_width_) write_indent();
    if (is_simple_key(event)) {
        states_.push_back(State::flow_mapping_simple_value);
        return node(event, false, false, true, true);
    }
    write_indicator("?", true, false, false);
    states_.push_back(State::flow_mapping_value);
    return node(event, false, false, true, false);
}

bool Emitter::flow_mapping_value(EmitEvent const& event, bool simple) {
    if (simple) {
        write_indicator(":", false, false, false);
    } else {
        if (column_ > best_width_) write_indent();
        write_indicator(":", true, false, false);
    }
    states_.push_back(has_trailing_comment() ? State::flow_mapping_trail_key : State::flow_mapping_key);
    if (!node(event, false, false, true, false)) return false;
    if (has_trailing_comment()) write_indicator(",", false, false, false);
    process_line_comment();
    process_foot_comment();
    return true;
}

// ---- block collections

bool Emitter::block_sequence_item(EmitEvent const& event, bool first) {
    if (first) {
        if (v3_) increase_indent(false, false, mapping_context_ && (column_ == 0 || !indention_) && compact_);
        else increase_indent(false, mapping_context_ && !indention_);
    }
    if (event.type == Type::sequence_end) {
        decrease_indent();
        pop_state();
        return true;
    }
    process_head_comment();
    write_indent();
    write_indicator("-", true, false, true);
    states_.push_back(State::block_sequence_item);
    if (!node(event, false, true, false, false)) return false;
    process_line_comment();
    process_foot_comment();
    return true;
}

bool Emitter::block_mapping_key(EmitEvent const& event, bool first) {
    if (first) increase_indent(false, false);
    process_head_comment();
    if (event.type == Type::mapping_end) {
        decrease_indent();
        pop_state();
        return true;
    }
    write_indent();
    if (!line_.empty()) {
        key_line_ = line_;  // written behind the value, or behind the ":" when a block follows
        line_ = {};
    }
    if (is_simple_key(event)) {
        states_.push_back(State::block_mapping_simple_value);
        return node(event, false, false, true, true);
    }
    write_indicator("?", true, false, true);
    states_.push_back(State::block_mapping_value);
    return node(event, false, false, true, false);
}

bool Emitter::block_mapping_value(EmitEvent const& event, bool simple) {
    if (simple) {
        write_indicator(":", false, false, false);
    } else {
        write_indent();
        write_indicator(":", true, false, true);
    }
    if (!key_line_.empty()) {
        if (event.type == Type::scalar) {
            if (line_.empty()) line_ = std::exchange(key_line_, {});
        } else if (!event.flow && (event.type == Type::mapping_start || event.type == Type::sequence_start)) {
            std::swap(line_, key_line_);
            process_line_comment();
            std::swap(line_, key_line_);
        }
    }
    states_.push_back(State::block_mapping_key);
    if (!node(event, false, false, true, false)) return false;
    process_line_comment();
    process_foot_comment();
    return true;
}

// ---- nodes

bool Emitter::node(EmitEvent const& event, bool root, bool sequence, bool mapping, bool simple_key) {
    mapping_context_ = mapping;
    simple_key_context_ = simple_key;
    bool const is_flow = flow_level_ > 0 || event.flow || event.empty;
    switch (event.type) {
        case Type::alias:
            process_anchor();
            pop_state();
            return true;
        case Type::scalar: return scalar(event);
        case Type::sequence_start:
            process_anchor();
            process_tag();
            state_ = is_flow ? State::flow_sequence_first_item : State::block_sequence_first_item;
            return true;
        case Type::mapping_start:
            process_anchor();
            process_tag();
            state_ = is_flow ? State::flow_mapping_first_key : State::block_mapping_first_key;
            return true;
        default: return fail("expected SCALAR, SEQUENCE-START, MAPPING-START, or ALIAS");
    }
}

bool Emitter::scalar(EmitEvent const& event) {
    select_style(event);
    process_anchor();
    process_tag();
    increase_indent(true, false);
    process_scalar();
    decrease_indent();
    pop_state();
    return true;
}

void Emitter::process_anchor() {
    if (anchor_.empty()) return;
    write_indicator(is_alias_ ? "*" : "&", true, false, false);
    write_all(anchor_);
    whitespace_ = false;
    indention_ = false;
}

void Emitter::process_tag() {
    if (tag_handle_.empty() && tag_suffix_.empty()) return;
    if (!tag_handle_.empty()) {
        if (!whitespace_) put(' ');
        write_all(tag_handle_);
        whitespace_ = false;
        indention_ = false;
        if (!tag_suffix_.empty()) write_tag_content(tag_suffix_);
    } else {
        write_indicator("!<", true, false, false);
        write_tag_content(tag_suffix_);
        write_indicator(">", false, false, false);
    }
}

// ---- the pen

void Emitter::put_break() {
    out_.push_back('\n');
    column_ = 0;
    if (v3_) indention_ = true;
}

void Emitter::write(std::string_view value, std::size_t& at) {
    auto const width = std::min<std::size_t>(width_of(static_cast<unsigned char>(value[at])), value.size() - at);
    out_.append(value, at, width);
    at += width;
    ++column_;
}

void Emitter::write_all(std::string_view text) {
    out_ += text;
    for (char const c : text) column_ += (c & '\xC0') != '\x80';
}

void Emitter::write_break(std::string_view value, std::size_t& at) {
    if (value[at] == '\n') {
        put_break();
        ++at;
        return;
    }
    write(value, at);
    column_ = 0;
    if (v3_) indention_ = true;
}

void Emitter::write_indent() {
    int const indent = std::max(indent_, 0);
    if (!indention_ || column_ > indent || (column_ == indent && !whitespace_)) put_break();
    if (foot_indent_ == indent) put_break();
    if (column_ < indent) {
        out_.append(static_cast<std::size_t>(indent - column_), ' ');
        column_ = indent;
    }
    whitespace_ = true;
    if (!v3_) indention_ = true;
    foot_indent_ = -1;
}

void Emitter::write_indicator(std::string_view indicator, bool need_whitespace, bool is_whitespace, bool is_indention) {
    if (need_whitespace && !whitespace_) put(' ');
    out_ += indicator;
    column_ += static_cast<int>(indicator.size());
    whitespace_ = is_whitespace;
    indention_ = indention_ && is_indention;
}

void Emitter::write_tag_content(std::string_view text) {
    constexpr std::string_view plain = ";/?:@&=+$,_.~*'()[]";
    for (char const c : text) {
        if (chars::is_word(c) || plain.contains(c)) {
            put(c);
            continue;
        }
        constexpr char digits[] = "0123456789ABCDEF";
        put('%');
        put(digits[static_cast<unsigned char>(c) >> 4]);
        put(digits[static_cast<unsigned char>(c) & 15]);
    }
    whitespace_ = false;
    indention_ = false;
}

}  // namespace holdfast::yaml
