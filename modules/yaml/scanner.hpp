// modules/yaml/scanner.hpp: text to tokens; go-yaml's scannerc.go over one block of memory.
// Private to modules/yaml. Reading order: scanner.hpp, scanner.cpp, scan_scalar.cpp, scan_comment.cpp, scan_tag.cpp.
#pragma once

#include "modules/yaml/arena.hpp"
#include "modules/yaml/chars.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::yaml {

/// A place in the text. go-yaml counts characters in `index`; bytes order the same and cost nothing.
struct Mark {
    std::uint32_t index = 0;
    std::uint32_t line = 0;
    std::uint32_t column = 0;  // in characters
};

enum class TokenType : std::uint8_t {
    stream_start,
    stream_end,
    version_directive,
    tag_directive,
    document_start,
    document_end,
    block_sequence_start,
    block_mapping_start,
    block_end,
    flow_sequence_start,
    flow_sequence_end,
    flow_mapping_start,
    flow_mapping_end,
    block_entry,
    flow_entry,
    key,
    value,
    alias,
    anchor,
    tag,
    scalar,
};

enum class ScalarStyle : std::uint8_t { plain, single_quoted, double_quoted, literal, folded };

struct Token {
    TokenType type = TokenType::stream_start;
    ScalarStyle style = ScalarStyle::plain;
    std::uint8_t width = 0;   // characters of an indicator: where the token ends on its line
    bool compatible = false;  // of a version directive: 1.1
    Mark start;
    std::string_view text;    // scalar, anchor, alias; tag: handle
    std::string_view suffix;  // tag: suffix; tag directive: prefix

    Mark end() const { return {start.index + width, start.line, start.column + width}; }
};

struct Comment {
    Mark scan, token, start, end;
    std::string_view head, line, foot;
};

/// What go-yaml keeps of an error: two marks, and which of the three stages found it.
struct SyntaxError {
    enum class Stage : std::uint8_t { none, reader, scanner, parser } stage = Stage::none;
    Mark context;
    Mark problem;
    std::string_view text;
};

class Scanner {
public:
    /// `text` is checked UTF-8 followed by two zero bytes, in memory of the arena: scalars are unfolded in place.
    /// `reader_error` is what the reader found right behind it.
    Scanner(Arena& arena, std::string_view text, bool comments, std::uint32_t lookahead, std::string_view reader_error);

    /// The next token, or nullptr after an error.
    Token* peek() {
        if (!available_ && !fetch_more()) return nullptr;
        return &tokens_[head_];
    }
    /// Removes the token that peek() returned.
    void skip() {
        available_ = false;
        ++tokens_parsed_;
        stream_ended_ = tokens_[head_].type == TokenType::stream_end;
        ++head_;
    }
    bool stream_ended() const { return stream_ended_; }
    SyntaxError const& error() const { return error_; }
    void set_error(SyntaxError const& error) { error_ = error; }

    /// Comments whose token starts at or before a mark, first in, first out.
    bool has_comments() const { return comments_head_ < comments_.size(); }
    Comment& next_comment() { return comments_[comments_head_]; }
    void drop_comment();

private:
    struct SimpleKey {
        bool possible = false;
        bool required = false;
        std::uint32_t token_number = 0;
        Mark mark;
    };

    /// go-yaml's simple_keys_by_tok: which level's key may start at a token. A key that became impossible leaves
    /// its entry behind, and an empty flow collection takes that of the key it could be: both change how far
    /// the scanner reads ahead, and so which error comes first. Live numbers lie close together.
    class KeyTable {
    public:
        static constexpr std::uint32_t kNone = UINT32_MAX;
        std::uint32_t find(std::uint32_t number) const {
            auto const& slot = slots_[number % slots_.size()];
            return slot.number == number ? slot.level : kNone;
        }
        void add(std::uint32_t number, std::uint32_t level) {
            while (is_taken(number) && slots_.size() < kSlotsMax) grow();
            slots_[number % slots_.size()] = {number, level};
        }
        void remove(std::uint32_t number) {
            auto& slot = slots_[number % slots_.size()];
            if (slot.number == number) slot.level = kNone;
        }

    private:
        static constexpr std::uint32_t kSlotsMax = 2048;  // more than tokens fit into the 1024 characters of a key
        struct Slot {
            std::uint32_t number = 0;
            std::uint32_t level = kNone;
        };
        bool is_taken(std::uint32_t number) const {
            auto const& slot = slots_[number % slots_.size()];
            return slot.level != kNone && slot.number != number;
        }
        void grow() {
            std::vector<Slot> larger(slots_.size() * 2);
            for (auto const& slot : slots_) {
                if (slot.level != kNone) larger[slot.number % larger.size()] = slot;
            }
            slots_ = std::move(larger);
        }
        std::vector<Slot> slots_ = std::vector<Slot>(32);  // most texts are short
    };

