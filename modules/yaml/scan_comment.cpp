// modules/yaml/scan_comment.cpp: which comment belongs to which token, by go-yaml v3's rules.
// The odd looking details (columns that start at 1, the character skipped after a comment, CRLF that counts as
// an empty line, the 512 characters) decide where a comment ends up, so they are kept as they are there.
#include "modules/yaml/scanner.hpp"

#include <algorithm>

namespace holdfast::yaml {

using chars::is_blank;
using chars::is_breakz;

namespace {

constexpr std::uint32_t kPeekMax = 512;

/// Comment text: most often one line, which stays a view of the input.
class Text {
public:
    bool empty() const { return joined_.empty() && first_.empty(); }
    void add(std::string_view line) {
        if (empty()) {
            first_ = line;
            return;
        }
        join();
        joined_ += line;
    }
    void add_break() {
        join();
        joined_.push_back('\n');
    }
    std::string_view take(Arena& arena) {
        auto const text = joined_.empty() ? first_ : arena.copy(joined_);
        first_ = {};
        joined_.clear();
        return text;
    }

private:
    void join() {
        if (joined_.empty()) joined_ = first_;
    }
    std::string_view first_;
    std::string joined_;
};

}  // namespace

std::string_view Scanner::read_comment_line() {
    auto const* const from = p_;
    while (!is_breakz(p_)) ++p_;
    newlines_ = 0;
    return {from, static_cast<std::size_t>(p_ - from)};
}

void Scanner::scan_line_comment(Mark token_mark) {
    if (newlines_ > 0) return;
    auto* at = p_;
    while (is_blank(*at)) ++at;
    if (*at != '#' || at - p_ >= kPeekMax) return;
    p_ = at;
    auto const start = mark();
    auto& comment = comments_.emplace_back();
    comment.token = token_mark;
    comment.start = start;
    comment.line = read_comment_line();
}

void Scanner::scan_comments(Mark scan_mark) {
    auto const* token = &tokens_.back();
    if (token->type == TokenType::flow_entry && tokens_.size() > 1) token = &tokens_[tokens_.size() - 2];
    bool const after_value = token->type == TokenType::value;

    auto token_mark = token->start;
    Mark start;
    std::int64_t next_indent = std::max<std::int64_t>(indent_, 0);
    bool recent_empty = false;
    bool first_empty = newlines_ <= 1;
    auto line = line_;
    auto column = static_cast<std::uint32_t>(this->column());
    Text text;

    // Where a comment must start to be a foot of what came before: this line, or the next one when
    // this one has content.
    std::int64_t foot_line = -1;
    if (scan_mark.line > 0) {
        foot_line = static_cast<std::int64_t>(line_) - newlines_ + 1;
        if (newlines_ == 0 && column > 1) ++foot_line;
    }

    std::uint32_t peek = 0;
    auto const here = [&] { return Mark{static_cast<std::uint32_t>(p_ - text_) + peek, line, column}; };
    auto const is_dedented = [&] { return static_cast<std::int64_t>(start.column) - 1 < next_indent; };
    auto const add_foot = [&] {
        auto& comment = comments_.emplace_back();
        comment.scan = scan_mark;
        comment.token = token_mark;
        comment.start = start;
        comment.end = here();
        comment.foot = text.take(arena_);
        scan_mark = token_mark = comment.end;
    };

    for (; peek < kPeekMax; ++peek) {
        ++column;
        char const c = p_[peek];
        if (is_blank(c)) continue;
        bool const closes_flow = flow_level_ > 0 && (c == ']' || c == '}');
        if (closes_flow || is_breakz(p_ + peek)) {
            if (closes_flow || !recent_empty) {
                bool const is_foot = first_empty && ((start.line == foot_line && !after_value) || is_dedented());
                if (closes_flow || is_foot) {
                    if (!text.empty()) {
                        if (is_dedented()) token_mark = start;
                        add_foot();
                    }
                } else if (!text.empty() && c != '\0') {
                    text.add_break();
                }
            }
            if (!chars::is_break(p_ + peek)) break;
            first_empty = false;
            recent_empty = true;
            column = 0;
            ++line;
            continue;
        }

        // A comment at another indentation is a foot of what came before, not a head of what follows.
        if (!text.empty() && (static_cast<std::int64_t>(column) - 1 < next_indent && column != start.column))
            add_foot();
        if (c != '#') break;

        if (text.empty()) start = here();
        else text.add_break();
        recent_empty = false;
        auto const* const comment_from = p_ + peek;
        while (p_ < comment_from) {
            if (chars::is_break(p_)) skip_line();
            else ++p_;
        }
        text.add(read_comment_line());
        peek = 0;
        column = 0;
        line = line_;
        next_indent = std::max<std::int64_t>(indent_, 0);
    }

    if (text.empty()) return;
    auto& comment = comments_.emplace_back();
    comment.scan = scan_mark;
    comment.token = start;
    comment.start = start;
    comment.end = here();
    --comment.end.index;
    comment.head = text.take(arena_);
}

}  // namespace holdfast::yaml
