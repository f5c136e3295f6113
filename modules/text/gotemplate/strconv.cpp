// modules/text/gotemplate/strconv.cpp: quoting and number texts, to the byte as Go's strconv.
#include "modules/text/gotemplate/strconv.hpp"

#include "modules/text/gotemplate/unicode.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace holdfast::gotemplate {

namespace {

constexpr char kHex[] = "0123456789abcdef";

void append_hex(std::string& out, std::uint32_t value, int digits) {
    for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) out.push_back(kHex[value >> shift & 15]);
}

void append_escaped(std::string& out, char32_t rune, char quote, bool ascii_only) {
    if (rune == static_cast<char32_t>(quote) || rune == '\\') {
        out.push_back('\\');
        out.push_back(static_cast<char>(rune));
        return;
    }
    if (ascii_only ? rune < 0x80 && is_print(rune) : is_print(rune)) return append_rune(out, rune);
    switch (rune) {
        case '\a': out += "\\a"; return;
        case '\b': out += "\\b"; return;
        case '\f': out += "\\f"; return;
        case '\n': out += "\\n"; return;
        case '\r': out += "\\r"; return;
        case '\t': out += "\\t"; return;
        case '\v': out += "\\v"; return;
        default: break;
    }
    if (rune < ' ' || rune == 0x7F) {
        out += "\\x";
        append_hex(out, rune, 2);
    } else if (rune < 0x10000) {
        out += "\\u";
        append_hex(out, rune, 4);
    } else {
        out += "\\U";
        append_hex(out, rune, 8);
    }
}

