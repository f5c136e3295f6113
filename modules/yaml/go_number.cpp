// modules/yaml/go_number.cpp: the layouts of strconv.FormatFloat and the grammars of its Parse functions.
#include "modules/yaml/go_number.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace holdfast::yaml {

namespace {

char lower(char c) { return static_cast<char>(c | ('x' - 'X')); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// 0.d1d2d3... x 10^point: what strconv calls a decimalSlice. No digits for zero.
struct Decimal {
    std::string digits;
    int point = 0;

    int count() const { return static_cast<int>(digits.size()); }
    char at(int index) const { return index >= 0 && index < count() ? digits[static_cast<std::size_t>(index)] : '0'; }
};

/// From C's "d.dddde[+-]xx".
Decimal decimal_of(std::string_view scientific) {
    Decimal decimal;
    auto const e = scientific.find('e');
    for (char const c : scientific.substr(0, e)) {
        if (is_digit(c)) decimal.digits.push_back(c);
    }
    int exponent = 0;
    auto const* from = scientific.data() + e + 1;
    if (*from == '+') ++from;
    std::from_chars(from, scientific.data() + scientific.size(), exponent);
    decimal.point = exponent + 1;
    while (!decimal.digits.empty() && decimal.digits.back() == '0') decimal.digits.pop_back();
    if (decimal.digits.empty()) decimal.point = 0;
    return decimal;
}

Decimal shortest(double value, int bits) {
    char buffer[64];
    auto* const end = buffer + sizeof buffer;
    auto const done = bits == 32 ? std::to_chars(buffer, end, static_cast<float>(value), std::chars_format::scientific)
                                 : std::to_chars(buffer, end, value, std::chars_format::scientific);
    return decimal_of({buffer, done.ptr});
}

/// Correctly rounded to `count` digits.
Decimal rounded(double value, int count) {
    std::string buffer(static_cast<std::size_t>(count) + 32, '\0');
    auto* const end = buffer.data() + buffer.size();
    auto const done = std::to_chars(buffer.data(), end, value, std::chars_format::scientific, count - 1);
    return decimal_of({buffer.data(), done.ptr});
}

std::string layout_e(Decimal const& decimal, int precision, char letter) {
    std::string out{decimal.at(0)};
    if (precision > 0) out.push_back('.');
    for (int i = 1; i <= precision; ++i) out.push_back(decimal.at(i));
    out.push_back(letter);
    int const exponent = decimal.digits.empty() ? 0 : decimal.point - 1;
    out.push_back(exponent < 0 ? '-' : '+');
    if (std::abs(exponent) < 10) out.push_back('0');
    return out + std::to_string(std::abs(exponent));
}

std::string layout_f(Decimal const& decimal, int precision) {
    std::string out;
    for (int i = 0; i < decimal.point; ++i) out.push_back(decimal.at(i));
    if (out.empty()) out = "0";
    if (precision > 0) out.push_back('.');
    for (int i = 0; i < precision; ++i) out.push_back(decimal.at(decimal.point + i));
    return out;
}

std::string layout_g(Decimal const& decimal, int precision, char letter) {
    bool const is_shortest = precision < 0;
    if (is_shortest) precision = 6;
    int e_from = precision;
    if (e_from > decimal.count() && decimal.count() >= decimal.point) e_from = decimal.count();
    if (is_shortest) {
        e_from = 6;
        precision = decimal.count();
    }
    int const exponent = decimal.point - 1;
    if (exponent < -4 || exponent >= e_from) {
        return layout_e(decimal, std::min(precision, decimal.count()) - 1, letter);
    }
    if (precision > decimal.point) precision = decimal.count();
    return layout_f(decimal, std::max(precision - decimal.point, 0));
}

std::string layout_fixed(double value, int precision) {
    std::string buffer(static_cast<std::size_t>(precision) + 340, '\0');
    auto* const end = buffer.data() + buffer.size();
    auto const done = std::to_chars(buffer.data(), end, value, std::chars_format::fixed, precision);
    buffer.resize(static_cast<std::size_t>(done.ptr - buffer.data()));
    return buffer;
}

std::string layout(double value, char format, int precision, int bits) {
    switch (format) {
        case 'e':
        case 'E': {
            if (precision >= 0) return layout_e(rounded(value, precision + 1), precision, format);
            auto const decimal = shortest(value, bits);
            return layout_e(decimal, std::max(decimal.count() - 1, 0), format);
        }
        case 'f':
        case 'F': {
            if (precision >= 0) return layout_fixed(value, precision);
            auto const decimal = shortest(value, bits);
            return layout_f(decimal, std::max(decimal.count() - decimal.point, 0));
        }
        default: {
            char const letter = format == 'G' ? 'E' : 'e';
            if (precision < 0) return layout_g(shortest(value, bits), -1, letter);
            precision = std::max(precision, 1);
            return layout_g(rounded(value, precision), precision, letter);
        }
    }
}

}  // namespace

std::string format_float(double value, char format, int precision, int bits) {
    if (bits == 32) value = static_cast<double>(static_cast<float>(value));  // may become infinite
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    auto out = layout(std::fabs(value), format, precision, bits);
    if (std::signbit(value)) out.insert(out.begin(), '-');
    return out;
}

std::optional<std::string> format_float_json(double value, int bits) {
    if (!std::isfinite(value)) return std::nullopt;
    auto const size = bits == 32 ? static_cast<double>(static_cast<float>(std::fabs(value))) : std::fabs(value);
    auto const low = bits == 32 ? static_cast<double>(1e-6f) : 1e-6;
    auto const high = bits == 32 ? static_cast<double>(1e21f) : 1e21;
    if (size == 0 || (size >= low && size < high)) return format_float(value, 'f', -1, bits);
    auto out = format_float(value, 'e', -1, bits);
    auto const n = out.size();
    if (n >= 4 && out[n - 4] == 'e' && out[n - 3] == '-' && out[n - 2] == '0') out.erase(n - 2, 1);
    return out;
}

namespace {

/// Underscores stand only between digits, or after a base prefix.
bool underscores_ok(std::string_view text) {
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
    char saw = '^';
    bool hex = false;
    std::size_t i = 0;
    char const prefix = text.size() >= 2 && text[0] == '0' ? lower(text[1]) : '\0';
    if (prefix == 'b' || prefix == 'o' || prefix == 'x') {
        i = 2;
        saw = '0';
        hex = prefix == 'x';
    }
    for (; i < text.size(); ++i) {
        char const c = text[i];
        if (is_digit(c) || (hex && lower(c) >= 'a' && lower(c) <= 'f')) {
            saw = '0';
        } else if (c == '_') {
            if (saw != '0') return false;
            saw = '_';
        } else {
            if (saw == '_') return false;
            saw = '!';
        }
    }
    return saw != '_';
}

enum class Outcome { good, syntax, range };

Outcome scan_uint(std::string_view text, int base, std::uint64_t& value) {
    if (text.empty()) return Outcome::syntax;
    bool const any_base = base == 0;
    auto digits = text;
    if (any_base) {
        base = 10;
        if (text[0] == '0') {
            char const letter = text.size() >= 3 ? lower(text[1]) : '\0';
            base = letter == 'b' ? 2 : letter == 'x' ? 16 : 8;
            digits.remove_prefix(letter == 'b' || letter == 'o' || letter == 'x' ? 2 : 1);
        }
    }
    bool underscores = false;
    value = 0;
    for (char const c : digits) {
        int digit = 99;
        if (c == '_' && any_base) {
            underscores = true;
            continue;
        }
        if (is_digit(c)) digit = c - '0';
        else if (lower(c) >= 'a' && lower(c) <= 'z') digit = lower(c) - 'a' + 10;
        if (digit >= base) return Outcome::syntax;
        auto const factor = static_cast<std::uint64_t>(base);
        if (value > (std::numeric_limits<std::uint64_t>::max() - static_cast<std::uint64_t>(digit)) / factor)
            return Outcome::range;
        value = value * factor + static_cast<std::uint64_t>(digit);
    }
    if (underscores && !underscores_ok(text)) return Outcome::syntax;
    return Outcome::good;
}

/// The part of `text` that strconv.readFloat takes for a decimal number, or nothing.
bool is_go_decimal(std::string_view text) {
    std::size_t i = 0;
    bool dot = false;
    bool digits = false;
    bool underscores = false;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    for (; i < text.size(); ++i) {
        if (text[i] == '_') underscores = true;
        else if (text[i] == '.' && !dot) dot = true;
        else if (is_digit(text[i])) digits = true;
        else break;
    }
    if (!digits) return false;
    if (i < text.size() && lower(text[i]) == 'e') {
        ++i;
        if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
        if (i >= text.size() || !is_digit(text[i])) return false;
        for (; i < text.size() && (is_digit(text[i]) || text[i] == '_'); ++i) underscores |= text[i] == '_';
    }
    return i == text.size() && (!underscores || underscores_ok(text));
}

bool is_go_hexadecimal(std::string_view text) {
    if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
    if (text.size() < 3 || text[0] != '0' || lower(text[1]) != 'x') return false;
    std::size_t i = 2;
    bool dot = false;
    bool digits = false;
    for (; i < text.size(); ++i) {
        if (text[i] == '_') continue;
        if (text[i] == '.' && !dot) dot = true;
        else if (is_digit(text[i]) || (lower(text[i]) >= 'a' && lower(text[i]) <= 'f')) digits = true;
        else break;
    }
    if (!digits || i >= text.size() || lower(text[i]) != 'p') return false;
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (i >= text.size() || !is_digit(text[i])) return false;
    for (; i < text.size(); ++i) {
        if (!is_digit(text[i]) && text[i] != '_') return false;
    }
    return underscores_ok(text);
}

std::optional<double> parse_special(std::string_view text) {
    double sign = 1;
    bool const has_sign = text[0] == '+' || text[0] == '-';
    if (has_sign) {
        sign = text[0] == '-' ? -1 : 1;
        text.remove_prefix(1);
    }
    auto const is = [&](std::string_view word) {
        return std::ranges::equal(text, word, {}, [](char c) { return lower(c); });
    };
    if (is("inf") || is("infinity")) return sign * std::numeric_limits<double>::infinity();
    if (!has_sign && is("nan")) return std::numeric_limits<double>::quiet_NaN();
    return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> parse_uint(std::string_view text, int base) {
    std::uint64_t value = 0;
    if (scan_uint(text, base, value) != Outcome::good) return std::nullopt;
    return value;
}

std::optional<std::int64_t> parse_int(std::string_view text, int base) {
    if (text.empty()) return std::nullopt;
    bool const negative = text[0] == '-';
    if (negative || text[0] == '+') text.remove_prefix(1);
    std::uint64_t value = 0;
    if (scan_uint(text, base, value) != Outcome::good) return std::nullopt;
    constexpr std::uint64_t cutoff = std::uint64_t{1} << 63;
    if (!negative && value >= cutoff) return std::nullopt;
    if (negative && value > cutoff) return std::nullopt;
    return negative ? static_cast<std::int64_t>(0 - value) : static_cast<std::int64_t>(value);
}

std::optional<double> parse_float(std::string_view text) {
    if (text.empty()) return std::nullopt;
    if (is_go_decimal(text) || is_go_hexadecimal(text)) {
        std::string plain;
        for (char const c : text) {
            if (c != '_') plain.push_back(c);
        }
        double value = 0;
        auto const* from = plain.c_str();
        auto const* const end = from + plain.size();
        if (*from == '+') ++from;
        if (plain.find_first_of("xX") != std::string::npos) {
            value = std::strtod(from, nullptr);
            return std::isinf(value) ? std::nullopt : std::optional{value};
        }
        auto const done = std::from_chars(from, end, value);
        if (done.ec == std::errc::result_out_of_range) {
            // Too small is zero in Go, too large is an error: only an exponent tells which.
            value = std::strtod(from, nullptr);
            return std::isinf(value) ? std::nullopt : std::optional{value};
        }
        if (done.ec != std::errc{} || done.ptr != end) return std::nullopt;
        return value;
    }
    return parse_special(text);
}

}  // namespace holdfast::yaml
