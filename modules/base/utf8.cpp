// modules/base/utf8.cpp: finds the length of each well-formed character.
#include "modules/base/utf8.hpp"

#include <algorithm>

namespace holdfast {

namespace {

/// Bytes of the well-formed character at the start of `text`; 0 when there is none.
std::size_t length_of(std::string_view text) {
    auto const at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    auto const follows = [&](std::size_t i) { return (at(i) & 0xC0u) == 0x80u; };
    unsigned const first = at(0);
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        // Not the overlong forms below U+0800, not the surrogates.
        bool const legal = !(first == 0xE0 && at(1) < 0xA0) && !(first == 0xED && at(1) > 0x9F);
        return legal && follows(1) && follows(2) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        bool const legal = !(first == 0xF0 && at(1) < 0x90) && !(first == 0xF4 && at(1) > 0x8F);
        return legal && follows(1) && follows(2) && follows(3) ? 4 : 0;
    }
    return 0;
}

}  // namespace

std::string to_utf8(std::string_view text, std::size_t bytes_max) {
    constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
    constexpr std::string_view kMore = "...";
    std::string out;
    std::size_t cut = 0;  // where "..." still fits
    while (!text.empty()) {
        std::size_t const length = length_of(text);
        std::string_view const piece = length == 0 ? kReplacement : text.substr(0, length);
        if (out.size() + piece.size() > bytes_max) return out.substr(0, cut).append(kMore);
        out += piece;
        if (out.size() + kMore.size() <= bytes_max) cut = out.size();
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

std::size_t control_length(std::string_view text) {
    auto const first = static_cast<unsigned char>(text[0]);
    if (first < 0x20 || first == 0x7F) return 1;
    if (first < 0xC2 || first > 0xE2) return 0;
    std::size_t const length = length_of(text);
    if (length == 2) {
        bool const is_c1 = first == 0xC2 && (static_cast<unsigned char>(text[1]) & 0xE0u) == 0x80u;
        return is_c1 || text.starts_with("\u061C") ? 2 : 0;
    }
    if (length != 3 || first != 0xE2) return 0;
    std::string_view const one = text.substr(0, 3);
    bool const turns = one == "\u200E" || one == "\u200F" || (one >= "\u2028" && one <= "\u202E") ||
                       (one >= "\u2066" && one <= "\u2069");
    return turns ? 3 : 0;
}

std::string without_controls(std::string text, std::string_view but) {
    for (std::size_t i = 0; i < text.size();) {
        std::size_t const length = control_length(std::string_view{text}.substr(i));
        if (length > 0 && !but.contains(text[i])) text.replace(i, length, length, ' ');
        i += std::max<std::size_t>(length, 1);
    }
    return text;
}

}  // namespace holdfast
