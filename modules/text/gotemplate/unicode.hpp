// modules/text/gotemplate/unicode.hpp: Go's packages unicode and utf8: classes, case mapping, decoding.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::gotemplate {

inline constexpr char32_t kRuneError = 0xFFFD;

/// One decoded rune and its width; a bad byte gives kRuneError and width 1, as utf8.DecodeRune.
struct Rune {
    char32_t value;
    std::size_t width;
};
Rune decode_rune(std::string_view text);  // first; width 0 when empty
Rune decode_last_rune(std::string_view text);
void append_rune(std::string& out, char32_t rune);  // invalid ones become U+FFFD
std::size_t rune_count(std::string_view text);
std::u32string to_runes(std::string_view text);
std::string from_runes(std::u32string_view runes);
bool is_valid_utf8(std::string_view text);

bool is_letter(char32_t rune);
bool is_digit(char32_t rune);
bool is_space(char32_t rune);  // unicode.IsSpace
bool is_upper(char32_t rune);
bool is_lower(char32_t rune);
bool is_title(char32_t rune);  // unicode.IsTitle (the Lt category)
bool is_print(char32_t rune);  // strconv.IsPrint
char32_t to_upper(char32_t rune);
char32_t to_lower(char32_t rune);
char32_t to_title(char32_t rune);

std::string to_upper(std::string_view text);  // strings.ToUpper
std::string to_lower(std::string_view text);
std::string_view trim_space(std::string_view text);  // strings.TrimSpace

}  // namespace holdfast::gotemplate
