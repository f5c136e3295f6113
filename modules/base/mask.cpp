// modules/base/mask.cpp: finds URLs by their "://" and looks at what may let somebody in.
#include "modules/base/mask.hpp"

#include <algorithm>
#include <array>

namespace holdfast {

namespace {

constexpr std::string_view kScheme = "://", kMask = "xxxxx";
constexpr std::string_view kEnd = " \t\r\n'\"<>`";  // of a URL in a text

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string lower(std::string_view text) {
    std::string out{text};
    for (auto& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    return out;
}

/// Behind the next "://", or behind the ":/" that is left of it where a path was cleaned. npos: there is none
std::size_t next_url(std::string_view text) {
    for (auto at = text.find(":/"); at != std::string_view::npos; at = text.find(":/", at + 1)) {
        if (text.substr(at).starts_with(kScheme)) return at + kScheme.size();
        auto const before = text.substr(0, at);
        if (before.ends_with("http") || before.ends_with("https") || before.ends_with("ssh")) return at + 2;
    }
    return std::string_view::npos;
}

/// "access_token", "sshkey", "X-Amz-Signature", "sig"
bool names_a_secret(std::string_view parameter) {
    static constexpr std::array<std::string_view, 7> kParts{"token",  "secret",    "passw",     "sshkey",
                                                            "apikey", "signature", "credential"};
    static constexpr std::array<std::string_view, 7> kWhole{"sig",  "key", "api_key", "access_key",
                                                            "auth", "pwd", "pass"};
    auto const name = lower(parameter);
    return std::ranges::any_of(kParts, [&](auto part) { return name.contains(part); }) ||
           std::ranges::find(kWhole, name) != kWhole.end();
}

/// Where the login in front of a host ends: at its '@'. npos: there is none
std::size_t end_of_login(std::string_view url, std::string_view line) {
    auto const authority = url.substr(0, url.find_first_of("/?#"));
    auto const at = authority.rfind('@');
    if (at != std::string_view::npos || authority.starts_with('[')) return at;
    // No port is made of letters: it is a password with a slash or a space in it, as nobody can write a URL.
    auto const colon = authority.find(':');
    bool const is_port = colon == std::string_view::npos || std::ranges::all_of(authority.substr(colon + 1), is_digit);
    if (is_port) return std::string_view::npos;
    auto const within = url.rfind('@');
    return within != std::string_view::npos ? within : line.find('@');
}

/// From "?" on.
void append_query(std::string& out, std::string_view query) {
    while (!query.empty()) {
        auto const next = std::min(query.find_first_of("&;#", 1), query.size());
        auto const part = query.substr(0, next);
        auto const equals = part.find('=');
        bool const hides = equals != std::string_view::npos && names_a_secret(part.substr(1, equals - 1));
        out += hides ? part.substr(0, equals + 1) : part;
        if (hides) out += kMask;
        query.remove_prefix(next);
    }
}

}  // namespace

std::string mask_logins(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        auto const begin = next_url(text);
        if (begin == std::string_view::npos) break;
        bool const is_ssh = text.substr(0, text.rfind(':', begin)).ends_with("ssh");
        out += text.substr(0, begin);
        text.remove_prefix(begin);
        auto line = text.substr(0, text.find_first_of("\r\n"));
        if (auto const next = next_url(line); next != std::string_view::npos) line = line.substr(0, next);
        auto const at = end_of_login(text.substr(0, text.find_first_of(kEnd)), line);
        if (at != std::string_view::npos) {
            bool const is_user_of_ssh = is_ssh && !text.substr(0, at).contains(':');
            out += is_user_of_ssh ? text.substr(0, at) : kMask;
            text.remove_prefix(at);
        }
        auto const url = text.substr(0, text.find_first_of(kEnd));
        auto const query = std::min(url.find('?'), url.size());
        out += url.substr(0, query);
        append_query(out, url.substr(query));
        text.remove_prefix(url.size());
    }
    out += text;
    return out;
}

std::string mask_url(std::string_view url) {
    auto const at = url.rfind('@');
    bool const has_login = !url.contains(kScheme) && at != std::string_view::npos && url.substr(0, at).contains(':');
    return has_login ? std::string{kMask}.append(url.substr(at)) : mask_logins(url);
}

}  // namespace holdfast
