// modules/text/gotemplate/lex.cpp: the state machine, state for state as in Go.
#include "modules/text/gotemplate/lex.hpp"

#include "modules/text/gotemplate/fmt.hpp"
#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/gotemplate/unicode.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace holdfast::gotemplate {

namespace {

constexpr char32_t kEof = static_cast<char32_t>(-1);
constexpr std::string_view kLeft = "{{", kRight = "}}", kSpaces = " \t\r\n";

constexpr std::array<std::pair<std::string_view, Token>, 12> kKeywords{{{".", Token::dot},
                                                                        {"block", Token::block},
                                                                        {"break", Token::break_},
                                                                        {"continue", Token::continue_},
                                                                        {"define", Token::define},
                                                                        {"else", Token::else_},
                                                                        {"end", Token::end},
                                                                        {"if", Token::if_},
                                                                        {"range", Token::range},
                                                                        {"nil", Token::nil},
                                                                        {"template", Token::template_},
                                                                        {"with", Token::with}}};

constexpr std::array<bool, 128> kWordBytes = [] {
    std::array<bool, 128> made{};
    for (char c = '0'; c <= '9'; ++c) made[static_cast<std::size_t>(c)] = true;
    for (char c = 'a'; c <= 'z'; ++c) made[static_cast<std::size_t>(c)] = made[static_cast<std::size_t>(c - 32)] = true;
    made['_'] = true;
    return made;
}();

bool is_blank(char32_t r) { return r == ' ' || r == '\t' || r == '\r' || r == '\n'; }
bool is_alphanumeric(char32_t r) { return r < 128 ? kWordBytes[r] : r != kEof && (is_letter(r) || is_digit(r)); }
bool has_left_trim(std::string_view s) {
    return s.size() >= 2 && s[0] == '-' && is_blank(static_cast<unsigned char>(s[1]));
}
bool has_right_trim(std::string_view s) {
    return s.size() >= 2 && is_blank(static_cast<unsigned char>(s[0])) && s[1] == '-';
}
std::size_t newlines(std::string_view s) { return static_cast<std::size_t>(std::count(s.begin(), s.end(), '\n')); }
std::size_t leading_blanks(std::string_view s) { return std::min(s.find_first_not_of(kSpaces), s.size()); }
std::size_t trailing_blanks(std::string_view s) { return s.size() - (s.find_last_not_of(kSpaces) + 1); }

std::string unicode_name(char32_t rune) {
    std::string out;
    auto const value = Value::integer(static_cast<std::int32_t>(rune));
    printf(out, "%#U", std::span{&value, 1});
    return out;
}

}  // namespace

std::string to_string(Item const& item) {
    if (item.type == Token::eof) return "EOF";
    if (item.type == Token::error) return std::string{item.text};
    if (item.type > Token::keyword) return "<" + std::string{item.text} + ">";
    if (item.text.size() > 10) {
        auto rest = item.text;
        for (int i = 0; i < 10 && !rest.empty(); ++i) rest.remove_prefix(decode_rune(rest).width);
        return quote(item.text.substr(0, item.text.size() - rest.size())) + "...";
    }
    return quote(item.text);
}

char32_t Lexer::read() {
    if (pos_ >= input_.size()) {
        at_eof_ = true;
        return kEof;
    }
    auto const byte = static_cast<unsigned char>(input_[pos_]);
    if (byte < 0x80) {
        ++pos_;
        if (byte == '\n') ++line_;
        return byte;
    }
    auto const rune = decode_rune(input_.substr(pos_));
    pos_ += rune.width;
    return rune.value;
}

char32_t Lexer::peek() {
    if (pos_ >= input_.size()) {
        at_eof_ = true;
        return kEof;
    }
    auto const byte = static_cast<unsigned char>(input_[pos_]);
    return byte < 0x80 ? byte : decode_rune(input_.substr(pos_)).value;
}

/// Reads up to the first rune that is neither letter, digit nor '_', and returns that one unread.
char32_t Lexer::skip_word() {
    for (;;) {
        while (pos_ < input_.size() && static_cast<unsigned char>(input_[pos_]) < 0x80 &&
               kWordBytes[static_cast<unsigned char>(input_[pos_])])
            ++pos_;
        auto const rune = peek();
        if (rune < 0x80 || rune == kEof || !is_alphanumeric(rune)) return rune;
        read();
    }
}

void Lexer::back() {
    if (at_eof_ || pos_ == 0) return;
    if (static_cast<unsigned char>(input_[pos_ - 1]) < 0x80) {
        if (input_[--pos_] == '\n') --line_;
        return;
    }
    auto const rune = decode_last_rune(input_.substr(0, pos_));
    pos_ -= rune.width;
}

