// modules/helm/toml_write.cpp: values to TOML, byte for byte as BurntSushi/toml v1.6 encodes Go maps.
#include "modules/helm/functions.hpp"

#include "modules/text/gotemplate/strconv.hpp"

#include <algorithm>
#include <cmath>

namespace holdfast::helm {

using gotemplate::Kind;
using gotemplate::Value;

namespace {

constexpr std::size_t kDepthMax = 1'000;

bool is_bare(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

std::string quoted(std::string_view text) {
    constexpr char kHex[] = "0123456789abcdef";
    std::string out = "\"";
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
                    out += std::string{"\\u00"} + kHex[static_cast<unsigned char>(c) >> 4] + kHex[c & 15];
                } else {
                    out += c;
                }
        }
    }
    return out + '"';
}

std::string key_text(std::string_view key) {
    return !key.empty() && std::ranges::all_of(key, is_bare) ? std::string{key} : quoted(key);
}

bool is_missing(Value const& value) { return value.is_nil(); }

class Writer {
public:
    Result<std::string> run(Value const& value) {
        encode({}, value);
        if (!error_.empty()) return fail(Errc::invalid_input, error_);
        return std::move(out_);
    }

private:
    using Key = std::vector<std::string_view>;

    void wrong(std::string text) {
        if (error_.empty()) error_ = std::move(text);
    }

    void write(std::string_view text) { out_ += text; }
    void newline() {
        if (!out_.empty()) out_ += '\n';
    }
    static std::string indent(Key const& key) { return std::string(2 * (key.size() - 1), ' '); }
    static std::string joined(Key const& key) {
        std::string text;
        for (auto const part : key) text += (text.empty() ? "" : ".") + key_text(part);
        return text;
    }

    /// A list all of whose elements are tables; a null in any list is an error.
    bool is_table_list(Value const& list) {
        if (list.is_bytes() || list.size() == 0) return false;
        bool all = true;
        for (auto const& item : list.items()) {
            if (is_missing(item)) {
                wrong("toml: cannot encode array with nil element");
                return false;
            }
            if (item.is_list()) is_table_list(item.unboxed());
            all = all && is_table(item);
        }
        return all;
    }

    static bool is_table(Value const& value) {
        return !is_missing(value) &&
               (value.is_map() ||
                ((value.kind() == Kind::structure || value.kind() == Kind::pointer) && !value.as_object()->text()));
    }

    void encode(Key const& key, Value const& value) {
        if (!error_.empty() || is_missing(value)) return;
        if (key.size() > kDepthMax) return wrong("toml: nested too deep");
        if (is_table(value)) return table(key, value);
        if (value.is_list() && is_table_list(value)) return tables(key, value);
        key_value(key, value, false);
    }

    void tables(Key const& key, Value const& list) {
        if (key.empty()) return wrong("toml: top-level values must be Go maps or structs");
        for (auto const& item : list.items()) {
            newline();
            write(indent(key) + "[[" + joined(key) + "]]");
            newline();
            members(key, item, false);
        }
    }

    void table(Key const& key, Value const& value) {
        if (key.size() == 1) newline();
        if (!key.empty()) {
            write(indent(key) + '[' + joined(key) + ']');
            newline();
        }
        members(key, value, false);
    }

    void members(Key const& key, Value const& value, bool inline_form) {
        std::vector<std::pair<std::string_view, Value>> direct, nested;
        auto const sort_in = [&](std::string_view name, Value const& item) {
            bool const sub = is_table(item) || (item.is_list() && !is_missing(item) && is_table_list(item));
            (sub ? nested : direct).emplace_back(name, item);
        };
        if (value.is_map()) {
            for (auto const& [name, item] : value.entries()) sort_in(name.as_string(), item);
        } else {
            for (auto const& [name, item] : value.as_object()->fields()) sort_in(name, item);
        }
        if (inline_form) write("{");
        write_members(key, direct, inline_form, !nested.empty());
        write_members(key, nested, inline_form, false);
        if (inline_form) write("}");
    }

    void write_members(Key const& key, std::vector<std::pair<std::string_view, Value>> const& list, bool inline_form,
                       bool more) {
        for (std::size_t i = 0; i < list.size() && error_.empty(); ++i) {
            auto const& [name, item] = list[i];
            if (is_missing(item)) continue;
            if (!inline_form) {
                Key sub = key;
                sub.push_back(name);
                encode(sub, item);
                continue;
            }
            key_value({name}, item, true);
            if (more || i + 1 != list.size()) write(", ");
        }
    }

    void key_value(Key const& key, Value const& value, bool inline_form) {
        if (key.empty()) return element(value, 0);
        write(indent(key) + key_text(key.back()) + " = ");
        element(value, key.size());
        if (!inline_form) newline();
    }

    void element(Value const& value, std::size_t depth) {
        if (depth > kDepthMax) return wrong("toml: nested too deep");
        switch (value.kind()) {
            case Kind::string: return write(quoted(value.as_string()));
            case Kind::boolean: return write(value.as_bool() ? "true" : "false");
            case Kind::integer: return write(std::to_string(value.as_int()));
            case Kind::unsigned_integer: return write(std::to_string(value.as_uint()));
            case Kind::floating: return number(value.as_float());
            case Kind::slice: {
                write("[");
                for (std::size_t i = 0; i < value.size() && error_.empty(); ++i) {
                    element(value.at(i), depth + 1);
                    if (i + 1 != value.size()) write(", ");
                }
                return write("]");
            }
            case Kind::map: return members({}, value, true);
            case Kind::structure:
            case Kind::pointer:
                if (auto const text = value.as_object()->text()) return write(quoted(*text));
                return members({}, value, true);
            default: return wrong("unexpected type: " + std::string{value.is_valid() ? "nil" : "invalid"});
        }
    }

    void number(double value) {
        if (std::isnan(value)) return write("nan");
        if (std::isinf(value)) return write(value < 0 ? "-inf" : "inf");
        auto text = gotemplate::format_float(value, 'g', -1);
        if (text.find_first_of("e.") == text.npos) text += ".0";
        write(text);
    }

    std::string out_;
    std::string error_;
};

}  // namespace

Result<std::string> to_toml(Value const& value) { return Writer{}.run(value); }

}  // namespace holdfast::helm
