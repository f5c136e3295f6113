// modules/helm/toml_lex.hpp: a port of BurntSushi/toml v1.6 lex.go: TOML text to items, errors in Go's words.
// Reading order: toml_lex.hpp, toml_lex.cpp, toml_scalar.hpp, toml_read.cpp.
#pragma once

#include "modules/base/error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::helm::toml {

/// What Go panics with and nobody below the template engine recovers: the call itself fails, with this text.
struct Panic {
    std::string text;
};

enum class ItemType {
    error,
    eof,
    text,
    string,
    string_escaped,
    raw_string,
    multiline_string,
    raw_multiline_string,
    boolean,
    integer,
    floating,
    datetime,
    array_start,
    array_end,
    table_start,
    table_end,
    array_table_start,
    array_table_end,
    key_start,
    key_end,
    comment_start,
    inline_table_start,
    inline_table_end,
};

std::string_view name_of(ItemType type);

struct Item {
    ItemType type = ItemType::eof;
    std::string_view text{};  // of the document
    std::string error{};
    std::int64_t line = 0;
};

/// Hands out one item after the other. After an error or the end nothing follows.
/// Go's lexer keeps going for the rest of a step after an error and may step back too far; the first error counts,
/// but where it stands and what precedes it depend on that, so it is done here as there.
class Lexer {
public:
    explicit Lexer(std::string_view text) : text_(text) {}
    Lexer(Lexer const&) = delete;
    Lexer& operator=(Lexer const&) = delete;

    Item next_item();

private:
    /// What to do next; nothing after the last step.
    struct State;
    using Step = State (Lexer::*)();
    struct State {
        Step step = nullptr;
    };

    // ---- reading runes
    char32_t next();
    void backup();
    bool accept(char32_t wanted);
    char32_t peek();
    void skip_blanks();
    void ignore() { start_ = at_; }
    std::string_view current() const;

    // ---- handing out
    void emit(ItemType type);
    void emit_trimmed(ItemType type);
    State error(std::string text);  // at the end of the text: in the line before
    State error_previous_line(std::string text);
    State errorf(std::string text);  // at the end of the text: in the line before, if that has just begun
    void push(Step step) { stack_.push_back(step); }
    State pop();
    State skip_to(Step step);

    // ---- top level, tables, keys
    State top();
    State top_end();
    State table_start();
    State table_end();
    State array_table_end();
    State table_name_start();
    State table_name_end();
    State bare_name();
    State quoted_name();
    State key_start();
    State key_name_start();
    State key_end();

    // ---- values
    State value();
    State array_value();
    State array_value_end();
    State array_end();
    State inline_table_value();
    State inline_table_value_end();
    State inline_table_end();
    State string();
    State multiline_string();
    State raw_string();
    State multiline_raw_string();
    State multiline_string_escape();
    State string_escape();
    State hex_escape();
    State short_unicode_escape();
    State long_unicode_escape();
    State escape_digits(int count, std::string_view count_word, char letter);
    State closing_quotes(char32_t quote, Step inside, ItemType type);
    State number_or_date_start();
    State number_or_date();
    State datetime();
    State hex_integer();
    State octal_integer();
    State binary_integer();
    State digits_or_underscore(bool (*is_digit)(char32_t), Step again);
    State decimal_number();
    State decimal_number_start();
    State base_number_or_date();
    State floating();
    State boolean();
    State comment_start();
    State comment();

    std::string_view text_;
    std::size_t start_ = 0;
    std::size_t at_ = 0;
    std::int64_t line_ = 1;
    State state_{&Lexer::top};
    std::deque<Item> items_{};
    bool escaped_ = false;

    // Widths of the last runes read, for stepping back: TOML has tokens of three.
    std::array<std::size_t, 4> widths_{};
    std::size_t widths_used_ = 0;
    bool at_end_ = false;

    std::vector<Step> stack_{};
};

}  // namespace holdfast::helm::toml
