// modules/text/glob/syntax.hpp: the parsed pattern, private to this folder.
#pragma once

#include "modules/base/error.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::glob {

struct Node {
    enum class Kind { nothing, pattern, list, range, text, any, super, single, any_of };
    Kind kind = Kind::pattern;
    std::u32string text;  // of text and list
    char32_t low = 0;     // of range
    char32_t high = 0;
    bool negated = false;
    std::vector<Node> children;

    bool operator==(Node const&) const = default;
};

Result<Node> parse(std::string_view pattern);

/// Decodes one character; a broken byte is U+FFFD of width 1. {0, 0} at the end.
struct Rune {
    char32_t value = 0;
    std::size_t bytes = 0;
};
Rune rune_at(std::string_view text, std::size_t at);
std::string to_utf8(std::u32string_view text);
std::size_t rune_bytes(char32_t rune);

}  // namespace holdfast::glob
