// modules/yaml/emit_scalar.cpp: which style a scalar gets, and the scalar in that style.
#include "modules/yaml/emitter.hpp"

#include "modules/yaml/utf8.hpp"

#include <algorithm>
#include <array>

namespace holdfast::yaml {

namespace {

unsigned char byte_at(std::string_view value, std::size_t at) {
    return at < value.size() ? static_cast<unsigned char>(value[at]) : 0;
}

/// is_printable of yamlprivateh.go: no character of four bytes, no NEL, no tab.
bool is_printable(std::string_view value, std::size_t at) {
    auto const b0 = byte_at(value, at);
    auto const b1 = byte_at(value, at + 1);
    auto const b2 = byte_at(value, at + 2);
    return b0 == 0x0A || (b0 >= 0x20 && b0 <= 0x7E) || (b0 == 0xC2 && b1 >= 0xA0) || (b0 > 0xC2 && b0 < 0xED) ||
           (b0 == 0xED && b1 < 0xA0) || b0 == 0xEE ||
           (b0 == 0xEF && !(b1 == 0xBB && b2 == 0xBF) && !(b1 == 0xBF && (b2 == 0xBE || b2 == 0xBF)));
}

bool is_break(std::string_view value, std::size_t at) {
    auto const b0 = byte_at(value, at);
    if (b0 < 0x80) return b0 == '\r' || b0 == '\n';
    auto const b1 = byte_at(value, at + 1);
    auto const b2 = byte_at(value, at + 2);
    return (b0 == 0xC2 && b1 == 0x85) || (b0 == 0xE2 && b1 == 0x80 && (b2 == 0xA8 || b2 == 0xA9));
}

bool is_space(std::string_view value, std::size_t at) { return at < value.size() && value[at] == ' '; }
bool is_blank(std::string_view value, std::size_t at) { return at < value.size() && chars::is_blank(value[at]); }
bool is_blankz(std::string_view value, std::size_t at) {
    return at >= value.size() || value[at] == '\0' || is_blank(value, at) || is_break(value, at);
}

/// Printable ASCII without space, ' " and \: written as it is between quotes.
constexpr auto kSimple = [] {
    std::array<bool, 256> simple{};
    for (std::size_t c = 0x21; c < 0x7F; ++c) simple[c] = true;
    for (char const c : std::string_view{"'\"\\"}) simple[static_cast<unsigned char>(c)] = false;
    return simple;
}();

/// How many simple characters follow; with spaces, where lines are not folded at them.
std::size_t simple_run(std::string_view value, std::size_t from, bool spaces = false) {
    auto to = from;
    for (;;) {
        while (to < value.size() && kSimple[static_cast<unsigned char>(value[to])]) ++to;
        if (!spaces || to == from || to >= value.size() || value[to] != ' ') return to - from;
        ++to;
    }
}

/// Characters that say nothing about the style wherever they stand behind the first.
constexpr auto kOrdinary = [] {
    std::array<bool, 256> ordinary{};
    for (std::size_t c = 0x21; c < 0x7F; ++c) ordinary[c] = true;
    for (char const c : std::string_view{",?[]{}:#"}) ordinary[static_cast<unsigned char>(c)] = false;
    return ordinary;
}();

/// Behind the ordinary characters at `at`; a single space between two of them says nothing either.
std::size_t skip_ordinary(std::string_view value, std::size_t at) {
    auto const is_ordinary = [&](std::size_t i) {
        return i < value.size() && kOrdinary[static_cast<unsigned char>(value[i])];
    };
    for (;;) {
        while (is_ordinary(at)) ++at;
        if (at >= value.size() || value[at] != ' ' || !is_ordinary(at + 1)) return at;
        at += 2;
    }
}

}  // namespace

void Emitter::analyze_scalar(std::string_view value) {
    scalar_ = {.value = value};
    if (value.empty()) {
        scalar_.block_plain_allowed = true;
        scalar_.single_quoted_allowed = true;
        return;
    }
    bool block_indicators = value.starts_with("---") || value.starts_with("...");
    bool flow_indicators = block_indicators;
    bool line_breaks = false, special_characters = false, tab_characters = false;
    bool leading_space = false, leading_break = false, trailing_space = false, trailing_break = false;
    bool break_space = false, space_break = false;
    bool preceded_by_whitespace = true, previous_space = false, previous_break = false;

    std::uint32_t width = 0;
    for (std::size_t i = 0; i < value.size(); i += width) {
        if (i != 0 && kOrdinary[static_cast<unsigned char>(value[i])]) {
            previous_space = previous_break = preceded_by_whitespace = false;
            i = skip_ordinary(value, i);
            if (i == value.size()) break;
        }
        char const c = value[i];
        width = width_of(static_cast<unsigned char>(c));
        if (width > 1) scalar_.ascii = false;
        bool const followed_by_whitespace = i + width >= value.size() || is_blank(value, i + width);
        if (i == 0) {
            switch (c) {
                case '#':
                case ',':
                case '[':
                case ']':
                case '{':
                case '}':
                case '&':
                case '*':
                case '!':
                case '|':
                case '>':
                case '\'':
                case '"':
                case '%':
                case '@':
                case '`': flow_indicators = block_indicators = true; break;
                case '?':
                case ':':
                    flow_indicators = true;
                    if (followed_by_whitespace) block_indicators = true;
                    break;
                case '-':
                    if (followed_by_whitespace) flow_indicators = block_indicators = true;
                    break;
                default: break;
            }
        } else {
            switch (c) {
                case ',':
                case '?':
                case '[':
                case ']':
                case '{':
                case '}': flow_indicators = true; break;
                case ':':
                    flow_indicators = true;
                    if (followed_by_whitespace) block_indicators = true;
                    break;
                case '#':
                    if (preceded_by_whitespace) flow_indicators = block_indicators = true;
                    break;
                default: break;
            }
        }
        if (c == '\t' && v3_) tab_characters = true;
        else if (!is_printable(value, i)) special_characters = true;

        bool const last = i + width == value.size();
        bool const space = c == ' ';
        bool const is_line_break = !space && is_break(value, i);
        if (space) {
            leading_space |= i == 0;
            trailing_space |= last;
            break_space |= previous_break;
        } else if (is_line_break) {
            line_breaks = true;
            leading_break |= i == 0;
            trailing_break |= last;
            space_break |= previous_space;
        }
        previous_space = space;
        previous_break = is_line_break;
        preceded_by_whitespace = space || is_line_break || c == '\t' || c == '\0';
    }

    bool const edges = leading_space || leading_break || trailing_space || trailing_break;
    bool const odd = space_break || special_characters;
    scalar_.multiline = line_breaks;
    scalar_.flow_plain_allowed = !(edges || break_space || odd || tab_characters || line_breaks || flow_indicators);
    scalar_.block_plain_allowed = !(edges || break_space || odd || tab_characters || line_breaks || block_indicators);
    scalar_.single_quoted_allowed = !(break_space || odd || tab_characters);
    scalar_.block_allowed = !(trailing_space || odd);
}

void Emitter::select_style(EmitEvent const& event) {
    auto style = event.style;
    if (simple_key_context_ && scalar_.multiline) style = ScalarStyle::double_quoted;
    if (style == ScalarStyle::plain) {
        bool const allowed = flow_level_ > 0 ? scalar_.flow_plain_allowed : scalar_.block_plain_allowed;
        if (!allowed) style = ScalarStyle::single_quoted;
        if (scalar_.value.empty() && (flow_level_ > 0 || simple_key_context_)) style = ScalarStyle::single_quoted;
        bool const no_tag = tag_handle_.empty() && tag_suffix_.empty();
        if (no_tag && !event.implicit) style = ScalarStyle::single_quoted;
    }
    if (style == ScalarStyle::single_quoted && !scalar_.single_quoted_allowed) style = ScalarStyle::double_quoted;
    if (style == ScalarStyle::literal || style == ScalarStyle::folded) {
        if (!scalar_.block_allowed || flow_level_ > 0 || simple_key_context_) style = ScalarStyle::double_quoted;
    }
    scalar_.style = style;
}

void Emitter::process_scalar() {
    bool const allow_breaks = !simple_key_context_;
    switch (scalar_.style) {
        case ScalarStyle::plain: return write_plain(scalar_.value, allow_breaks);
        case ScalarStyle::single_quoted: return write_single_quoted(scalar_.value, allow_breaks);
        case ScalarStyle::double_quoted: return write_double_quoted(scalar_.value, allow_breaks);
        case ScalarStyle::literal: return write_literal(scalar_.value);
        case ScalarStyle::folded: return write_folded(scalar_.value);
    }
}

void Emitter::write_plain(std::string_view value, bool allow_breaks) {
    if ((!value.empty() || !v3_) && !whitespace_) put(' ');
    if (!scalar_.multiline && (v3_ || column_ + static_cast<int>(value.size()) <= best_width_)) {
        out_ += value;  // it cannot be folded
        if (scalar_.ascii) column_ += static_cast<int>(value.size());
        else
            for (char const c : value) column_ += (c & '\xC0') != '\x80';
    } else {
        bool spaces = false;
        bool breaks = false;
        for (std::size_t i = 0; i < value.size();) {
            if (value[i] == ' ') {
                if (allow_breaks && !spaces && column_ > best_width_ && !is_space(value, i + 1)) {
                    write_indent();
                    ++i;
                } else {
                    write(value, i);
                }
                spaces = true;
            } else if (is_break(value, i)) {
                if (!breaks && value[i] == '\n') put_break();
                write_break(value, i);
                if (!v3_) indention_ = true;
                breaks = true;
            } else {
                if (breaks) write_indent();
                if (auto const run = simple_run(value, i)) write_ascii(value, i, run);
                else write(value, i);
                indention_ = false;
                spaces = false;
                breaks = false;
            }
        }
    }
    if (!value.empty() || !v3_) whitespace_ = false;
    indention_ = false;
}

void Emitter::write_single_quoted(std::string_view value, bool allow_breaks) {
    write_indicator("'", true, false, false);
    bool spaces = false;
    bool breaks = false;
    for (std::size_t i = 0; i < value.size();) {
        if (value[i] == ' ') {
            if (allow_breaks && !spaces && column_ > best_width_ && i > 0 && i < value.size() - 1 &&
                !is_space(value, i + 1)) {
                write_indent();
                ++i;
            } else {
                write(value, i);
            }
            spaces = true;
        } else if (is_break(value, i)) {
            if (!breaks && value[i] == '\n') put_break();
            write_break(value, i);
            if (!v3_) indention_ = true;
            breaks = true;
        } else {
            if (breaks) write_indent();
            if (auto const run = simple_run(value, i, v3_)) {
                write_ascii(value, i, run);
            } else {
                if (value[i] == '\'') put('\'');
                write(value, i);
            }
            indention_ = false;
            spaces = false;
            breaks = false;
        }
    }
    write_indicator("'", false, false, false);
    whitespace_ = false;
    indention_ = false;
}

void Emitter::write_escape(char32_t code) {
    put('\\');
    switch (code) {
        case 0x00: return put('0');
        case 0x07: return put('a');
        case 0x08: return put('b');
        case 0x09: return put('t');
        case 0x0A: return put('n');
        case 0x0B: return put('v');
        case 0x0C: return put('f');
        case 0x0D: return put('r');
        case 0x1B: return put('e');
        case 0x22: return put('"');
        case 0x5C: return put('\\');
        case 0x85: return put('N');
        case 0xA0: return put('_');
        case 0x2028: return put('L');
        case 0x2029: return put('P');
        default: break;
    }
    int const digits = code <= 0xFF ? 2 : code <= 0xFFFF ? 4 : 8;
    put(digits == 2 ? 'x' : digits == 4 ? 'u' : 'U');
    for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) put("0123456789ABCDEF"[code >> shift & 15]);
}

