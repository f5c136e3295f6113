// modules/yaml/scan_scalar.cpp: plain, quoted and block scalars. Text on one line stays a view of the input.
#include "modules/yaml/scanner.hpp"
#include "modules/yaml/utf8.hpp"

#include <algorithm>

namespace holdfast::yaml {

using chars::is_blank;
using chars::is_blankz;
using chars::is_break;
using chars::is_breakz;

bool Scanner::scan_plain(Token& token) {
    auto const indent = indent_ + 1;
    std::uint8_t const stops = chars::kBlank | chars::kBreak | chars::kEnd | chars::kHigh | chars::kColon |
                               (flow_level_ > 0 ? chars::kFlow : 0);
    bool built = false;   // the text is in scratch_, because it goes over several lines
    bool broken = false;  // line breaks wait between the text so far and what follows
    auto const* from = p_;
    auto const* to = p_;  // behind the last character that is neither blank nor break
    token.start = mark();

    for (;;) {
        if (column() == 0 && has_document_indicator()) break;
        if (*p_ == '#') break;

        bool stopped = false;
        auto const* const run = p_;
        for (;;) {
            while (!chars::is(*p_, stops)) ++p_;
            if (chars::is(*p_, chars::kHigh)) {
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
                // The text so far, then its folded breaks, then this run.
                if (!built) scratch_.assign(from, to);
                built = true;
                if (leading_break_[0] != '\n') scratch_ += leading_break_;
                else if (breaks_.empty()) scratch_.push_back(' ');
                scratch_ += breaks_;
                broken = false;
                scratch_.append(run, p_);
            } else if (built) {
                scratch_.append(to, p_);  // the blanks between, too
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
    token.text = built ? arena_.copy(scratch_) : std::string_view{from, static_cast<std::size_t>(to - from)};
    if (broken) simple_key_allowed_ = true;
    return true;
}

bool Scanner::scan_quoted(Token& token, bool single) {
    token.start = mark();
    skip_ascii();
    auto const* const from = p_;
    char const quote = single ? '\'' : '"';
    for (;; ++p_) {
        char const c = *p_;
        if (c == quote) {
            if (single && p_[1] == '\'') break;
            token.text = {from, static_cast<std::size_t>(p_ - from)};
            ++p_;
            return true;
        }
        if (c == '\\' && !single) break;
        if (is_breakz(p_)) break;
        if ((c & '\xC0') == '\x80') ++line_base_;
    }
    // An escape or a second line: the text must be put together.
    p_ = from;
    line_base_ = p_ - (token.start.column + 1);
    return scan_quoted_slowly(token, single, token.start);
}

bool Scanner::scan_quoted_slowly(Token& token, bool single, Mark start) {
    scratch_.clear();
    breaks_.clear();
    leading_break_.clear();
    blanks_.clear();
    for (;;) {
        if (column() == 0 && has_document_indicator()) return fail(start, "found unexpected document indicator");
        if (*p_ == '\0') return fail(start, "found unexpected end of stream");

        bool broken = false;
        while (!is_blankz(p_)) {
            char const c = *p_;
            if (single && c == '\'') {
                if (p_[1] != '\'') break;
                scratch_.push_back('\'');
                p_ += 2;
                newlines_ = 0;
            } else if (!single && c == '"') {
                break;
            } else if (!single && c == '\\') {
                if (is_break(p_ + 1)) {
                    skip_ascii();
                    skip_line();
                    broken = true;
                    break;
                }
                if (!scan_escape(scratch_, start)) return false;
            } else {
                auto const* const at = p_;
                skip_char();
                scratch_.append(at, p_);
            }
        }
        if (*p_ == (single ? '\'' : '"')) break;

        while (is_blank(*p_) || is_break(p_)) {
            if (is_blank(*p_)) {
                if (!broken) blanks_.push_back(*p_);
                ++p_;
            } else if (!broken) {
                blanks_.clear();
                read_line(leading_break_);
                broken = true;
            } else {
                read_line(breaks_);
            }
        }
        if (broken) {
            if (!leading_break_.empty() && leading_break_[0] == '\n') {
                if (breaks_.empty()) scratch_.push_back(' ');
            } else {
                scratch_ += leading_break_;
            }
            scratch_ += breaks_;
            breaks_.clear();
            leading_break_.clear();
        } else {
            scratch_ += blanks_;
            blanks_.clear();
        }
    }
    skip_ascii();
    token.text = arena_.copy(scratch_);
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
    if ((code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF) return fail(start, "found invalid Unicode character escape code");
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
    scratch_.clear();
    breaks_.clear();
    leading_break_.clear();
    if (!scan_block_breaks(indent, breaks_, start)) return false;

    bool leading_blank = false;
    while (column() == indent && *p_ != '\0') {
        bool const trailing_blank = is_blank(*p_);
        if (!literal && !leading_blank && !trailing_blank && !leading_break_.empty() && leading_break_[0] == '\n') {
            if (breaks_.empty()) scratch_.push_back(' ');
        } else {
            scratch_ += leading_break_;
        }
        leading_break_.clear();
        scratch_ += breaks_;
        breaks_.clear();
        leading_blank = trailing_blank;

        auto const* const from = p_;
        for (;;) {
            while (!chars::is(*p_, chars::kBreak | chars::kEnd | chars::kHigh)) ++p_;
            if (!chars::is(*p_, chars::kHigh) || chars::high_break(p_) != 0) break;
            ++p_;
        }
        if (!std::all_of(from, p_, is_blank)) newlines_ = 0;
        scratch_.append(from, p_);
        if (is_break(p_)) read_line(leading_break_);
        if (!scan_block_breaks(indent, breaks_, start)) return false;
    }
    if (chomping != -1) scratch_ += leading_break_;
    if (chomping == 1) scratch_ += breaks_;
    token.text = arena_.copy(scratch_);
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
