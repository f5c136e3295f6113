// modules/yaml/events.hpp: tokens to events; go-yaml's parserc.go.
// Private to modules/yaml.
#pragma once

#include "modules/yaml/scanner.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::yaml {

enum class EventType : std::uint8_t {
    none,
    stream_start,
    stream_end,
    document_start,
    document_end,
    alias,
    scalar,
    sequence_start,
    sequence_end,
    mapping_start,
    mapping_end,
};

struct Event {
    EventType type = EventType::none;
    ScalarStyle style = ScalarStyle::plain;
    bool flow = false;
    bool has_anchor = false;
    Mark start;
    std::string_view anchor, tag, value;
    std::string_view head, line, foot;

    bool has_comments() const { return !(head.empty() && line.empty() && foot.empty()); }
};

class EventParser {
public:
    EventParser(Arena& arena, std::string_view text, bool comments, std::uint32_t lookahead,
                std::string_view reader_error)
        : arena_{arena}, scanner_{arena, text, comments, lookahead, reader_error} {}

    /// False after an error. Behind the end of the stream: events of type none.
    bool next(Event& event);
    SyntaxError const& error() const { return scanner_.error(); }

private:
    enum class State : std::uint8_t {
        stream_start,
        implicit_document_start,
        document_start,
        document_content,
        document_end,
        block_node,
        block_sequence_first_entry,
        block_sequence_entry,
        indentless_sequence_entry,
        block_mapping_first_key,
        block_mapping_key,
        block_mapping_value,
        flow_sequence_first_entry,
        flow_sequence_entry,
        flow_sequence_entry_mapping_key,
        flow_sequence_entry_mapping_value,
        flow_sequence_entry_mapping_end,
        flow_mapping_first_key,
        flow_mapping_key,
        flow_mapping_value,
        flow_mapping_empty_value,
        end,
    };

    /// Pieces of one comment, joined by line breaks. One piece stays a view.
    class Joined {
    public:
        bool empty() const { return first_.empty() && all_.empty(); }
        std::size_t size() const { return all_.empty() ? first_.size() : all_.size(); }
        void add(std::string_view piece);
        void assign(std::string_view text) { first_ = text, all_.clear(); }
        void clear() { first_ = {}, all_.clear(); }
        std::string_view text(Arena& arena);  // a view that lives as long as the arena
    private:
        std::string_view first_;
        std::string all_;
    };

    struct TagDirective {
        std::string_view handle, prefix;
    };

    Token* peek();
    Token* skip_and_peek();
    Token* enter(bool first);
    Token* enter_flow(bool first, TokenType end, std::string_view missing);
    void unfold_comments(Token const& token);
    void take_comments(Event& event);
    void split_stem_comment(std::size_t stem_length);
    State pop_state();
    bool fail(Mark problem, std::string_view text);
    bool fail_in(Mark context, std::string_view text, Mark problem);

    bool stream_start(Event& event);
    bool document_start(Event& event, bool implicit);
    bool document_content(Event& event);
    bool document_end(Event& event);
    bool node(Event& event, bool block, bool indentless_sequence);
    bool node_tag(std::string_view handle, std::string_view suffix, std::string_view& tag);
    bool collection(Event& event, EventType type, bool flow, State state);
    bool block_sequence_entry(Event& event, bool first);
    bool indentless_sequence_entry(Event& event);
    bool block_mapping_key(Event& event, bool first);
    bool block_mapping_value(Event& event);
    bool flow_sequence_entry(Event& event, bool first);
    bool flow_sequence_entry_mapping_key(Event& event);
    bool flow_sequence_entry_mapping_value(Event& event);
    bool flow_sequence_entry_mapping_end(Event& event);
    bool flow_mapping_key(Event& event, bool first);
    bool flow_mapping_value(Event& event, bool empty);
    bool empty_scalar(Event& event, Mark mark, State next);
    bool child(Event& event, State after, bool block, bool indentless_sequence);
    bool end_collection(Event& event, EventType type, bool comments);
    bool process_directives();
    bool append_tag_directive(TagDirective directive, bool allow_duplicates, Mark mark);
    void start_event(Event& event, EventType type, Mark start) const;

    Arena& arena_;
    Scanner scanner_;
    State state_ = State::stream_start;
    std::vector<State> states_;
    std::vector<Mark> marks_;
    std::vector<TagDirective> tag_directives_;
    Joined head_, line_, foot_;
    std::string_view stem_;
};

}  // namespace holdfast::yaml
