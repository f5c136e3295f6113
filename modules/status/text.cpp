// modules/status/text.cpp: hides logins, shortens, counts columns.
#include "modules/status/text.hpp"

#include <algorithm>

namespace holdfast::status {

namespace {

constexpr std::string_view kHidden = "***";
constexpr std::string_view kScheme = "://";

bool is_inside(std::string_view text, std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

}  // namespace

std::string without_logins(std::string_view text) {
    std::string out;
    for (;;) {
        auto const scheme = text.find(kScheme);
        if (scheme == std::string_view::npos) return out.append(text);
        auto const start = scheme + kScheme.size();
        auto const rest = text.substr(start);
        auto const authority = rest.substr(0, std::min(rest.find_first_of("/?# \t\r\n"), rest.size()));
        auto const at = authority.rfind('@');
        out += text.substr(0, start);
        text.remove_prefix(start);
        if (at == std::string_view::npos) continue;
        out += kHidden;
        text.remove_prefix(at);
    }
}

std::string url_text(std::string_view url) {
    auto const scheme = url.find(kScheme);
    auto const start = scheme == std::string_view::npos ? 0 : scheme + kScheme.size();
    auto const rest = url.substr(start);
    auto const authority = rest.substr(0, std::min(rest.find_first_of("/?#"), rest.size()));
    auto const colon = authority.rfind(':');
    auto const at = authority.rfind('@');
    // "http://user:pa/ss@host": no port is made of letters, so the slash stands in a password.
    bool const is_port = colon == std::string_view::npos || authority.ends_with(']') ||
                         std::ranges::all_of(authority.substr(colon + 1), [](char c) { return c >= '0' && c <= '9'; });
    auto const last = at != std::string_view::npos ? at : is_port ? std::string_view::npos : rest.rfind('@');
    if (last == std::string_view::npos) return std::string{url};
    // "git@host:path" is how ssh is spelled without a scheme; its user is no secret.
    bool const is_bare_user = start == 0 && rest.substr(0, last).find(':') == std::string_view::npos;
    if (is_bare_user) return std::string{url};
    return std::string{url.substr(0, start)}.append(kHidden).append(rest.substr(last));
}

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
