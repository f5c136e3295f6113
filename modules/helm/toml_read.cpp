// modules/helm/toml_read.cpp: TOML 1.0 into map[string]any: int64, float64, strings, bools, lists, tables.
#include "modules/helm/functions.hpp"

#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/gotemplate/unicode.hpp"

#include <algorithm>
#include <set>

namespace holdfast::helm {

using gotemplate::Value;
namespace types = gotemplate::types;

namespace {

constexpr std::size_t kDepthMax = 200;

bool is_bare(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    Result<Value> run() {
        Value root = Value::map();
        Value table = root;
        while (error_.empty()) {
            skip_lines();
            if (done()) break;
            if (peek() == '[') {
                table = header(root);
            } else {
                pair(table, 0);
            }
            if (error_.empty()) end_of_line();
        }
        if (!error_.empty()) return fail(Errc::invalid_input, error_);
        return root;
    }

private:
    bool done() const { return at_ >= text_.size(); }
    char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
    bool take(std::string_view wanted) {
        if (!text_.substr(at_).starts_with(wanted)) return false;
        at_ += wanted.size();
        return true;
    }

    void wrong(std::string what) {
        if (!error_.empty()) return;
        auto const line = 1 + std::ranges::count(text_.substr(0, std::min(at_, text_.size())), '\n');
        error_ = "toml: line " + std::to_string(line) + (last_key_.empty() ? "" : " (last key \"" + last_key_ + "\")") +
                 ": " + std::move(what);
    }

    void skip_blanks() {
        while (peek() == ' ' || peek() == '\t') ++at_;
    }
    void skip_comment() {
        if (peek() != '#') return;
        while (!done() && peek() != '\n') ++at_;
    }
    void skip_lines() {
        for (;;) {
            skip_blanks();
            skip_comment();
            if (peek() != '\n' && !(peek() == '\r' && peek(1) == '\n')) return;
            ++at_;
        }
    }
    void end_of_line() {
        skip_blanks();
        skip_comment();
        if (done() || take("\n") || take("\r\n")) return;
        wrong("expected a top-level item to end with a newline, comment, or EOF, but got " + shown() + " instead");
    }

    std::string shown() const {
        if (done()) return "EOF";
        auto const rune = gotemplate::decode_rune(text_.substr(at_));
        return gotemplate::quote_rune(rune.value);
    }

    std::vector<std::string> key() {
        std::vector<std::string> parts;
        for (;;) {
            skip_blanks();
            if (peek() == '"') {
                parts.push_back(basic_string());
            } else if (peek() == '\'') {
                parts.push_back(literal_string());
            } else {
                auto const start = at_;
                while (is_bare(peek()) && !done()) ++at_;
                if (at_ == start) wrong("unexpected " + shown() + " at start of key");
                parts.emplace_back(text_.substr(start, at_ - start));
            }
            skip_blanks();
            if (!error_.empty() || !take(".")) return parts;
        }
    }

    /// The table at `name` of `table`, made when absent; of a list of tables its last one.
    Value enter(Value const& table, std::string const& name) {
        if (auto const* found = table.find(name)) {
            if (found->is_map()) return found->unboxed();
            if (found->is_list() && found->size() > 0 && found->at(found->size() - 1).is_map())
                return found->at(found->size() - 1).unboxed();
            wrong("Key '" + name + "' has already been defined.");
            return Value::map();
        }
        Value made = Value::map();
        Value{table}.set(name, Value{made}.boxed());
        return made;
    }

    Value header(Value const& root) {
        ++at_;
        bool const list = take("[");
        auto const parts = key();
        if (!take(list ? "]]" : "]")) wrong("expected '.' or ']' to end table name, but got " + shown() + " instead");
        if (!error_.empty()) return root;
        last_key_ = parts.back();
        Value table = root;
        for (std::size_t i = 0; i + 1 < parts.size(); ++i) table = enter(table, parts[i]);
        if (!list) {
            std::string path;
            for (auto const& part : parts) path += part + '\x1f';
            if (!headers_.insert(path).second) wrong("Key '" + parts.back() + "' has already been defined.");
            return enter(table, parts.back());
        }
        std::vector<Value> items;
        if (auto const* found = table.find(parts.back()); found != nullptr && found->is_list())
            items.assign(found->items().begin(), found->items().end());
        Value made = Value::map();
        items.push_back(made);
        table.set(parts.back(), Value::list(std::move(items), kTableList).boxed());
        std::erase_if(headers_, [&](std::string const& path) { return path.find(parts.back() + '\x1f') != path.npos; });
        return made;
    }

    void pair(Value const& into, std::size_t depth) {
        auto const parts = key();
        if (!error_.empty()) return;
        last_key_ = parts.back();
        if (!take("=")) return wrong("expected '.' or '=', but got " + shown() + " instead");
        skip_blanks();
        Value table = into;
        for (std::size_t i = 0; i + 1 < parts.size(); ++i) table = enter(table, parts[i]);
        auto made = value(depth + 1);
        if (!error_.empty()) return;
        if (table.find(parts.back()) != nullptr) return wrong("Key '" + parts.back() + "' has already been defined.");
        table.set(parts.back(), std::move(made).boxed());
    }

    Value value(std::size_t depth) {
        if (depth > kDepthMax) {
            wrong("nested too deep");
            return {};
        }
        switch (peek()) {
            case '"':
                return Value::string(text_.substr(at_).starts_with("\"\"\"") ? multi_string('"') : basic_string());
            case '\'':
                return Value::string(text_.substr(at_).starts_with("'''") ? multi_string('\'') : literal_string());
            case '[': return list(depth);
            case '{': return inline_table(depth);
            case 't':
                if (take("true")) return Value::boolean(true);
                break;
            case 'f':
                if (take("false")) return Value::boolean(false);
                break;
            default: break;
        }
        return number();
    }

    Value list(std::size_t depth) {
        ++at_;
        std::vector<Value> items;
        for (;;) {
            skip_lines();
            if (take("]")) break;
            items.push_back(value(depth + 1).boxed());
            skip_lines();
            if (!error_.empty()) break;
            if (take(",")) continue;
            if (take("]")) break;
            wrong("expected a comma (',') or array terminator (']'), but got " + shown());
            break;
        }
        return Value::list(std::move(items));
    }

    Value inline_table(std::size_t depth) {
        ++at_;
        Value table = Value::map();
        skip_blanks();
        if (take("}")) return table;
        for (;;) {
            skip_blanks();
            pair(table, depth + 1);
            skip_blanks();
            if (!error_.empty()) break;
            if (take(",")) continue;
            if (take("}")) break;
            wrong("expected a comma (',') or inline table terminator ('}'), but got " + shown() + " instead");
            break;
        }
        return table;
    }

    Value number() {
        auto const start = at_;
        while (!done() && (is_bare(peek()) || peek() == '+' || peek() == '.' || peek() == ':')) ++at_;
        std::string word{text_.substr(start, at_ - start)};
        if (word.empty()) {
            wrong("expected value but found " + shown() + " instead");
            return {};
        }
        if (word == "nan" || word == "+nan" || word == "-nan" || word == "inf" || word == "+inf" || word == "-inf")
            return Value::floating(*gotemplate::parse_float(word));
        bool const date =
            word.size() >= 8 &&
            ((word.size() > 4 && word[4] == '-' && word.find_first_not_of("0123456789") == 4) || word[2] == ':');
        if (date) return Value::string(word);
        std::erase(word, '_');
        bool const prefixed =
            word.size() > 1 && word[0] == '0' && std::string_view{"xob"}.find(word[1]) != std::string_view::npos;
        if (prefixed || word.find_first_of(".eE") == word.npos) {
            if (auto const parsed = gotemplate::parse_int(word, prefixed ? 0 : 10))
                return Value::integer(*parsed, types::int64);
        } else if (auto const parsed = gotemplate::parse_float(word)) {
            return Value::floating(*parsed);
        }
        at_ = start;
        wrong("expected value but found " + gotemplate::quote(word) + " instead");
        return {};
    }

    std::string literal_string() {
        ++at_;
        auto const end = text_.find('\'', at_);
        auto const line = text_.find('\n', at_);
        if (end == text_.npos || line < end) {
            wrong(end == text_.npos ? "unexpected EOF; expected \"'\"" : "strings cannot contain newlines");
            return {};
        }
        std::string out{text_.substr(at_, end - at_)};
        at_ = end + 1;
        return out;
    }

    std::string basic_string() {
        ++at_;
        std::string out;
        while (error_.empty()) {
            if (done()) {
                wrong("unexpected EOF; expected '\"'");
            } else if (peek() == '"') {
                ++at_;
                break;
            } else if (peek() == '\n') {
                wrong("strings cannot contain newlines");
            } else if (peek() == '\\') {
                escape(out);
            } else {
                out += text_[at_++];
            }
        }
        return out;
    }

    void escape(std::string& out) {
        ++at_;
        char const c = peek();
        constexpr std::string_view kFrom = "btnfre\"\\";
        constexpr std::string_view kTo = "\b\t\n\f\r\x1b\"\\";
        if (auto const i = kFrom.find(c); i != kFrom.npos) {
            ++at_;
            out += kTo[i];
            return;
        }
        std::size_t const digits = c == 'u' ? 4 : c == 'U' ? 8 : c == 'x' ? 2 : 0;
        auto const parsed = digits == 0
                                ? Result<std::uint64_t>{fail(Errc::invalid_input, "")}
                                : gotemplate::parse_uint(text_.substr(std::min(at_ + 1, text_.size()), digits), 16);
        if (!parsed)
            return wrong(
                "invalid escape character " + shown() +
                "; only the following escape characters are allowed: \\b, \\t, \\n, \\f, \\r, \\\", \\\\, \\uXXXX, and \\UXXXXXXXX");
        at_ += 1 + digits;
        gotemplate::append_rune(out, static_cast<char32_t>(*parsed));
    }

    std::string multi_string(char quote) {
        at_ += 3;
        if (!take("\n")) take("\r\n");
        std::string const end(3, quote);
        std::string out;
        while (error_.empty()) {
            if (done()) {
                wrong("unexpected EOF; expected " + gotemplate::quote(end));
            } else if (text_.substr(at_).starts_with(end)) {
                at_ += 3;
                for (int i = 0; i < 2 && peek() == quote; ++i, ++at_) out += quote;
                break;
            } else if (quote == '"' && peek() == '\\') {
                auto const next = text_.find_first_not_of(" \t\r", at_ + 1);
                if (next != text_.npos && text_[next] == '\n') {
                    at_ = std::min(text_.find_first_not_of(" \t\r\n", next), text_.size());
                } else {
                    escape(out);
                }
            } else {
                out += text_[at_++];
            }
        }
        return out;
    }

    static constexpr std::string_view kTableListName = "[]map[string]interface {}";
    static inline gotemplate::Type const kTableList{
        .kind = gotemplate::Kind::slice, .name = kTableListName, .kind_name = "slice", .elem = &types::map_any};

    std::string_view text_;
    std::size_t at_ = 0;
    std::string error_;
    std::string last_key_;
    std::set<std::string> headers_;
};

}  // namespace

Result<Value> from_toml(std::string_view text) { return Reader{text}.run(); }

}  // namespace holdfast::helm
