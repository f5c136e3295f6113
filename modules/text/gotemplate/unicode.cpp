// modules/text/gotemplate/unicode.cpp: tables of Go's package unicode and the code that reads them.
#include "modules/text/gotemplate/unicode.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace holdfast::gotemplate {

namespace {

struct Range {
    std::uint32_t first, last;
};
struct CaseRun {
    std::uint32_t first, last, stride;
    std::int32_t delta;
};

#include "modules/text/gotemplate/unicode_tables.inc"

template <class Table> auto const* covering(Table const& table, char32_t rune) {
    auto const* found = std::upper_bound(std::begin(table), std::end(table), rune,
                                         [](char32_t r, auto const& range) { return r < range.first; });
    if (found == std::begin(table)) return static_cast<decltype(found)>(nullptr);
    --found;
    return rune <= found->last ? found : nullptr;
}

template <std::size_t N> char32_t mapped(CaseRun const (&runs)[N], char32_t rune) {
    auto const* run = covering(runs, rune);
    if (run == nullptr || (rune - run->first) % run->stride != 0) return rune;
    return static_cast<char32_t>(static_cast<std::int32_t>(rune) + run->delta);
}

}  // namespace

Rune decode_rune(std::string_view text) {
    if (text.empty()) return {kRuneError, 0};
    auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    auto const first = byte(0);
    if (first < 0x80) return {first, 1};
    auto const more = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
    if (first >= 0xC2 && first <= 0xDF && more(1))
        return {static_cast<char32_t>((first & 0x1F) << 6 | (byte(1) & 0x3F)), 2};
    if ((first & 0xF0) == 0xE0 && more(1) && more(2)) {
        auto const rune = static_cast<char32_t>((first & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F));
        if (rune >= 0x800 && (rune < 0xD800 || rune > 0xDFFF)) return {rune, 3};
    }
    if ((first & 0xF8) == 0xF0 && more(1) && more(2) && more(3)) {
        auto const rune = static_cast<char32_t>((first & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 |
                                                (byte(3) & 0x3F));
        if (rune >= 0x10000 && rune <= 0x10FFFF) return {rune, 4};
    }
    return {kRuneError, 1};
}

Rune decode_last_rune(std::string_view text) {
    if (text.empty()) return {kRuneError, 0};
    auto start = text.size() - 1;
    auto const limit = text.size() > 4 ? text.size() - 4 : 0;
    while (start > limit && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
    auto const rune = decode_rune(text.substr(start));
    if (start + rune.width == text.size()) return rune;
    return {kRuneError, 1};
}

void append_rune(std::string& out, char32_t rune) {
    if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF)) rune = kRuneError;
    auto const put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (rune < 0x80) {
        put(rune);
    } else if (rune < 0x800) {
        put(0xC0 | rune >> 6), put(0x80 | (rune & 0x3F));
    } else if (rune < 0x10000) {
        put(0xE0 | rune >> 12), put(0x80 | (rune >> 6 & 0x3F)), put(0x80 | (rune & 0x3F));
    } else {
        put(0xF0 | rune >> 18), put(0x80 | (rune >> 12 & 0x3F)), put(0x80 | (rune >> 6 & 0x3F)),
            put(0x80 | (rune & 0x3F));
    }
}

std::size_t rune_count(std::string_view text) {
    std::size_t count = 0;
    for (; !text.empty(); ++count) text.remove_prefix(decode_rune(text).width);
    return count;
}

std::u32string to_runes(std::string_view text) {
    std::u32string runes;
    while (!text.empty()) {
        auto const rune = decode_rune(text);
        runes.push_back(rune.value);
        text.remove_prefix(rune.width);
    }
    return runes;
}

std::string from_runes(std::u32string_view runes) {
    std::string text;
    for (auto const rune : runes) append_rune(text, rune);
    return text;
}

bool is_valid_utf8(std::string_view text) {
    while (!text.empty()) {
        auto const rune = decode_rune(text);
        if (rune.value == kRuneError && rune.width == 1) return false;
        text.remove_prefix(rune.width);
    }
    return true;
}

bool is_letter(char32_t r) {
    if (r < 0x80) return (r | 0x20) >= 'a' && (r | 0x20) <= 'z';
    return covering(kLetter, r) != nullptr;
}
bool is_digit(char32_t r) {
    if (r < 0x80) return r >= '0' && r <= '9';
    return covering(kDigit, r) != nullptr;
}
bool is_space(char32_t r) {
    return (r >= '\t' && r <= '\r') || r == ' ' || r == 0x85 || r == 0xA0 || r == 0x1680 ||
           (r >= 0x2000 && r <= 0x200a) || r == 0x2028 || r == 0x2029 || r == 0x202f || r == 0x205f || r == 0x3000;
}
bool is_upper(char32_t r) {
    if (r < 0x80) return r >= 'A' && r <= 'Z';
    return covering(kUpper, r) != nullptr;
}
bool is_lower(char32_t r) {
    if (r < 0x80) return r >= 'a' && r <= 'z';
    return covering(kLower, r) != nullptr;
}
bool is_title(char32_t r) {
    return r == 0x01C5 || r == 0x01C8 || r == 0x01CB || r == 0x01F2 || (r >= 0x1F88 && r <= 0x1F8F) ||
           (r >= 0x1F98 && r <= 0x1F9F) || (r >= 0x1FA8 && r <= 0x1FAF) || r == 0x1FBC || r == 0x1FCC || r == 0x1FFC;
}
bool is_print(char32_t r) {
    if (r < 0x80) return r >= 0x20 && r < 0x7F;
    return covering(kPrint, r) != nullptr;
}
char32_t to_upper(char32_t r) {
    if (r < 0x80) return r >= 'a' && r <= 'z' ? r - 32 : r;
    return mapped(kToUpper, r);
}
char32_t to_lower(char32_t r) {
    if (r < 0x80) return r >= 'A' && r <= 'Z' ? r + 32 : r;
    return mapped(kToLower, r);
}
char32_t to_title(char32_t r) {
    if (r < 0x80) return r >= 'a' && r <= 'z' ? r - 32 : r;
    return mapped(kToTitle, r);
}

std::string to_upper(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        auto const rune = decode_rune(text);
        append_rune(out, to_upper(rune.value));
        text.remove_prefix(rune.width);
    }
    return out;
}

std::string to_lower(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        auto const rune = decode_rune(text);
        append_rune(out, to_lower(rune.value));
        text.remove_prefix(rune.width);
    }
    return out;
}

std::string_view trim_space(std::string_view text) {
    while (!text.empty()) {
        auto const rune = decode_rune(text);
        if (!is_space(rune.value)) break;
        text.remove_prefix(rune.width);
    }
    while (!text.empty()) {
        auto const rune = decode_last_rune(text);
        if (!is_space(rune.value)) break;
        text.remove_suffix(rune.width);
    }
    return text;
}

}  // namespace holdfast::gotemplate
