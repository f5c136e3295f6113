// modules/text/gotemplate/json.cpp: encoding/json, both ways.
#include "modules/text/gotemplate/json.hpp"

#include "modules/base/base64.hpp"
#include "modules/text/gotemplate/gotime.hpp"
#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/gotemplate/unicode.hpp"

#include <cmath>

namespace holdfast::gotemplate {

namespace {

constexpr int kWriteDepthMax = 1'000;  // where Go starts to look for cycles
constexpr int kReadDepthMax = 10'000;  // scanner's maxNestingDepth
constexpr int kStackDepthMax = 5'000;  // ours: the reader recurses

struct Failure {
    Error error;
};

struct Writer {
    JsonStyle const& style;
    std::string out;
    int depth = 0;

    void newline() {
        if (style.indent.empty()) return;
        out.push_back('\n');
        for (int i = 0; i < depth; ++i) out += style.indent;
    }

    void string(std::string_view text) {
        constexpr char kHex[] = "0123456789abcdef";
        out.push_back('"');
        while (!text.empty()) {
            auto const c = static_cast<unsigned char>(text.front());
            if (c < 0x80) {
                text.remove_prefix(1);
                if (c >= ' ' && c != '"' && c != '\\' && !(style.escape_html && (c == '<' || c == '>' || c == '&'))) {
                    out.push_back(static_cast<char>(c));
                    continue;
                }
                out.push_back('\\');
                switch (c) {
                    case '"':
                    case '\\': out.push_back(static_cast<char>(c)); break;
                    case '\b': out.push_back('b'); break;
                    case '\f': out.push_back('f'); break;
                    case '\n': out.push_back('n'); break;
                    case '\r': out.push_back('r'); break;
                    case '\t': out.push_back('t'); break;
                    default:
                        out += "u00";
                        out.push_back(kHex[c >> 4]);
                        out.push_back(kHex[c & 15]);
                }
                continue;
            }
            auto const rune = decode_rune(text);
            if (rune.value == kRuneError && rune.width == 1) out += "\\ufffd";
            else if (rune.value == 0x2028 || rune.value == 0x2029) out += rune.value == 0x2028 ? "\\u2028" : "\\u2029";
            else out += text.substr(0, rune.width);
            text.remove_prefix(rune.width);
        }
        out.push_back('"');
    }

    void number(double value, int bits) {
        if (std::isnan(value) || std::isinf(value))
            throw Failure{{Errc::invalid_input, "json: unsupported value: " + format_float(value, 'g', -1, bits)}};
        auto const magnitude = std::fabs(value);
        auto const tiny = bits == 32 ? static_cast<float>(magnitude) < 1e-6f : magnitude < 1e-6;
        auto const huge = bits == 32 ? static_cast<float>(magnitude) >= 1e21f : magnitude >= 1e21;
        if (magnitude == 0 || (!tiny && !huge)) {
            out += format_float(value, 'f', -1, bits);
            return;
        }
        auto text = format_float(value, 'e', -1, bits);
        if (text.size() >= 4 && text[text.size() - 4] == 'e' && text[text.size() - 3] == '-' &&
            text[text.size() - 2] == '0')
            text.erase(text.size() - 2, 1);
        out += text;
    }

    struct Level {
        Writer& writer;
        Level(Writer& w, Value const& value) : writer(w) {
            if (++writer.depth > kWriteDepthMax)
                throw Failure{{Errc::limit,
                               "json: unsupported value: encountered a cycle via " + std::string{value.type().name}}};
        }
        ~Level() { --writer.depth; }
    };

    void list(Value const& value) {
        if (value.is_nil()) {
            out += "null";
            return;
        }
        if (value.is_bytes()) {
            out += '"' + base64_encode(value.as_string()) + '"';
            return;
        }
        out.push_back('[');
        if (value.size() > 0) {
            {
                Level const level{*this, value};
                bool first = true;
                for (auto const& item : value.items()) {
                    if (!first) out.push_back(',');
                    first = false;
                    newline();
                    write(item);
                }
            }
            newline();
        }
        out.push_back(']');
    }

    void pair(bool& first, std::string_view key, Value const& value) {
        if (!first) out.push_back(',');
        first = false;
        newline();
        string(key);
        out += style.indent.empty() ? ":" : ": ";
        write(value);
    }

