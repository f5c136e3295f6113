// modules/yaml/resolve.cpp: from a scalar's text to its type, by go-yaml's tables and its order of attempts.
#include "modules/yaml/resolve.hpp"

#include "modules/yaml/go_number.hpp"
#include "modules/yaml/timestamp.hpp"
#include "modules/yaml/utf8.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>

namespace holdfast::yaml {

namespace {

/// What the first character says: 0 text, S sign, D digit, M maybe a word of the table, '.' a dot.
constexpr auto kHints = [] {
    std::array<char, 256> hints{};
    hints['+'] = hints['-'] = 'S';
    for (char c = '0'; c <= '9'; ++c) hints[static_cast<unsigned char>(c)] = 'D';
    for (char const c : std::string_view{"yYnNtTfFoO~"}) hints[static_cast<unsigned char>(c)] = 'M';
    hints['.'] = '.';
    return hints;
}();

/// Characters that a number in any of the notations may hold.
constexpr auto kNumeric = [] {
    std::array<bool, 256> numeric{};
    for (char const c : std::string_view{"0123456789abcdefABCDEFxXoO_+-."})
        numeric[static_cast<unsigned char>(c)] = true;
    return numeric;
}();

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::optional<Resolved> find_word(std::string_view text, Dialect dialect) {
    auto const in = [&](auto... words) { return ((text == words) || ...); };
    if (text.size() > 5) return std::nullopt;
    if (in("", "~", "null", "Null", "NULL")) return Resolved{Tag::null, {}};
    if (in("true", "True", "TRUE")) return Resolved{Tag::boolean, true};
    if (in("false", "False", "FALSE")) return Resolved{Tag::boolean, false};
    if (in(".nan", ".NaN", ".NAN")) return Resolved{Tag::floating, std::numeric_limits<double>::quiet_NaN()};
    if (in(".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF")) return Resolved{Tag::floating, kInfinity};
    if (in("-.inf", "-.Inf", "-.INF")) return Resolved{Tag::floating, -kInfinity};
    if (dialect == Dialect::v2 && is_old_bool(text)) {
        return Resolved{Tag::boolean, in("y", "Y", "yes", "Yes", "YES", "on", "On", "ON")};
    }
    return std::nullopt;
}

/// ^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$
bool is_yaml_float(std::string_view text) {
    std::size_t i = 0;
    auto const digits = [&] {
        auto const from = i;
        while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
        return i - from;
    };
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    if (i < text.size() && text[i] == '.') {
        ++i;
        if (digits() == 0) return false;
    } else {
        if (digits() == 0) return false;
        if (i < text.size() && text[i] == '.') {
            ++i;
            digits();
        }
    }
    if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
        ++i;
        if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
        if (digits() == 0) return false;
    }
    return i == text.size();
}

/// "0b", "-0b" (and in v3 "0o", "-0o") with a rest that ParseInt alone takes.
std::optional<Resolved> resolve_prefixed(std::string const& plain, Dialect dialect) {
    auto const attempt = [&](std::string_view prefix, int base) -> std::optional<Resolved> {
        if (plain.starts_with(prefix)) {
            auto const rest = std::string_view{plain}.substr(2);
            if (auto const number = parse_int(rest, base)) return Resolved{Tag::integer, *number};
            if (auto const number = parse_uint(rest, base)) return Resolved{Tag::integer, *number};
        } else if (plain.size() > 2 && plain[0] == '-' && std::string_view{plain}.substr(1).starts_with(prefix)) {
            if (auto const number = parse_int("-" + plain.substr(3), base)) return Resolved{Tag::integer, *number};
        }
        return std::nullopt;
    };
    if (auto const found = attempt("0b", 2)) return found;
    if (dialect == Dialect::v3) return attempt("0o", 8);
    return std::nullopt;
}

std::optional<Resolved> resolve_number(std::string_view text, Dialect dialect) {
    if (!std::ranges::all_of(text, [](char c) { return kNumeric[static_cast<unsigned char>(c)]; })) return std::nullopt;
    std::string plain{text};
    std::erase(plain, '_');
    if (auto const number = parse_int(plain, 0)) return Resolved{Tag::integer, *number};
    if (auto const number = parse_uint(plain, 0)) return Resolved{Tag::integer, *number};
    if (is_yaml_float(plain)) {
        if (auto const number = parse_float(plain)) return Resolved{Tag::floating, *number};
    }
    return resolve_prefixed(plain, dialect);
}

/// resolve() without its check of the wanted tag. `wanted` is none or one of the tags that can be resolved.
Resolved resolve_as(Tag wanted, std::string_view text, Dialect dialect) {
    char const hint = text.empty() ? 'N' : kHints[static_cast<unsigned char>(text[0])];
    if (hint == 0 || wanted == Tag::string) return {};
    if (auto const word = find_word(text, dialect)) return *word;
    if (hint == '.') {
        if (auto const number = parse_float(text)) return {Tag::floating, *number};
    } else if (hint == 'D' || hint == 'S') {
        if ((wanted == Tag::none || wanted == Tag::timestamp) && is_timestamp(text)) return {Tag::timestamp, {}};
        if (auto const number = resolve_number(text, dialect)) return *number;
    }
    return {};
}

bool is_resolvable(Tag tag) {
    return tag == Tag::none || tag == Tag::string || tag == Tag::boolean || tag == Tag::integer ||
           tag == Tag::floating || tag == Tag::null || tag == Tag::timestamp;
}

}  // namespace