bool Lexer::accept(std::string_view valid) {
    auto const rune = read();
    if (rune < 0x80 && valid.find(static_cast<char>(rune)) != std::string_view::npos) return true;
    back();
    return false;
}

void Lexer::accept_run(std::string_view valid) {
    while (accept(valid)) {}
}

Item Lexer::this_item(Token type) {
    Item made{type, start_, input_.substr(start_, pos_ - start_), start_line_};
    start_ = pos_;
    start_line_ = line_;
    return made;
}

Lexer::State Lexer::emit(Item const& item) {
    item_ = item;
    return State::done;
}
Lexer::State Lexer::emit(Token type) { return emit(this_item(type)); }

Lexer::State Lexer::fail(std::string message) {
    error_ = std::move(message);
    item_ = Item{Token::error, start_, error_, start_line_};
    start_ = pos_ = 0;
    input_ = {};
    return State::done;
}

void Lexer::ignore() {
    line_ += newlines(input_.substr(start_, pos_ - start_));
    start_ = pos_;
    start_line_ = line_;
}

Item const& Lexer::next() {
    auto state = inside_action_ ? State::inside_action : State::text;
    while (state != State::done) {
        switch (state) {
            case State::text: state = lex_text(); break;
            case State::left_delim: state = lex_left_delim(); break;
            case State::comment: state = lex_comment(); break;
            case State::right_delim: state = lex_right_delim(); break;
            case State::inside_action: state = lex_inside_action(); break;
            case State::space: state = lex_space(); break;
            case State::identifier: state = lex_identifier(); break;
            case State::field: state = lex_field_or_variable(Token::field); break;
            case State::variable:
                state = at_terminator() ? emit(Token::variable) : lex_field_or_variable(Token::variable);
                break;
            case State::character: state = lex_quoted('\''); break;
            case State::number: state = lex_number(); break;
            case State::quote: state = lex_quoted('"'); break;
            case State::raw_quote: state = lex_raw_quote(); break;
            case State::done: break;
        }
    }
    return item_;
}

Lexer::State Lexer::lex_text() {
    auto const delim = input_.find(kLeft, pos_);
    if (delim != std::string_view::npos) {
        if (delim > pos_) {
            pos_ = delim;
            std::size_t trim = 0;
            if (has_left_trim(input_.substr(pos_ + kLeft.size())))
                trim = trailing_blanks(input_.substr(start_, pos_ - start_));
            pos_ -= trim;
            line_ += newlines(input_.substr(start_, pos_ - start_));
            auto const item = this_item(Token::text);
            pos_ += trim;
            ignore();
            if (!item.text.empty()) return emit(item);
        }
        return State::left_delim;
    }
    pos_ = input_.size();
    if (pos_ > start_) {
        line_ += newlines(input_.substr(start_, pos_ - start_));
        return emit(Token::text);
    }
    return emit(Token::eof);
}

bool Lexer::at_right_delim(bool& trims) const {
    auto const rest = input_.substr(pos_);
    trims = has_right_trim(rest) && rest.substr(2).starts_with(kRight);
    return trims || rest.starts_with(kRight);
}

Lexer::State Lexer::lex_left_delim() {
    pos_ += kLeft.size();
    auto const after = has_left_trim(input_.substr(pos_)) ? std::size_t{2} : std::size_t{0};
    if (input_.substr(pos_ + after).starts_with("/*")) {
        pos_ += after;
        ignore();
        return State::comment;
    }
    auto const item = this_item(Token::left_delim);
    inside_action_ = true;
    pos_ += after;
    ignore();
    paren_depth_ = 0;
    return emit(item);
}

Lexer::State Lexer::lex_comment() {
    pos_ += 2;
    auto const close = input_.find("*/", pos_);
    if (close == std::string_view::npos) return fail("unclosed comment");
    pos_ = close + 2;
    bool trims = false;
    if (!at_right_delim(trims)) return fail("comment ends before closing delimiter");
    line_ += newlines(input_.substr(start_, pos_ - start_));
    this_item(Token::comment);
    if (trims) pos_ += 2;
    pos_ += kRight.size();
    if (trims) pos_ += leading_blanks(input_.substr(pos_));
    ignore();
    return State::text;
}

Lexer::State Lexer::lex_right_delim() {
    bool trims = false;
    at_right_delim(trims);
    if (trims) {
        pos_ += 2;
        ignore();
    }
    pos_ += kRight.size();
    auto const item = this_item(Token::right_delim);
    if (trims) {
        pos_ += leading_blanks(input_.substr(pos_));
        ignore();
    }
    inside_action_ = false;
    return emit(item);
}

