// modules/yaml/emitter.hpp: events to text; go-yaml's emitterc.go, v3 and v2.
// Private to modules/yaml. Reading order: emitter.hpp, emitter.cpp (states), emit_scalar.cpp, emit_comment.cpp.
#pragma once

#include "modules/yaml/parse.hpp"
#include "modules/yaml/scanner.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::yaml {

struct EmitEvent {
    enum class Type : std::uint8_t {
        document_start,
        document_end,
        alias,
        scalar,
        sequence_start,
        sequence_end,
        mapping_start,
        mapping_end,
    };
    Type type;
    ScalarStyle style = ScalarStyle::plain;
    bool flow = false;
    bool empty = false;    // a collection without children
    bool implicit = true;  // no tag is written
    std::string_view anchor, tag, value;
    std::string_view head, line, foot, tail;
};

struct EmitterOptions {
    Dialect dialect = Dialect::v3;
    int indent = 2;
    bool compact_sequences = true;
};

/// Writes to a string. Every function that can fail returns false and leaves the reason in problem().
class Emitter {
public:
    Emitter(std::string& out, EmitterOptions options, bool first_document);
    bool emit(EmitEvent const& event);
    std::string_view problem() const { return problem_; }

private:
    enum class State : std::uint8_t {
        first_document_start,
        document_start,
        document_content,
        document_end,
        flow_sequence_first_item,
        flow_sequence_trail_item,
        flow_sequence_item,
        flow_mapping_first_key,
        flow_mapping_trail_key,
        flow_mapping_key,
        flow_mapping_simple_value,
        flow_mapping_value,
        block_sequence_first_item,
        block_sequence_item,
        block_mapping_first_key,
        block_mapping_key,
        block_mapping_simple_value,
        block_mapping_value,
    };

    // emitter.cpp: one function per state
    bool step(EmitEvent const& event);
    bool document_start(bool first);
    bool document_content(EmitEvent const& event);
    bool document_end();
    bool flow_sequence_item(EmitEvent const& event, bool first, bool trail);
    bool flow_mapping_key(EmitEvent const& event, bool first, bool trail);
    bool flow_mapping_value(EmitEvent const& event, bool simple);
    bool block_sequence_item(EmitEvent const& event, bool first);
    bool block_mapping_key(EmitEvent const& event, bool first);
    bool block_mapping_value(EmitEvent const& event, bool simple);
    bool node(EmitEvent const& event, bool root, bool sequence, bool mapping, bool simple_key);
    bool scalar(EmitEvent const& event);
    bool is_simple_key(EmitEvent const& event) const;
    bool analyze(EmitEvent const& event);
    bool analyze_anchor(std::string_view anchor, bool alias);
    void analyze_tag(std::string_view tag);
    void process_anchor();
    void process_tag();
    void increase_indent(bool flow, bool indentless, bool compact = false);
    void decrease_indent() { indent_ = indents_.back(), indents_.pop_back(); }
    void pop_state() { state_ = states_.back(), states_.pop_back(); }
    bool has_trailing_comment() const { return !(line_.empty() && foot_.empty() && tail_.empty()); }
    bool fail(std::string_view problem) {
        problem_ = problem;
        return false;
    }

    // emit_scalar.cpp
    void analyze_scalar(std::string_view value);
    void select_style(EmitEvent const& event);
    void process_scalar();
    void write_plain(std::string_view value, bool allow_breaks);
    void write_single_quoted(std::string_view value, bool allow_breaks);
    void write_double_quoted(std::string_view value, bool allow_breaks);
    void write_escape(char32_t code);
    void write_block_hints(std::string_view value);
    void write_literal(std::string_view value);
    void write_folded(std::string_view value);

    // emit_comment.cpp
    void process_head_comment();
    void process_line_comment(bool line_break = false);
    void process_foot_comment();
    void write_comment(std::string_view comment);

    // the pen
    void put(char c) { out_.push_back(c), ++column_; }
    void put_break();
    void write(std::string_view value, std::size_t& at);  // one character
    void write_ascii(std::string_view value, std::size_t& at, std::size_t count) {
        out_.append(value, at, count);
        column_ += static_cast<int>(count);
        at += count;
    }
    void write_all(std::string_view text);
    void write_break(std::string_view value, std::size_t& at);  // one line break of a text
    void write_indent();
    void write_indicator(std::string_view indicator, bool need_whitespace, bool is_whitespace, bool is_indention);
    void write_tag_content(std::string_view text);

    std::string& out_;
    bool v3_;
    bool compact_;
    int best_indent_;
    int best_width_;
    std::string_view problem_;

    State state_;
    std::vector<State> states_;
    int indent_ = -1;
    std::vector<int> indents_;
    int flow_level_ = 0;
    bool mapping_context_ = false;
    bool simple_key_context_ = false;

    int column_ = 0;
    bool whitespace_ = true;
    bool indention_ = true;
    int foot_indent_ = -1;

    std::string_view head_, line_, foot_, tail_, key_line_;

    std::string_view anchor_;
    bool is_alias_ = false;
    std::string_view tag_handle_, tag_suffix_;

    struct Scalar {
        std::string_view value;
        bool multiline = false;
        bool ascii = true;
        bool flow_plain_allowed = false;
        bool block_plain_allowed = false;
        bool single_quoted_allowed = false;
        bool block_allowed = false;
        ScalarStyle style = ScalarStyle::plain;
    } scalar_;
};

}  // namespace holdfast::yaml