void Emitter::write_double_quoted(std::string_view value, bool allow_breaks) {
    write_indicator("\"", true, false, false);
    bool const escape_all = value.starts_with("\xEF\xBB\xBF");  // go-yaml looks for the mark at the start, each time
    bool spaces = false;
    for (std::size_t i = 0; i < value.size();) {
        if (escape_all || !is_printable(value, i) || is_break(value, i) || value[i] == '"' || value[i] == '\\') {
            auto const rune = decode_rune(value, i);
            write_escape(rune.code);
            i += rune.bytes;
            spaces = false;
        } else if (value[i] == ' ') {
            if (allow_breaks && !spaces && column_ > best_width_ && i > 0 && i < value.size() - 1) {
                write_indent();
                if (is_space(value, i + 1)) put('\\');
                ++i;
            } else {
                write(value, i);
            }
            spaces = true;
        } else {
            if (auto const run = simple_run(value, i, v3_)) write_ascii(value, i, run);
            else write(value, i);
            spaces = false;
        }
    }
    write_indicator("\"", false, false, false);
    whitespace_ = false;
    indention_ = false;
}

void Emitter::write_block_hints(std::string_view value) {
    if (is_space(value, 0) || is_break(value, 0)) {
        char const hint = static_cast<char>('0' + best_indent_);
        write_indicator({&hint, 1}, false, false, false);
    }
    auto const back = [&](std::size_t from) {  // start of the character that ends at `from`
        while (from > 0 && (value[from] & '\xC0') == '\x80') --from;
        return from;
    };
    if (value.empty()) return write_indicator("-", false, false, false);
    auto const last = back(value.size() - 1);
    if (!is_break(value, last)) return write_indicator("-", false, false, false);
    if (last == 0 || is_break(value, back(last - 1))) write_indicator("+", false, false, false);
}

