// modules/text/gotemplate/strconv.hpp: Go's strconv: quoting, numbers to text and back, with Go's error texts.
#pragma once

#include "modules/base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::gotemplate {

/// strconv.Quote, and %+q (ascii_only).
std::string quote(std::string_view text, bool ascii_only = false);
std::string quote_rune(char32_t rune, bool ascii_only = false);
/// strconv.Unquote of "..." and `...` and '...'. Errors: invalid_input "invalid syntax".
Result<std::string> unquote(std::string_view quoted);

/// strconv.FormatFloat(value, format, precision, bits); precision -1 is the shortest that reads back.
std::string format_float(double value, char format, int precision, int bits = 64);

/// strconv.ParseInt / ParseUint / ParseFloat / ParseBool. base 0 follows the prefix (0x, 0b, 0o, 0, _).
/// Errors  invalid_input, Go's text: strconv.ParseInt: parsing "x": invalid syntax
Result<std::int64_t> parse_int(std::string_view text, int base, int bits = 64);
Result<std::uint64_t> parse_uint(std::string_view text, int base, int bits = 64);
Result<double> parse_float(std::string_view text, int bits = 64);
Result<bool> parse_bool(std::string_view text);

}  // namespace holdfast::gotemplate
