// modules/helm/toml_scalar.hpp: TOML's numbers, dates and escapes to Go values, as BurntSushi/toml's parser reads them.
#pragma once

#include "modules/base/error.hpp"
#include "modules/text/gotemplate/gotime.hpp"
#include "modules/text/gotemplate/value.hpp"

#include <string>
#include <string_view>

namespace holdfast::helm::toml {

/// int64, float64, time.Time of a word that the lexer took for one.
/// Errors  invalid_input, Go's text without the place
Result<gotemplate::Value> integer_of(std::string_view word);
Result<gotemplate::Value> float_of(std::string_view word);
Result<gotemplate::Value> datetime_of(std::string_view word);

std::string_view without_first_newline(std::string_view text);
/// A backslash at a line's end goes, and all blank space after it.
std::string without_escaped_newlines(std::string_view text);
/// Errors  invalid_input, Go's text without the place
Result<std::string> unescaped(std::string_view text);

/// The zones of times written without one; the encoder knows by them what to leave out again.
gotemplate::ZonePointer const& local_datetime();
gotemplate::ZonePointer const& local_date();
gotemplate::ZonePointer const& local_time();

}  // namespace holdfast::helm::toml
