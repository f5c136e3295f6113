// modules/text/gotemplate/gourl.cpp: a port of net/url's parser and printer.
#include "modules/text/gotemplate/gourl.hpp"

#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/gotemplate/unicode.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace holdfast::gotemplate {

namespace {

enum class Part { path, user, host, zone, fragment };

bool is_hex(char c) { return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }
unsigned hex_value(char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10); }

bool needs_escape(unsigned char c, Part part) {
    if ((c >= '0' && c <= '9') || (c < 0x80 && (c | 0x20) >= 'a' && (c | 0x20) <= 'z')) return false;
    auto const in = [c](std::string_view set) {
        return c < 0x80 && set.find(static_cast<char>(c)) != std::string_view::npos;
    };
    if ((part == Part::host || part == Part::zone) && in("!$&'()*+,;=:[]<>\"")) return false;
    if (in("-_.~")) return false;
    if (in("$&+,/:;=?@")) {
        if (part == Part::path) return c == '?';
        if (part == Part::user) return in("@/?:");
        return part != Part::fragment;
    }
    return !(part == Part::fragment && in("!()*"));
}

std::string escape(std::string_view text, Part part) {
    constexpr char kHex[] = "0123456789ABCDEF";
    std::string out;
    for (auto const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (!needs_escape(byte, part)) {
            out.push_back(c);
            continue;
        }
        out.push_back('%');
        out.push_back(kHex[byte >> 4]);
        out.push_back(kHex[byte & 15]);
    }
    return out;
}

std::unexpected<Error> bad(std::string message) { return fail(Errc::invalid_input, std::move(message)); }

Result<std::string> unescape(std::string_view text, Part part) {
    std::string out;
    auto const refuse = [](std::string_view s) { return bad("invalid URL escape " + quote(s.substr(0, 3))); };
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const c = text[i];
        if (c != '%') {
            auto const byte = static_cast<unsigned char>(c);
            if ((part == Part::host || part == Part::zone) && byte < 0x80 && needs_escape(byte, part))
                return bad("invalid character " + quote(text.substr(i, 1)) + " in host name");
            out.push_back(c);
            continue;
        }
        auto const rest = text.substr(i);
        if (rest.size() < 3 || !is_hex(rest[1]) || !is_hex(rest[2])) return refuse(rest);
        auto const value = hex_value(rest[1]) << 4 | hex_value(rest[2]);
        auto const percent = rest.starts_with("%25");
        if (part == Part::host && hex_value(rest[1]) < 8 && !percent) return refuse(rest);
        if (part == Part::zone && !percent && value != ' ' &&
            needs_escape(static_cast<unsigned char>(value), Part::host))
            return refuse(rest);
        out.push_back(static_cast<char>(value));
        i += 2;
    }
    return out;
}

bool valid_encoded(std::string_view text, Part part) {
    return std::all_of(text.begin(), text.end(), [part](char c) {
        return std::string_view{"!$&'()*+,;=:@[]%"}.find(c) != std::string_view::npos ||
               !needs_escape(static_cast<unsigned char>(c), part);
    });
}

// The text as it was written, when it still stands for `plain`; escaped afresh otherwise.
std::string encoded(std::string_view raw, std::string const& plain, Part part) {
    if (!raw.empty() && valid_encoded(raw, part))
        if (auto const back = unescape(raw, part); back && *back == plain) return std::string{raw};
    return escape(plain, part);
}

bool valid_port(std::string_view port) {
    if (port.empty()) return true;
    return port[0] == ':' && std::all_of(port.begin() + 1, port.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Result<std::string> parse_literal_host(std::string_view host) {
    auto const close = host.rfind(']');
    if (close == std::string_view::npos) return bad("missing ']' in host");
    auto const port = host.substr(close + 1);
    if (!valid_port(port)) return bad("invalid port " + quote(port) + " after host");
    auto const name = host.substr(1, close - 1);
    auto const zone = name.find("%25");
    auto address = unescape(name.substr(0, zone), Part::host);
    if (!address) return address;
    in6_addr six{};
    in_addr four{};
    if (inet_pton(AF_INET, address->c_str(), &four) == 1) return bad("invalid IP-literal");
    if (inet_pton(AF_INET6, address->c_str(), &six) != 1)
        return bad("invalid host: ParseAddr(" + quote(*address) + "): unable to parse IP");
    if (zone != std::string_view::npos) {
        auto const zone_text = unescape(name.substr(zone), Part::zone);
        if (!zone_text) return zone_text;
        *address += *zone_text;
    }
    return "[" + *address + "]" + std::string{port};
}

Result<std::string> parse_host(std::string_view scheme, std::string_view host) {
    auto const open = host.rfind('[');
    if (open != std::string_view::npos && open > 0) return bad("invalid IP-literal");
    if (open == 0) return parse_literal_host(host);
    if (auto colon = host.find(':'); colon != std::string_view::npos) {
        if (scheme != "http" && scheme != "https") colon = host.rfind(':');
        auto const port = host.substr(colon);
        if (!valid_port(port)) return bad("invalid port " + quote(port) + " after host");
    }
    return unescape(host, Part::host);
}

bool valid_userinfo(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        auto const byte = static_cast<unsigned char>(c);
        if (byte >= 0x80) return false;
        return is_letter(byte) || is_digit(byte) ||
               std::string_view{"-._:~!$&'()*+,;=%@"}.find(c) != std::string_view::npos;
    });
}