// One escape after the backslash. False: bad syntax.
bool read_escape(std::string_view& text, char quote, std::string& out) {
    if (text.empty()) return false;
    auto const c = text.front();
    text.remove_prefix(1);
    auto const digits = [&](std::size_t count, int base) -> std::int64_t {
        if (text.size() < count) return -1;
        std::uint32_t value = 0;
        auto const [end, ec] = std::from_chars(text.data(), text.data() + count, value, base);
        if (ec != std::errc{} || end != text.data() + count) return -1;
        text.remove_prefix(count);
        return value;
    };
    switch (c) {
        case 'a': out.push_back('\a'); return true;
        case 'b': out.push_back('\b'); return true;
        case 'f': out.push_back('\f'); return true;
        case 'n': out.push_back('\n'); return true;
        case 'r': out.push_back('\r'); return true;
        case 't': out.push_back('\t'); return true;
        case 'v': out.push_back('\v'); return true;
        case '\\': out.push_back('\\'); return true;
        case 'x': {
            auto const value = digits(2, 16);
            if (value < 0) return false;
            if (quote == '\'') append_rune(out, static_cast<char32_t>(value));
            else out.push_back(static_cast<char>(value));
            return true;
        }
        case 'u':
        case 'U': {
            auto const value = digits(c == 'u' ? 4 : 8, 16);
            if (value < 0 || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return false;
            append_rune(out, static_cast<char32_t>(value));
            return true;
        }
        case '\'':
        case '"':
            if (c != quote) return false;
            out.push_back(c);
            return true;
        default: {
            if (c < '0' || c > '7' || text.size() < 2) return false;
            int value = c - '0';
            for (int i = 0; i < 2; ++i, text.remove_prefix(1)) {
                if (text.front() < '0' || text.front() > '7') return false;
                value = value * 8 + (text.front() - '0');
            }
            if (value > 255) return false;
            if (quote == '\'') append_rune(out, static_cast<char32_t>(value));
            else out.push_back(static_cast<char>(value));
            return true;
        }
    }
}

// Decimal digits d1d2d3... with the point before `point`: value = 0.d1d2d3 * 10^point.
struct Decimal {
    std::string digits;
    int point = 0;
};

Decimal decimal_of(double magnitude, int significant, int bits) {
    char buffer[1100];
    std::to_chars_result done{};
    if (significant > 0)
        done = std::to_chars(buffer, buffer + sizeof buffer, magnitude, std::chars_format::scientific,
                             std::min(significant - 1, 1000));
    else if (bits == 32)
        done =
            std::to_chars(buffer, buffer + sizeof buffer, static_cast<float>(magnitude), std::chars_format::scientific);
    else done = std::to_chars(buffer, buffer + sizeof buffer, magnitude, std::chars_format::scientific);
    std::string_view text{buffer, static_cast<std::size_t>(done.ptr - buffer)};
    auto const e = text.find('e');
    Decimal made;
    for (auto const c : text.substr(0, e))
        if (c != '.') made.digits.push_back(c);
    made.point = std::atoi(std::string{text.substr(e + 1)}.c_str()) + 1;
    while (!made.digits.empty() && made.digits.back() == '0') made.digits.pop_back();
    if (made.digits.empty()) made.point = 0;
    return made;
}

std::string scientific(Decimal const& decimal, int precision, char e) {
    std::string out;
    out.push_back(decimal.digits.empty() ? '0' : decimal.digits[0]);
    if (precision > 0) {
        out.push_back('.');
        for (int i = 1; i <= precision; ++i)
            out.push_back(i < static_cast<int>(decimal.digits.size()) ? decimal.digits[static_cast<std::size_t>(i)]
                                                                      : '0');
    }
    auto exponent = decimal.digits.empty() ? 0 : decimal.point - 1;
    out.push_back(e);
    out.push_back(exponent < 0 ? '-' : '+');
    exponent = std::abs(exponent);
    if (exponent < 10) out.push_back('0');
    return out + std::to_string(exponent);
}

std::string fixed(Decimal const& decimal, int precision) {
    std::string out;
    auto const digit = [&](int i) {
        return i >= 0 && i < static_cast<int>(decimal.digits.size()) ? decimal.digits[static_cast<std::size_t>(i)]
                                                                     : '0';
    };
    if (decimal.point > 0)
        for (int i = 0; i < decimal.point; ++i) out.push_back(digit(i));
    else out.push_back('0');
    if (precision > 0) {
        out.push_back('.');
        for (int i = 0; i < precision; ++i) out.push_back(digit(decimal.point + i));
    }
    return out;
}

std::string hexadecimal(double magnitude, int precision, bool upper) {
    // Go shifts the smallest numbers, too, until their first digit is 1.
    int shifted = 0;
    if (magnitude != 0) magnitude = 2 * std::frexp(magnitude, &shifted), --shifted;
    char buffer[1100];
    auto const done = precision < 0 ? std::to_chars(buffer, buffer + sizeof buffer, magnitude, std::chars_format::hex)
                                    : std::to_chars(buffer, buffer + sizeof buffer, magnitude, std::chars_format::hex,
                                                    std::min(precision, 1000));
    std::string text{buffer, done.ptr};
    auto const p = text.find('p');
    auto exponent = std::atoi(text.c_str() + p + 1) + shifted;
    if (text[0] == '2') {  // rounded up: Go shifts once more
        text[0] = '1';
        ++exponent;
    }
    std::string out = "0x" + text.substr(0, p) + (exponent < 0 ? "p-" : "p+");
    exponent = std::abs(exponent);
    if (exponent < 10) out.push_back('0');
    out += std::to_string(exponent);
    if (upper)
        for (auto& c : out) c = static_cast<char>(to_upper(static_cast<char32_t>(c)));
    return out;
}

std::unexpected<Error> number_error(std::string_view function, std::string_view text, std::string_view what) {
    return fail(Errc::invalid_input,
                "strconv." + std::string{function} + ": parsing " + quote(text) + ": " + std::string{what});
}

bool underscores_ok(std::string_view s) {
    char previous = '^';
    std::size_t i = 0;
    if (!s.empty() && (s[0] == '-' || s[0] == '+')) s.remove_prefix(1);
    bool hex = false;
    if (s.size() >= 2 && s[0] == '0' && std::strchr("bBoOxX", s[1]) != nullptr) {
        i = 2;
        previous = '0';
        hex = s[1] == 'x' || s[1] == 'X';
    }
    for (; i < s.size(); ++i) {
        auto const c = s[i];
        if ((c >= '0' && c <= '9') || (hex && std::isxdigit(static_cast<unsigned char>(c)))) {
            previous = '0';
        } else if (c == '_') {
            if (previous != '0') return false;
            previous = '_';
        } else {
            if (previous == '_') return false;
            previous = '!';
        }
    }
    return previous != '_';
}

}  // namespace

std::string quote(std::string_view text, bool ascii_only) {
    std::string out{'"'};
    out.reserve(text.size() + 2);
    while (!text.empty()) {
        auto const rune = decode_rune(text);
        if (rune.width == 1 && rune.value == kRuneError) {
            out += "\\x";
            append_hex(out, static_cast<unsigned char>(text.front()), 2);
        } else {
            append_escaped(out, rune.value, '"', ascii_only);
        }
        text.remove_prefix(rune.width);
    }
    out.push_back('"');
    return out;
}

