// modules/text/gotemplate/decimal.cpp: school arithmetic on decimal digits; operands have 17 digits, results a few more.
#include "modules/text/gotemplate/decimal.hpp"

#include "modules/text/gotemplate/strconv.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace holdfast::gotemplate {

namespace {

constexpr std::size_t kDigitsMax = 4'000;
constexpr std::int64_t kDivisionPrecision = 16;

void normalize(std::string& digits) { digits.erase(0, digits.find_first_not_of('0')); }

int compare(std::string const& a, std::string const& b) {
    if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
    return a.compare(b);
}

std::string sum(std::string const& a, std::string const& b) {
    std::string out;
    int carry = 0;
    for (std::size_t i = 0; i < std::max(a.size(), b.size()) || carry != 0; ++i) {
        auto const digit =
            (i < a.size() ? a[a.size() - 1 - i] - '0' : 0) + (i < b.size() ? b[b.size() - 1 - i] - '0' : 0) + carry;
        out.push_back(static_cast<char>('0' + digit % 10));
        carry = digit / 10;
    }
    std::reverse(out.begin(), out.end());
    return out;
}

// a >= b
std::string difference(std::string const& a, std::string const& b) {
    std::string out;
    int borrow = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        auto digit = a[a.size() - 1 - i] - '0' - borrow - (i < b.size() ? b[b.size() - 1 - i] - '0' : 0);
        borrow = digit < 0 ? 1 : 0;
        out.push_back(static_cast<char>('0' + digit + borrow * 10));
    }
    std::reverse(out.begin(), out.end());
    normalize(out);
    return out;
}

bool align(Decimal& left, Decimal& right) {
    auto const exponent = std::min(left.exponent, right.exponent);
    for (auto* number : {&left, &right}) {
        auto const zeros = static_cast<std::size_t>(number->exponent - exponent);
        if (zeros + number->digits.size() > kDigitsMax) return false;
        if (!number->digits.empty()) number->digits.append(zeros, '0');
        number->exponent = exponent;
    }
    return true;
}

std::unexpected<Error> too_long() { return fail(Errc::limit, "a decimal of more than 4000 digits"); }

}  // namespace

Result<Decimal> Decimal::from(double value) {
    if (!std::isfinite(value))
        return fail(Errc::invalid_input, "Cannot create a Decimal from " + format_float(value, 'g', -1));
    Decimal made{.negative = std::signbit(value) && value != 0};
    auto const text = format_float(std::fabs(value), 'e', -1);
    auto const e = text.find('e');
    for (auto const c : text.substr(0, e))
        if (c != '.') made.digits.push_back(c);
    auto const point = text.find('.');
    auto const places = point == std::string::npos || point > e ? 0 : static_cast<std::int64_t>(e - point - 1);
    made.exponent = std::atoll(text.c_str() + e + 1) - places;
    normalize(made.digits);
    return made;
}

double Decimal::to_double() const {
    if (digits.empty()) return 0;
    return std::strtod(((negative ? "-" : "") + digits + "e" + std::to_string(exponent)).c_str(), nullptr);
}

Result<Decimal> add(Decimal const& left, Decimal const& right) {
    auto a = left, b = right;
    if (!align(a, b)) return too_long();
    Decimal made{.exponent = a.exponent};
    if (a.negative == b.negative) {
        made.digits = sum(a.digits, b.digits);
        made.negative = a.negative;
    } else if (compare(a.digits, b.digits) >= 0) {
        made.digits = difference(a.digits, b.digits);
        made.negative = a.negative;
    } else {
        made.digits = difference(b.digits, a.digits);
        made.negative = b.negative;
    }
    if (made.digits.empty()) made.negative = false;
    return made;
}

Result<Decimal> subtract(Decimal const& left, Decimal const& right) {
    auto negated = right;
    negated.negative = !right.negative;
    return add(left, negated);
}

Result<Decimal> multiply(Decimal const& left, Decimal const& right) {
    if (left.digits.size() + right.digits.size() > kDigitsMax) return too_long();
    std::string out(left.digits.size() + right.digits.size(), '\0');
    for (std::size_t i = left.digits.size(); i-- > 0;) {
        int carry = 0;
        for (std::size_t j = right.digits.size(); j-- > 0;) {
            auto const cell = out[i + j + 1] + (left.digits[i] - '0') * (right.digits[j] - '0') + carry;
            out[i + j + 1] = static_cast<char>(cell % 10);
            carry = cell / 10;
        }
        out[i] = static_cast<char>(out[i] + carry);
    }
    for (auto& c : out) c = static_cast<char>(c + '0');
    normalize(out);
    Decimal made{.digits = std::move(out),
                 .exponent = left.exponent + right.exponent,
                 .negative = left.negative != right.negative};
    if (made.digits.empty()) made.negative = false;
    return made;
}

Result<Decimal> divide(Decimal const& left, Decimal const& right) {
    if (right.digits.empty()) return fail(Errc::invalid_input, "decimal division by 0");
    Decimal made{.exponent = -kDivisionPrecision, .negative = left.negative != right.negative};
    auto dividend = left.digits;
    auto divisor = right.digits;
    // left / right * 10^16 as a quotient of whole numbers
    auto const shift = left.exponent - right.exponent + kDivisionPrecision;
    if (static_cast<std::size_t>(std::llabs(shift)) + dividend.size() + divisor.size() > kDigitsMax) return too_long();
    (shift >= 0 ? dividend : divisor).append(static_cast<std::size_t>(std::llabs(shift)), '0');
    normalize(dividend);
    std::string rest;
    for (auto const c : dividend) {
        rest.push_back(c);
        normalize(rest);
        char digit = '0';
        for (; compare(rest, divisor) >= 0; ++digit) rest = difference(rest, divisor);
        made.digits.push_back(digit);
    }
    normalize(made.digits);
    if (compare(sum(rest, rest), divisor) >= 0) made.digits = sum(made.digits, "1");
    normalize(made.digits);
    if (made.digits.empty()) made.negative = false;
    return made;
}

}  // namespace holdfast::gotemplate
