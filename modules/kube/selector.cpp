// modules/kube/selector.cpp: label selectors as kubectl writes them.
#include "modules/kube/object.hpp"

#include <algorithm>
#include <vector>

namespace holdfast::kube {

namespace {

struct Requirement {
    std::string key;
    bool negated = false;
    bool existence = false;  // only whether the key is there
    std::vector<std::string> values;

    bool holds(Object const& object) const {
        auto const value = label(object, key);
        if (existence) return value.has_value() != negated;
        bool const listed = value && std::ranges::find(values, *value) != values.end();
        return listed != negated;  // "!=" and "notin" also hold when the key is missing
    }
};

std::string_view trimmed(std::string_view text) {
    auto const begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Splits at commas outside parentheses.
std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> parts;
    std::size_t begin = 0;
    bool inside = false;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        if (i < text.size() && text[i] == '(') inside = true;
        if (i < text.size() && text[i] == ')') inside = false;
        if (i < text.size() && (text[i] != ',' || inside)) continue;
        auto const part = trimmed(text.substr(begin, i - begin));
        if (!part.empty()) parts.push_back(part);
        begin = i + 1;
    }
    return parts;
}

Result<Requirement> parse(std::string_view text) {
    auto const broken = [text] {
        return fail(Errc::invalid_input, "label selector: cannot read \"" + std::string{text} + "\"");
    };
    if (text.ends_with(')')) {
        auto const open = text.find('(');
        if (open == std::string_view::npos) return broken();
        auto const head = trimmed(text.substr(0, open));
        auto const space = head.rfind(' ');
        if (space == std::string_view::npos) return broken();
        auto const word = head.substr(space + 1);
        if (word != "in" && word != "notin") return broken();
        Requirement set{.key = std::string{trimmed(head.substr(0, space))}, .negated = word == "notin"};
        auto list = text.substr(open + 1, text.size() - open - 2);
        for (;;) {
            auto const comma = list.find(',');
            set.values.emplace_back(trimmed(list.substr(0, comma)));
            if (comma == std::string_view::npos) return set;
            list.remove_prefix(comma + 1);
        }
    }
    auto const equals = text.find('=');
    if (equals == std::string_view::npos) {
        bool const negated = text.starts_with('!');
        auto const key = trimmed(negated ? text.substr(1) : text);
        if (key.empty() || key.contains(' ')) return broken();
        return Requirement{.key = std::string{key}, .negated = negated, .existence = true};
    }
    bool const negated = equals > 0 && text[equals - 1] == '!';
    auto const key = trimmed(text.substr(0, negated ? equals - 1 : equals));
    auto value = text.substr(equals + 1);
    if (value.starts_with('=')) value.remove_prefix(1);
    if (key.empty()) return broken();
    return Requirement{.key = std::string{key}, .negated = negated, .values = {std::string{trimmed(value)}}};
}

}  // namespace

Result<bool> matches_selector(Object const& object, std::string_view label_selector) {
    for (auto const part : split(label_selector)) {
        auto requirement = parse(part);
        if (!requirement) return fail(std::move(requirement));
        if (!requirement->holds(object)) return false;
    }
    return true;
}

}  // namespace holdfast::kube
