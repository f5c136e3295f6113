// modules/yaml/chars.hpp: character classes of the scanner and the emitter.
// The text is checked UTF-8 and two zero bytes follow it: a test stops at the first, a look further sees the second.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace holdfast::yaml::chars {

enum Class : std::uint8_t {
    kBlank = 1,    // space, tab
    kBreak = 2,    // CR, LF
    kEnd = 4,      // the zero byte behind the text
    kHigh = 8,     // not ASCII: maybe a line break (NEL, LS, PS), and more than one byte a column
    kWord = 16,    // letter, digit, _, -
    kFlow = 32,    // , ? [ ] { }: ends a plain scalar in a flow collection
    kColon = 64,   // :
    kStart = 128,  // indicators that cannot start a plain scalar, "-?:" included
};

inline constexpr auto kTable = [] {
    std::array<std::uint8_t, 256> table{};
    for (int c = 0x80; c < 0x100; ++c) table[static_cast<std::size_t>(c)] = kHigh;
    auto const add = [&](std::string_view set, std::uint8_t bits) {
        for (char const c : set) table[static_cast<unsigned char>(c)] |= bits;
    };
    add(" \t", kBlank);
    add("\r\n", kBreak);
    add(std::string_view{"\0", 1}, kEnd);
    add("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-", kWord);
    add(",?[]{}", kFlow);
    add(":", kColon);
    add("-?:,[]{}#&*!|>'\"%@`", kStart);
    return table;
}();

inline std::uint8_t of(char c) { return kTable[static_cast<unsigned char>(c)]; }
inline bool is(char c, std::uint8_t bits) { return (of(c) & bits) != 0; }

inline bool is_blank(char c) { return c == ' ' || c == '\t'; }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_word(char c) { return is(c, kWord); }

/// Bytes of the NEL, LS or PS at `p`, or 0.
inline std::uint32_t high_break(char const* p) {
    if (p[0] == '\xC2') return p[1] == '\x85' ? 2 : 0;
    if (p[0] == '\xE2' && p[1] == '\x80') return p[2] == '\xA8' || p[2] == '\xA9' ? 3 : 0;
    return 0;
}

inline bool is_break(char const* p) { return is(*p, kBreak) || (is(*p, kHigh) && high_break(p) != 0); }
inline bool is_breakz(char const* p) { return is(*p, kBreak | kEnd) || (is(*p, kHigh) && high_break(p) != 0); }
inline bool is_blankz(char const* p) { return is(*p, kBlank | kBreak | kEnd) || (is(*p, kHigh) && high_break(p) != 0); }

inline int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace holdfast::yaml::chars
