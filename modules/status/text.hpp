// modules/status/text.hpp: text from outside, made fit to be shown.
#pragma once

#include "modules/base/utf8.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::status {

/// The start and the end of `text`, in at most `bytes_max` bytes; never half a UTF-8 character. An error names its cause
/// at the end, so two thirds of what is kept are the end.
std::string shortened(std::string_view text, std::size_t bytes_max);

/// "main@sha1:67e2c98a": eight digits of a commit are enough for a person.
std::string short_revision(std::string_view revision);

/// How many columns a terminal needs for it: characters, not bytes.
std::size_t columns_of(std::string_view text);

/// "12s", "4m", "3h", "2d": the age of a fact.
std::string age_text(std::int64_t seconds);

}  // namespace holdfast::status
