// modules/yaml/reader.cpp: which bytes are YAML characters.
#include "modules/yaml/reader.hpp"

#include "modules/yaml/utf8.hpp"

#include <algorithm>
#include <cstdint>

namespace holdfast::yaml {

namespace {

constexpr std::size_t kChunkBytes = 512;  // go-yaml's input_raw_buffer_size

bool is_allowed(char32_t code) {
    return code == 0x09 || code == 0x0A || code == 0x0D || (code >= 0x20 && code <= 0x7E) || code == 0x85 ||
           (code >= 0xA0 && code <= 0xD7FF) || (code >= 0xE000 && code <= 0xFFFD) ||
           (code >= 0x10000 && code <= 0x10FFFF);
}

constexpr std::string_view kIncomplete = "incomplete UTF-8 octet sequence";
constexpr std::string_view kControl = "control characters are not allowed";

/// What is wrong with the character at `at`, or nothing and its length.
std::string_view check_character(std::string_view text, std::size_t at, std::uint32_t& width) {
    auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    auto const lead = byte(0);
    width = lead < 0x80 ? 1 : (lead & 0xE0) == 0xC0 ? 2 : (lead & 0xF0) == 0xE0 ? 3 : (lead & 0xF8) == 0xF0 ? 4 : 0;
    if (width == 0) return "invalid leading UTF-8 octet";
    if (at + width > text.size()) return kIncomplete;
    char32_t code = width == 1 ? lead : lead & (0x7Fu >> width);
    for (std::uint32_t k = 1; k < width; ++k) {
        if ((byte(k) & 0xC0) != 0x80) return "invalid trailing UTF-8 octet";
        code = code << 6 | (byte(k) & 0x3F);
    }
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (width > 1 && code < smallest[width]) return "invalid length of a UTF-8 sequence";
    if ((code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF) return "invalid Unicode character";
    return is_allowed(code) ? std::string_view{} : kControl;
}

/// Bytes at the start of `text` that are printable ASCII, tab or line break; whole blocks, so it may be too few.
std::size_t plain_prefix(std::string_view text) {
    constexpr std::size_t block = 64;
    std::size_t i = 0;
    for (; i + block <= text.size(); i += block) {
        unsigned bad = 0;
        for (std::size_t k = 0; k < block; ++k) {
            auto const c = static_cast<unsigned char>(text[i + k]);
            bad |= static_cast<unsigned>(c >= 0x7F) |
                   static_cast<unsigned>((c < 0x20) & (c != '\n') & (c != '\t') & (c != '\r'));
        }
        if (bad != 0) break;
    }
    return i;
}

std::string_view check_utf8(std::string_view text, std::size_t& at) {
    at = 0;
    while (at < text.size()) {
        at += plain_prefix(text.substr(at));
        auto const block_end = std::min(text.size(), at + 64);
        while (at < block_end) {
            std::uint32_t width = 0;
            auto const wrong = check_character(text, at, width);
            if (!wrong.empty()) return wrong;
            at += width;
        }
    }
    return {};
}

/// Where the chunk starts that holds `bad`: what was decoded before go-yaml met it.
std::size_t decoded_before(std::string_view bytes, std::size_t bad) {
    std::size_t start = 0;
    for (;;) {
        auto end = start + kChunkBytes;
        if (end > bad) return start;
        while (end > start && (bytes[end] & '\xC0') == '\x80') --end;
        start = end;
    }
}

struct Utf16 {
    std::string text;
    std::string_view error;
};

Utf16 decode_utf16(std::string_view bytes, bool little) {
    Utf16 out;
    std::size_t chunk_text = 0;
    std::size_t chunk_start = 0;
    auto const unit = [&](std::size_t at) {
        auto const low = static_cast<unsigned char>(bytes[little ? at : at + 1]);
        auto const high = static_cast<unsigned char>(bytes[little ? at + 1 : at]);
        return static_cast<char32_t>(high << 8 | low);
    };
    std::size_t at = 2;
    while (at < bytes.size()) {
        if (at - chunk_start >= kChunkBytes) {
            chunk_start = at;
            chunk_text = out.text.size();
        }
        std::size_t width = 2;
        char32_t code = at + 2 <= bytes.size() ? unit(at) : 0;
        if (at + 2 > bytes.size()) {
            out.error = "incomplete UTF-16 character";
        } else if ((code & 0xFC00) == 0xDC00) {
            out.error = "unexpected low surrogate area";
        } else if ((code & 0xFC00) == 0xD800) {
            width = 4;
            if (at + 4 > bytes.size()) {
                out.error = "incomplete UTF-16 surrogate pair";
            } else if ((unit(at + 2) & 0xFC00) != 0xDC00) {
                out.error = "expected low surrogate area";
            } else {
                code = 0x10000 + ((code & 0x3FF) << 10) + (unit(at + 2) & 0x3FF);
            }
        }
        if (out.error.empty() && !is_allowed(code)) out.error = kControl;
        if (!out.error.empty()) {
            out.text.resize(chunk_text);
            return out;
        }
        append_rune(out.text, code);
        at += width;
    }
    return out;
}

}  // namespace

ReadText read_text(Arena& arena, std::string bytes) {
    if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
        auto decoded = decode_utf16(bytes, bytes[0] == '\xFF');
        decoded.text.push_back('\0');
        auto text = arena.adopt(std::move(decoded.text));
        text.remove_suffix(1);
        return {text, decoded.error, text.size()};
    }
    std::size_t const mark = bytes.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    std::size_t bad = 0;
    auto const wrong = check_utf8(bytes, bad);
    // The start of a character at the very end is noticed only when more is wanted.
    if (wrong == kIncomplete) bytes.resize(bad);
    else if (!wrong.empty()) bytes.resize(std::max(mark, decoded_before(bytes, bad)));
    bytes.push_back('\0');
    auto text = arena.adopt(std::move(bytes));
    text.remove_prefix(mark);
    text.remove_suffix(1);
    return {text, wrong, wrong.empty() ? text.size() : bad - mark};
}

}  // namespace holdfast::yaml
