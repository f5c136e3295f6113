// modules/text/jsonschema/number.cpp: decimal texts compared and divided without losing a digit.
#include "modules/text/jsonschema/schema.hpp"

#include "modules/yaml/go_number.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace holdfast::jsonschema {
namespace {

struct Decimal {
    bool negative = false;
    std::string digits;         // no leading or trailing zeros; empty is zero
    std::int64_t exponent = 0;  // value = 0.digits * 10^exponent
};

Decimal decimal(std::string_view text) {
    Decimal made;
    std::int64_t point = 0;
    bool seen_point = false;
    std::size_t at = 0;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) made.negative = text[at++] == '-';
    for (; at < text.size() && text[at] != 'e' && text[at] != 'E'; ++at) {
        if (text[at] == '.') {
            seen_point = true;
            continue;
        }
        made.digits += text[at];
        point += seen_point ? 0 : 1;
    }
    std::int64_t power = 0;
    if (at < text.size()) {
        ++at;
        if (at < text.size() && text[at] == '+') ++at;
        if (std::from_chars(text.data() + at, text.data() + text.size(), power).ec != std::errc{}) power = 0;
        power = std::clamp<std::int64_t>(power, -1'000'000'000, 1'000'000'000);
    }
    auto const leading = std::min(made.digits.find_first_not_of('0'), made.digits.size());
    made.digits.erase(0, leading);
    made.digits.erase(made.digits.find_last_not_of('0') + 1);
    made.exponent = made.digits.empty() ? 0 : point - static_cast<std::int64_t>(leading) + power;
    if (made.digits.empty()) made.negative = false;
    return made;
}

int compare_sizes(Decimal const& a, Decimal const& b) {
    if (a.digits.empty() || b.digits.empty())
        return static_cast<int>(!a.digits.empty()) - static_cast<int>(!b.digits.empty());
    if (a.exponent != b.exponent) return a.exponent < b.exponent ? -1 : 1;
    return a.digits.compare(b.digits) < 0 ? -1 : static_cast<int>(a.digits != b.digits);
}

}  // namespace

int compare_numbers(std::string_view left, std::string_view right) {
    auto const a = decimal(left);
    auto const b = decimal(right);
    if (a.negative != b.negative) return a.negative ? -1 : 1;
    return a.negative ? -compare_sizes(a, b) : compare_sizes(a, b);
}

bool is_integer(std::string_view number) {
    auto const d = decimal(number);
    return d.exponent >= static_cast<std::int64_t>(d.digits.size());
}

bool is_multiple(std::string_view number, std::string_view of) {
    auto const a = decimal(number);
    auto const b = decimal(of);
    if (a.digits.empty()) return true;
    if (b.digits.empty()) return false;
    using Wide = unsigned __int128;
    if (b.digits.size() > 18) return std::fmod(std::stod(std::string{number}), std::stod(std::string{of})) == 0;
    Wide divisor = 0;
    for (char const c : b.digits) divisor = divisor * 10 + static_cast<unsigned>(c - '0');
    auto const a_power = a.exponent - static_cast<std::int64_t>(a.digits.size());
    auto const b_power = b.exponent - static_cast<std::int64_t>(b.digits.size());
    auto shift = a_power - b_power;  // a * 10^shift must be a multiple of the divisor
    if (shift < 0) {
        if (-shift > 18) return false;
        for (; shift < 0; ++shift) divisor *= 10;
    }
    Wide rest = 0;
    for (char const c : a.digits) rest = (rest * 10 + static_cast<unsigned>(c - '0')) % divisor;
    for (; shift > 0 && rest != 0 && shift < 2000; --shift) rest = rest * 10 % divisor;
    return rest == 0;
}

std::string localized(std::int64_t number) {
    std::string text = std::to_string(number);
    auto const first = text.starts_with('-') ? 1 : 0;
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > first; at -= 3)
        text.insert(static_cast<std::size_t>(at), 1, ',');
    return text;
}

std::string localized(std::string_view number) {
    auto const value = yaml::parse_float(number).value_or(0);
    std::string text = yaml::format_float(value);
    std::string tail;
    if (auto const e = text.find('e'); e != text.npos) {
        constexpr std::string_view kRaised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
        tail = "×10";
        for (char const c : std::string_view{text}.substr(e + 1)) {
            if (c == '-') tail += "⁻";
            if (c >= '0' && c <= '9') tail += kRaised[c - '0'];
        }
        text.erase(e);
    }
    auto const point = std::min(text.find('.'), text.size());
    auto const first = text.starts_with('-') ? 1 : 0;
    for (auto at = static_cast<std::ptrdiff_t>(point) - 3; at > first; at -= 3)
        text.insert(static_cast<std::size_t>(at), 1, ',');
    return text + tail;
}

bool equal(Json const& left, Json const& right) {
    if (left.kind != right.kind) return false;
    switch (left.kind) {
        case Json::Kind::null: return true;
        case Json::Kind::boolean: return left.truth == right.truth;
        case Json::Kind::number: return compare_numbers(left.text, right.text) == 0;
        case Json::Kind::string: return left.text == right.text;
        case Json::Kind::array: return std::ranges::equal(left.items, right.items, equal);
        case Json::Kind::object:
            return std::ranges::equal(left.members, right.members, [](auto const& a, auto const& b) {
                return a.first == b.first && equal(a.second, b.second);
            });
    }
    return false;
}

}  // namespace holdfast::jsonschema
