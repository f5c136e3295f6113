// modules/yaml/scan_scalar.cpp: plain, quoted and block scalars, each a view of the input: as it stands there, or
// folded and unescaped in place.
#include "modules/yaml/scanner.hpp"
#include "modules/yaml/utf8.hpp"

#include <algorithm>
#include <cstring>

namespace holdfast::yaml {

using chars::is_blank;
using chars::is_blankz;
using chars::is_break;
using chars::is_breakz;

namespace {

/// The text of a scalar that is not as it stands in the input, built over the input itself: folding and
/// unescaping make text shorter, never longer. Two escapes can, by a byte: then it moves to a string.
class InPlace {
public:
    InPlace(char* from, std::string& spare) : from_{from}, to_{from}, spare_{spare} {}

    void add(char const* from, char const* to) {
        auto const count = static_cast<std::size_t>(to - from);
        if (spilled_) {
            spare_.append(from, count);
            return;
        }
        if (to_ != from && count != 0) std::memmove(to_, from, count);
        to_ += count;
    }
    void add(char c) {
        if (spilled_) spare_.push_back(c);
        else *to_++ = c;
    }
    void add(std::string_view text) { add(text.data(), text.data() + text.size()); }

    /// `text` may be longer than what was read up to `read`.
    void add_escaped(std::string_view text, char const* read) {
        if (!spilled_ && to_ + text.size() > read) {
            spare_.assign(from_, to_);
            spilled_ = true;
        }
        add(text);
    }

