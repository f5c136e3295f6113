// modules/text/gotemplate/escape.cpp: byte for byte as Go's escapers.
#include "modules/text/gotemplate/escape.hpp"

#include "modules/text/gotemplate/unicode.hpp"

namespace holdfast::gotemplate {

namespace {

constexpr char kHex[] = "0123456789ABCDEF";

void append_js(std::string& out, unsigned char c) {
    switch (c) {
        case '\\': out += "\\\\"; return;
        case '\'': out += "\\'"; return;
        case '"': out += "\\\""; return;
        case '<':
        case '>':
        case '&':
        case '=': break;
        default:
            if (c >= ' ') {
                out.push_back(static_cast<char>(c));
                return;
            }
    }
    out += "\\u00";
    out.push_back(kHex[c >> 4]);
    out.push_back(kHex[c & 15]);
}

}  // namespace

std::string html_escape(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (auto const c : text) {
        switch (c) {
            case '\0': out += "\xEF\xBF\xBD"; break;
            case '"': out += "&#34;"; break;
            case '\'': out += "&#39;"; break;
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            default: out.push_back(c);
        }
    }
    return out;
}

std::string js_escape(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        auto const rune = decode_rune(text);
        if (rune.value < 0x80) {
            append_js(out, static_cast<unsigned char>(text.front()));
        } else if (is_print(rune.value)) {
            out += text.substr(0, rune.width);
        } else {
            std::string hex;
            for (auto rest = rune.value; rest != 0; rest >>= 4) hex.insert(hex.begin(), kHex[rest & 15]);
            while (hex.size() < 4) hex.insert(hex.begin(), '0');
            out += "\\u" + hex;
        }
        text.remove_prefix(rune.width);
    }
    return out;
}

std::string query_escape(std::string_view text) {
    std::string out;
    for (auto const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if ((byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z' && byte < 0x80) || c == '-' ||
            c == '_' || c == '.' || c == '~') {
            out.push_back(c);
        } else if (c == ' ') {
            out.push_back('+');
        } else {
            out.push_back('%');
            out.push_back(kHex[byte >> 4]);
            out.push_back(kHex[byte & 15]);
        }
    }
    return out;
}

}  // namespace holdfast::gotemplate
