// modules/yaml/scanner.cpp: which token starts here, and what indentation and simple keys make of it.
#include "modules/yaml/scanner.hpp"

#include <algorithm>

namespace holdfast::yaml {

using chars::is_blank;
using chars::is_blankz;
using chars::is_break;

namespace {
constexpr std::uint32_t kLevelsMax = 10'000;     // go-yaml's max_flow_level and max_indents
constexpr std::uint32_t kSimpleKeyChars = 1024;  // a simple key ends within so many characters

std::uint32_t count_characters(char const* from, char const* to) {
    return static_cast<std::uint32_t>(std::count_if(from, to, [](char c) { return (c & '\xC0') != '\x80'; }));
}
}  // namespace

Scanner::Scanner(Arena& arena, std::string_view text, bool comments, std::uint32_t lookahead,
                 std::string_view reader_error)
    : arena_{arena}, text_{text.data()}, end_{text.data() + text.size()}, p_{const_cast<char*>(text_)},
      line_base_{text_}, with_comments_{comments}, lookahead_{lookahead}, reader_error_{reader_error} {
    tokens_.reserve(64);
    if (text.starts_with("\xEF\xBB\xBF")) bom_end_ = text_ + std::min<std::size_t>(text.size(), 509);
}

bool Scanner::fail(Mark context, std::string_view text) {
    if (is_at_reader_error(4)) {
        error_ = {SyntaxError::Stage::reader, {}, {}, reader_error_};
    } else {
        error_ = {SyntaxError::Stage::scanner, context, mark(), text};
    }
    return false;
}

void Scanner::skip_char() {
    auto const c = static_cast<unsigned char>(*p_);
    if (c != ' ' && c != '\t') newlines_ = 0;
    ++p_;
    while ((*p_ & '\xC0') == '\x80') ++p_, ++line_base_;
}

void Scanner::skip_line() {
    if (p_[0] == '\r' && p_[1] == '\n') p_ += 2;
    else if (chars::is(*p_, chars::kBreak)) p_ += 1;
    else if (auto const width = chars::high_break(p_)) p_ += width;
    else return;
    line_base_ = p_;
    ++line_;
    ++newlines_;
}

void Scanner::read_line(std::string& out) {
    if (p_[0] == '\xE2') out.append(p_, 3);
    else out.push_back('\n');
    skip_line();
}

// ---- the token queue

Token& Scanner::append_token(TokenType type, Mark start, std::uint8_t width) {
    // The last two tokens stay: comments are placed by looking back at them.
    if (head_ >= 32 && tokens_.size() == tokens_.capacity()) {
        tokens_.erase(tokens_.begin(), tokens_.begin() + static_cast<std::ptrdiff_t>(head_));
        head_ = 0;
    }
    auto& token = tokens_.emplace_back();
    token.type = type;
    token.start = start;
    token.width = width;
    return token;
}

void Scanner::insert_token(std::uint32_t number, Token const& token) {
    // A key that the parser was given already (see fetch_flow_end) goes to the end, and is an error there.
    auto const at = number < tokens_parsed_ ? tokens_.size() : head_ + (number - tokens_parsed_);
    tokens_.insert(tokens_.begin() + static_cast<std::ptrdiff_t>(at), token);
}

void Scanner::drop_comment() {
    if (++comments_head_ == comments_.size()) {
        comments_.clear();
        comments_head_ = 0;
    }
}

bool Scanner::fetch_more() {
    for (;;) {
        if (head_ + lookahead_ < tokens_.size()) {
            // A possible simple key at the head: the next token tells whether a KEY goes before it.
            auto const level = key_table_.find(tokens_parsed_);
            if (level >= simple_keys_.size()) break;
            auto& key = simple_keys_[level];
            bool ok = true;
            bool const valid = is_valid(key, ok);
            if (!ok) return false;
            if (!valid) break;
        }
        if (!fetch_next()) return false;
    }
    available_ = true;
    return true;
}

bool Scanner::fetch_next() {
    if (!started_) return fetch_stream_start();

    auto const scan_mark = mark();
    if (!scan_to_next_token(scan_mark)) return false;
    unroll_indent(column(), scan_mark);

    if (is_at_reader_error(4)) return fail(mark(), {});
    char const c = *p_;
    if (c == '\0') return fetch_stream_end();
    if (column() == 0) {
        if (c == '%') return fetch_directive();
        if (has_document_indicator()) {
            return fetch_document_indicator(c == '-' ? TokenType::document_start : TokenType::document_end);
        }
    }
    if (!with_comments_) return fetch_whole();

    auto comment_mark = mark();
    if (c == (flow_level_ == 0 ? ':' : ',')) comment_mark = tokens_.back().start;
    if (!fetch_whole()) return false;
    // A "-" alone has no line comment: it becomes a head comment of what follows.
    if (newlines_ == 0 && tokens_.back().type != TokenType::block_entry) scan_line_comment(comment_mark);
    return true;
}

/// A token that goes up to where the reader stopped is not whole.
bool Scanner::fetch_whole() {
    if (!fetch_any()) return false;
    return !is_at_reader_error(2) || fail(mark(), {});
}

bool Scanner::has_document_indicator() const {
    char const c = *p_;
    return (c == '-' || c == '.') && p_[1] == c && p_[2] == c && is_blankz(p_ + 3);
}

bool Scanner::fetch_any() {
    char const c = *p_;
    if (!chars::is(c, chars::kStart | chars::kBlank | chars::kBreak | chars::kHigh))
        return fetch_scalar(ScalarStyle::plain);
    switch (c) {
        case '[': return fetch_flow_start(TokenType::flow_sequence_start);
        case '{': return fetch_flow_start(TokenType::flow_mapping_start);
        case ']': return fetch_flow_end(TokenType::flow_sequence_end);
        case '}': return fetch_flow_end(TokenType::flow_mapping_end);
        case ',': return fetch_flow_entry();
        case '-':
            if (is_blankz(p_ + 1)) return fetch_block_entry();
            return fetch_scalar(ScalarStyle::plain);
        case '?':
            if (flow_level_ > 0 || is_blankz(p_ + 1)) return fetch_key();
            return fetch_scalar(ScalarStyle::plain);
        case ':':
            if (flow_level_ > 0 || is_blankz(p_ + 1)) return fetch_value();
            return fetch_scalar(ScalarStyle::plain);
        case '*': return fetch_anchor(TokenType::alias);
        case '&': return fetch_anchor(TokenType::anchor);
        case '!': return fetch_tag();
        case '|':
            if (flow_level_ == 0) return fetch_scalar(ScalarStyle::literal);
            break;
        case '>':
            if (flow_level_ == 0) return fetch_scalar(ScalarStyle::folded);
            break;
        case '\'': return fetch_scalar(ScalarStyle::single_quoted);
        case '"': return fetch_scalar(ScalarStyle::double_quoted);
        default:
            if (chars::is(c, chars::kHigh) && chars::high_break(p_) == 0) return fetch_scalar(ScalarStyle::plain);
            break;
    }
    return fail(mark(), "found character that cannot start any token");
}

// ---- simple keys

bool Scanner::is_valid(SimpleKey& key, bool& ok) {
    if (!key.possible) return false;
    bool const too_far = mark().index - key.mark.index > kSimpleKeyChars &&
                         count_characters(text_ + key.mark.index, p_) > kSimpleKeyChars;
    if (key.mark.line >= line_ && !too_far) return true;
    if (key.required) {
        ok = fail(key.mark, "could not find expected ':'");
        return false;
    }
    key.possible = false;
    return false;
}

bool Scanner::save_simple_key() {
    bool const required = flow_level_ == 0 && indent_ == column();
    if (!simple_key_allowed_) return true;
    if (!remove_simple_key()) return false;
    simple_keys_.back() = {
        .possible = true,
        .required = required,
        .token_number = next_token_number(),
        .mark = mark(),
    };
    key_table_.add(simple_keys_.back().token_number, static_cast<std::uint32_t>(simple_keys_.size() - 1));
    return true;
}

bool Scanner::remove_simple_key() {
    auto& key = simple_keys_.back();
    if (key.possible) {
        if (key.required) return fail(key.mark, "could not find expected ':'");
        key.possible = false;
        key_table_.remove(key.token_number);
    }
    return true;
}

// ---- indentation

bool Scanner::roll_indent(std::int64_t column, std::int64_t number, TokenType type, Mark mark) {
    if (flow_level_ > 0 || indent_ >= column) return true;
    indents_.push_back(indent_);
    indent_ = column;
    if (indents_.size() > kLevelsMax) return fail(simple_keys_.back().mark, "exceeded max depth of 10000");
    if (number < 0) {
        append_token(type, mark);
    } else {
        Token token;
        token.type = type;
        token.start = mark;
        insert_token(static_cast<std::uint32_t>(number), token);
    }
    return true;
}

void Scanner::unroll_indent(std::int64_t column, Mark scan) {
    if (flow_level_ > 0 || indent_ <= column) return;
    // The end of a block goes before the comments that stood at the block's own indentation and
    // are feet of the blocks around it.
    auto block_mark = scan;
    if (block_mark.index > 0) --block_mark.index;
    while (indent_ > column) {
        auto stop = block_mark.index;
        for (std::size_t i = comments_.size(); i-- > comments_head_;) {
            auto const& comment = comments_[i];
            if (comment.end.index < stop) break;
            if (static_cast<std::int64_t>(comment.start.column) == indent_ + 1) block_mark = comment.start;
            stop = comment.scan.index;
        }
        append_token(TokenType::block_end, block_mark);
        indent_ = indents_.back();
        indents_.pop_back();
    }
}

// ---- one token each

bool Scanner::fetch_stream_start() {
    started_ = true;
    simple_keys_.emplace_back();
    simple_key_allowed_ = true;
    append_token(TokenType::stream_start, mark());
    return true;
}

bool Scanner::fetch_stream_end() {
    if (column() != 0) {
        line_base_ = p_;
        ++line_;
    }
    unroll_indent(-1, mark());
    if (!remove_simple_key()) return false;
    simple_key_allowed_ = false;
    append_token(TokenType::stream_end, mark());
    return true;
}

bool Scanner::fetch_directive() {
    unroll_indent(-1, mark());
    if (!remove_simple_key()) return false;
    simple_key_allowed_ = false;
    Token token;
    if (!scan_directive(token)) return false;
    append_token(token.type, token.start) = token;
    return true;
}

bool Scanner::fetch_document_indicator(TokenType type) {
    unroll_indent(-1, mark());
    if (!remove_simple_key()) return false;
    simple_key_allowed_ = false;
    append_token(type, mark(), 3);
    p_ += 3;
    newlines_ = 0;
    return true;
}

bool Scanner::indicator(TokenType type) {
    append_token(type, mark(), 1);
    skip_ascii();
    return true;
}

bool Scanner::fetch_flow_start(TokenType type) {
    if (!save_simple_key()) return false;
    simple_keys_.push_back({.token_number = next_token_number(), .mark = mark()});
    if (++flow_level_ > kLevelsMax) return fail(simple_keys_.back().mark, "exceeded max depth of 10000");
    simple_key_allowed_ = true;
    return indicator(type);
}

bool Scanner::fetch_flow_end(TokenType type) {
    if (!remove_simple_key()) return false;
    if (flow_level_ > 0) {
        --flow_level_;
        key_table_.remove(simple_keys_.back().token_number);
        simple_keys_.pop_back();
    }
    simple_key_allowed_ = false;
    return indicator(type);
}

bool Scanner::fetch_flow_entry() {
    if (!remove_simple_key()) return false;
    simple_key_allowed_ = true;
    return indicator(TokenType::flow_entry);
}

bool Scanner::fetch_block_entry() {
    if (flow_level_ == 0) {
        if (!simple_key_allowed_) return fail(mark(), "block sequence entries are not allowed in this context");
        if (!roll_indent(column(), -1, TokenType::block_sequence_start, mark())) return false;
    }
    // In a flow collection "-" is an error that the parser reports, since it knows the context.
    if (!remove_simple_key()) return false;
    simple_key_allowed_ = true;
    return indicator(TokenType::block_entry);
}

bool Scanner::fetch_key() {
    if (flow_level_ == 0) {
        if (!simple_key_allowed_) return fail(mark(), "mapping keys are not allowed in this context");
        if (!roll_indent(column(), -1, TokenType::block_mapping_start, mark())) return false;
    }
    if (!remove_simple_key()) return false;
    simple_key_allowed_ = flow_level_ == 0;
    return indicator(TokenType::key);
}

bool Scanner::fetch_value() {
    auto& key = simple_keys_.back();
    bool ok = true;
    bool const valid = is_valid(key, ok);
    if (!ok) return false;
    if (valid) {
        Token token;
        token.type = TokenType::key;
        token.start = key.mark;
        insert_token(key.token_number, token);
        if (!roll_indent(key.mark.column, key.token_number, TokenType::block_mapping_start, key.mark)) return false;
        key.possible = false;
        key_table_.remove(key.token_number);
        simple_key_allowed_ = false;
    } else {
        if (flow_level_ == 0) {
            if (!simple_key_allowed_) return fail(mark(), "mapping values are not allowed in this context");
            if (!roll_indent(column(), -1, TokenType::block_mapping_start, mark())) return false;
        }
        simple_key_allowed_ = flow_level_ == 0;
    }
    return indicator(TokenType::value);
}

bool Scanner::fetch_anchor(TokenType type) {
    if (!save_simple_key()) return false;
    simple_key_allowed_ = false;
    Token token;
    token.type = type;
    if (!scan_anchor(token)) return false;
    append_token(type, token.start) = token;
    return true;
}

bool Scanner::fetch_tag() {
    if (!save_simple_key()) return false;
    simple_key_allowed_ = false;
    Token token;
    token.type = TokenType::tag;
    if (!scan_tag(token)) return false;
    append_token(token.type, token.start) = token;
    return true;
}

bool Scanner::fetch_scalar(ScalarStyle style) {
    bool const block = style == ScalarStyle::literal || style == ScalarStyle::folded;
    if (!(block ? remove_simple_key() : save_simple_key())) return false;
    simple_key_allowed_ = block;  // a key may follow a block scalar

    auto& token = append_token(TokenType::scalar, mark());
    token.style = style;
    bool ok = false;
    switch (style) {
        case ScalarStyle::plain: ok = scan_plain(token); break;
        case ScalarStyle::single_quoted: ok = scan_quoted(token, true); break;
        case ScalarStyle::double_quoted: ok = scan_quoted(token, false); break;
        case ScalarStyle::literal: ok = scan_block(token, true); break;
        case ScalarStyle::folded: ok = scan_block(token, false); break;
    }
    if (!ok) tokens_.pop_back();
    return ok;
}

bool Scanner::scan_to_next_token(Mark scan_mark) {
    for (;;) {
        // A second byte order mark at the start: go-yaml drops the first character of each line for as long as
        // the mark stands at the start of its buffer.
        if (p_ < bom_end_ && column() == 0 && *p_ != '\0') skip_char();

        // Tabs separate tokens in flow collections, and in blocks where no key may start.
        bool const tabs = flow_level_ > 0 || !simple_key_allowed_;
        while (*p_ == ' ' || (tabs && *p_ == '\t')) ++p_;

        // "- # comment" before an indented value: the comment is a head of that value.
        if (has_comments() && tokens_.size() > 1) {
            auto& comment = comments_.back();
            if (!comment.line.empty() && tokens_.back().type == TokenType::block_entry &&
                tokens_[tokens_.size() - 2].type == TokenType::block_sequence_start && !is_break(p_)) {
                comment.head = comment.line;
                comment.line = {};
                if (comment.start.line + 1 == line_) comment.token = mark();
            }
        }

        if (*p_ == '#') {
            if (with_comments_) {
                scan_comments(scan_mark);
            } else {
                while (!chars::is_breakz(p_)) ++p_;
                newlines_ = 0;
            }
        }
        if (!is_break(p_)) return true;
        skip_line();
        if (flow_level_ == 0) simple_key_allowed_ = true;
    }
}

}  // namespace holdfast::yaml
