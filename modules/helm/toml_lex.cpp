// modules/helm/toml_lex.cpp: the lexer's steps, one function for each state function of lex.go.
#include "modules/helm/toml_lex.hpp"

#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/gotemplate/unicode.hpp"

namespace holdfast::helm::toml {

namespace {

constexpr char32_t kEnd = 0;  // a NUL of the text is an error before anyone compares it with this

bool is_blank(char32_t r) { return r == '\t' || r == ' '; }
bool is_newline(char32_t r) { return r == '\n' || r == '\r'; }
bool is_control(char32_t r) { return r != '\t' && !is_newline(r) && (r <= 0x1f || r == 0x7f); }
bool is_decimal(char32_t r) { return r >= '0' && r <= '9'; }
bool is_binary(char32_t r) { return r == '0' || r == '1'; }
bool is_octal(char32_t r) { return r >= '0' && r <= '7'; }
bool is_hex(char32_t r) { return is_decimal(r) || ((r | 0x20) >= 'a' && (r | 0x20) <= 'f'); }
bool is_bare(char32_t r) {
    return (r >= 'A' && r <= 'Z') || (r >= 'a' && r <= 'z') || is_decimal(r) || r == '_' || r == '-';
}

std::string text_of(char32_t rune) {
    std::string text;
    gotemplate::append_rune(text, rune);
    return text;
}

std::string rune_or_end(char32_t rune) { return rune == kEnd ? "end of file" : "'" + text_of(rune) + "'"; }

/// 0x%02x of a byte.
std::string hex_of(unsigned byte) {
    constexpr char kDigits[] = "0123456789abcdef";
    return {'0', 'x', kDigits[byte >> 4 & 15], kDigits[byte & 15]};
}

std::string found_instead(std::string_view expected, char32_t rune) {
    return "expected " + std::string{expected} + gotemplate::quote_rune(rune) + " instead";
}

}  // namespace

std::string_view name_of(ItemType type) {
    switch (type) {
        case ItemType::error: return "Error";
        case ItemType::eof: return "EOF";
        case ItemType::text: return "Text";
        case ItemType::string:
        case ItemType::string_escaped:
        case ItemType::raw_string:
        case ItemType::multiline_string:
        case ItemType::raw_multiline_string: return "String";
        case ItemType::boolean: return "Bool";
        case ItemType::integer: return "Integer";
        case ItemType::floating: return "Float";
        case ItemType::datetime: return "DateTime";
        case ItemType::array_start: return "Array";
        case ItemType::array_end: return "ArrayEnd";
        case ItemType::table_start: return "TableStart";
        case ItemType::table_end: return "TableEnd";
        case ItemType::array_table_start: return "ArrayTableStart";
        case ItemType::array_table_end: return "ArrayTableEnd";
        case ItemType::key_start: return "KeyStart";
        case ItemType::key_end: return "KeyEnd";
        case ItemType::comment_start: return "CommentStart";
        case ItemType::inline_table_start: return "InlineTableStart";
        case ItemType::inline_table_end: return "InlineTableEnd";
    }
    return "";
}

Item Lexer::next_item() {
    while (items_.empty()) {
        if (state_.step == nullptr) throw Panic{"runtime error: invalid memory address or nil pointer dereference"};
        state_ = (this->*state_.step)();
    }
    auto item = std::move(items_.front());
    items_.pop_front();
    return item;
}

// ---- reading runes

char32_t Lexer::next() {
    if (at_end_) throw Panic{"BUG in lexer: next called after EOF"};
    if (at_ >= text_.size()) {
        at_end_ = true;
        return kEnd;
    }
    if (text_[at_] == '\n') ++line_;
    // The width is filled in only when the rune is good; after a bad one a step back is as wide as the rune before.
    for (std::size_t i = widths_.size() - 1; i > 0; --i) widths_[i] = widths_[i - 1];
    if (widths_used_ < widths_.size()) ++widths_used_;

    auto const byte = static_cast<unsigned char>(text_[at_]);
    auto const rune = byte < 0x80 ? gotemplate::Rune{byte, 1} : gotemplate::decode_rune(text_.substr(at_));
    if (rune.value == gotemplate::kRuneError && rune.width == 1) {
        error("invalid UTF-8 byte: " + hex_of(byte));
        return gotemplate::kRuneError;
    }
    bool const lone_return = rune.value == '\r' && (at_ + 1 == text_.size() || text_[at_ + 1] != '\n');
    if (is_control(rune.value) || lone_return) {
        items_.push_back({.type = ItemType::error,
                          .error = "TOML files cannot contain control characters: '" + hex_of(byte) + "'",
                          .line = line_});
        return gotemplate::kRuneError;
    }
    widths_[0] = rune.width;
    at_ += rune.width;
    return rune.value;
}

void Lexer::backup() {
    if (at_end_) {
        at_end_ = false;
        return;
    }
    if (widths_used_ < 1 || widths_[0] > at_) throw Panic{"BUG in lexer: backed up too far"};
    at_ -= widths_[0];
    for (std::size_t i = 0; i + 1 < widths_.size(); ++i) widths_[i] = widths_[i + 1];
    --widths_used_;
    if (at_ < text_.size() && text_[at_] == '\n') --line_;
}

bool Lexer::accept(char32_t wanted) {
    if (next() == wanted) return true;
    backup();
    return false;
}

char32_t Lexer::peek() {
    auto const rune = next();
    backup();
    return rune;
}

void Lexer::skip_blanks() {
    while (is_blank(next())) {}
    backup();
    ignore();
}

std::string_view Lexer::current() const {
    if (start_ > at_)
        throw Panic{"runtime error: slice bounds out of range [" + std::to_string(start_) + ":" + std::to_string(at_) +
                    "]"};
    return text_.substr(start_, at_ - start_);
}

// ---- handing out

void Lexer::emit(ItemType type) {
    if (start_ > at_) {  // stepped back too far: a multi-line string that ends in half a rune
        error("invalid UTF-8 byte: " + hex_of(static_cast<unsigned char>(text_[at_])));
        return;
    }
    items_.push_back({.type = type, .text = current(), .line = line_});
    start_ = at_;
}

void Lexer::emit_trimmed(ItemType type) {
    items_.push_back({.type = type, .text = gotemplate::trim_space(current()), .line = line_});
    start_ = at_;
}

Lexer::State Lexer::error(std::string text) {
    if (at_end_) return error_previous_line(std::move(text));
    items_.push_back({.type = ItemType::error, .error = std::move(text), .line = line_});
    return {};
}

Lexer::State Lexer::error_previous_line(std::string text) {
    items_.push_back({.type = ItemType::error, .error = std::move(text), .line = line_ - 1});
    return {};
}

Lexer::State Lexer::errorf(std::string text) {
    bool const new_line = at_end_ && at_ >= 1 && text_[at_ - 1] == '\n';
    items_.push_back({.type = ItemType::error, .error = std::move(text), .line = new_line ? line_ - 1 : line_});
    return {};
}

Lexer::State Lexer::pop() {
    if (stack_.empty()) throw Panic{"BUG in lexer: no states to pop"};
    auto const step = stack_.back();
    stack_.pop_back();
    return {step};
}

Lexer::State Lexer::skip_to(Step step) {
    ignore();
    return {step};
}

// ---- top level, tables, keys

Lexer::State Lexer::top() {
    auto const r = next();
    if (is_blank(r) || is_newline(r)) return skip_to(&Lexer::top);
    switch (r) {
        case '#': push(&Lexer::top); return {&Lexer::comment_start};
        case '[': return {&Lexer::table_start};
        case kEnd:
            if (at_ > start_) return errorf("unexpected EOF");
            emit(ItemType::eof);
            return {};
        default: break;
    }
    backup();
    push(&Lexer::top_end);
    return {&Lexer::key_start};
}

Lexer::State Lexer::top_end() {
    auto const r = next();
    if (r == '#') {
        push(&Lexer::top);
        return {&Lexer::comment_start};
    }
    if (is_blank(r)) return {&Lexer::top_end};
    if (is_newline(r)) return skip_to(&Lexer::top);
    if (r == kEnd) {
        emit(ItemType::eof);
        return {};
    }
    return errorf(found_instead("a top-level item to end with a newline, comment, or EOF, but got ", r));
}

Lexer::State Lexer::table_start() {
    if (peek() == '[') {
        next();
        emit(ItemType::array_table_start);
        push(&Lexer::array_table_end);
    } else {
        emit(ItemType::table_start);
        push(&Lexer::table_end);
    }
    return {&Lexer::table_name_start};
}

Lexer::State Lexer::table_end() {
    emit(ItemType::table_end);
    return {&Lexer::top_end};
}

Lexer::State Lexer::array_table_end() {
    if (auto const r = next(); r != ']')
        return errorf(found_instead("end of table array name delimiter ']', but got ", r));
    emit(ItemType::array_table_end);
    return {&Lexer::top_end};
}

Lexer::State Lexer::table_name_start() {
    skip_blanks();
    switch (peek()) {
        case ']':
        case kEnd: return errorf("unexpected end of table name (table names cannot be empty)");
        case '.': return errorf("unexpected table separator (table names cannot be empty)");
        case '"':
        case '\'':
            ignore();
            push(&Lexer::table_name_end);
            return {&Lexer::quoted_name};
        default: push(&Lexer::table_name_end); return {&Lexer::bare_name};
    }
}

Lexer::State Lexer::table_name_end() {
    skip_blanks();
    switch (auto const r = next()) {
        case '.': return skip_to(&Lexer::table_name_start);
        case ']': return pop();
        default: return errorf(found_instead("'.' or ']' to end table name, but got ", r));
    }
}

Lexer::State Lexer::bare_name() {
    if (is_bare(next())) return {&Lexer::bare_name};
    backup();
    emit(ItemType::text);
    return pop();
}

Lexer::State Lexer::quoted_name() {
    switch (auto const r = next()) {
        case '"': return skip_to(&Lexer::string);
        case '\'': return skip_to(&Lexer::raw_string);
        case ' ':
        case '\t': return skip_to(&Lexer::value);
        case kEnd: return errorf("unexpected EOF; expected value");
        default: return errorf(found_instead("value but found ", r));
    }
}

Lexer::State Lexer::key_start() {
    skip_blanks();
    switch (peek()) {
        case '=':
        case kEnd: return errorf("unexpected '=': key name appears blank");
        case '.': return errorf("unexpected '.': keys cannot start with a '.'");
        case '"':
        case '\'': ignore(); [[fallthrough]];
        default: emit(ItemType::key_start); return {&Lexer::key_name_start};
    }
}

Lexer::State Lexer::key_name_start() {
    skip_blanks();
    switch (peek()) {
        case '"':
        case '\'':
            ignore();
            push(&Lexer::key_end);
            return {&Lexer::quoted_name};
        case '=':
        case kEnd: return errorf("unexpected '='");
        case '.': return errorf("unexpected '.'");
        default: push(&Lexer::key_end); return {&Lexer::bare_name};
    }
}

Lexer::State Lexer::key_end() {
    skip_blanks();
    auto const r = next();
    if (is_blank(r)) return skip_to(&Lexer::key_end);
    switch (r) {
        case kEnd: return errorf("unexpected EOF; expected key separator '='");
        case '.': return skip_to(&Lexer::key_name_start);
        case '=': emit(ItemType::key_end); return skip_to(&Lexer::value);
        case '\n': return error_previous_line(found_instead("'.' or '=', but got ", r));
        default: return errorf(found_instead("'.' or '=', but got ", r));
    }
}

// ---- values

Lexer::State Lexer::value() {
    auto const r = next();
    if (is_blank(r)) return skip_to(&Lexer::value);
    if (is_decimal(r)) {
        backup();
        return {&Lexer::number_or_date_start};
    }
    switch (r) {
        case '[':
            ignore();
            emit(ItemType::array_start);
            return {&Lexer::array_value};
        case '{':
            ignore();
            emit(ItemType::inline_table_start);
            return {&Lexer::inline_table_value};
        case '"':
        case '\'':
            if (accept(r)) {
                if (accept(r)) return skip_to(r == '"' ? &Lexer::multiline_string : &Lexer::multiline_raw_string);
                backup();
            }
            return skip_to(r == '"' ? &Lexer::string : &Lexer::raw_string);
        case '.': return errorf("floats must start with a digit, not '.'");
        case 'i':
        case 'n':
            // The parser refuses what is neither inf nor nan.
            if ((accept('n') && accept('f')) || (accept('a') && accept('n'))) {
                emit(ItemType::floating);
                return pop();
            }
            break;
        case '-':
        case '+': return {&Lexer::decimal_number_start};
        default: break;
    }
    if (gotemplate::is_letter(r)) {
        backup();
        return {&Lexer::boolean};
    }
    if (r == kEnd) return errorf("unexpected EOF; expected value");
    if (r == '\n') return error_previous_line(found_instead("value but found ", r));
    return errorf(found_instead("value but found ", r));
}

Lexer::State Lexer::array_value() {
    auto const r = next();
    if (is_blank(r) || is_newline(r)) return skip_to(&Lexer::array_value);
    switch (r) {
        case '#': push(&Lexer::array_value); return {&Lexer::comment_start};
        case ',': return errorf("unexpected comma");
        case ']': return {&Lexer::array_end};
        default: break;
    }
    backup();
    push(&Lexer::array_value_end);
    return {&Lexer::value};
}

Lexer::State Lexer::array_value_end() {
    auto const r = next();
    if (is_blank(r) || is_newline(r)) return skip_to(&Lexer::array_value_end);
    switch (r) {
        case '#': push(&Lexer::array_value_end); return {&Lexer::comment_start};
        case ',': return skip_to(&Lexer::array_value);
        case ']': return {&Lexer::array_end};
        default: return errorf("expected a comma (',') or array terminator (']'), but got " + rune_or_end(r));
    }
}

Lexer::State Lexer::array_end() {
    ignore();
    emit(ItemType::array_end);
    return pop();
}

Lexer::State Lexer::inline_table_value() {
    auto const r = next();
    if (is_blank(r) || is_newline(r)) return skip_to(&Lexer::inline_table_value);
    switch (r) {
        case '#': push(&Lexer::inline_table_value); return {&Lexer::comment_start};
        case ',': return errorf("unexpected comma");
        case '}': return {&Lexer::inline_table_end};
        default: break;
    }
    backup();
    push(&Lexer::inline_table_value_end);
    return {&Lexer::key_start};
}

Lexer::State Lexer::inline_table_value_end() {
    auto const r = next();
    if (is_blank(r) || is_newline(r)) return skip_to(&Lexer::inline_table_value_end);
    switch (r) {
        case '#': push(&Lexer::inline_table_value_end); return {&Lexer::comment_start};
        case ',':
            ignore();
            skip_blanks();
            if (peek() == '}') return {&Lexer::inline_table_value_end};
            return {&Lexer::inline_table_value};
        case '}': return {&Lexer::inline_table_end};
        default:
            return errorf("expected a comma or an inline table terminator '}', but got " + rune_or_end(r) + " instead");
    }
}

Lexer::State Lexer::inline_table_end() {
    ignore();
    emit(ItemType::inline_table_end);
    return pop();
}

// ---- strings

Lexer::State Lexer::string() {
    auto const r = next();
    if (r == kEnd) return errorf("unexpected EOF; expected '\"'");
    if (is_newline(r)) return error_previous_line("strings cannot contain newlines");
    if (r == '\\') {
        push(&Lexer::string);
        return {&Lexer::string_escape};
    }
    if (r != '"') return {&Lexer::string};
    backup();
    emit(escaped_ ? ItemType::string_escaped : ItemType::string);
    escaped_ = false;
    next();
    ignore();
    return pop();
}

Lexer::State Lexer::multiline_string() {
    switch (next()) {
        case kEnd: return errorf("unexpected EOF; expected '\"\"\"'");
        case '\\': return {&Lexer::multiline_string_escape};
        case '"': return closing_quotes('"', &Lexer::multiline_string, ItemType::multiline_string);
        default: return {&Lexer::multiline_string};
    }
}

/// One quote of a multi-line string is read. Three end it; up to two may stand before those, six are an error.
Lexer::State Lexer::closing_quotes(char32_t quote, Step inside, ItemType type) {
    if (!accept(quote)) return {inside};
    if (!accept(quote)) {
        backup();
        return {inside};
    }
    if (peek() == quote) {
        std::string const five(5, static_cast<char>(quote));
        bool const escaped = quote == '"' && current().ends_with("\\" + five);
        if (current().ends_with(five) && !escaped)
            return errorf(quote == '"' ? "unexpected '\"\"\"\"\"\"'" : "unexpected \"''''''\"");
        backup();
        backup();
        return {inside};
    }
    for (int i = 0; i < 3; ++i) backup();
    if (quote == '"') escaped_ = false;
    emit(type);
    for (int i = 0; i < 3; ++i) next();
    ignore();
    return pop();
}

Lexer::State Lexer::raw_string() {
    auto const r = next();
    if (r == kEnd) return errorf("unexpected EOF; expected \"'\"");
    if (is_newline(r)) return error_previous_line("strings cannot contain newlines");
    if (r != '\'') return {&Lexer::raw_string};
    backup();
    emit(ItemType::raw_string);
    next();
    ignore();
    return pop();
}

Lexer::State Lexer::multiline_raw_string() {
    switch (next()) {
        case kEnd: return errorf("unexpected EOF; expected \"'''\"");
        case '\'': return closing_quotes('\'', &Lexer::multiline_raw_string, ItemType::raw_multiline_string);
        default: return {&Lexer::multiline_raw_string};
    }
}

Lexer::State Lexer::multiline_string_escape() {
    if (is_newline(next())) return {&Lexer::multiline_string};
    backup();
    push(&Lexer::multiline_string);
    return string_escape();
}

Lexer::State Lexer::string_escape() {
    escaped_ = true;
    switch (auto const r = next()) {
        case 'e':
        case 'b':
        case 't':
        case 'n':
        case 'f':
        case 'r':
        case '"':
        case ' ':  // between a backslash and the line's end there may be blanks
        case '\t':
        case '\\': return pop();
        case 'x': return {&Lexer::hex_escape};
        case 'u': return {&Lexer::short_unicode_escape};
        case 'U': return {&Lexer::long_unicode_escape};
        default: return error("invalid escape in string '\\" + text_of(r) + "'");
    }
}

Lexer::State Lexer::escape_digits(int count, std::string_view count_word, char letter) {
    for (int i = 0; i < count; ++i) {
        if (is_hex(next())) continue;
        return errorf("expected " + std::string{count_word} + " hexadecimal digits after '\\" + letter + "', but got " +
                      gotemplate::quote(current()) + " instead");
    }
    return pop();
}
Lexer::State Lexer::hex_escape() { return escape_digits(2, "two", 'x'); }
Lexer::State Lexer::short_unicode_escape() { return escape_digits(4, "four", 'u'); }
Lexer::State Lexer::long_unicode_escape() { return escape_digits(8, "eight", 'U'); }

// ---- numbers, dates, true and false: a first approximation, the parser checks them

Lexer::State Lexer::number_or_date_start() {
    return {next() == '0' ? &Lexer::base_number_or_date : &Lexer::number_or_date};
}

Lexer::State Lexer::number_or_date() {
    auto const r = next();
    if (is_decimal(r)) return {&Lexer::number_or_date};
    switch (r) {
        case '-':
        case ':': return {&Lexer::datetime};
        case '_': return {&Lexer::decimal_number};
        case '.':
        case 'e':
        case 'E': return {&Lexer::floating};
        default: break;
    }
    backup();
    emit(ItemType::integer);
    return pop();
}

Lexer::State Lexer::datetime() {
    auto const r = next();
    if (is_decimal(r)) return {&Lexer::datetime};
    switch (r) {
        case '-':
        case ':':
        case 'T':
        case 't':
        case ' ':
        case '.':
        case 'Z':
        case 'z':
        case '+': return {&Lexer::datetime};
        default: break;
    }
    backup();
    emit_trimmed(ItemType::datetime);
    return pop();
}

Lexer::State Lexer::digits_or_underscore(bool (*is_digit)(char32_t), Step again) {
    auto const r = next();
    if (is_digit(r) || r == '_') return {again};
    backup();
    emit(ItemType::integer);
    return pop();
}
Lexer::State Lexer::hex_integer() { return digits_or_underscore(is_hex, &Lexer::hex_integer); }
Lexer::State Lexer::octal_integer() { return digits_or_underscore(is_octal, &Lexer::octal_integer); }
Lexer::State Lexer::binary_integer() { return digits_or_underscore(is_binary, &Lexer::binary_integer); }

Lexer::State Lexer::decimal_number() {
    auto const r = next();
    if (is_decimal(r)) return {&Lexer::decimal_number};
    switch (r) {
        case '.':
        case 'e':
        case 'E': return {&Lexer::floating};
        case '_': return {&Lexer::decimal_number};
        default: break;
    }
    backup();
    emit(ItemType::integer);
    return pop();
}

Lexer::State Lexer::decimal_number_start() {
    auto const r = next();
    switch (r) {
        case 'i':
        case 'n':
            if (r == 'i' ? !accept('n') || !accept('f') : !accept('a') || !accept('n'))
                return errorf("invalid float: '" + std::string{current()} + "'");
            emit(ItemType::floating);
            return pop();
        case '0':
            if (auto const p = peek(); p == 'b' || p == 'o' || p == 'x')
                return errorf("cannot use sign with non-decimal numbers: '" + std::string{current()} + text_of(p) +
                              "'");
            break;
        case '.': return errorf("floats must start with a digit, not '.'");
        default: break;
    }
    if (is_decimal(r)) return {&Lexer::decimal_number};
    return errorf("expected a digit but got " + gotemplate::quote_rune(r));
}

Lexer::State Lexer::base_number_or_date() {
    auto const r = next();
    if (is_decimal(r)) return {&Lexer::number_or_date};
    // Go reports the missing digit and goes on; the report is what comes out.
    auto const based = [&](bool (*is_digit)(char32_t), std::string_view kind, Step step) -> State {
        if (auto const p = peek(); !is_digit(p))
            errorf("not " + std::string{kind} + " number: '" + std::string{current()} + text_of(p) + "'");
        return {step};
    };
    switch (r) {
        case '_': return {&Lexer::decimal_number};
        case '.':
        case 'e':
        case 'E': return {&Lexer::floating};
        case 'b': return based(is_binary, "a binary", &Lexer::binary_integer);
        case 'o': return based(is_octal, "an octal", &Lexer::octal_integer);
        case 'x': return based(is_hex, "a hexadecimal", &Lexer::hex_integer);
        default: break;
    }
    backup();
    emit(ItemType::integer);
    return pop();
}

Lexer::State Lexer::floating() {
    auto const r = next();
    if (is_decimal(r)) return {&Lexer::floating};
    switch (r) {
        case '_':
        case '.':
        case '-':
        case '+':
        case 'e':
        case 'E': return {&Lexer::floating};
        default: break;
    }
    backup();
    emit(ItemType::floating);
    return pop();
}

Lexer::State Lexer::boolean() {
    std::string word;
    for (auto r = next(); gotemplate::is_letter(r); r = next()) gotemplate::append_rune(word, r);
    backup();
    if (word != "true" && word != "false")
        return errorf("expected value but found " + gotemplate::quote(word) + " instead");
    emit(ItemType::boolean);
    return pop();
}

// ---- comments

Lexer::State Lexer::comment_start() {
    ignore();
    emit(ItemType::comment_start);
    return {&Lexer::comment};
}

Lexer::State Lexer::comment() {
    if (auto const r = next(); !is_newline(r) && r != kEnd) return {&Lexer::comment};
    backup();
    emit(ItemType::text);
    return pop();
}

}  // namespace holdfast::helm::toml
