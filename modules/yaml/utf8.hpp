// modules/yaml/utf8.hpp: the few questions about bytes that reader and writer share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::yaml {

/// utf8.ValidString
bool is_utf8(std::string_view text);

/// One character at `at`: its code and its bytes; {0xFFFD, 1} for a bad byte, as utf8.DecodeRune.
struct Rune {
    char32_t code;
    std::uint32_t bytes;
};
Rune decode_rune(std::string_view text, std::size_t at);
void append_rune(std::string& out, char32_t code);

/// encodeBase64 of go-yaml: lines of 70 when the text is longer than one.
std::string encode_base64(std::string_view bytes);

/// Bytes of the character that starts with `lead`; 1 for anything odd.
constexpr std::uint32_t width_of(unsigned char lead) {
    if (lead < 0x80) return 1;
    if ((lead & 0xE0) == 0xC0) return 2;
    if ((lead & 0xF0) == 0xE0) return 3;
    if ((lead & 0xF8) == 0xF0) return 4;
    return 1;
}

}  // namespace holdfast::yaml