    void map(Value const& value) {
        if (value.is_nil()) {
            out += "null";
            return;
        }
        out.push_back('{');
        if (value.size() > 0) {
            {
                Level const level{*this, value};
                bool first = true;
                for (auto const& [key, item] : value.entries()) pair(first, key.as_string(), item);
            }
            newline();
        }
        out.push_back('}');
    }

    void object(Value const& value) {
        auto const* object = value.as_object();
        if (object == nullptr) {
            out += "null";
            return;
        }
        if (auto const* moment = as_time(value))
            return string(format_time(*moment, "2006-01-02T15:04:05.999999999Z07:00"));
        auto const fields = object->fields();
        if (fields.empty())
            if (auto const text = object->text()) return string(*text);
        out.push_back('{');
        if (!fields.empty()) {
            {
                Level const level{*this, value};
                bool first = true;
                for (auto const& [name, item] : fields) pair(first, name, item);
            }
            newline();
        }
        out.push_back('}');
    }

    void write(Value const& value) {
        if (out.size() > style.bytes_max)
            throw Failure{{Errc::limit, "a JSON text of more than " + std::to_string(style.bytes_max) + " bytes"}};
        switch (value.kind()) {
            case Kind::invalid: out += "null"; break;
            case Kind::boolean: out += value.as_bool() ? "true" : "false"; break;
            case Kind::integer: out += std::to_string(value.as_int()); break;
            case Kind::unsigned_integer: out += std::to_string(value.as_uint()); break;
            case Kind::floating: number(value.as_float(), &value.type() == &types::float32 ? 32 : 64); break;
            case Kind::string: string(value.as_string()); break;
            case Kind::slice: list(value); break;
            case Kind::map: map(value); break;
            default: object(value);
        }
    }
};

std::string quote_char(unsigned char c) {
    if (c == '\'') return "'\\''";
    if (c == '"') return "'\"'";
    std::string rune;
    append_rune(rune, c);
    auto const quoted = quote(rune);
    return "'" + quoted.substr(1, quoted.size() - 2) + "'";
}

struct Reader {
    std::string_view text;
    std::size_t at = 0;
    int depth = 0;

    [[noreturn]] void refuse(std::string_view context) {
        if (at >= text.size()) {
            // Go feeds a blank at the end: inside a word, number or escape that is what is wrong.
            auto const inside = context.starts_with("in ") || context.starts_with("after decimal");
            throw Failure{{Errc::invalid_input,
                           inside ? "invalid character ' ' " + std::string{context} : "unexpected end of JSON input"}};
        }
        throw Failure{{Errc::invalid_input, "invalid character " + quote_char(static_cast<unsigned char>(text[at])) +
                                                " " + std::string{context}}};
    }
    void blank() {
        while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r' || text[at] == '\n')) ++at;
    }
    bool next_is(char c) const { return at < text.size() && text[at] == c; }
    bool digit() const { return at < text.size() && text[at] >= '0' && text[at] <= '9'; }

    void literal(std::string_view word) {
        for (std::size_t i = 0; i < word.size(); ++i, ++at)
            if (!next_is(word[i]))
                refuse("in literal " + std::string{word} + " (expecting " +
                       quote_char(static_cast<unsigned char>(word[i])) + ")");
    }

    Value number() {
        auto const start = at;
        if (next_is('-')) ++at;
        if (!digit()) refuse("in numeric literal");
        if (next_is('0')) ++at;
        else
            while (digit()) ++at;
        if (next_is('.')) {
            ++at;
            if (!digit()) refuse("after decimal point in numeric literal");
            while (digit()) ++at;
        }
        if (next_is('e') || next_is('E')) {
            ++at;
            if (next_is('+') || next_is('-')) ++at;
            if (!digit()) refuse("in exponent of numeric literal");
            while (digit()) ++at;
        }
        auto const word = text.substr(start, at - start);
        auto const value = parse_float(word);
        if (!value) {
            late_error = late_error.empty()
                             ? "json: cannot unmarshal number " + std::string{word} + " into Go value of type float64"
                             : late_error;
            return Value::floating(0);
        }
        return Value::floating(*value);
    }
    std::string late_error;  // a value that does not fit: reported once the syntax is known to be right

