// modules/base/utf8.hpp: text from outside, made fit for JSON and for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast {

/// `text` with each byte that is no part of well-formed UTF-8 (RFC 3629) replaced by U+FFFD, and cut to at most
/// `bytes_max` bytes with "..." at the end when it is longer. Never cuts a character.
std::string to_utf8(std::string_view text, std::size_t bytes_max);

/// Bytes of the character at the start of `text`, which is not empty, when it is one that a terminal or a reader would obey
/// rather than see; else 0. Those are ASCII's controls, DEL, the C1 set (U+0080 to U+009F), line and paragraph separators,
/// and what turns the direction of writing (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069).
std::size_t control_length(std::string_view text);

/// `text` with each such character replaced by spaces, but those in `but`. The length in bytes stays the same.
std::string without_controls(std::string text, std::string_view but = "");

/// What a text of several lines may hold: for conditions, Events and the command line.
inline constexpr std::string_view kLayout = "\n\t";

}  // namespace holdfast