std::string quote_rune(char32_t rune, bool ascii_only) {
    if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF)) rune = kRuneError;
    std::string out{'\''};
    append_escaped(out, rune, '\'', ascii_only);
    out.push_back('\'');
    return out;
}

Result<std::string> unquote(std::string_view quoted) {
    auto const bad = [] { return fail(Errc::invalid_input, "invalid syntax"); };
    if (quoted.size() < 2 || quoted.front() != quoted.back()) return bad();
    auto const quote = quoted.front();
    auto text = quoted.substr(1, quoted.size() - 2);
    std::string out;
    if (quote == '`') {
        for (auto const c : text) {
            if (c == '`') return bad();
            if (c != '\r') out.push_back(c);
        }
        return out;
    }
    if (quote != '"' && quote != '\'') return bad();
    std::size_t runes = 0;
    for (; !text.empty(); ++runes) {
        if (text.front() == quote || text.front() == '\n') return bad();
        if (text.front() == '\\') {
            text.remove_prefix(1);
            if (!read_escape(text, quote, out)) return bad();
            continue;
        }
        auto const rune = decode_rune(text);
        if (rune.width == 1) out.push_back(text.front());  // bad UTF-8 is kept as it is
        else out.append(text.substr(0, rune.width));
        text.remove_prefix(rune.width);
    }
    if (quote == '\'' && runes != 1) return bad();
    return out;
}

std::string format_float(double value, char format, int precision, int bits) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Inf" : "+Inf";
    std::string sign = std::signbit(value) ? "-" : "";
    auto const magnitude = std::fabs(value);
    if (format == 'b') {
        int exponent = 0;
        std::frexp(magnitude, &exponent);
        auto const mantissa_bits = bits == 32 ? 24 : 53;
        // Zero and the smallest numbers have the exponent that is smallest.
        int const least = bits == 32 ? -149 : -1074;
        exponent = magnitude == 0 ? least : std::max(exponent - mantissa_bits, least);
        auto const whole = static_cast<std::uint64_t>(std::ldexp(magnitude, -exponent));
        return sign + std::to_string(whole) + "p" + (exponent >= 0 ? "+" : "") + std::to_string(exponent);
    }
    if (format == 'x' || format == 'X') return sign + hexadecimal(magnitude, precision, format == 'X');

    auto const shortest = precision < 0;
    if (format == 'e' || format == 'E') {
        auto const decimal = decimal_of(magnitude, shortest ? 0 : precision + 1, bits);
        return sign + scientific(decimal,
                                 shortest ? std::max(static_cast<int>(decimal.digits.size()) - 1, 0) : precision,
                                 format);
    }
    if (format == 'f' || format == 'F') {
        if (!shortest) {
            std::string buffer(static_cast<std::size_t>(precision) + 330, '\0');
            auto const done = std::to_chars(buffer.data(), buffer.data() + buffer.size(), magnitude,
                                            std::chars_format::fixed, precision);
            buffer.resize(static_cast<std::size_t>(done.ptr - buffer.data()));
            return sign + buffer;
        }
        auto const decimal = decimal_of(magnitude, 0, bits);
        return sign + fixed(decimal, std::max(static_cast<int>(decimal.digits.size()) - decimal.point, 0));
    }
    if (precision == 0) precision = 1;
    auto const decimal = decimal_of(magnitude, shortest ? 0 : precision, bits);
    auto const digits = static_cast<int>(decimal.digits.size());
    auto limit = shortest ? 6 : precision;
    if (!shortest && limit > digits && digits >= decimal.point) limit = digits;
    auto const exponent = decimal.point - 1;
    if (exponent < -4 || exponent >= limit) {
        auto const places = shortest || precision > digits ? digits : precision;
        return sign + scientific(decimal, std::max(places - 1, 0), format == 'G' ? 'E' : 'e');
    }
    return sign + fixed(decimal, std::max(digits - decimal.point, 0));
}

