// modules/status/text.hpp: text from outside, made fit to be shown.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::status {

/// At most `bytes_max` bytes of `text`, never half a UTF-8 character.
inline std::string_view cut(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return text;
    while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0) == 0x80) --bytes_max;
    return text.substr(0, bytes_max);
}

/// Control characters, which a terminal would obey, become spaces: ASCII's and the C1 set (U+0080 to U+009F).
inline std::string without_controls(std::string text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const c = static_cast<unsigned char>(text[i]);
        bool const is_c1 = c == 0xC2 && i + 1 < text.size() && (static_cast<unsigned char>(text[i + 1]) & 0xE0) == 0x80;
        if (c < 0x20 || c == 0x7F || is_c1) text[i] = ' ';
        if (is_c1) text[++i] = ' ';
    }
    return text;
}

}  // namespace holdfast::status