Resolved resolve_plain(std::string_view text, Dialect dialect) { return resolve_as(Tag::none, text, dialect); }

Tag resolve_tag(std::string_view text, Dialect dialect) {
    if (!text.empty() && kHints[static_cast<unsigned char>(text[0])] == 0) return Tag::string;
    return resolve_as(Tag::none, text, dialect).tag;
}

Result<Resolved> resolve(std::string_view tag, std::string_view text, Dialect dialect) {
    auto const wanted = tag_of(tag);
    if (!is_resolvable(wanted)) return Resolved{wanted, {}};
    auto found = resolve_as(wanted, text, dialect);
    if (wanted == Tag::none || wanted == found.tag || wanted == Tag::string) return found;
    if (wanted == Tag::floating && found.tag == Tag::integer) {
        if (auto const* const number = std::get_if<std::int64_t>(&found.value)) {
            return Resolved{Tag::floating, static_cast<double>(*number)};
        }
    }
    return fail(Errc::invalid_input, "yaml: cannot decode " + std::string{to_string(found.tag)} + " `" +
                                         std::string{text} + "` as a " + std::string{to_string(wanted)});
}

Result<Resolved> resolve_node(Node const& scalar, Dialect dialect) {
    if (scalar.tag_id() == Tag::string || (scalar.tag_id() == Tag::none && any(scalar.style & kNotPlain)))
        return Resolved{};
    bool const has_place = scalar.line != 0;
    // What was read plain carries the type that v3 found; v2 looks at the text again.
    if (dialect == Dialect::v2 && has_place && !any(scalar.style & Style::tagged)) {
        if (any(scalar.style & kNotPlain)) return Resolved{};
        return resolve_plain(scalar.value(), dialect);
    }
    return resolve(scalar.tag(), scalar.value(), dialect);
}

bool is_old_bool(std::string_view text) {
    if (text.empty() || text.size() > 3) return false;
    constexpr std::string_view words[] = {"y", "Y", "yes", "Yes", "YES", "on",  "On",  "ON",
                                          "n", "N", "no",  "No",  "NO",  "off", "Off", "OFF"};
    return std::ranges::find(words, text) != std::end(words);
}

bool is_base60_float(std::string_view text) {
    // ^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$
    std::size_t i = 0;
    auto const is_digit = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    if (!is_digit(i)) return false;
    while (is_digit(i) || (i < text.size() && text[i] == '_')) ++i;
    std::size_t groups = 0;
    while (i < text.size() && text[i] == ':' && is_digit(i + 1)) {
        i += is_digit(i + 2) && text[i + 1] <= '5' ? 3 : 2;
        ++groups;
    }
    if (groups == 0) return false;
    if (i < text.size() && text[i] == '.') {
        ++i;
        while (is_digit(i) || (i < text.size() && text[i] == '_')) ++i;
    }
    return i == text.size();
}

bool is_timestamp(std::string_view text) { return parse_timestamp(text).has_value(); }

}  // namespace holdfast::yaml