void Emitter::write_literal(std::string_view value) {
    write_indicator("|", true, false, false);
    write_block_hints(value);
    process_line_comment(true);
    if (!v3_) indention_ = true;
    whitespace_ = true;
    bool breaks = true;
    for (std::size_t i = 0; i < value.size();) {
        if (is_break(value, i)) {
            write_break(value, i);
            if (!v3_) indention_ = true;
            breaks = true;
            continue;
        }
        if (breaks) write_indent();
        // The rest of the line at once.
        auto const from = i;
        for (;; ++i) {
            while (i < value.size() && !chars::is(value[i], chars::kBreak | chars::kHigh)) ++i;
            if (i == value.size() || is_break(value, i)) break;
        }
        write_all(value.substr(from, i - from));
        indention_ = false;
        breaks = false;
    }
}

void Emitter::write_folded(std::string_view value) {
    write_indicator(">", true, false, false);
    write_block_hints(value);
    process_line_comment(true);
    if (!v3_) indention_ = true;
    whitespace_ = true;
    bool breaks = true;
    bool leading_spaces = true;
    for (std::size_t i = 0; i < value.size();) {
        if (is_break(value, i)) {
            if (!breaks && !leading_spaces && value[i] == '\n') {
                std::size_t k = 0;  // go-yaml looks at the start of the text here, not at i
                while (is_break(value, k)) k += width_of(static_cast<unsigned char>(value[k]));
                if (!is_blankz(value, k)) put_break();
            }
            write_break(value, i);
            if (!v3_) indention_ = true;
            breaks = true;
        } else {
            if (breaks) {
                write_indent();
                leading_spaces = is_blank(value, i);
            }
            if (!breaks && is_space(value, i) && !is_space(value, i + 1) && column_ > best_width_) {
                write_indent();
                ++i;
            } else {
                write(value, i);
            }
            indention_ = false;
            breaks = false;
        }
    }
}

}  // namespace holdfast::yaml
