// modules/yaml/go_text.cpp: strconv.Quote and %#v for what YAML can hold.
#include "modules/yaml/go_text.hpp"

#include "modules/yaml/go_number.hpp"
#include "modules/yaml/utf8.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <cstdio>
#include <map>

namespace holdfast::yaml {

namespace {
/// The common ones of !strconv.IsPrint behind ASCII.
bool is_unprintable(unsigned code) {
    return (code >= 0x80 && code <= 0xA0) || code == 0xAD || code == 0xFEFF || (code >= 0x2000 && code <= 0x200F) ||
           (code >= 0x2028 && code <= 0x202F) || code == 0x3000 || (code >= 0xE000 && code <= 0xF8FF);
}
}  // namespace

std::string go_quote(std::string_view text) {
    std::string out = "\"";
    char buffer[16];
    auto const escape = [&](char const* format, unsigned code) {
        std::snprintf(buffer, sizeof buffer, format, code);
        out += buffer;
    };
    for (std::size_t i = 0; i < text.size();) {
        auto const rune = decode_rune(text, i);
        auto const piece = text.substr(i, rune.bytes);
        i += rune.bytes;
        switch (rune.code) {
            case '"': out += "\\\""; continue;
            case '\\': out += "\\\\"; continue;
            case '\a': out += "\\a"; continue;
            case '\b': out += "\\b"; continue;
            case '\f': out += "\\f"; continue;
            case '\n': out += "\\n"; continue;
            case '\r': out += "\\r"; continue;
            case '\t': out += "\\t"; continue;
            case '\v': out += "\\v"; continue;
            default: break;
        }
        auto const code = static_cast<unsigned>(rune.code);
        if (code == 0xFFFD && rune.bytes == 1) escape("\\x%02x", static_cast<unsigned char>(piece[0]));
        else if (code < 0x20 || code == 0x7F) escape("\\x%02x", code);
        else if (is_unprintable(code)) escape("\\u%04x", code);
        else out += piece;
    }
    return out + "\"";
}

std::string go_syntax(boost::json::value const& value, bool any_keys) {
    switch (value.kind()) {
        case boost::json::kind::null: return "interface {}(nil)";
        case boost::json::kind::bool_: return value.get_bool() ? "true" : "false";
        case boost::json::kind::int64: return std::to_string(value.get_int64());
        case boost::json::kind::uint64: {
            char buffer[32];
            std::snprintf(buffer, sizeof buffer, "0x%llx", static_cast<unsigned long long>(value.get_uint64()));
            return buffer;
        }
        case boost::json::kind::double_: return format_float(value.get_double());
        case boost::json::kind::string: return go_quote(value.get_string());
        case boost::json::kind::array: {
            std::string out = "[]interface {}{";
            bool first = true;
            for (auto const& item : value.get_array()) {
                if (!std::exchange(first, false)) out += ", ";
                out += go_syntax(item, any_keys);
            }
            return out + "}";
        }
        case boost::json::kind::object: {
            std::map<std::string, boost::json::value const*> sorted;
            for (auto const& entry : value.get_object()) sorted[std::string{entry.key()}] = &entry.value();
            std::string out = any_keys ? "map[interface {}]interface {}{" : "map[string]interface {}{";
            bool first = true;
            for (auto const& [key, item] : sorted) {
                if (!std::exchange(first, false)) out += ", ";
                out += go_quote(key) + ":" + go_syntax(*item, any_keys);
            }
            return out + "}";
        }
    }
    return {};
}

std::string go_key(boost::json::value const& key) {
    switch (key.kind()) {
        case boost::json::kind::bool_: return key.get_bool() ? "true" : "false";
        case boost::json::kind::int64: return std::to_string(key.get_int64());
        case boost::json::kind::uint64: return std::to_string(key.get_uint64());
        case boost::json::kind::string: return std::string{key.get_string()};
        case boost::json::kind::double_: {
            auto const text = format_float(key.get_double(), 'g', -1, 32);
            return text == "NaN" ? ".nan" : text == "+Inf" ? ".inf" : text == "-Inf" ? "-.inf" : text;
        }
        default: return "null";
    }
}

}  // namespace holdfast::yaml
