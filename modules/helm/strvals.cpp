// modules/helm/strvals.cpp: a port of Helm's two --set parsers, with their corners: an unclosed index is silently dropped.
#include "modules/helm/strvals.hpp"

#include "modules/text/gotemplate/json.hpp"
#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/gotemplate/unicode.hpp"

#include <algorithm>

namespace holdfast::helm {
namespace {

using gotemplate::Value;
namespace types = gotemplate::types;

/// What a step of the parser ends with: Go's error, of which io.EOF means "done".
struct Outcome {
    enum class Kind { ok, eof, not_list, failed } kind = Kind::ok;
    std::string message{};

    bool ok() const { return kind == Kind::ok; }
    static Outcome failed(std::string message) { return {Kind::failed, std::move(message)}; }
    static Outcome eof() { return {Kind::eof, "EOF"}; }
    Outcome in(std::string_view step) && {
        return {kind, std::string{step} + ": " + message};
    }  // Go's %w: stays an EOF
};

std::string type_name(Value const& value) {
    return value.is_nil() && !value.is_map() && !value.is_list() ? "nil" : std::string{value.unboxed().type().name};
}

Outcome not_of_type(Value const& value, std::string_view wanted) {
    return Outcome::failed("unable to parse key: interface conversion: interface {} is " + type_name(value) + ", not " +
                           std::string{wanted});
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool equals_fold(std::string_view text, std::string_view lower) {
    return std::ranges::equal(text, lower, {},
                              [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
}

/// %q of a []rune: ['a' 'b'].
std::string quoted_runes(std::string_view text) {
    std::string out = "[";
    for (char32_t const rune : gotemplate::to_runes(text))
        out += (out.size() > 1 ? " " : "") + gotemplate::quote_rune(rune);
    return out + ']';
}

class Parser {
public:
    Parser(std::string_view text, SetKind kind, ReadFile const& read_file)
        : text_(text), kind_(kind), read_file_(read_file) {}

    Result<void> run(Value& values) {
        for (;;) {
            auto const outcome = key(values, 0);
            if (limit_) return fail(Errc::limit, "--set makes too many list items or nests too many lists");
            if (outcome.kind == Outcome::Kind::eof) return {};
            if (!outcome.ok()) return fail(Errc::invalid_input, outcome.message);
        }
    }

private:
    bool escapes() const { return kind_ != SetKind::literal; }

    /// Appends one character; a broken byte becomes U+FFFD, as in Go.
    void take_rune(std::string& out) {
        auto const lead = static_cast<unsigned char>(text_[at_]);
        std::size_t const length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
        bool good = length != 0 && at_ + length <= text_.size();
        for (std::size_t i = 1; good && i < length; ++i) good = (text_[at_ + i] & 0xC0) == 0x80;
        if (good) {
            out += text_.substr(at_, length);
            at_ += length;
        } else {
            out += "\xEF\xBF\xBD";
            ++at_;
        }
    }

    /// Reads up to one of `stops` and eats it; '\0' at the end of the line.
    char until(std::string_view stops, std::string& out) {
        while (at_ < text_.size()) {
            char const c = text_[at_];
            if (stops.find(c) != stops.npos) {
                ++at_;
                return c;
            }
            if (escapes() && c == '\\') {
                ++at_;
                if (at_ == text_.size()) return '\0';
            }
            take_rune(out);
        }
        return '\0';
    }

    Outcome index(std::int64_t& out) {
        std::string digits;
        if (until("]", digits) == '\0') return Outcome::eof();
        auto const parsed = gotemplate::parse_int(digits, 10);
        if (parsed) {
            out = *parsed;
            return {};
        }
        auto message = parsed.error().message;
        if (auto const at = message.find("ParseInt"); at != message.npos) message.replace(at, 8, "Atoi");
        return Outcome::failed(std::move(message));
    }

    static void set(Value& map, std::string const& name, Value value) {
        if (!name.empty()) map.set(name, std::move(value));
    }

    Outcome key(Value& data, int depth) {
        std::string name;
        switch (until(escapes() ? "=[,." : "=[.", name)) {
            case '\0':
                return name.empty() ? Outcome::eof()
                                    : Outcome::failed("key " + gotemplate::quote(name) + " has no value");
            case '[': return key_of_list(data, name, depth);
            case '=':
                return kind_ == SetKind::literal ? literal(data, name)
                       : kind_ == SetKind::json  ? json(data, name)
                                                 : plain(data, name);
            case ',':
                set(data, name, Value::string(""));
                return Outcome::failed("key " + gotemplate::quote(name) + " has no value (cannot end with ,)");
            default: break;
        }
        if (++depth > kSetDepthMax)
            return Outcome::failed("value name nested level is greater than maximum supported nested level of " +
                                   std::to_string(kSetDepthMax));
        Value inner = Value::map();
        if (auto const* existing = data.find(name)) {
            if (existing->kind() != gotemplate::Kind::map) return not_of_type(*existing, "map[string]interface {}");
            inner = existing->unboxed();
        }
        auto outcome = key(inner, depth);
        if (outcome.ok() && inner.size() == 0)
            return Outcome::failed("key map " + gotemplate::quote(name) + " has no value");
        if (inner.size() != 0) set(data, name, inner);
        return outcome;
    }

    Outcome key_of_list(Value& data, std::string const& name, int depth) {
        std::int64_t i = 0;
        if (auto outcome = index(i); !outcome.ok()) return std::move(outcome).in("error parsing index");
        std::vector<Value> list;
        if (auto const* existing = data.find(name)) {
            if (!existing->is_list()) return not_of_type(*existing, "[]interface {}");
            list.assign(existing->items().begin(), existing->items().end());
        }
        auto outcome = item(list, i, depth);
        set(data, name, Value::list(std::move(list)));
        return outcome;
    }

    Outcome literal(Value& data, std::string const& name) {
        std::string value;
        until("", value);
        set(data, name, Value::string(value));
        return {};
    }

    Outcome json(Value& data, std::string const& name) {
        Value value;
        auto outcome = json_value(value);
        if (outcome.ok()) set(data, name, std::move(value));
        return outcome;
    }

    Outcome plain(Value& data, std::string const& name) {
        Value value;
        auto outcome = assigned(value);
        switch (outcome.kind) {
            case Outcome::Kind::ok: set(data, name, std::move(value)); break;
            case Outcome::Kind::eof: set(data, name, Value::string("")); break;
            default: break;
        }
        return outcome;
    }

    /// The value after "=": a list in braces, or text up to a comma. EOF only when nothing is there.
    Outcome assigned(Value& value) {
        if (at_ == text_.size()) return Outcome::eof();
        if (text_[at_] == '{') {
            ++at_;
            return braces(value);
        }
        std::string text;
        until(",", text);
        return read(text, value);
    }

    Outcome braces(Value& value) {
        std::vector<Value> list;
        for (;;) {
            std::string text;
            char const stop = until(",}", text);
            if (stop == '\0') return Outcome::failed("list must terminate with '}'");
            if (stop == '}' && at_ < text_.size() && text_[at_] == ',') ++at_;
            Value item;
            if (auto outcome = read(text, item); !outcome.ok()) return outcome;
            list.push_back(std::move(item).boxed());
            if (stop == '}') break;
        }
        value = Value::list(std::move(list));
        return {};
    }

    Outcome read(std::string const& text, Value& value) {
        if (kind_ == SetKind::file) {
            auto content =
                read_file_ ? read_file_(text)
                           : Result<std::string>{fail(Errc::not_found, "open " + text + ": no such file or directory")};
            if (!content) return Outcome::failed(content.error().message);
            value = Value::string(*content);
        } else if (kind_ == SetKind::string) {
            value = Value::string(text);
        } else {
            value = typed(text);
        }
        return {};
    }

    static Value typed(std::string const& text) {
        if (equals_fold(text, "true")) return Value::boolean(true);
        if (equals_fold(text, "false")) return Value::boolean(false);
        if (equals_fold(text, "null")) return Value::nil();
        if (text == "0") return Value::integer(0, types::int64);
        if (!text.empty() && text[0] != '0') {
            if (auto const number = gotemplate::parse_int(text, 10)) return Value::integer(*number, types::int64);
        }
        return Value::string(text);
    }

    /// True, and the comma eaten, when nothing but blanks stands before the next comma or the end.
    bool empty_value() {
        while (at_ < text_.size()) {
            char const c = text_[at_];
            if (c != ',' && !is_space(c)) return false;
            ++at_;
            if (c == ',') return true;
        }
        return true;
    }

    /// Where the JSON value at the front ends, by its outer form alone.
    static std::size_t json_end(std::string_view text) {
        std::size_t depth = 0;
        for (std::size_t i = 0; i < text.size(); ++i) {
            char const c = text[i];
            if (c == '"') {
                for (++i; i < text.size() && text[i] != '"'; ++i) i += text[i] == '\\' ? 1 : 0;
                if (depth == 0) return std::min(i + 1, text.size());
            } else if (c == '{' || c == '[') {
                ++depth;
            } else if (c == '}' || c == ']') {
                if (depth <= 1) return i + 1;
                --depth;
            } else if (depth == 0) {
                if (text.starts_with("true") || text.starts_with("null")) return 4;
                if (text.starts_with("false")) return 5;
                auto const end = text.find_first_not_of("0123456789+-.eE");
                return std::min(end, text.size());
            }
        }
        return text.size();
    }

    Outcome json_value(Value& value) {
        if (empty_value()) {
            value = Value::nil();
            return {};
        }
        auto const rest = text_.substr(at_);
        auto const end = json_end(rest);
        auto parsed = gotemplate::from_json(rest.substr(0, end));
        if (!parsed) return Outcome::failed(parsed.error().message);
        value = std::move(*parsed);
        at_ += end;
        empty_value();
        return {};
    }

    Outcome set_index(std::vector<Value>& list, std::int64_t i, Value value) {
        if (i > kSetIndexMax) {
            return Outcome::failed("index of " + std::to_string(i) + " is greater than maximum supported index of " +
                                   std::to_string(kSetIndexMax));
        }
        auto const at = static_cast<std::size_t>(i);
        if (list.size() <= at) {
            items_ += at + 1 - list.size();
            if (items_ > kSetItemsMax) {
                limit_ = true;
                return Outcome::failed("limit");
            }
            list.resize(at + 1, Value::nil());
        }
        list[at] = std::move(value).boxed();
        return {};
    }

    Outcome item(std::vector<Value>& list, std::int64_t i, int depth) {
        if (++nested_ > kSetNestedMax) {
            limit_ = true;
            return Outcome::failed("limit");
        }
        auto outcome = item_here(list, i, depth);
        --nested_;
        return outcome;
    }

    Outcome item_here(std::vector<Value>& list, std::int64_t i, int depth) {
        if (i < 0) return Outcome::failed("negative " + std::to_string(i) + " index not allowed");
        std::string rest;
        char const stop = until("[.=", rest);
        if (!rest.empty()) return Outcome::failed("unexpected data at end of array index: " + quoted_runes(rest));
        bool const exists = i < static_cast<std::int64_t>(list.size());
        switch (stop) {
            case '\0': return Outcome::eof();
            case '=': return item_value(list, i);
            case '[': {
                std::int64_t next = 0;
                if (auto outcome = index(next); !outcome.ok()) return std::move(outcome).in("error parsing index");
                std::vector<Value> inner;
                if (exists && !list[static_cast<std::size_t>(i)].is_nil()) {
                    auto const& existing = list[static_cast<std::size_t>(i)];
                    if (!existing.is_list()) return not_of_type(existing, "[]interface {}");
                    inner.assign(existing.items().begin(), existing.items().end());
                }
                if (auto outcome = item(inner, next, depth); !outcome.ok()) return outcome;
                return set_index(list, i, Value::list(std::move(inner)));
            }
            default: {
                Value inner = Value::map();
                if (exists && list[static_cast<std::size_t>(i)].is_map())
                    inner = list[static_cast<std::size_t>(i)].unboxed();
                if (exists) list[static_cast<std::size_t>(i)] = inner.boxed();
                if (auto outcome = key(inner, depth); !outcome.ok()) return outcome;
                return set_index(list, i, inner);
            }
        }
    }

    Outcome item_value(std::vector<Value>& list, std::int64_t i) {
        Value value;
        if (kind_ == SetKind::literal) {
            std::string text;
            until("", text);
            return set_index(list, i, Value::string(text));
        }
        if (kind_ == SetKind::json) {
            if (auto outcome = json_value(value); !outcome.ok()) return outcome;
            return set_index(list, i, std::move(value));
        }
        auto outcome = assigned(value);
        if (outcome.kind == Outcome::Kind::eof) return set_index(list, i, Value::string(""));
        if (!outcome.ok()) return outcome;
        return set_index(list, i, std::move(value));
    }

    std::string_view text_;
    SetKind kind_;
    ReadFile const& read_file_;
    std::size_t at_ = 0;
    std::size_t items_ = 0;
    int nested_ = 0;
    bool limit_ = false;
};

}  // namespace

Result<void> set_values(std::string_view line, SetKind kind, Value& values, ReadFile const& read_file) {
    return Parser{line, kind, read_file}.run(values);
}

}  // namespace holdfast::helm
