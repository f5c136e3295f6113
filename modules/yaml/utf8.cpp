// modules/yaml/utf8.cpp: UTF-8 and base64, by Go's rules.
#include "modules/yaml/utf8.hpp"

#include "modules/base/base64.hpp"

#include <cstring>

namespace holdfast::yaml {

Rune decode_rune(std::string_view text, std::size_t at) {
    constexpr Rune bad{0xFFFD, 1};
    auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    auto const left = text.size() - at;
    auto const lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    auto const more = [&](std::size_t i) { return i < left && (byte(i) & 0xC0) == 0x80; };
    if (lead >= 0xC2 && lead <= 0xDF && more(1)) return {char32_t(lead & 0x1F) << 6 | (byte(1) & 0x3F), 2};
    if ((lead & 0xF0) == 0xE0 && more(1) && more(2)) {
        char32_t const code = char32_t(lead & 0x0F) << 12 | char32_t(byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
        if (code < 0x800 || (code >= 0xD800 && code <= 0xDFFF)) return bad;
        return {code, 3};
    }
    if (lead >= 0xF0 && lead <= 0xF4 && more(1) && more(2) && more(3)) {
        char32_t const code = char32_t(lead & 0x07) << 18 | char32_t(byte(1) & 0x3F) << 12 |
                              char32_t(byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
        if (code < 0x10000 || code > 0x10FFFF) return bad;
        return {code, 4};
    }
    return bad;
}

bool is_utf8(std::string_view text) {
    std::size_t i = 0;
    while (i < text.size()) {
        std::uint64_t eight = 0;
        while (i + 8 <= text.size()) {
            std::memcpy(&eight, text.data() + i, 8);
            if ((eight & 0x8080808080808080u) != 0) break;
            i += 8;
        }
        if (i == text.size()) break;
        auto const rune = decode_rune(text, i);
        if (rune.code == 0xFFFD && rune.bytes == 1) return false;
        i += rune.bytes;
    }
    return true;
}

void append_rune(std::string& out, char32_t code) {
    auto const put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 + (code >> 6));
        put(0x80 + (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 + (code >> 12));
        put(0x80 + (code >> 6 & 0x3F));
        put(0x80 + (code & 0x3F));
    } else {
        put(0xF0 + (code >> 18));
        put(0x80 + (code >> 12 & 0x3F));
        put(0x80 + (code >> 6 & 0x3F));
        put(0x80 + (code & 0x3F));
    }
}

std::string encode_base64(std::string_view bytes) {
    auto one = base64_encode(bytes);
    constexpr std::size_t line_bytes = 70;
    if (one.size() < line_bytes) return one;
    std::string out;
    for (std::size_t i = 0; i < one.size(); i += line_bytes) {
        out.append(one, i, line_bytes);
        out.push_back('\n');
    }
    return out;
}

}  // namespace holdfast::yaml
