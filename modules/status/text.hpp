// modules/status/text.hpp: text from outside, made fit to be shown.
#pragma once

#include "modules/base/utf8.hpp"

#include <string>
#include <string_view>

namespace holdfast::status {

/// At most `bytes_max` bytes of `text`, never half a UTF-8 character.
inline std::string_view cut(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return text;
    while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0) == 0x80) --bytes_max;
    return text.substr(0, bytes_max);
}

}  // namespace holdfast::status
