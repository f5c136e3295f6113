// modules/text/jsonschema/json.cpp: strict JSON with Go's error texts.
#include "modules/text/jsonschema/schema.hpp"

#include <algorithm>
#include <numeric>

namespace holdfast::jsonschema {
namespace {

class Reader {
public:
    Reader(std::string_view text, std::size_t depth_max) : text_(text), depth_max_(depth_max) {}

    Result<Json> document() {
        skip();
        if (at_ == text_.size()) return fail(Errc::invalid_input, "EOF");
        Json value;
        if (!read(value, 0)) return std::unexpected{error_};
        skip();
        if (at_ != text_.size()) return fail(Errc::invalid_input, "invalid character after top-level value");
        return value;
    }

private:
    void skip() {
        while (at_ < text_.size() &&
               (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
            ++at_;
    }

    /// Go's quoteChar.
    static std::string shown(char c) {
        if (c == '\'') return "'\\''";
        if (c == '"') return "'\"'";
        auto const q = go_quoted(std::string_view{&c, 1});
        return '\'' + q.substr(1, q.size() - 2) + '\'';
    }

    bool wrong(std::string_view where) {
        if (at_ >= text_.size()) {
            error_ = {Errc::invalid_input, "unexpected EOF"};
        } else {
            error_ = {Errc::invalid_input, "invalid character " + shown(text_[at_]) + ' ' + std::string{where}};
        }
        return false;
    }

    bool word(std::string_view name) {
        for (std::size_t i = 0; i < name.size(); ++i, ++at_) {
            if (at_ < text_.size() && text_[at_] == name[i]) continue;
            return wrong("in literal " + std::string{name} + " (expecting " + shown(name[i]) + ')');
        }
        return true;
    }

    bool read(Json& into, std::size_t depth) {
        if (depth > depth_max_) {
            error_ = {Errc::limit, "exceeded max depth"};
            return false;
        }
        skip();
        if (at_ >= text_.size()) return wrong("");
        switch (text_[at_]) {
            case '{': return object(into, depth);
            case '[': return array(into, depth);
            case '"': into.kind = Json::Kind::string; return string(into.text);
            case 't': into = Json::boolean(true); return word("true");
            case 'f': into = Json::boolean(false); return word("false");
            case 'n': return word("null");
            default: return number(into);
        }
    }

    bool object(Json& into, std::size_t depth) {
        into.kind = Json::Kind::object;
        ++at_;
        skip();
        if (at_ < text_.size() && text_[at_] == '}') {
            ++at_;
            return true;
        }
        for (;;) {
            skip();
            if (at_ >= text_.size() || text_[at_] != '"') return wrong("looking for beginning of object key string");
            Member member;
            if (!string(member.first)) return false;
            skip();
            if (at_ >= text_.size() || text_[at_] != ':') return wrong("after object key");
            ++at_;
            if (!read(member.second, depth + 1)) return false;
            into.members.push_back(std::move(member));
            skip();
            if (at_ < text_.size() && text_[at_] == ',') {
                ++at_;
                continue;
            }
            if (at_ >= text_.size() || text_[at_] != '}') return wrong("after object key:value pair");
            ++at_;
            break;
        }
        std::vector<std::size_t> order(into.members.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::ranges::sort(order, {},
                          [&](std::size_t i) { return std::pair{std::string_view{into.members[i].first}, i}; });
        std::vector<Member> last;
        last.reserve(order.size());
        for (auto const i : order) {
            if (!last.empty() && last.back().first == into.members[i].first) last.pop_back();
            last.push_back(std::move(into.members[i]));
        }
        into.members = std::move(last);
        return true;
    }

    bool array(Json& into, std::size_t depth) {
        into.kind = Json::Kind::array;
        ++at_;
        skip();
        if (at_ < text_.size() && text_[at_] == ']') {
            ++at_;
            return true;
        }
        for (;;) {
            if (!read(into.items.emplace_back(), depth + 1)) return false;
            skip();
            if (at_ < text_.size() && text_[at_] == ',') {
                ++at_;
                continue;
            }
            if (at_ >= text_.size() || text_[at_] != ']') return wrong("after array element");
            ++at_;
            return true;
        }
    }

    bool digits(std::string_view where) {
        if (at_ >= text_.size() || text_[at_] < '0' || text_[at_] > '9') return wrong(where);
        while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
        return true;
    }

    bool number(Json& into) {
        auto const start = at_;
        if (text_[at_] == '-') {
            ++at_;
            if (at_ >= text_.size() || text_[at_] < '0' || text_[at_] > '9') return wrong("in numeric literal");
        } else if (text_[at_] < '0' || text_[at_] > '9') {
            return wrong("looking for beginning of value");
        }
        if (text_[at_] == '0') {
            ++at_;
        } else if (!digits("in numeric literal")) {
            return false;
        }
        if (at_ < text_.size() && text_[at_] == '.') {
            ++at_;
            if (!digits("after decimal point in numeric literal")) return false;
        }
        if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
            ++at_;
            if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
            if (!digits("in exponent of numeric literal")) return false;
        }
        into = Json::number(std::string{text_.substr(start, at_ - start)});
        return true;
    }

    bool hex4(unsigned& unit) {
        unit = 0;
        for (int i = 0; i < 4; ++i, ++at_) {
            char const c = at_ < text_.size() ? text_[at_] : ' ';
            int const v = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
            if (v < 0) return wrong("in \\u hexadecimal character escape");
            unit = unit * 16 + static_cast<unsigned>(v);
        }
        return true;
    }

    static void add(std::string& out, unsigned rune) {
        if (rune < 0x80) {
            out += static_cast<char>(rune);
        } else if (rune < 0x800) {
            out += static_cast<char>(0xC0 | (rune >> 6));
            out += static_cast<char>(0x80 | (rune & 63));
        } else if (rune < 0x10000) {
            out += static_cast<char>(0xE0 | (rune >> 12));
            out += static_cast<char>(0x80 | ((rune >> 6) & 63));
            out += static_cast<char>(0x80 | (rune & 63));
        } else {
            out += static_cast<char>(0xF0 | (rune >> 18));
            out += static_cast<char>(0x80 | ((rune >> 12) & 63));
            out += static_cast<char>(0x80 | ((rune >> 6) & 63));
            out += static_cast<char>(0x80 | (rune & 63));
        }
    }

    bool escape(std::string& out) {
        ++at_;
        char const c = at_ < text_.size() ? text_[at_] : '\0';
        constexpr std::string_view kFrom = "\"\\/bfnrt";
        constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
        if (auto const i = kFrom.find(c); c != '\0' && i != kFrom.npos) {
            out += kTo[i];
            ++at_;
            return true;
        }
        if (c != 'u') return wrong("in string escape code");
        ++at_;
        unsigned unit = 0;
        if (!hex4(unit)) return false;
        if (unit >= 0xD800 && unit < 0xDC00 && text_.substr(at_).starts_with("\\u")) {
            auto const back = at_;
            at_ += 2;
            unsigned low = 0;
            if (!hex4(low)) return false;
            if (low >= 0xDC00 && low < 0xE000) {
                unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            } else {
                at_ = back;
            }
        }
        add(out, unit >= 0xD800 && unit < 0xE000 ? 0xFFFD : unit);
        return true;
    }

    bool string(std::string& out) {
        ++at_;
        for (;;) {
            if (at_ >= text_.size()) return wrong("");
            char const c = text_[at_];
            if (c == '"') {
                ++at_;
                return true;
            }
            if (c == '\\') {
                if (!escape(out)) return false;
            } else if (static_cast<unsigned char>(c) < 0x20) {
                return wrong("in string literal");
            } else {
                out += c;
                ++at_;
            }
        }
    }

    std::string_view text_;
    std::size_t depth_max_;
    std::size_t at_ = 0;
    Error error_{Errc::invalid_input, {}};
};

}  // namespace

Json Json::number(std::string text) {
    Json made;
    made.kind = Kind::number;
    made.text = std::move(text);
    return made;
}

Json Json::string(std::string text) {
    Json made;
    made.kind = Kind::string;
    made.text = std::move(text);
    return made;
}

Json Json::boolean(bool value) {
    Json made;
    made.kind = Kind::boolean;
    made.truth = value;
    return made;
}

Json const* Json::find(std::string_view key) const {
    auto const found = std::ranges::lower_bound(members, key, {}, &Member::first);
    return found != members.end() && found->first == key ? &found->second : nullptr;
}

Result<Json> parse_json(std::string_view text, std::size_t depth_max) { return Reader{text, depth_max}.document(); }

unsigned type_of(Json const& value) {
    switch (value.kind) {
        case Json::Kind::null: return kNull;
        case Json::Kind::boolean: return kBoolean;
        case Json::Kind::number: return kNumber;
        case Json::Kind::string: return kString;
        case Json::Kind::array: return kArray;
        case Json::Kind::object: return kObject;
    }
    return 0;
}

constexpr std::string_view kTypeNames[] = {"null", "boolean", "number", "integer", "string", "array", "object"};

unsigned type_named(std::string_view name) {
    auto const at = std::ranges::find(kTypeNames, name);
    return at == std::end(kTypeNames) ? 0u : 1u << (at - std::begin(kTypeNames));
}

std::string type_names(unsigned types) {
    std::string out;
    for (unsigned i = 0; i < std::size(kTypeNames); ++i) {
        if ((types >> i & 1u) == 0) continue;
        if (!out.empty()) out += " or ";
        out += kTypeNames[i];
    }
    return out;
}

}  // namespace holdfast::jsonschema
