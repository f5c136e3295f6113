// modules/helm/toml_text.cpp: dblQuotedReplacer and Key.maybeQuoted.
#include "modules/helm/toml_text.hpp"

#include <algorithm>

namespace holdfast::helm::toml {

namespace {

bool is_bare(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
    constexpr char kHex[] = "0123456789abcdef";
    out += '"';
    for (char const c : text) {
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\b': out += "\\b"; break;
            case '\t': out += "\\t"; break;
            case '\n': out += "\\n"; break;
            case '\f': out += "\\f"; break;
            case '\r': out += "\\r"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
                    out += "\\u00";
                    out += kHex[static_cast<unsigned char>(c) >> 4];
                    out += kHex[c & 15];
                } else {
                    out += c;
                }
        }
    }
    out += '"';
}

void append_key(std::string& out, std::string_view key) {
    if (!key.empty() && std::ranges::all_of(key, is_bare)) out += key;
    else append_quoted(out, key);
}

}  // namespace holdfast::helm::toml
