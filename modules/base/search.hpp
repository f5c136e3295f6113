// modules/base/search.hpp: a text found within a text in linear time, whoever chose the two.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

namespace holdfast {

/// As text.find(wanted, from), which takes time by the product of both lengths.
/// Cost  O(text + wanted): the two-way search of glibc
inline std::size_t find_text(std::string_view text, std::string_view wanted, std::size_t from = 0) {
    if (from > text.size()) return std::string_view::npos;
    if (wanted.empty()) return from;
    if (wanted.size() > text.size() - from) return std::string_view::npos;  // a text that is nowhere among them
    void const* const found = ::memmem(text.data() + from, text.size() - from, wanted.data(), wanted.size());
    return found == nullptr ? std::string_view::npos
                            : static_cast<std::size_t>(static_cast<char const*>(found) - text.data());
}

}  // namespace holdfast
