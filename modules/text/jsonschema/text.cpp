// modules/text/jsonschema/text.cpp: quoting, JSON pointers and URL references, as the library writes them.
#include "modules/text/jsonschema/schema.hpp"

#include "modules/text/gotemplate/strconv.hpp"

namespace holdfast::jsonschema {
namespace {

constexpr bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '~';
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

struct Url {
    std::string_view scheme, authority, path, query;
    bool has_authority = false, has_query = false;
};

Url take_apart(std::string_view text) {
    Url url;
    auto const colon = text.find(':');
    auto const stop = text.find_first_of("/?");
    if (colon != text.npos && colon > 0 && (stop == text.npos || colon < stop)) {
        url.scheme = text.substr(0, colon);
        text.remove_prefix(colon + 1);
    }
    if (auto const mark = text.find('?'); mark != text.npos) {
        url.has_query = true;
        url.query = text.substr(mark + 1);
        text = text.substr(0, mark);
    }
    if (text.starts_with("//")) {
        url.has_authority = true;
        auto const end = std::min(text.find('/', 2), text.size());
        url.authority = text.substr(2, end - 2);
        text.remove_prefix(end);
    }
    url.path = text;
    return url;
}

/// RFC 3986 5.2.4 on an absolute path.
std::string without_dots(std::string_view path) {
    std::vector<std::string_view> kept;
    bool slash_at_end = false;
    if (path.starts_with('/')) path.remove_prefix(1);
    for (;;) {
        auto const slash = path.find('/');
        auto const part = path.substr(0, slash);
        slash_at_end = part == "." || part == "..";
        if (part == "..") {
            if (!kept.empty()) kept.pop_back();
        } else if (part != ".") {
            kept.push_back(part);
        }
        if (slash == path.npos) break;
        path.remove_prefix(slash + 1);
    }
    std::string out;
    for (auto const part : kept) out += '/' + std::string{part};
    if (slash_at_end) out += '/';
    return out.empty() ? "/" : out;
}

}  // namespace

std::string go_quoted(std::string_view text) { return gotemplate::quote(text); }

std::string quoted(std::string_view text) {
    std::string const inner = gotemplate::quote(text);
    std::string out = "'";
    for (std::size_t i = 1; i + 1 < inner.size(); ++i) {
        if (inner[i] == '\\' && inner[i + 1] == '"' && i + 2 < inner.size()) continue;
        if (inner[i] == '\'') out += '\\';
        out += inner[i];
    }
    return out + '\'';
}

std::string escape_token(std::string_view token) {
    std::string out;
    for (char const c : token) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return out;
}

std::string encode_fragment(std::string_view text) {
    constexpr char kHex[] = "0123456789ABCDEF";
    std::string out;
    for (char const c : text) {
        if (is_unreserved(c) || std::string_view{"/$&+:=@"}.find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += '%';
            out += kHex[static_cast<unsigned char>(c) >> 4];
            out += kHex[c & 15];
        }
    }
    return out;
}

std::string percent_decode(std::string_view text, bool& good) {
    std::string out;
    good = true;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        int const high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        int const low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
        if (high < 0 || low < 0) {
            good = false;
            return {};
        }
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

std::pair<std::string, std::string> split_url(std::string_view url) {
    auto const hash = url.find('#');
    if (hash == url.npos) return {std::string{url}, {}};
    return {std::string{url.substr(0, hash)}, std::string{url.substr(hash + 1)}};
}

Result<std::string> join_url(std::string_view base, std::string_view reference) {
    for (char const c : reference) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            return fail(Errc::invalid_input, "error in parsing " + go_quoted(reference) + ": parse " +
                                                 go_quoted(reference) + ": net/url: invalid control character in URL");
    }
    if (reference.empty()) return std::string{base};
    auto const ref = take_apart(reference);
    if (!ref.scheme.empty()) return std::string{reference};
    auto const from = take_apart(base);
    std::string out;
    if (!from.scheme.empty()) out = std::string{from.scheme} + ':';
    bool const opaque = !from.has_authority && !from.path.starts_with('/');
    if (opaque && !ref.has_authority) return std::string{base};  // urn:...: the library keeps the opaque part
    auto const authority = ref.has_authority ? ref : from;
    if (authority.has_authority) out += "//" + std::string{authority.authority};
    auto query = ref;
    if (ref.has_authority) {
        out += ref.path;
    } else if (ref.path.empty()) {
        out += from.path;
        if (!ref.has_query) query = from;
    } else if (ref.path.starts_with('/')) {
        out += without_dots(ref.path);
    } else {
        auto const slash = from.path.rfind('/');
        auto const folder = slash == from.path.npos ? std::string{} : std::string{from.path.substr(0, slash)};
        out += without_dots(folder + '/' + std::string{ref.path});
    }
    if (query.has_query) out += '?' + std::string{query.query};
    return out;
}

std::string Pointer::string() const { return url + '#' + encode_fragment(ptr); }

Json const* look_up(Json const& document, std::string_view ptr) {
    Json const* at = &document;
    while (!ptr.empty()) {
        ptr.remove_prefix(1);
        auto const slash = std::min(ptr.find('/'), ptr.size());
        std::string token;
        for (std::size_t i = 0; i < slash; ++i) {
            if (ptr[i] != '~') {
                token += ptr[i];
                continue;
            }
            if (i + 1 >= slash || (ptr[i + 1] != '0' && ptr[i + 1] != '1')) return nullptr;
            token += ptr[++i] == '0' ? '~' : '/';
        }
        ptr.remove_prefix(slash);
        if (at->kind == Json::Kind::object) {
            at = at->find(token);
        } else if (at->kind == Json::Kind::array) {
            auto const index = gotemplate::parse_int(token, 10);
            bool const inside = index && *index >= 0 && static_cast<std::size_t>(*index) < at->items.size();
            at = inside ? &at->items[static_cast<std::size_t>(*index)] : nullptr;
        } else {
            at = nullptr;
        }
        if (at == nullptr) return nullptr;
    }
    return at;
}

}  // namespace holdfast::jsonschema
