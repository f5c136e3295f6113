// modules/patch/path.cpp: splitting paths, and following them to one node.
#include "modules/patch/path.hpp"

#include "modules/base/limits.hpp"
#include "modules/patch/field.hpp"

#include <charconv>
#include <optional>

namespace holdfast::patch {

using yaml::Kind;
using yaml::Node;
using yaml::Style;

namespace {

/// strconv.Atoi
std::optional<long> integer(std::string_view text) {
    if (text.starts_with('+')) {
        text.remove_prefix(1);
        if (text.starts_with('-') || text.starts_with('+')) return {};
    }
    long number = 0;
    auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec != std::errc{} || end != text.data() + text.size()) return {};
    return number;
}

std::string_view trimmed(std::string_view text) {
    auto const begin = text.find_first_not_of(" \t\n\v\f\r");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\n\v\f\r") - begin + 1);
}

struct Follow {
    yaml::Arena* arena;  // null: make nothing
    Kind create;
    Style style;

    bool creates() const { return arena && create != Kind::none; }

    Kind kind_before(std::string_view next) const {
        if (is_list_index(next) || is_index_number(next)) return Kind::sequence;
        return next.empty() ? create : Kind::mapping;
    }

    Result<Node*> by_index(Node* node, long index) const {
        if (auto fits = require(node, Kind::sequence); !fits) return fail(std::move(fits));
        auto const items = node->is_seq() ? node->items() : std::span<Node*>{};
        if (index < 0) {
            if (items.empty()) return fail(Errc::invalid_input, "list is empty: there is no last element");
            return items.back();
        }
        return static_cast<std::size_t>(index) < items.size() ? items[static_cast<std::size_t>(index)] : nullptr;
    }

    Result<Node*> by_element(Node* node, std::string_view part) const {
        auto const inner = part.substr(1, part.size() < 2 ? 0 : part.size() - 2);
        auto const equals = inner.find('=');
        if (equals == std::string_view::npos) {
            return fail(Errc::invalid_input,
                        "list path element must contain fieldName=fieldValue for element to match");
        }
        std::string_view const name[] = {inner.substr(0, equals)};
        std::string_view const value[] = {inner.substr(equals + 1)};
        if (auto fits = require(node, Kind::sequence); !fits) return fail(std::move(fits));
        if (auto* const found = find_element(node, name, value)) return found;
        if (!creates()) return nullptr;

        auto* made = yaml::make_scalar(*arena, value[0], yaml::Tag::none, style);
        if (!name[0].empty()) {
            auto* const map = yaml::make_map(*arena, style);
            map->set_tag(yaml::Tag::none);
            map->append(*arena, yaml::make_scalar(*arena, name[0]));
            map->append(*arena, made);
            made = map;
        }
        if (node->is_seq()) node->append(*arena, made);
        return made;
    }

    Result<Node*> by_name(Node* node, std::string_view name, std::string_view next) const {
        auto found = get(node, name);
        if (!found || *found || !creates() || is_null(node)) return found;
        auto* const made = arena->make<Node>(kind_before(next), style);
        return set(*arena, *node, name, made);
    }

    Result<Node*> step(Node* node, std::string_view part, std::string_view next) const {
        if (auto const index = integer(part)) {
            if (*index < 0) {
                return fail(Errc::invalid_input, "array index " + std::to_string(*index) + " cannot be negative");
            }
            return by_index(node, *index);
        }
        if (part == "-") return by_index(node, -1);
        if (part == "*") return fail(Errc::invalid_input, "wildcard is not supported in PathGetter");
        if (is_list_index(part)) return by_element(node, part);
        return by_name(node, part, next);
    }

