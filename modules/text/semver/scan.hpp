// modules/text/semver/scan.hpp: the shared grammar v?a(.b)?(.c)?(-pre)?(+meta)?, private to this folder.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace holdfast::semver {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_identifier_byte(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}
constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; }

/// Orders two prerelease strings identifier by identifier.
int compare_prerelease(std::string_view left, std::string_view right);

struct Parts {
    std::string_view all;    // the whole match
    std::string_view major;  // without dots
    std::string_view minor;
    std::string_view patch;
    std::string_view prerelease;
    std::string_view metadata;
};

/// Walks over text from `at`; each step either matches and moves, or leaves `at` alone.
struct Scanner {
    enum class Digits { only, or_wildcard };  // constraints also take x, X, * and (by the original's slip) |

    std::string_view text;
    Digits digits;
    std::size_t at = 0;

    bool is_segment_byte(char c) const {
        return is_digit(c) || (digits == Digits::or_wildcard && (c == 'x' || c == 'X' || c == '*' || c == '|'));
    }

    bool take(char c) {
        if (at >= text.size() || text[at] != c) return false;
        ++at;
        return true;
    }

    std::size_t skip_blanks() {
        auto const start = at;
        while (at < text.size() && is_blank(text[at])) ++at;
        return at - start;
    }

    template <class Accept> std::string_view run(Accept accept) {
        auto const start = at;
        while (at < text.size() && accept(text[at])) ++at;
        return text.substr(start, at - start);
    }

    std::string_view dotted_segment() {
        auto const start = at;
        if (!take('.')) return {};
        auto const found = run([this](char c) { return is_segment_byte(c); });
        if (found.empty()) at = start;
        return found;
    }

    std::string_view identifiers(char lead) {
        auto const start = at;
        if (!take(lead)) return {};
        auto const body = at;
        if (run(is_identifier_byte).empty()) {
            at = start;
            return {};
        }
        for (;;) {
            auto const dot = at;
            if (!take('.')) break;
            if (run(is_identifier_byte).empty()) {
                at = dot;
                break;
            }
        }
        return text.substr(body, at - body);
    }

    std::optional<Parts> core() {
        auto const start = at;
        Parts parts;
        take('v');
        parts.major = run([this](char c) { return is_segment_byte(c); });
        if (parts.major.empty()) {
            at = start;
            return std::nullopt;
        }
        parts.minor = dotted_segment();
        if (!parts.minor.empty()) parts.patch = dotted_segment();
        parts.prerelease = identifiers('-');
        parts.metadata = identifiers('+');
        parts.all = text.substr(start, at - start);
        return parts;
    }
};

}  // namespace holdfast::semver