Lexer::State Lexer::lex_inside_action() {
    bool trims = false;
    if (at_right_delim(trims)) {
        if (paren_depth_ == 0) return State::right_delim;
        return fail("unclosed left paren");
    }
    auto const r = read();
    if (r == kEof) return fail("unclosed action");
    if (is_blank(r)) {
        back();
        return State::space;
    }
    switch (r) {
        case '=': return emit(Token::assign);
        case ':':
            if (read() != '=') return fail("expected :=");
            return emit(Token::declare);
        case '|': return emit(Token::pipe);
        case '"': return State::quote;
        case '`': return State::raw_quote;
        case '$': return State::variable;
        case '\'': return State::character;
        case '(': ++paren_depth_; return emit(Token::left_paren);
        case ')':
            if (--paren_depth_ < 0) return fail("unexpected right paren");
            return emit(Token::right_paren);
        default: break;
    }
    if (r == '.' && pos_ < input_.size() && !(input_[pos_] >= '0' && input_[pos_] <= '9')) return State::field;
    if (r == '.' || r == '+' || r == '-' || (r >= '0' && r <= '9')) {
        back();
        return State::number;
    }
    if (is_alphanumeric(r)) {
        back();
        return State::identifier;
    }
    if (r < 0x80 && is_print(r)) return emit(Token::character);
    return fail("unrecognized character in action: " + unicode_name(r));
}

Lexer::State Lexer::lex_space() {
    std::size_t spaces = 0;
    for (; is_blank(peek()); ++spaces) read();
    if (has_right_trim(input_.substr(pos_ - 1)) && input_.substr(pos_ + 1).starts_with(kRight)) {
        back();
        if (spaces == 1) return State::right_delim;
    }
    return emit(Token::space);
}

Lexer::State Lexer::lex_identifier() {
    auto const r = skip_word();
    auto const word = input_.substr(start_, pos_ - start_);
    if (!at_terminator()) return fail("bad character " + unicode_name(r));
    for (auto const& [name, token] : kKeywords)
        if (name == word) return emit(token);
    if (word == "true" || word == "false") return emit(Token::boolean);
    return emit(Token::identifier);
}

Lexer::State Lexer::lex_field_or_variable(Token type) {
    if (at_terminator()) return emit(type == Token::variable ? Token::variable : Token::dot);
    auto const r = skip_word();
    if (!at_terminator()) return fail("bad character " + unicode_name(r));
    return emit(type);
}

bool Lexer::at_terminator() {
    auto const r = peek();
    if (is_blank(r)) return true;
    if (r == kEof || r == '.' || r == ',' || r == '|' || r == ':' || r == ')' || r == '(') return true;
    return input_.substr(pos_).starts_with(kRight);
}

Lexer::State Lexer::lex_quoted(char quote) {
    for (;;) {
        auto r = read();
        if (r == '\\') {
            r = read();
            if (r != kEof && r != '\n') continue;
        }
        if (r == kEof || r == '\n')
            return fail(quote == '"' ? "unterminated quoted string" : "unterminated character constant");
        if (r == static_cast<char32_t>(quote)) return emit(quote == '"' ? Token::string : Token::char_constant);
    }
}

Lexer::State Lexer::lex_raw_quote() {
    for (;;) {
        auto const r = read();
        if (r == kEof) return fail("unterminated raw quoted string");
        if (r == '`') return emit(Token::raw_string);
    }
}

Lexer::State Lexer::lex_number() {
    auto const bad = [&] { return fail("bad number syntax: " + quote(input_.substr(start_, pos_ - start_))); };
    if (!scan_number()) return bad();
    auto const sign = peek();
    if (sign == '+' || sign == '-') {
        if (!scan_number() || input_[pos_ - 1] != 'i') return bad();
        return emit(Token::complex);
    }
    return emit(Token::number);
}

bool Lexer::scan_number() {
    accept("+-");
    std::string_view digits = "0123456789_";
    if (accept("0")) {
        if (accept("xX")) digits = "0123456789abcdefABCDEF_";
        else if (accept("oO")) digits = "01234567_";
        else if (accept("bB")) digits = "01_";
    }
    accept_run(digits);
    if (accept(".")) accept_run(digits);
    if (digits.size() == 11 && accept("eE")) {
        accept("+-");
        accept_run("0123456789_");
    }
    if (digits.size() == 23 && accept("pP")) {
        accept("+-");
        accept_run("0123456789_");
    }
    accept("i");
    if (is_alphanumeric(peek())) {
        read();
        return false;
    }
    return true;
}

}  // namespace holdfast::gotemplate
