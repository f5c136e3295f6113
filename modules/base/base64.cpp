// modules/base/base64.cpp: padded base64 and base32; a wrong byte is named by its position as in Go.
#include "modules/base/base64.hpp"

#include <array>
#include <cstdint>

namespace holdfast {

namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

constexpr std::uint8_t kNone = 0xFF;

/// The value of every byte, kNone for those that stand for nothing.
constexpr std::array<std::uint8_t, 256> values_of(std::string_view alphabet) {
    std::array<std::uint8_t, 256> values{};
    values.fill(kNone);
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    return values;
}
constexpr auto kBase64Values = values_of(kBase64);
constexpr auto kBase32Values = values_of(kBase32);

std::string encode(std::string_view bytes, std::string_view alphabet, unsigned bits, std::size_t group) {
    std::string out;
    out.reserve((bytes.size() * 8 / bits / group + 1) * group);
    std::uint32_t held = 0;
    unsigned count = 0;
    for (auto const c : bytes) {
        held = held << 8 | static_cast<unsigned char>(c);
        for (count += 8; count >= bits; count -= bits)
            out.push_back(alphabet[held >> (count - bits) & ((1u << bits) - 1)]);
    }
    if (count > 0) out.push_back(alphabet[held << (bits - count) & ((1u << bits) - 1)]);
    while (out.size() % group != 0) out.push_back('=');
    return out;
}

}  // namespace

std::string base64_encode(std::string_view bytes) { return encode(bytes, kBase64, 6, 4); }
std::string base32_encode(std::string_view bytes) { return encode(bytes, kBase32, 5, 8); }

Result<std::string> base64_decode(std::string_view text) {
    auto const bad = [](std::size_t at) {
        return fail(Errc::invalid_input, "illegal base64 data at input byte " + std::to_string(at));
    };
    auto const blank = [&](std::size_t i) { return i < text.size() && (text[i] == '\n' || text[i] == '\r'); };
    std::string out;
    out.reserve(text.size() / 4 * 3);
    std::size_t at = 0;
    for (;;) {
        std::uint32_t held = 0;
        int got = 0;
        while (got < 4) {
            while (blank(at)) ++at;
            if (at == text.size()) {
                if (got == 0) return out;
                return bad(at - static_cast<std::size_t>(got));
            }
            auto const c = text[at++];
            if (auto const value = kBase64Values[static_cast<unsigned char>(c)]; value != kNone) {
                held = held << 6 | value;
                ++got;
                continue;
            }
            if (c != '=' || got < 2) return bad(at - 1);
            if (got == 2) {
                while (blank(at)) ++at;
                if (at == text.size()) return bad(text.size());
                if (text[at] != '=') return bad(at - 1);
                ++at;
            }
            while (blank(at)) ++at;
            if (at < text.size()) return bad(at);
            out.push_back(static_cast<char>(got == 2 ? held >> 4 : held >> 10));
            if (got == 3) out.push_back(static_cast<char>(held >> 2));
            return out;
        }
        out.push_back(static_cast<char>(held >> 16));
        out.push_back(static_cast<char>(held >> 8));
        out.push_back(static_cast<char>(held));
    }
}

Result<std::string> base32_decode(std::string_view text) {
    std::string clean;
    for (auto const c : text)
        if (c != '\n' && c != '\r') clean.push_back(c);
    auto const bad = [](std::size_t at) {
        return fail(Errc::invalid_input, "illegal base32 data at input byte " + std::to_string(at));
    };
    std::string out;
    std::size_t at = 0;
    while (at < clean.size()) {
        std::uint64_t held = 0;
        std::size_t got = 0;
        bool ended = false;
        while (got < 8) {
            if (at == clean.size()) return bad(at - got);
            auto const c = clean[at++];
            if (c == '=' && got >= 2) {
                // What is left must be padding, and of a length that whole bytes leave.
                auto const wanted = 8 - got - 1;
                if (clean.size() - at < wanted) return bad(clean.size());
                for (std::size_t i = 0; i < wanted; ++i)
                    if (clean[at + i] != '=') return bad(at + i - 1);
                if (got == 3 || got == 6) return bad(at - 1);
                at += wanted;
                ended = true;
                break;
            }
            auto const value = kBase32Values[static_cast<unsigned char>(c)];
            if (value == kNone) return bad(at - 1);
            held = held << 5 | value;
            ++got;
        }
        held <<= 5 * (8 - got);
        auto const bytes = got * 5 / 8;
        for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>(held >> (32 - 8 * i)));
        if (ended && at < clean.size()) return bad(at);
    }
    return out;
}

}  // namespace holdfast