    // scanner.cpp
    bool fetch_more();
    bool fetch_next();
    bool fetch_whole();
    bool fetch_any();
    bool fetch_stream_start();
    bool fetch_stream_end();
    bool fetch_directive();
    bool fetch_document_indicator(TokenType type);
    bool fetch_flow_start(TokenType type);
    bool fetch_flow_end(TokenType type);
    bool fetch_flow_entry();
    bool fetch_block_entry();
    bool fetch_key();
    bool fetch_value();
    bool fetch_anchor(TokenType type);
    bool fetch_tag();
    bool fetch_scalar(ScalarStyle style);
    bool scan_to_next_token(Mark scan_mark);
    bool is_valid(SimpleKey& key, bool& ok);
    bool save_simple_key();
    bool remove_simple_key();
    bool roll_indent(std::int64_t column, std::int64_t number, TokenType type, Mark mark);
    void unroll_indent(std::int64_t column, Mark scan);
    void insert_token(std::uint32_t number, Token const& token);
    Token& append_token(TokenType type, Mark start, std::uint8_t width = 0);
    bool indicator(TokenType type);
    bool has_document_indicator() const;
    std::uint32_t next_token_number() const {
        return tokens_parsed_ + static_cast<std::uint32_t>(tokens_.size() - head_);
    }

    // scan_scalar.cpp
    bool scan_plain(Token& token);
    bool scan_quoted(Token& token, bool single);
    bool scan_escape(std::string& out, Mark start);
    bool scan_block(Token& token, bool literal);
    bool scan_block_header(Mark start, int& chomping, int& increment);
    bool scan_block_breaks(std::int64_t& indent, std::string& breaks, Mark start);

    // scan_comment.cpp
    void scan_line_comment(Mark token_mark);
    void scan_comments(Mark scan_mark);
    std::string_view read_comment_line();

    // scan_tag.cpp
    bool scan_anchor(Token& token);
    bool scan_tag(Token& token);
    bool scan_tag_handle(bool directive, Mark start, std::string& handle);
    bool scan_tag_uri(std::string_view head, Mark start, std::string& uri);
    bool scan_uri_escape(Mark start, std::string& uri);
    bool scan_directive(Token& token);
    bool scan_version(Token& token, Mark start);
    bool scan_version_number(Mark start, int& number);

    bool fail(Mark context, std::string_view text);
    bool is_at_reader_error(std::ptrdiff_t characters) const {
        return !reader_error_.empty() && end_ - p_ < characters;
    }

    // The cursor. A column is p_ - line_base_; a character of n bytes moves line_base_ by n - 1.
    Mark mark() const {
        return {static_cast<std::uint32_t>(p_ - text_), line_, static_cast<std::uint32_t>(p_ - line_base_)};
    }
    std::int64_t column() const { return p_ - line_base_; }
    void skip_blanks() {
        while (chars::is_blank(*p_)) ++p_;
    }
    void skip_ascii() { ++p_, newlines_ = 0; }
    void skip_char();  // any character that is no line break
    void skip_line();  // a line break, if there is one
    void read_line(std::string& out);

    Arena& arena_;
    char const* text_;
    char const* end_;
    char* p_;
    char const* line_base_;
    char const* bom_end_ = nullptr;
    std::uint32_t line_ = 0;
    std::uint32_t newlines_ = 0;  // line breaks since the last character that is neither blank nor break
    bool with_comments_;
    std::uint32_t lookahead_;  // tokens that must follow the head: 2 in v3, which places comments by them
    std::string_view reader_error_;
    SyntaxError error_;

    std::vector<Token> tokens_;
    std::size_t head_ = 0;
    std::uint32_t tokens_parsed_ = 0;
    bool available_ = false;
    bool started_ = false;
    bool stream_ended_ = false;

    std::vector<std::int64_t> indents_;
    std::int64_t indent_ = -1;
    std::uint32_t flow_level_ = 0;
    bool simple_key_allowed_ = false;
    std::vector<SimpleKey> simple_keys_;
    KeyTable key_table_;

    std::vector<Comment> comments_;
    std::size_t comments_head_ = 0;

    std::string scratch_, breaks_, leading_break_, escaped_;  // reused between scalars
};

}  // namespace holdfast::yaml
