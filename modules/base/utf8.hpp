// modules/base/utf8.hpp: text from outside, made fit for JSON and for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast {

/// `text` with each byte that is no part of well-formed UTF-8 (RFC 3629) replaced by U+FFFD, and cut to at most
/// `bytes_max` bytes with "..." at the end when it is longer. Never cuts a character.
std::string to_utf8(std::string_view text, std::size_t bytes_max);

/// `text` with each control character, which a terminal would obey, replaced by a space: ASCII's, DEL, and the C1 set
/// (U+0080 to U+009F, each two bytes). The length in bytes stays the same.
std::string without_controls(std::string text);

}  // namespace holdfast
