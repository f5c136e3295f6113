// modules/yaml/json.cpp: sigs.k8s.io/yaml's reading, encoding/json's writing, and nodes made of values.
#include "modules/yaml/json.hpp"

#include "modules/yaml/chars.hpp"
#include "modules/yaml/go_number.hpp"
#include "modules/yaml/json_text.hpp"
#include "modules/yaml/resolve.hpp"
#include "modules/yaml/utf8.hpp"

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <vector>

namespace holdfast::yaml {

namespace json = boost::json;

namespace {

constexpr std::size_t kValueDepthMax = limits::kYamlDepthMax * 4;  // of values that were not read but put together

class JsonWriter {
public:
    explicit JsonWriter(bool escape_html) : escape_html_{escape_html} {}

    Result<std::string> run(json::value const& value) {
        if (!write(value, 0)) return fail(code_, std::move(problem_));
        return std::move(out_);
    }

private:
    bool write(json::value const& value, std::size_t depth) {
        if (depth > kValueDepthMax) {
            code_ = Errc::limit;
            problem_ = "json: nested too deep";
            return false;
        }
        switch (value.kind()) {
            case json::kind::null: out_ += "null"; return true;
            case json::kind::bool_: out_ += value.get_bool() ? "true" : "false"; return true;
            case json::kind::int64: out_ += std::to_string(value.get_int64()); return true;
            case json::kind::uint64: out_ += std::to_string(value.get_uint64()); return true;
            case json::kind::double_: return write_double(value.get_double());
            case json::kind::string: append_json_string(out_, value.get_string(), escape_html_); return true;
            case json::kind::array: return write_array(value.get_array(), depth);
            case json::kind::object: return write_object(value.get_object(), depth);
        }
        return false;
    }

    bool write_double(double number) {
        if (auto const text = format_float_json(number)) {
            out_ += *text;
            return true;
        }
        problem_ = "json: unsupported value: " + format_float(number);
        return false;
    }

    bool write_array(json::array const& array, std::size_t depth) {
        out_ += '[';
        bool first = true;
        for (auto const& item : array) {
            if (!std::exchange(first, false)) out_ += ',';
            if (!write(item, depth + 1)) return false;
        }
        out_ += ']';
        return true;
    }

    bool write_object(json::object const& object, std::size_t depth) {
        std::vector<json::key_value_pair const*> sorted;
        sorted.reserve(object.size());
        for (auto const& entry : object) sorted.push_back(&entry);
        std::ranges::sort(sorted, {}, [](auto const* entry) { return std::string_view{entry->key()}; });
        out_ += '{';
        bool first = true;
        for (auto const* const entry : sorted) {
            if (!std::exchange(first, false)) out_ += ',';
            append_json_string(out_, entry->key(), escape_html_);
            out_ += ':';
            if (!write(entry->value(), depth + 1)) return false;
        }
        out_ += '}';
        return true;
    }