Result<void> parse_authority(Url& url, std::string_view authority) {
    auto const at = authority.rfind('@');
    auto host = parse_host(url.scheme, at == std::string_view::npos ? authority : authority.substr(at + 1));
    if (!host) return fail(std::move(host));
    url.host = *host;
    if (at == std::string_view::npos) return {};
    auto const info = authority.substr(0, at);
    if (!valid_userinfo(info)) return bad("net/url: invalid userinfo");
    auto const colon = info.find(':');
    auto name = unescape(info.substr(0, colon), Part::user);
    if (!name) return fail(std::move(name));
    url.user = Url::User{.name = *name};
    if (colon == std::string_view::npos) return {};
    auto password = unescape(info.substr(colon + 1), Part::user);
    if (!password) return fail(std::move(password));
    url.user->password = *password;
    url.user->has_password = true;
    return {};
}

// "scheme:" in front; no scheme is no error.
Result<std::string_view> split_scheme(std::string_view text, std::string& scheme) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const c = text[i];
        if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z' && static_cast<unsigned char>(c) < 0x80) continue;
        if ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.') {
            if (i == 0) return text;
            continue;
        }
        if (c != ':') return text;
        if (i == 0) return bad("missing protocol scheme");
        scheme = to_lower(text.substr(0, i));
        return text.substr(i + 1);
    }
    return text;
}

Result<Url> parse_without_fragment(std::string_view text) {
    if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; }))
        return bad("net/url: invalid control character in URL");
    Url url;
    if (text == "*") {
        url.path = "*";
        return url;
    }
    auto const after = split_scheme(text, url.scheme);
    if (!after) return std::unexpected{after.error()};
    auto rest = *after;
    if (rest.ends_with('?') && std::count(rest.begin(), rest.end(), '?') == 1) {
        url.force_query = true;
        rest.remove_suffix(1);
    } else if (auto const mark = rest.find('?'); mark != std::string_view::npos) {
        url.query = rest.substr(mark + 1);
        rest = rest.substr(0, mark);
    }
    if (!rest.starts_with('/')) {
        if (!url.scheme.empty()) {
            url.opaque = rest;
            return url;
        }
        if (rest.substr(0, rest.find('/')).find(':') != std::string_view::npos)
            return bad("first path segment in URL cannot contain colon");
    }
    if ((!url.scheme.empty() || !rest.starts_with("///")) && rest.starts_with("//")) {
        auto authority = rest.substr(2);
        auto const slash = authority.find('/');
        rest = slash == std::string_view::npos ? std::string_view{} : authority.substr(slash);
        if (auto parsed = parse_authority(url, authority.substr(0, slash)); !parsed) return fail(std::move(parsed));
    } else if (!url.scheme.empty() && rest.starts_with('/')) {
        url.omit_host = true;
    }
    auto path = unescape(rest, Part::path);
    if (!path) return fail(std::move(path));
    url.path = *path;
    if (escape(url.path, Part::path) != rest) url.raw_path = rest;
    return url;
}

}  // namespace

std::string Url::User::text() const {
    auto out = escape(name, Part::user);
    if (has_password) out += ":" + escape(password, Part::user);
    return out;
}

std::string Url::hostname() const {
    std::string_view name = host;
    auto const colon = name.rfind(':');
    if (colon != std::string_view::npos && valid_port(name.substr(colon))) name = name.substr(0, colon);
    if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
    return std::string{name};
}

std::string Url::text() const {
    std::string out;
    if (!scheme.empty()) out += scheme + ":";
    if (!opaque.empty()) {
        out += opaque;
    } else {
        if ((!scheme.empty() || !host.empty() || user) && !(omit_host && host.empty() && !user)) {
            if (!host.empty() || !path.empty() || user) out += "//";
            if (user) out += user->text() + "@";
            out += escape(host, Part::host);
        }
        auto const escaped = path == "*" && raw_path.empty() ? path : encoded(raw_path, path, Part::path);
        if (!escaped.empty() && escaped[0] != '/' && !host.empty()) out.push_back('/');
        if (out.empty() && escaped.substr(0, escaped.find('/')).find(':') != std::string::npos) out += "./";
        out += escaped;
    }
    if (force_query || !query.empty()) out += "?" + query;
    if (!fragment.empty()) out += "#" + encoded(raw_fragment, fragment, Part::fragment);
    return out;
}

Result<Url> parse_url(std::string_view text) {
    auto const hash = text.find('#');
    auto const before = text.substr(0, hash);
    auto url = parse_without_fragment(before);
    if (!url) return fail(url.error().code, "parse " + quote(before) + ": " + url.error().message);
    if (hash == std::string_view::npos || hash + 1 == text.size()) return url;
    auto const raw = text.substr(hash + 1);
    auto const fragment = unescape(raw, Part::fragment);
    if (!fragment) return fail(fragment.error().code, "parse " + quote(text) + ": " + fragment.error().message);
    url->fragment = *fragment;
    if (escape(url->fragment, Part::fragment) != raw) url->raw_fragment = raw;
    return url;
}

}  // namespace holdfast::gotemplate