Result<std::uint64_t> parse_uint(std::string_view text, int base, int bits) {
    auto const bad = [&](std::string_view what) { return number_error("ParseUint", text, what); };
    auto s = text;
    if (s.empty()) return bad("invalid syntax");
    auto const base_zero = base == 0;
    if (base_zero) {
        base = 10;
        if (s[0] == '0') {
            auto const prefix = s.size() >= 3 ? s[1] | 0x20 : 0;
            if (prefix == 'b') base = 2, s.remove_prefix(2);
            else if (prefix == 'o') base = 8, s.remove_prefix(2);
            else if (prefix == 'x') base = 16, s.remove_prefix(2);
            else base = 8, s.remove_prefix(1);
        }
    }
    std::uint64_t const max = bits == 64 ? std::numeric_limits<std::uint64_t>::max() : (std::uint64_t{1} << bits) - 1;
    std::uint64_t value = 0;
    bool underscores = false, overflow = false;
    for (auto const c : s) {
        int digit = 0;
        if (c == '_' && base_zero) {
            underscores = true;
            continue;
        }
        if (c >= '0' && c <= '9') digit = c - '0';
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') digit = (c | 0x20) - 'a' + 10;
        else return bad("invalid syntax");
        if (digit >= base) return bad("invalid syntax");
        if (overflow) continue;
        if (value > (max - static_cast<std::uint64_t>(digit)) / static_cast<std::uint64_t>(base)) overflow = true;
        else value = value * static_cast<std::uint64_t>(base) + static_cast<std::uint64_t>(digit);
    }
    if (overflow) return bad("value out of range");
    if (underscores && !underscores_ok(text)) return bad("invalid syntax");
    return value;
}

Result<std::int64_t> parse_int(std::string_view text, int base, int bits) {
    if (text.empty()) return number_error("ParseInt", text, "invalid syntax");
    auto s = text;
    auto const negative = s[0] == '-';
    if (s[0] == '+' || s[0] == '-') s.remove_prefix(1);
    auto const magnitude = parse_uint(s, base, 64);
    if (!magnitude) {
        auto const range = magnitude.error().message.ends_with("value out of range");
        return number_error("ParseInt", text, range ? "value out of range" : "invalid syntax");
    }
    auto const limit = std::uint64_t{1} << (bits - 1);
    if ((!negative && *magnitude >= limit) || (negative && *magnitude > limit))
        return number_error("ParseInt", text, "value out of range");
    return static_cast<std::int64_t>(negative ? 0 - *magnitude : *magnitude);
}

Result<double> parse_float(std::string_view text, int bits) {
    auto const bad = [&](std::string_view what) { return number_error("ParseFloat", text, what); };
    std::string clean;
    for (auto const c : text)
        if (c != '_') clean.push_back(c);
    if (clean.size() != text.size() && !underscores_ok(text)) return bad("invalid syntax");
    auto s = std::string_view{clean};
    if (!s.empty() && (s[0] == '+' || s[0] == '-')) s.remove_prefix(1);
    if (s.empty()) return bad("invalid syntax");
    auto const lower = to_lower(s);
    if (lower == "inf" || lower == "infinity" || lower == "nan") {
        if (lower == "nan")
            return clean.size() == 3 ? Result<double>{std::numeric_limits<double>::quiet_NaN()} : bad("invalid syntax");
        return clean[0] == '-' ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    }
    // The grammar of Go: digits [. digits] [e [sign] digits], or 0x with a mandatory p exponent.
    auto const hex = s.size() >= 2 && s[0] == '0' && (s[1] | 0x20) == 'x';
    if (hex) s.remove_prefix(2);
    bool digits = false, dot = false, exponent = false;
    for (std::size_t i = 0; i < s.size(); ++i) {
        auto const c = s[i];
        if ((c >= '0' && c <= '9') || (hex && !exponent && std::isxdigit(static_cast<unsigned char>(c)))) {
            digits = true;
        } else if (c == '.' && !dot && !exponent) {
            dot = true;
        } else if ((c | 0x20) == (hex ? 'p' : 'e') && digits && !exponent) {
            exponent = true;
            if (i + 1 < s.size() && (s[i + 1] == '+' || s[i + 1] == '-')) ++i;
            if (i + 1 >= s.size()) return bad("invalid syntax");
        } else {
            return bad("invalid syntax");
        }
    }
    if (!digits || (hex && !exponent)) return bad("invalid syntax");
    if (bits == 32) {
        auto const value = std::strtof(clean.c_str(), nullptr);
        if (std::isinf(value)) return bad("value out of range");
        return static_cast<double>(value);
    }
    auto const value = std::strtod(clean.c_str(), nullptr);
    if (std::isinf(value)) return bad("value out of range");
    return value;
}

Result<bool> parse_bool(std::string_view text) {
    for (auto const yes : {"1", "t", "T", "true", "TRUE", "True"})
        if (text == yes) return true;
    for (auto const no : {"0", "f", "F", "false", "FALSE", "False"})
        if (text == no) return false;
    return number_error("ParseBool", text, "invalid syntax");
}

}  // namespace holdfast::gotemplate
