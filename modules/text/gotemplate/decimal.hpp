// modules/text/gotemplate/decimal.hpp: exact decimal arithmetic for addf, subf, mulf, divf (shopspring/decimal).
#pragma once

#include "modules/base/error.hpp"

#include <cstdint>
#include <string>

namespace holdfast::gotemplate {

/// (-1)^negative * digits * 10^exponent; digits is a decimal number without leading zeros, "" is 0.
struct Decimal {
    std::string digits;
    std::int64_t exponent = 0;
    bool negative = false;

    /// The shortest decimal that reads back as `value`.  Errors  invalid_input: NaN and infinities
    static Result<Decimal> from(double value);
    double to_double() const;
};

/// Errors  limit: more than 4,000 digits
Result<Decimal> add(Decimal const& left, Decimal const& right);
Result<Decimal> subtract(Decimal const& left, Decimal const& right);
Result<Decimal> multiply(Decimal const& left, Decimal const& right);
/// 16 digits after the point, halves away from zero.  Errors  invalid_input "decimal division by 0"
Result<Decimal> divide(Decimal const& left, Decimal const& right);

}  // namespace holdfast::gotemplate