    char32_t hex4() {
        char32_t rune = 0;
        for (int i = 0; i < 4; ++i, ++at) {
            if (at >= text.size() || !std::isxdigit(static_cast<unsigned char>(text[at])))
                refuse("in \\u hexadecimal character escape");
            auto const c = text[at];
            rune = rune * 16 + static_cast<char32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        }
        return rune;
    }

    void escape(std::string& out) {
        if (at >= text.size()) refuse("in string escape code");
        auto const c = text[at];
        switch (c) {
            case '"':
            case '\\':
            case '/': out.push_back(c); break;
            case 'b': out.push_back('\b'); break;
            case 'f': out.push_back('\f'); break;
            case 'n': out.push_back('\n'); break;
            case 'r': out.push_back('\r'); break;
            case 't': out.push_back('\t'); break;
            case 'u': {
                ++at;
                auto rune = hex4();
                if (rune >= 0xD800 && rune < 0xDC00 && text.substr(at).starts_with("\\u")) {
                    auto const back = at;
                    at += 2;
                    auto const low = hex4();
                    if (low >= 0xDC00 && low < 0xE000) rune = 0x10000 + ((rune - 0xD800) << 10) + (low - 0xDC00);
                    else at = back;
                }
                append_rune(out, rune);
                return;
            }
            default: refuse("in string escape code");
        }
        ++at;
    }

    std::string string() {
        ++at;
        std::string out;
        for (;;) {
            if (at >= text.size()) refuse("");
            auto const c = static_cast<unsigned char>(text[at]);
            if (c == '"') {
                ++at;
                return out;
            }
            if (c < ' ') refuse("in string literal");
            if (c == '\\') {
                ++at;
                escape(out);
                continue;
            }
            auto const rune = decode_rune(text.substr(at));
            append_rune(out, rune.value);
            at += rune.width;
        }
    }

    Value list() {
        ++at;
        std::vector<Value> items;
        blank();
        if (next_is(']')) {
            ++at;
            return Value::list({});
        }
        for (;;) {
            items.push_back(value());
            blank();
            if (next_is(']')) break;
            if (!next_is(',')) refuse("after array element");
            ++at;
        }
        ++at;
        return Value::list(std::move(items));
    }

    Value map() {
        ++at;
        auto made = Value::map();
        blank();
        if (next_is('}')) {
            ++at;
            return made;
        }
        for (;;) {
            blank();
            if (!next_is('"')) refuse("looking for beginning of object key string");
            auto const key = string();
            blank();
            if (!next_is(':')) refuse("after object key");
            ++at;
            made.set(key, value());
            blank();
            if (next_is('}')) break;
            if (!next_is(',')) refuse("after object key:value pair");
            ++at;
        }
        ++at;
        return made;
    }

    Value value() {
        blank();
        if (at >= text.size()) refuse("");
        switch (text[at]) {
            case '{':
            case '[': {
                if (++depth > kReadDepthMax || depth > kStackDepthMax)
                    throw Failure{{Errc::limit, "exceeded max depth"}};
                auto made = text[at] == '{' ? map() : list();
                --depth;
                return made;
            }
            case '"': return Value::string(string());
            case 't': literal("true"); return Value::boolean(true);
            case 'f': literal("false"); return Value::boolean(false);
            case 'n': literal("null"); return Value::nil();
            default: break;
        }
        if (next_is('-') || digit()) return number();
        refuse("looking for beginning of value");
    }
};

}  // namespace

Result<std::string> to_json(Value const& value, JsonStyle const& style) {
    try {
        Writer writer{.style = style};
        writer.write(value);
        return std::move(writer.out);
    } catch (Failure& failure) {
        return std::unexpected{std::move(failure.error)};
    }
}

Result<Value> from_json(std::string_view text) {
    try {
        Reader reader{.text = text};
        auto value = reader.value();
        reader.blank();
        if (reader.at < text.size()) reader.refuse("after top-level value");
        if (!reader.late_error.empty()) return fail(Errc::invalid_input, std::move(reader.late_error));
        return value;
    } catch (Failure& failure) {
        return std::unexpected{std::move(failure.error)};
    }
}

}  // namespace holdfast::gotemplate
