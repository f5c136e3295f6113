// modules/yaml/go_number.hpp: numbers written and read as Go's strconv does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::yaml {

/// strconv.FormatFloat(value, format, precision, bits): format is one of e E f g G, precision -1 is the
/// shortest text that reads back, bits 32 or 64; fmt's %v is 'g', -1, 64. "NaN", "+Inf", "-Inf" as Go.
std::string format_float(double value, char format = 'g', int precision = -1, int bits = 64);

/// encoding/json's text of a float64: 'f', or 'e' below 1e-6 and from 1e21; no value for NaN and infinities.
std::optional<std::string> format_float_json(double value, int bits = 64);

/// strconv.ParseInt / ParseUint with base 0, 2 to 36: signs, prefixes and underscores by Go's rules.
std::optional<std::int64_t> parse_int(std::string_view text, int base = 0);
std::optional<std::uint64_t> parse_uint(std::string_view text, int base = 0);

/// strconv.ParseFloat(text, 64): decimal, hexadecimal, inf and nan by Go's rules; no value on any error,
/// out of range included.
std::optional<double> parse_float(std::string_view text);

}  // namespace holdfast::yaml