    template <class Parts> Result<Node*> run(Node& from, Parts const& path) const {
        std::vector<std::string_view> parts;
        parts.reserve(path.size());
        for (std::string_view const part : path) {
            if (auto const name = trimmed(part); !name.empty()) parts.push_back(name);
        }
        auto* node = yaml::root_of(&from);
        for (std::size_t i = 0; i < parts.size() && node; ++i) {
            auto next = step(node, parts[i], i + 1 < parts.size() ? parts[i + 1] : std::string_view{});
            if (!next) return next;
            node = *next;
        }
        return node;
    }
};

}  // namespace

bool is_list_index(std::string_view part) { return part.starts_with('[') && part.ends_with(']'); }

bool is_index_number(std::string_view part) {
    auto const number = integer(part);
    return number && *number >= 0;
}

std::vector<std::string> split_path(std::string_view path, std::string_view delimiter) {
    std::vector<std::string_view> raw;
    for (std::size_t at = 0;;) {
        auto const next = path.find(delimiter, at);
        raw.push_back(path.substr(at, next == std::string_view::npos ? next : next - at));
        if (next == std::string_view::npos) break;
        at = next + delimiter.size();
    }
    std::size_t first = raw.size() > 1 && raw[0].empty() ? 1 : 0;
    std::vector<std::string> parts{std::string{raw[first]}};
    for (++first; first < raw.size(); ++first) {
        if (parts.back().ends_with('\\')) {
            parts.back().pop_back();
            parts.back() += delimiter;
            parts.back() += raw[first];
        } else {
            parts.emplace_back(raw[first]);
        }
    }
    return parts;
}

std::vector<std::string> split_field_path(std::string_view path, std::string_view delimiter) {
    auto const split = split_path(path, delimiter);
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < split.size(); ++i) {
        if (!split[i].starts_with('[') || split[i].ends_with(']')) {
            parts.push_back(split[i]);
            continue;
        }
        auto bracketed = split[i];
        while (i + 1 < split.size()) {
            bracketed += delimiter;
            bracketed += split[++i];
            if (split[i].ends_with(']')) break;
        }
        if (bracketed.contains('=')) {
            parts.push_back(std::move(bracketed));
            continue;
        }
        auto const begin = bracketed.find_first_not_of("[]");
        auto const end = bracketed.find_last_not_of("[]");
        parts.push_back(begin == std::string::npos ? std::string{} : bracketed.substr(begin, end - begin + 1));
    }
    return parts;
}

Result<Node*> lookup(Node& node, Path path) { return Follow{nullptr, Kind::none, Style::none}.run(node, path); }

Result<Node*> lookup(Node& node, std::initializer_list<std::string_view> path) {
    return Follow{nullptr, Kind::none, Style::none}.run(node, path);
}

Result<Node*> lookup_create(yaml::Arena& arena, Node& node, Kind kind, Path path, Style style) {
    return Follow{&arena, kind, style}.run(node, path);
}

Result<Node*> lookup_create(yaml::Arena& arena, Node& node, Kind kind, std::initializer_list<std::string_view> path,
                            Style style) {
    return Follow{&arena, kind, style}.run(node, path);
}

namespace {

/// "ports[0]" -> "ports", "0"
void add_with_index(std::vector<std::string>& parts, std::string part) {
    auto const open = part.ends_with(']') ? part.rfind('[') : std::string::npos;
    auto const digits = open == std::string::npos ? std::string{} : part.substr(open + 1, part.size() - open - 2);
    if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) {
        parts.push_back(std::move(part));
        return;
    }
    if (open > 0) parts.push_back(part.substr(0, open));
    parts.push_back(digits);
}

}  // namespace

Result<Node*> lookup_field(Node& node, std::string_view path) {
    std::vector<std::string> parts;
    for (auto& part : split_field_path(path)) add_with_index(parts, std::move(part));
    auto found = lookup(node, Path{parts});
    if (!found) return found;
    if (!*found) return fail(Errc::not_found, "no field named '" + std::string{path} + "'");
    auto* const target = yaml::follow(*found);
    return target ? target : *found;
}

}  // namespace holdfast::patch
