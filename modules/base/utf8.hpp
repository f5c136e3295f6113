// modules/base/utf8.hpp: text from outside, made fit for JSON.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast {

/// `text` with each byte that is no part of well-formed UTF-8 (RFC 3629) replaced by U+FFFD, and cut to at most
/// `bytes_max` bytes with "..." at the end when it is longer. Never cuts a character.
std::string to_utf8(std::string_view text, std::size_t bytes_max);

}  // namespace holdfast
