// modules/text/gotemplate/words.cpp: ports of goutils and xstrings, their oddities kept.
#include "modules/text/gotemplate/words.hpp"

#include "modules/text/gotemplate/unicode.hpp"

#include <algorithm>
#include <cstdint>

namespace holdfast::gotemplate {

std::string title_case(std::string_view text) {
    std::string out;
    auto const separates = [](char32_t r) {
        if (r < 0x80) return !(is_letter(r) || is_digit(r) || r == '_');
        return !is_letter(r) && !is_digit(r) && is_space(r);
    };
    char32_t previous = ' ';
    while (!text.empty()) {
        auto const rune = decode_rune(text);
        append_rune(out, separates(previous) ? to_title(rune.value) : rune.value);
        previous = rune.value;
        text.remove_prefix(rune.width);
    }
    return out;
}

std::string uncapitalize(std::string_view text) {
    auto runes = to_runes(text);
    bool next = true;
    for (auto& rune : runes) {
        if (is_space(rune)) {
            next = true;
        } else if (next) {
            rune = to_lower(rune);
            next = false;
        }
    }
    return from_runes(runes);
}

std::string swap_case(std::string_view text) {
    auto runes = to_runes(text);
    bool blank = true;
    for (auto& rune : runes) {
        if (is_upper(rune) || is_title(rune)) {
            rune = to_lower(rune);
            blank = false;
        } else if (is_lower(rune)) {
            rune = blank ? to_title(rune) : to_upper(rune);
            blank = false;
        } else {
            blank = is_space(rune);
        }
    }
    return from_runes(runes);
}

// Both take bytes for runes, as goutils does.
std::string word_initials(std::string_view text) {
    std::string out;
    bool gap = true;
    for (auto const c : text) {
        auto const rune = static_cast<char32_t>(static_cast<unsigned char>(c));
        if (is_space(rune)) {
            gap = true;
        } else if (gap) {
            append_rune(out, rune);
            gap = false;
        }
    }
    return out;
}

std::string without_spaces(std::string_view text) {
    std::string out;
    std::size_t kept = 0;
    for (auto const c : text) {
        auto const rune = static_cast<char32_t>(static_cast<unsigned char>(c));
        if (is_space(rune)) continue;
        append_rune(out, rune);
        ++kept;
    }
    return kept == text.size() ? std::string{text} : out;
}

std::string abbreviate(std::string_view text, std::int64_t offset, std::int64_t width) {
    auto const size = static_cast<std::int64_t>(text.size());
    if (width < 4) return "";
    if (size <= width) return std::string{text};
    offset = std::min(offset, size);
    // Wraps, as in Go.
    auto const rest = static_cast<std::int64_t>(static_cast<std::uint64_t>(size) - static_cast<std::uint64_t>(offset));
    if (rest < width - 3) offset = size - (width - 3);
    auto const part = [&](std::int64_t from, std::int64_t count) {
        return std::string{text.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(count))};
    };
    if (offset <= 4) return part(0, width - 3) + "...";
    if (width < 7) return "";
    if (offset + width - 3 < size)
        return "..." + abbreviate(text.substr(static_cast<std::size_t>(offset)), 0, width - 3);
    return "..." + part(size - (width - 3), width - 3);
}

std::string wrap_text(std::string_view text, std::int64_t width_wanted, std::string_view newline,
                      bool wrap_long_words) {
    if (text.empty()) return "";
    if (newline.empty()) newline = "\n";
    auto const width = static_cast<std::size_t>(std::max<std::int64_t>(width_wanted, 1));
    std::string out;
    std::size_t offset = 0;
    while (text.size() - offset > width) {
        if (text[offset] == ' ') {
            ++offset;
            continue;
        }
        auto const space = text.substr(offset, width + 1).rfind(' ');
        if (space != std::string_view::npos) {
            out += text.substr(offset, space);
            out += newline;
            offset += space + 1;
        } else if (wrap_long_words) {
            out += text.substr(offset, width);
            out += newline;
            offset += width;
        } else {
            auto const next = text.find(' ', offset + width);
            if (next == std::string_view::npos) {
                out += text.substr(offset);
                offset = text.size();
            } else {
                out += text.substr(offset, next - offset);
                out += newline;
                offset = next + 1;
            }
        }
    }
    return out.append(text.substr(offset));
}