    bool escape_html_;
    std::string out_;
    std::string problem_;
    Errc code_ = Errc::invalid_input;
};

/// JSON text cannot hold infinities, a whole float is an integer there, and invalid UTF-8 (from !!binary)
/// becomes U+FFFD on the way.
bool pass_through_json(json::value& value, std::string& problem, bool whole_floats = true) {
    switch (value.kind()) {
        case json::kind::double_: {
            auto const text = format_float_json(value.get_double());
            if (!text) {
                problem = "json: unsupported value: " + format_float(value.get_double());
                return false;
            }
            if (!whole_floats) return true;
            if (auto const whole = parse_int(*text, 10); whole && *text != "-0") value = *whole;
            else if (auto const big = parse_uint(*text, 10)) value = *big;
            return true;
        }
        case json::kind::string:
            if (!is_utf8(value.get_string())) value = to_valid_utf8(value.get_string());
            return true;
        case json::kind::array:
            return std::ranges::all_of(value.get_array(),
                                       [&](auto& item) { return pass_through_json(item, problem, whole_floats); });
        case json::kind::object:
            return std::ranges::all_of(value.get_object(), [&](auto& entry) {
                return pass_through_json(entry.value(), problem, whole_floats);
            });
        default: return true;
    }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text, bool escape_html) {
    constexpr char digits[] = "0123456789abcdef";
    out += '"';
    std::size_t from = 0;
    for (std::size_t i = 0; i < text.size();) {
        auto const c = static_cast<unsigned char>(text[i]);
        if (c < 0x80) {
            bool const html = escape_html && (c == '<' || c == '>' || c == '&');
            if (c >= 0x20 && c != '"' && c != '\\' && !html) {
                ++i;
                continue;
            }
            out.append(text, from, i - from);
            switch (c) {
                case '"': out += "\\\""; break;
                case '\\': out += "\\\\"; break;
                case '\b': out += "\\b"; break;
                case '\f': out += "\\f"; break;
                case '\n': out += "\\n"; break;
                case '\r': out += "\\r"; break;
                case '\t': out += "\\t"; break;
                default:
                    out += "\\u00";
                    out += digits[c >> 4];
                    out += digits[c & 15];
            }
            from = ++i;
            continue;
        }
        auto const rune = decode_rune(text, i);
        bool const bad = rune.code == 0xFFFD && rune.bytes == 1;
        if (bad || rune.code == 0x2028 || rune.code == 0x2029) {
            out.append(text, from, i - from);
            out += bad ? "\\ufffd" : rune.code == 0x2028 ? "\\u2028" : "\\u2029";
            from = i + rune.bytes;
        }
        i += rune.bytes;
    }
    out.append(text, from, text.size() - from);
    out += '"';
}

std::string to_valid_utf8(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        auto const rune = decode_rune(text, i);
        append_rune(out, rune.code);
        i += rune.bytes;
    }
    return out;
}

Result<std::string> marshal_json(json::value const& value, bool escape_html) {
    return JsonWriter{escape_html}.run(value);
}

namespace {
Result<json::value> decode_v2(std::string_view text, bool strict, json::storage_ptr storage) {
    Arena arena;
    auto document = parse(arena, text, {.dialect = Dialect::v2});
    if (!document) return fail(std::move(document));
    if (*document == nullptr) return json::value(nullptr, std::move(storage));
    return to_json(**document, {.dialect = Dialect::v2, .strict = strict, .storage = std::move(storage)});
}
}  // namespace

Result<json::value> read_sigs(std::string_view text, bool strict, json::storage_ptr storage) {
    auto value = decode_v2(text, strict, std::move(storage));
    if (!value) return value;
    std::string problem;
    if (!pass_through_json(*value, problem)) return fail(Errc::invalid_input, std::move(problem));
    return value;
}

Result<json::value> read_sigs_for_text(std::string_view text, json::storage_ptr storage) {
    auto value = decode_v2(text, false, std::move(storage));
    if (!value) return value;
    std::string problem;
    if (!pass_through_json(*value, problem, false)) return fail(Errc::invalid_input, std::move(problem));
    return value;
}

Result<std::string> yaml_to_json(std::string_view text, bool strict) {
    json::monotonic_resource memory;
    auto value = decode_v2(text, strict, &memory);
    if (!value) return fail(std::move(value));
    return marshal_json(*value);
}

Node* from_json(Arena& arena, json::value const& value) {
    // Level by level, so that depth costs no stack.
    struct Open {
        Node* node;
        json::value const* value;
    };
    std::vector<Open> open;
    auto const make = [&](json::value const& one) -> Node* {
        switch (one.kind()) {
            case json::kind::null: return make_null(arena);
            case json::kind::bool_: return make_scalar(arena, one.get_bool() ? "true" : "false", Tag::boolean);
            case json::kind::int64: return make_scalar(arena, std::to_string(one.get_int64()), Tag::integer);
            case json::kind::uint64: return make_scalar(arena, std::to_string(one.get_uint64()), Tag::integer);
            case json::kind::double_: {
                auto text = format_float(one.get_double());
                if (text == "+Inf") text = ".inf";
                if (text == "-Inf") text = "-.inf";
                if (text == "NaN") text = ".nan";
                return make_scalar(arena, text, resolve_tag(text) == Tag::integer ? Tag::integer : Tag::floating);
            }
            case json::kind::string: return make_string(arena, one.get_string());
            case json::kind::array: open.push_back({make_seq(arena), &one}); return open.back().node;
            case json::kind::object: open.push_back({make_map(arena), &one}); return open.back().node;
        }
        return nullptr;
    };
    auto* const root = make(value);
    while (!open.empty()) {
        auto const top = open.back();
        open.pop_back();
        if (auto const* const array = top.value->if_array()) {
            for (auto const& item : *array) top.node->append(arena, make(item));
        } else {
            for (auto const& entry : top.value->get_object()) {
                top.node->append(arena, make_string(arena, entry.key()));
                top.node->append(arena, make(entry.value()));
            }
        }
    }
    return root;
}

bool is_yaml11_non_string(std::string_view text) {
    if (text.empty() || text.contains('\n')) return false;
    // Letters, digits and a few signs are one plain scalar; anything else is worth a real look.
    bool const is_word = std::ranges::all_of(
        text, [](char c) { return (chars::is_word(c) && c != '-') || c == '.' || c == '/' || c == '+'; });
    if (is_word && !text.starts_with("...")) {
        auto const tag = resolve_tag(text, Dialect::v2);
        return tag != Tag::string && tag != Tag::timestamp;
    }
    Arena arena;
    auto document = parse(arena, text, {.dialect = Dialect::v2});
    if (!document) return false;
    if (*document == nullptr) return true;
    auto const value = to_json(**document, {.dialect = Dialect::v2});
    return value ? !value->is_string() : value.error().message.starts_with("unsupported map key");
}

}  // namespace holdfast::yaml
