// modules/text/gotemplate/lex.hpp: template text to tokens (text/template/parse/lex.go).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::gotemplate {

enum class Token : std::uint8_t {
    error,
    boolean,
    character,
    char_constant,
    comment,
    complex,
    assign,
    declare,
    eof,
    field,
    identifier,
    left_delim,
    left_paren,
    number,
    pipe,
    raw_string,
    right_delim,
    right_paren,
    space,
    string,
    text,
    variable,
    keyword,  // separates the keywords
    block,
    break_,
    continue_,
    dot,
    define,
    else_,
    end,
    if_,
    nil,
    range,
    template_,
    with
};

struct Item {
    Token type = Token::eof;
    std::size_t pos = 0;
    std::string_view text;  // of the input, or of Lexer::error_text()
    std::size_t line = 1;
};

/// As Go prints an item in "unexpected %s in ...".
std::string to_string(Item const& item);

class Lexer {
public:
    explicit Lexer(std::string_view input) : input_(input) {}
    /// Valid until the next call.
    Item const& next();

private:
    enum class State {
        text,
        left_delim,
        comment,
        right_delim,
        inside_action,
        space,
        identifier,
        field,
        variable,
        character,
        number,
        quote,
        raw_quote,
        done
    };

    char32_t read();
    char32_t peek();
    char32_t skip_word();
    void back();
    bool accept(std::string_view valid);
    void accept_run(std::string_view valid);
    Item this_item(Token type);
    State emit(Token type);
    State emit(Item const& item);
    State fail(std::string message);
    void ignore();
    bool at_right_delim(bool& trims) const;
    bool at_terminator();
    bool scan_number();

    State lex_text();
    State lex_left_delim();
    State lex_comment();
    State lex_right_delim();
    State lex_inside_action();
    State lex_space();
    State lex_identifier();
    State lex_field_or_variable(Token type);
    State lex_quoted(char quote);
    State lex_raw_quote();
    State lex_number();

    std::string_view input_;
    std::size_t pos_ = 0, start_ = 0, line_ = 1, start_line_ = 1;
    bool at_eof_ = false, inside_action_ = false;
    int paren_depth_ = 0;
    Item item_;
    std::string error_;
};

}  // namespace holdfast::gotemplate
