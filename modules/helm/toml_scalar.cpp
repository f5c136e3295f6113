// modules/helm/toml_scalar.cpp: what lex.go only approximates and parse.go then checks.
#include "modules/helm/toml_scalar.hpp"

#include "modules/helm/toml_lex.hpp"
#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/gotemplate/unicode.hpp"

#include <algorithm>
#include <cmath>

namespace holdfast::helm::toml {

using gotemplate::quote;
using gotemplate::Value;
namespace types = gotemplate::types;

namespace {

std::unexpected<Error> refuse(std::string text) { return fail(Errc::invalid_input, std::move(text)); }

bool is_decimal(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_decimal(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }

bool out_of_range(Error const& error) { return error.message.ends_with("value out of range"); }

/// Each underscore stands between characters that are none, and the last one is a digit.
bool underscores_are_right(std::string_view word) {
    for (auto const special : {"nan", "+nan", "-nan", "inf", "-inf", "+inf"})
        if (word == special) return true;
    bool accepted = false;
    for (char const c : word) {
        if (c == '_' && !accepted) return false;
        accepted = is_hex(c);
    }
    return accepted;
}

bool has_leading_zero(std::string_view word) {
    if (word.size() > 1 && word[0] == '0' && word[1] != 'b' && word[1] != 'o' && word[1] != 'x') return true;
    return word.size() > 2 && (word[0] == '-' || word[0] == '+') && word[1] == '0';
}

bool periods_are_right(std::string_view word) {
    bool period = false;
    for (char const c : word) {
        if (period && !is_decimal(c)) return false;
        period = c == '.';
    }
    return !period;
}

/// Go's layouts take "7:32" for "07:32"; then some separator is not where the layout has it.
bool lacks_leading_zero(std::string_view word, std::string_view layout) {
    for (std::size_t i = 0; i < layout.size(); ++i) {
        char const c = layout[i];
        if (c == '.' || c == 'Z') return false;
        if (!is_decimal(c) && (i >= word.size() || word[i] != c)) return true;
    }
    return false;
}

}  // namespace

Result<Value> integer_of(std::string_view word) {
    if (!underscores_are_right(word))
        return refuse("Invalid integer " + quote(word) + ": underscores must be surrounded by digits");
    if (has_leading_zero(word)) return refuse("Invalid integer " + quote(word) + ": cannot have leading zeroes");
    auto const parsed = gotemplate::parse_int(word, 0);
    if (parsed) return Value::integer(*parsed, types::int64);
    if (!out_of_range(parsed.error()))
        throw Panic{"BUG: Expected integer value, but got '" + std::string{word} + "'.\n\n"};
    return refuse(std::string{word} + " is out of range for int64");
}

Result<Value> float_of(std::string_view word) {
    std::string_view whole;  // the part before the first of ".eE"
    for (std::size_t at = 0; at < word.size();) {
        auto const end = std::min(word.find_first_of(".eE", at), word.size());
        auto const part = word.substr(at, end - at);
        if (!part.empty() && !underscores_are_right(part))
            return refuse("Invalid float " + quote(word) + ": underscores must be surrounded by digits");
        if (whole.empty()) whole = part;
        at = end + 1;
    }
    if (has_leading_zero(whole)) return refuse("Invalid float " + quote(word) + ": cannot have leading zeroes");
    if (!periods_are_right(word))
        return refuse("Invalid float " + quote(word) + ": '.' must be followed by one or more digits");
    std::string digits{word};
    std::erase(digits, '_');
    bool const negative_nan = digits == "-nan";
    if (digits == "+nan" || negative_nan) digits = "nan";  // Go's ParseFloat knows no signed nan
    auto const parsed = gotemplate::parse_float(digits);
    if (!parsed) {
        if (out_of_range(parsed.error())) return refuse(std::string{word} + " is out of range for float64");
        return refuse("Invalid float value: " + quote(word));
    }
    return Value::floating(negative_nan ? std::copysign(*parsed, -1.0) : *parsed);
}

Result<Value> datetime_of(std::string_view word) {
    std::string text{word};
    for (char& c : text) {
        if (c == 'z') c = 'Z';
        else if (c == 't' || c == ' ') c = 'T';
    }
    struct Layout {
        std::string_view text;
        gotemplate::ZonePointer zone;
    };
    // An offset that is UTC's gives UTC, as Go's time.Local does on a machine that keeps UTC.
    Layout const layouts[] = {{"2006-01-02T15:04:05.999999999Z07:00", gotemplate::utc()},
                              {"2006-01-02T15:04:05.999999999", local_datetime()},
                              {"2006-01-02", local_date()},
                              {"15:04:05.999999999", local_time()},
                              {"2006-01-02T15:04Z07:00", gotemplate::utc()},
                              {"2006-01-02T15:04", local_datetime()},
                              {"15:04", local_time()}};
    for (auto const& layout : layouts) {
        auto parsed = gotemplate::parse_time(layout.text, text, layout.zone);
        if (!parsed) continue;
        if (lacks_leading_zero(text, layout.text)) break;
        return gotemplate::make_time(*std::move(parsed));
    }
    return refuse("invalid datetime: " + quote(text));
}

std::string_view without_first_newline(std::string_view text) {
    if (text.starts_with('\n')) text.remove_prefix(1);
    else if (text.starts_with("\r\n")) text.remove_prefix(2);
    return text;
}

std::string without_escaped_newlines(std::string_view text) {
    std::string out;
    std::size_t kept = 0;  // what is before it is in `out` or dropped
    std::size_t at = 0;
    for (;;) {
        at = text.find('\\', at);
        if (at == text.npos) break;
        if (at + 1 < text.size() && text[at + 1] == '\\') {
            at += 2;
            continue;
        }
        auto const end = std::min(text.find_first_not_of(" \t\r\n", at + 1), text.size());
        if (text.substr(at + 1, end - at - 1).find('\n') == text.npos) {
            ++at;
            continue;
        }
        out += text.substr(kept, at - kept);
        kept = at = end;
    }
    out += text.substr(kept);
    return out;
}

Result<std::string> unescaped(std::string_view text) {
    constexpr std::string_view kLetters = "btnfre\"\\";
    constexpr std::string_view kMeanings = "\b\t\n\f\r\x1b\"\\";
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        auto const backslash = std::min(text.find('\\', at), text.size());
        out += text.substr(at, backslash - at);
        if (backslash == text.size()) break;
        if (backslash + 1 == text.size())
            throw Panic{"runtime error: index out of range [" + std::to_string(text.size()) + "] with length " +
                        std::to_string(text.size())};
        char const letter = text[backslash + 1];
        at = backslash + 2;
        if (auto const i = kLetters.find(letter); i != kLetters.npos) {
            out += kMeanings[i];
            continue;
        }
        if (letter == ' ' || letter == '\t') return refuse(std::string{"invalid escape: '\\"} + letter + "'");
        std::size_t const count = letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
        if (count == 0)
            throw Panic{"BUG: Expected valid escape code after \\, but got " +
                        gotemplate::quote_rune(static_cast<unsigned char>(letter)) + ".\n\n"};
        auto const digits = text.substr(at, count);
        auto const rune = gotemplate::parse_uint(digits, 16, 32);
        if (!rune)
            throw Panic{"BUG: Could not parse '" + std::string{digits} +
                        "' as a hexadecimal number, but the lexer claims it's OK: " + rune.error().message + "\n\n"};
        if (*rune > 0x10FFFF || (*rune >= 0xD800 && *rune < 0xE000))
            return refuse("Escaped character '\\u" + std::string{digits} + "' is not valid UTF-8.");
        gotemplate::append_rune(out, static_cast<char32_t>(*rune));
        at += count;
    }
    return out;
}

gotemplate::ZonePointer const& local_datetime() {
    static auto const zone = gotemplate::fixed_zone("datetime-local", 0);
    return zone;
}
gotemplate::ZonePointer const& local_date() {
    static auto const zone = gotemplate::fixed_zone("date-local", 0);
    return zone;
}
gotemplate::ZonePointer const& local_time() {
    static auto const zone = gotemplate::fixed_zone("time-local", 0);
    return zone;
}

}  // namespace holdfast::helm::toml