namespace {

bool is_connector(char32_t r) { return r == '-' || r == '_' || is_space(r); }
// unicode.IsPunct and IsNumber: ASCII exactly, above it nothing (identifiers in charts are ASCII).
bool is_punctuation(char32_t r) {
    return r < 0x80 &&
           std::string_view{"!\"#%&'()*,-./:;?@[\\]_{}"}.find(static_cast<char>(r)) != std::string_view::npos;
}
bool is_number(char32_t r) { return is_digit(r); }
// xstrings: a letter, by script, that has no case of its own counts as well.
bool is_alphabet(char32_t r) { return is_upper(r) || is_lower(r) || is_title(r); }

enum class Word { invalid, number, upper, alphabet, connector, punctuation, other };

struct Piece {
    Word type = Word::invalid;
    std::string_view text, rest;
};

Rune next_valid(std::string_view text, char32_t previous) {
    std::size_t width = 0;
    while (!text.empty()) {
        auto const rune = decode_rune(text);
        width += rune.width;
        if (rune.value != kRuneError) return {rune.value, width};
        text.remove_prefix(rune.width);
    }
    return {previous, width};
}

template <class Belongs>
std::size_t run_length(std::string_view text, std::size_t from, char32_t previous, Belongs belongs) {
    auto offset = from;
    while (offset < text.size()) {
        auto const rune = next_valid(text.substr(offset), previous);
        if (rune.width == 0 || !belongs(rune.value)) break;
        previous = rune.value;
        offset += rune.width;
    }
    return offset;
}

Piece next_word(std::string_view text) {
    if (text.empty()) return {};
    auto const first = next_valid(text, kRuneError);
    auto offset = first.width;
    auto const r = first.value;
    auto const piece = [&](Word type) { return Piece{type, text.substr(0, offset), text.substr(offset)}; };
    auto const lower = [](char32_t rune) { return is_alphabet(rune) && !is_upper(rune); };
    if (r == kRuneError) return piece(Word::invalid);
    if (is_connector(r)) {
        offset = run_length(text, offset, r, is_connector);
        return piece(Word::connector);
    }
    if (is_punctuation(r)) {
        offset = run_length(text, offset, r, is_punctuation);
        return piece(Word::punctuation);
    }
    if (is_upper(r)) {
        if (offset >= text.size()) return piece(Word::upper);
        auto const second = next_valid(text.substr(offset), r);
        if (is_upper(second.value)) {
            auto last_width = second.width;
            offset += second.width;
            char32_t ahead = second.value;
            while (offset < text.size()) {
                auto const rune = next_valid(text.substr(offset), ahead);
                ahead = rune.value;
                if (!is_upper(rune.value)) break;
                last_width = rune.width;
                offset += rune.width;
            }
            if (offset < text.size() && is_alphabet(ahead)) offset -= last_width;
        } else if (is_alphabet(second.value)) {
            offset = run_length(text, offset + second.width, second.value, lower);
        }
        return piece(Word::upper);
    }
    if (is_alphabet(r)) {
        offset = run_length(text, offset, r, lower);
        return piece(Word::alphabet);
    }
    if (is_number(r)) {
        offset = run_length(text, offset, r, is_number);
        return piece(Word::number);
    }
    offset = run_length(text, offset, r, [](char32_t rune) {
        return !(is_connector(rune) || is_alphabet(rune) || is_number(rune) || is_punctuation(rune));
    });
    return piece(Word::other);
}

void append_lower(std::string& out, Word type, std::string_view text, char32_t connector) {
    if (type != Word::upper && type != Word::connector) {
        out += text;
        return;
    }
    while (!text.empty()) {
        auto const rune = decode_rune(text);
        append_rune(out, is_connector(rune.value) ? connector : to_lower(rune.value));
        text.remove_prefix(rune.width);
    }
}

}  // namespace

std::string joined_case(std::string_view text, char32_t connector) {
    if (text.empty()) return "";
    std::string out;
    auto now = next_word(text);
    auto const splits = [](Word type) { return type != Word::connector && type != Word::punctuation; };
    auto const take_alphanumeric = [&] {
        while (now.type == Word::alphabet || now.type == Word::number) {
            append_lower(out, now.type, now.text, connector);
            now = next_word(now.rest);
        }
        if (now.type != Word::invalid && splits(now.type)) append_rune(out, connector);
    };
    while (!now.rest.empty()) {
        if (now.type != Word::connector) append_lower(out, now.type, now.text, connector);
        auto const before = now;
        now = next_word(now.rest);
        if (before.type == Word::number) {
            take_alphanumeric();
        } else if (before.type == Word::connector) {
            append_lower(out, before.type, before.text, connector);
        } else if (before.type != Word::punctuation) {
            if (now.type != Word::number) {
                if (splits(now.type)) append_rune(out, connector);
                continue;
            }
            if (now.rest.empty()) continue;
            auto const number = now.text;
            now = next_word(now.rest);
            if (now.type != Word::alphabet) {
                append_lower(out, Word::number, number, connector);
                if (splits(now.type)) append_rune(out, connector);
                continue;
            }
            append_rune(out, connector);
            append_lower(out, Word::number, number, connector);
            take_alphanumeric();
        }
    }
    append_lower(out, now.type, now.text, connector);
    return out;
}

std::string pascal_case(std::string_view text) {
    if (text.empty()) return "";
    std::string out;
    bool first_upper = false;
    char32_t r0 = 0;
    bool any = false;
    while (!text.empty()) {
        auto const rune = decode_rune(text);
        r0 = rune.value;
        any = true;
        text.remove_prefix(rune.width);
        if (!is_connector(r0)) {
            first_upper = is_upper(r0);
            r0 = to_upper(r0);
            break;
        }
        append_rune(out, r0);
    }
    if (text.empty()) {
        if (any) append_rune(out, r0);
        return out;
    }
    while (!text.empty()) {
        auto const r1 = r0;
        auto const rune = decode_rune(text);
        r0 = rune.value;
        text.remove_prefix(rune.width);
        if (is_connector(r0) && is_connector(r1)) {
            append_rune(out, r1);
            continue;
        }
        if (is_connector(r1)) {
            first_upper = is_upper(r0);
            r0 = to_upper(r0);
        } else {
            if (first_upper) {
                if (is_upper(r0)) r0 = to_lower(r0);
                else first_upper = false;
            }
            append_rune(out, r1);
        }
    }
    append_rune(out, r0);
    return out;
}

}  // namespace holdfast::gotemplate