    std::string_view take(Arena& arena) const {
        return spilled_ ? arena.copy(spare_) : std::string_view{from_, static_cast<std::size_t>(to_ - from_)};
    }

private:
    char* from_;
    char* to_;
    std::string& spare_;
    bool spilled_ = false;
};

/// Where text between quotes may end, or mean something else than itself.
constexpr auto stops_for(std::string_view marks) {
    std::array<bool, 256> stops{};
    for (std::size_t c = 0; c < 256; ++c)
        stops[c] = (chars::kTable[c] & (chars::kBreak | chars::kEnd | chars::kHigh)) != 0;
    for (char const c : marks) stops[static_cast<unsigned char>(c)] = true;
    return stops;
}
constexpr auto kSingleStops = stops_for("'");
constexpr auto kDoubleStops = stops_for("\"\\");

}  // namespace

bool Scanner::scan_plain(Token& token) {
    auto const indent = indent_ + 1;
    std::uint8_t const stops = chars::kBlank | chars::kBreak | chars::kEnd | chars::kHigh | chars::kColon |
                               (flow_level_ > 0 ? chars::kFlow : 0);
    auto* const from = p_;
    InPlace text{from, scratch_};
    auto const* to = p_;  // behind the last character that is neither blank nor break
    bool broken = false;  // line breaks wait between the text so far and what follows
    token.start = mark();

    for (;;) {
        if (column() == 0 && has_document_indicator()) break;
        if (*p_ == '#') break;

        bool stopped = false;
        auto const* const run = p_;
        for (;;) {
            while (!chars::is(*p_, stops)) ++p_;
            if (*p_ == ' ' && !chars::is(p_[1], stops) && p_[1] != '#') {
                p_ += 2;  // one space between two words
            } else if (chars::is(*p_, chars::kHigh)) {
                if (chars::high_break(p_) != 0) break;
                ++p_;
                while ((*p_ & '\xC0') == '\x80') ++p_, ++line_base_;
            } else if (*p_ == ':' && !is_blankz(p_ + 1)) {
                ++p_;
            } else {
                stopped = chars::is(*p_, chars::kColon | chars::kFlow);
                break;
            }
        }
        if (p_ != run) {
            newlines_ = 0;
            if (broken) {
                if (leading_break_[0] != '\n') text.add(leading_break_);
                else if (breaks_.empty()) text.add(' ');
                text.add(breaks_);
                broken = false;
                text.add(run, p_);
            } else {
                text.add(to, p_);  // the blanks between, too
            }
            to = p_;
        }
        if (stopped || !(is_blank(*p_) || is_break(p_))) break;

        while (is_blank(*p_) || is_break(p_)) {
            if (is_blank(*p_)) {
                if (broken && *p_ == '\t' && column() < indent) {
                    return fail(token.start, "found a tab character that violates indentation");
                }
                ++p_;
            } else if (!broken) {
                leading_break_.clear();
                breaks_.clear();
                read_line(leading_break_);
                broken = true;
            } else {
                read_line(breaks_);
            }
        }
        if (flow_level_ == 0 && column() < indent) break;
    }
    token.text = text.take(arena_);
    if (broken) simple_key_allowed_ = true;
    return true;
}

bool Scanner::scan_quoted(Token& token, bool single) {
    auto const& stops = single ? kSingleStops : kDoubleStops;
    char const quote = single ? '\'' : '"';
    auto const start = token.start = mark();
    skip_ascii();
    InPlace text{p_, scratch_};
    breaks_.clear();
    leading_break_.clear();
    for (;;) {
        if (column() == 0 && has_document_indicator()) return fail(start, "found unexpected document indicator");
        if (*p_ == '\0') return fail(start, "found unexpected end of stream");

        bool broken = false;
        for (;;) {
            auto const* const run = p_;
            for (;;) {
                while (!stops[static_cast<unsigned char>(*p_)]) ++p_;
                if (!chars::is(*p_, chars::kHigh) || chars::high_break(p_) != 0) break;
                ++p_;
                while ((*p_ & '\xC0') == '\x80') ++p_, ++line_base_;
            }
            if (is_breakz(p_)) {
                // Blanks before a line break do not count.
                auto const* end = p_;
                while (end != run && is_blank(end[-1])) --end;
                if (end != run) newlines_ = 0;
                text.add(run, end);
                break;
            }
            newlines_ = 0;
            text.add(run, p_);
            if (single && p_[0] == '\'' && p_[1] == '\'') {
                text.add('\'');
                p_ += 2;
            } else if (!single && *p_ == '\\') {
                if (is_break(p_ + 1)) {
                    ++p_;
                    skip_line();
                    broken = true;
                    break;
                }
                escaped_.clear();
                if (!scan_escape(escaped_, start)) return false;
                text.add_escaped(escaped_, p_);
            } else {
                break;
            }
        }
        if (*p_ == quote) break;

        while (is_blank(*p_) || is_break(p_)) {
            if (is_blank(*p_)) {
                ++p_;
            } else if (!broken) {
                read_line(leading_break_);
                broken = true;
            } else {
                read_line(breaks_);
            }
        }
        if (!broken) continue;
        if (!leading_break_.empty() && leading_break_[0] == '\n') {
            if (breaks_.empty()) text.add(' ');
        } else {
            text.add(leading_break_);
        }
        text.add(breaks_);
        breaks_.clear();
        leading_break_.clear();
    }
    skip_ascii();
    token.text = text.take(arena_);
    return true;
}

bool Scanner::scan_escape(std::string& out, Mark start) {
    int digits = 0;
    switch (p_[1]) {
        case '0': out.push_back('\0'); break;
        case 'a': out.push_back('\x07'); break;
        case 'b': out.push_back('\x08'); break;
        case 't':
        case '\t': out.push_back('\x09'); break;
        case 'n': out.push_back('\x0A'); break;
        case 'v': out.push_back('\x0B'); break;
        case 'f': out.push_back('\x0C'); break;
        case 'r': out.push_back('\x0D'); break;
        case 'e': out.push_back('\x1B'); break;
        case ' ':
        case '"':
        case '\'':
        case '\\': out.push_back(p_[1]); break;
        case 'N': append_rune(out, 0x85); break;
        case '_': append_rune(out, 0xA0); break;
        case 'L': append_rune(out, 0x2028); break;
        case 'P': append_rune(out, 0x2029); break;
        case 'x': digits = 2; break;
        case 'u': digits = 4; break;
        case 'U': digits = 8; break;
        default: return fail(start, "found unknown escape character");
    }
    p_ += 2;
    newlines_ = 0;
    if (digits == 0) return true;

    std::uint64_t code = 0;
    for (int i = 0; i < digits; ++i) {
        int const digit = chars::hex_value(p_[i]);
        if (digit < 0) return fail(start, "did not find expected hexdecimal number");
        code = code * 16 + static_cast<std::uint64_t>(digit);
    }
    if ((code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF)
        return fail(start, "found invalid Unicode character escape code");
    append_rune(out, static_cast<char32_t>(code));
    p_ += digits;
    return true;
}

bool Scanner::scan_block(Token& token, bool literal) {
    auto const start = token.start = mark();
    skip_ascii();
    int chomping = 0;
    int increment = 0;
    if (!scan_block_header(start, chomping, increment)) return false;

    std::int64_t indent = increment > 0 ? std::max<std::int64_t>(indent_, 0) + increment : 0;
    InPlace text{p_, scratch_};
    breaks_.clear();
    leading_break_.clear();
    if (!scan_block_breaks(indent, breaks_, start)) return false;

    bool leading_blank = false;
    while (column() == indent && *p_ != '\0') {
        bool const trailing_blank = is_blank(*p_);
        if (!literal && !leading_blank && !trailing_blank && !leading_break_.empty() && leading_break_[0] == '\n') {
            if (breaks_.empty()) text.add(' ');
        } else {
            text.add(leading_break_);
        }
        leading_break_.clear();
        text.add(breaks_);
        breaks_.clear();
        leading_blank = trailing_blank;

        auto const* const from = p_;
        for (;;) {
            while (!chars::is(*p_, chars::kBreak | chars::kEnd | chars::kHigh)) ++p_;
            if (!chars::is(*p_, chars::kHigh) || chars::high_break(p_) != 0) break;
            ++p_;
        }
        if (!std::all_of<char const*>(from, p_, is_blank)) newlines_ = 0;
        text.add(from, p_);
        if (is_break(p_)) read_line(leading_break_);
        if (!scan_block_breaks(indent, breaks_, start)) return false;
    }
    if (chomping != -1) text.add(leading_break_);
    if (chomping == 1) text.add(breaks_);
    token.text = text.take(arena_);
    return true;
}

/// "|", then chomping and indentation in either order, a comment, the end of the line.
bool Scanner::scan_block_header(Mark start, int& chomping, int& increment) {
    auto const take_chomping = [&] {
        if (*p_ != '+' && *p_ != '-') return false;
        chomping = *p_ == '+' ? 1 : -1;
        skip_ascii();
        return true;
    };
    auto const take_increment = [&] {
        if (!chars::is_digit(*p_)) return true;
        if (*p_ == '0') return fail(start, "found an indentation indicator equal to 0");
        increment = *p_ - '0';
        skip_ascii();
        return true;
    };
    if (take_chomping()) {
        if (!take_increment()) return false;
    } else if (chars::is_digit(*p_)) {
        if (!take_increment()) return false;
        take_chomping();
    }
    skip_blanks();
    if (*p_ == '#') {
        if (with_comments_) scan_line_comment(start);
        else read_comment_line();
    }
    if (!is_breakz(p_)) return fail(start, "did not find expected comment or line break");
    skip_line();
    return true;
}

/// Indentation and empty lines; finds the indentation when it is still 0.
bool Scanner::scan_block_breaks(std::int64_t& indent, std::string& breaks, Mark start) {
    std::int64_t max_indent = 0;
    for (;;) {
        while ((indent == 0 || column() < indent) && *p_ == ' ') ++p_;
        max_indent = std::max(max_indent, column());
        if ((indent == 0 || column() < indent) && *p_ == '\t') {
            return fail(start, "found a tab character where an indentation space is expected");
        }
        if (!is_break(p_)) break;
        read_line(breaks);
    }
    if (indent == 0) indent = std::max<std::int64_t>({max_indent, indent_ + 1, 1});
    return true;
}

}  // namespace holdfast::yaml
