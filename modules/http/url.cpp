// modules/http/url.cpp: absolute http and https URLs.
#include "modules/http/url.hpp"

#include <algorithm>
#include <charconv>

namespace holdfast::http {

static bool is_unreserved(unsigned char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

static std::string lower(std::string_view text) {
    std::string out{text};
    for (auto& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    return out;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string percent_encode(std::string_view text) {
    static constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (unsigned char const c : text) {
        if (is_unreserved(c)) {
            out += static_cast<char>(c);
        } else {
            out += {'%', kHex[c >> 4], kHex[c & 15]};
        }
    }
    return out;
}

std::string percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            int const high = hex_digit(text[i + 1]);
            int const low = hex_digit(text[i + 2]);
            if (high >= 0 && low >= 0) {
                out += static_cast<char>(high * 16 + low);
                i += 2;
                continue;
            }
        }
        out += text[i];
    }
    return out;
}

std::string query_string(std::vector<std::pair<std::string, std::string>> const& parameters) {
    std::string out;
    for (auto const& [name, value] : parameters) {
        if (!out.empty()) out += '&';
        out += percent_encode(name) + "=" + percent_encode(value);
    }
    return out;
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> out;
    while (!query.empty()) {
        auto const part = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), part.size() + 1));
        if (part.empty()) continue;
        auto const equals = part.find('=');
        auto decode = [](std::string_view text) {
            std::string plain{text};
            std::ranges::replace(plain, '+', ' ');
            return percent_decode(plain);
        };
        out.emplace_back(decode(part.substr(0, equals)),
                         equals == std::string_view::npos ? "" : decode(part.substr(equals + 1)));
    }
    return out;
}

std::string Url::authority() const {
    auto const shown = host.contains(':') ? "[" + host + "]" : host;
    return shown + ":" + std::to_string(port);
}

std::string Url::text() const {
    bool const usual = (scheme == "http" && port == 80) || (scheme == "https" && port == 443);
    auto const shown = host.contains(':') ? "[" + host + "]" : host;
    return scheme + "://" + (usual ? shown : authority()) + target;
}

static Result<void> parse_host_and_port(Url& url, std::string_view text) {
    std::string_view port;
    if (text.starts_with('[')) {
        auto const close = text.find(']');
        if (close == std::string_view::npos) return fail(Errc::invalid_input, "URL: no ] after the IPv6 address");
        url.host = lower(text.substr(1, close - 1));
        auto const rest = text.substr(close + 1);
        if (!rest.empty() && !rest.starts_with(':')) return fail(Errc::invalid_input, "URL: text after ]");
        port = rest.empty() ? rest : rest.substr(1);
    } else {
        auto const colon = text.find(':');
        url.host = lower(text.substr(0, colon));
        if (colon != std::string_view::npos) port = text.substr(colon + 1);
    }
    if (url.host.empty()) return fail(Errc::invalid_input, "URL has no host");
    url.port = url.scheme == "https" ? 443 : 80;
    if (port.empty()) return {};
    unsigned number = 0;
    auto const [end, ec] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (ec != std::errc{} || end != port.data() + port.size() || number == 0 || number > 65'535) {
        return fail(Errc::invalid_input, "URL: bad port");  // it may be a password with a slash in it
    }
    url.port = static_cast<std::uint16_t>(number);
    return {};
}

Result<Url> parse_url(std::string_view text) {
    if (std::ranges::any_of(text, [](unsigned char c) { return c <= ' ' || c == 127 || c == '\\'; })) {
        return fail(Errc::invalid_input, "URL holds a space, a control character or a backslash");
    }
    auto const scheme_end = text.find("://");
    if (scheme_end == std::string_view::npos) return fail(Errc::invalid_input, "URL has no scheme");
    Url url;
    url.scheme = lower(text.substr(0, scheme_end));
    if (url.scheme != "http" && url.scheme != "https") {
        return fail(Errc::invalid_input, "URL scheme " + url.scheme + " is neither http nor https");
    }
    text.remove_prefix(scheme_end + 3);
    text = text.substr(0, text.find('#'));
    auto const path = std::min(text.find_first_of("/?"), text.size());
    auto authority = text.substr(0, path);
    auto const target = text.substr(path);
    url.target = target.starts_with('/') ? std::string{target} : "/" + std::string{target};
    if (auto const at = authority.rfind('@'); at != std::string_view::npos) {
        auto const user = authority.substr(0, at);
        auto const colon = user.find(':');
        url.user = percent_decode(user.substr(0, colon));
        if (colon != std::string_view::npos) url.password = percent_decode(user.substr(colon + 1));
        authority.remove_prefix(at + 1);
    }
    auto parsed = parse_host_and_port(url, authority);
    if (!parsed) return fail(std::move(parsed));
    return url;
}

Result<Url> resolve_reference(Url const& base, std::string_view reference) {
    if (reference.starts_with("//")) return parse_url(base.scheme + ":" + std::string{reference});
    auto const scheme_end = reference.find("://");
    if (scheme_end != std::string_view::npos && reference.find_first_of("/?#") > scheme_end)
        return parse_url(reference);
    std::string path;
    if (reference.starts_with('/')) {
        path = reference;
    } else {
        auto const base_path = base.target.substr(0, base.target.find('?'));
        path = base_path.substr(0, base_path.rfind('/') + 1) + std::string{reference};
    }
    auto url = parse_url(base.scheme + "://" + base.authority() + path);
    if (!url) return fail(std::move(url), "redirect");
    return url;
}

}  // namespace holdfast::http
