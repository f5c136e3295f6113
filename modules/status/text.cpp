// modules/status/text.cpp: shortens, counts columns.
#include "modules/status/text.hpp"

#include <algorithm>

namespace holdfast::status {

namespace {

bool is_inside(std::string_view text, std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

}  // namespace

std::string shortened(std::string_view text, std::size_t bytes_max) {
    constexpr std::string_view kGap = "\u2026";
    if (text.size() <= bytes_max) return std::string{text};
    std::size_t const room = bytes_max > kGap.size() ? bytes_max - kGap.size() : 0;
    std::size_t head = room / 3;
    std::size_t tail = text.size() - (room - head);
    while (head > 0 && is_inside(text, head)) --head;
    while (is_inside(text, tail)) ++tail;
    return std::string{text.substr(0, head)}.append(kGap).append(text.substr(tail));
}

std::string short_revision(std::string_view revision) {
    auto const at = revision.find("sha1:");
    return std::string{at == std::string_view::npos ? revision : revision.substr(0, at + 5 + 8)};
}

std::size_t columns_of(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < text.size(); ++i) count += is_inside(text, i) ? 0 : 1;
    return count;
}

std::string age_text(std::int64_t seconds) {
    if (seconds < 0) seconds = 0;
    if (seconds < 120) return std::to_string(seconds) + "s";
    if (seconds < 2 * 3600) return std::to_string(seconds / 60) + "m";
    if (seconds < 2 * 86400) return std::to_string(seconds / 3600) + "h";
    return std::to_string(seconds / 86400) + "d";
}

}  // namespace holdfast::status
