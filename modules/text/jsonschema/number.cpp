// modules/text/jsonschema/number.cpp: decimal texts compared and divided without losing a digit.
#include "modules/text/jsonschema/schema.hpp"

#include "modules/yaml/go_number.hpp"

#include <algorithm>
#include <charconv>

namespace holdfast::jsonschema {
namespace {

constexpr std::int64_t kExponentMax = 1'000'000;  // math/big reads no number with a larger one

struct Decimal {
    bool negative = false;
    std::string digits;         // no leading or trailing zeros; empty is zero
    std::int64_t exponent = 0;  // value = 0.digits * 10^exponent
    std::int64_t power() const { return exponent - static_cast<std::int64_t>(digits.size()); }  // digits * 10^power
};

/// Nothing: a number that big.Rat.SetString refuses.
std::optional<Decimal> decimal(std::string_view text) {
    Decimal made;
    std::int64_t point = 0, fraction = 0, power = 0;
    bool seen_point = false;
    std::size_t at = 0;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) made.negative = text[at++] == '-';
    for (; at < text.size() && text[at] != 'e' && text[at] != 'E'; ++at) {
        if (text[at] == '.') {
            seen_point = true;
            continue;
        }
        if (text[at] < '0' || text[at] > '9') return std::nullopt;  // NaN, +Inf
        made.digits += text[at];
        ++(seen_point ? fraction : point);
    }
    if (at < text.size()) {
        ++at;
        if (at < text.size() && text[at] == '+') ++at;
        if (std::from_chars(text.data() + at, text.data() + text.size(), power).ec != std::errc{}) return std::nullopt;
    }
    auto const leading = std::min(made.digits.find_first_not_of('0'), made.digits.size());
    made.digits.erase(0, leading);
    if (made.digits.empty()) return Decimal{};
    if (power > kExponentMax + fraction || power < fraction - kExponentMax) return std::nullopt;
    made.digits.erase(made.digits.find_last_not_of('0') + 1);
    made.exponent = point - static_cast<std::int64_t>(leading) + power;
    return made;
}

int compare_sizes(Decimal const& a, Decimal const& b) {
    if (a.digits.empty() || b.digits.empty())
        return static_cast<int>(!a.digits.empty()) - static_cast<int>(!b.digits.empty());
    if (a.exponent != b.exponent) return a.exponent < b.exponent ? -1 : 1;
    return a.digits.compare(b.digits) < 0 ? -1 : static_cast<int>(a.digits != b.digits);
}

int compare(Decimal const& a, Decimal const& b) {
    if (a.negative != b.negative) return a.negative ? -1 : 1;
    return a.negative ? -compare_sizes(a, b) : compare_sizes(a, b);
}

/// What is left when digits are divided one by one by a number of any length.
class Remainder {
public:
    explicit Remainder(std::string_view divisor) {
        for (auto end = divisor.size(); end > 0;) {
            auto const begin = end > kLimbDigits ? end - kLimbDigits : 0;
            std::uint64_t limb = 0;
            for (auto const c : divisor.substr(begin, end - begin)) limb = limb * 10 + static_cast<unsigned>(c - '0');
            divisor_.push_back(limb);
            end = begin;
        }
        divisor_.push_back(0);  // room for ten times what is left
        rest_.resize(divisor_.size());
    }

    bool is_zero() const {
        return std::ranges::all_of(rest_, [](std::uint64_t limb) { return limb == 0; });
    }

    void append(unsigned digit) {
        std::uint64_t carry = digit;
        for (auto& limb : rest_) {
            limb = limb * 10 + carry;
            carry = limb / kLimb;
            limb %= kLimb;
        }
        while (!std::lexicographical_compare(rest_.rbegin(), rest_.rend(), divisor_.rbegin(), divisor_.rend()))
            subtract();
    }

private:
    void subtract() {
        std::uint64_t borrow = 0;
        for (std::size_t i = 0; i < rest_.size(); ++i) {
            auto const taken = divisor_[i] + borrow;
            borrow = rest_[i] < taken ? 1 : 0;
            rest_[i] += borrow * kLimb - taken;
        }
    }

    static constexpr std::size_t kLimbDigits = 9;
    static constexpr std::uint64_t kLimb = 1'000'000'000;
    std::vector<std::uint64_t> divisor_, rest_;  // the lowest limb first
};

/// Zeros that can change whether a number is a multiple of one with so many digits: each brings a factor of 2 and of 5,
/// and it has no more of them than bits.
std::uint64_t useful_zeros(std::int64_t zeros, std::size_t divisor_digits) {
    return std::min<std::uint64_t>(static_cast<std::uint64_t>(zeros), divisor_digits * 4);
}

}  // namespace

bool is_readable(std::string_view number) { return decimal(number).has_value(); }

int compare_numbers(std::string_view left, std::string_view right) { return compare(*decimal(left), *decimal(right)); }

bool is_integer(std::string_view number) {
    auto const d = decimal(number);
    return d && d->exponent >= static_cast<std::int64_t>(d->digits.size());
}

std::int64_t low_bits(std::string_view integer) {
    auto const d = decimal(integer);
    std::uint64_t bits = 0;
    for (auto const c : d->digits) bits = bits * 10 + static_cast<unsigned>(c - '0');
    for (std::int64_t zeros = std::min<std::int64_t>(d->power(), 64); zeros > 0; --zeros) bits *= 10;
    return static_cast<std::int64_t>(d->negative ? 0 - bits : bits);
}

std::optional<bool> is_multiple(std::string_view number, std::string_view of, std::uint64_t looks_max,
                                std::uint64_t& looks) {
    auto const a = *decimal(number);
    auto const b = *decimal(of);
    if (a.digits.empty()) return true;
    // Neither ends in a zero: what needs more factors of ten than the number has is no divisor.
    if (b.digits.empty() || a.power() < b.power()) return false;
    auto const zeros = useful_zeros(a.power() - b.power(), b.digits.size());
    looks = (a.digits.size() + zeros) * (b.digits.size() / 32 + 1);
    if (looks > looks_max) return std::nullopt;
    Remainder rest{b.digits};
    for (auto const c : a.digits) rest.append(static_cast<unsigned>(c - '0'));
    for (std::uint64_t i = 0; i < zeros && !rest.is_zero(); ++i) rest.append(0);
    return rest.is_zero();
}

std::string localized(std::int64_t number) {
    std::string text = std::to_string(number);
    auto const first = text.starts_with('-') ? 1 : 0;
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > first; at -= 3)
        text.insert(static_cast<std::size_t>(at), 1, ',');
    return text;
}

std::string localized(std::string_view number) {
    auto const value = yaml::parse_float(number);
    if (!value)  // of those that are read here only what is beyond a float64
        if (auto const d = decimal(number); d && d->exponent > 0) return d->negative ? "-∞" : "∞";
    std::string text = yaml::format_float(value.value_or(0));
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
        case Json::Kind::number: {
            auto const a = decimal(left.text), b = decimal(right.text);
            return a && b && compare(*a, *b) == 0;
        }
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
