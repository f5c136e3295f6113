// modules/patch/match.cpp: every node that a path with wildcards and patterns names (kyaml yaml/match.go).
#include "modules/patch/path.hpp"

#include "modules/base/limits.hpp"
#include "modules/patch/field.hpp"
#include "modules/patch/regex.hpp"
#include "modules/yaml/parse.hpp"

#include <charconv>

namespace holdfast::patch {

using yaml::Kind;
using yaml::Node;

namespace {

std::string_view trimmed(std::string_view text) {
    auto const begin = text.find_first_not_of(" \t\n\v\f\r");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\n\v\f\r") - begin + 1);
}

class Matcher {
public:
    Matcher(yaml::Arena& arena, Kind create, Matches& out) : arena_{arena}, create_{create}, out_{out} {}

    /// Adds what `path` names below `node`; true when kyaml's result would not be nil.
    Result<bool> run(Node& from, Path path) {
        auto* const node = yaml::root_of(&from);
        if (path.empty()) return add(node);
        auto const& part = path[0];
        if (is_index_number(part)) return index(*node, path);
        if (is_list_index(part)) return elements(*node, path);
        if (part == "*") return every(*node, path);
        return name(*node, path);
    }

private:
    Result<bool> add(Node* node) {
        if (out_.nodes.size() >= limits::kPatchMatchesMax) {
            return fail(Errc::limit, "path matches more than " + std::to_string(limits::kPatchMatchesMax) + " fields");
        }
        out_.nodes.push_back(node);
        return true;
    }

    Kind kind_before(Path rest) const {
        if (rest.empty() || rest[0].empty()) return create_;
        return is_list_index(rest[0]) || is_index_number(rest[0]) ? Kind::sequence : Kind::mapping;
    }

    Result<std::vector<Node*>> items_of(Node& node) const {
        if (auto fits = require(&node, Kind::sequence); !fits) return fail(std::move(fits));
        if (!node.is_seq()) return std::vector<Node*>{};
        return std::vector<Node*>{node.items().begin(), node.items().end()};
    }

    Result<bool> every(Node& node, Path path) {
        auto items = items_of(node);
        if (!items) return fail(std::move(items));
        bool found = false;
        for (auto* const item : *items) {
            auto below = run(*item, path.subspan(1));
            if (!below) return below;
            found |= *below;
        }
        return found;
    }

    Result<bool> name(Node& node, Path path) {
        auto found = get(&node, path[0]);
        if (!found) return fail(std::move(found));
        auto* value = *found;
        if (!value) {
            if (create_ == Kind::none) return false;
            value = arena_.make<Node>(kind_before(path.subspan(1)));
            if (path[0].empty()) {
                if (auto done = set_value(node, value); !done) return fail(std::move(done));
            } else if (auto done = set(arena_, node, path[0], value); !done) {
                return fail(std::move(done));
            }
        }
        if (value->is_scalar() && path.size() > 1) return inside_text(*value, path.subspan(1));
        return run(*value, path.subspan(1));
    }

    /// The text of a scalar read as YAML. What is changed there does not find its way back: as in kyaml.
    Result<bool> inside_text(Node& scalar, Path rest) {
        auto document = yaml::parse(arena_, scalar.value());
        if (!document) return fail(std::move(document));
        auto* const root = *document ? *document : arena_.make<Node>();
        return run(*root, rest);
    }

    Result<bool> index(Node& node, Path path) {
        std::size_t wanted = 0;
        auto const digits = std::string_view{path[0]}.substr(path[0].starts_with('+') ? 1 : 0);
        std::from_chars(digits.data(), digits.data() + digits.size(), wanted);
        auto items = items_of(node);
        if (!items) return fail(std::move(items));
        if (items->size() == wanted && create_ != Kind::none) {
            items->push_back(arena_.make<Node>(kind_before(path.subspan(1))));
            if (node.is_seq()) node.append(arena_, items->back());
        }
        if (wanted >= items->size()) {
            return fail(Errc::invalid_input, "index " + std::to_string(wanted) + " specified but only " +
                                                 std::to_string(items->size()) + " elements found");
        }
        return run(*(*items)[wanted], path.subspan(1));
    }

    Result<bool> elements(Node& node, Path path) {
        auto const inner = std::string_view{path[0]}.substr(1, path[0].size() < 2 ? 0 : path[0].size() - 2);
        auto const equals = inner.find('=');
        if (equals == std::string_view::npos) {
            return fail(Errc::invalid_input,
                        "list path element must contain fieldName=fieldValue for element to match");
        }
        auto const key = inner.substr(0, equals);
        auto const pattern = inner.substr(equals + 1);
        auto found = matching(node, key, pattern, path);
        if (!found || *found || create_ == Kind::none) return found;

        auto* made = yaml::make_scalar(arena_, pattern);
        if (!key.empty()) {
            auto* const map = arena_.make<Node>(Kind::mapping);
            map->append(arena_, yaml::make_scalar(arena_, key));
            map->append(arena_, made);
            made = map;
        }
        if (node.is_seq()) node.append(arena_, made);
        found = matching(node, key, pattern, path);
        if (!found || *found) return found;
        // kyaml would look, make and look again without end.
        return fail(Errc::invalid_input,
                    "failed to create element for \"" + path[0] + "\": its value does not match its own pattern");
    }

    Result<bool> matching(Node& node, std::string_view key, std::string_view pattern, Path path) {
        auto items = items_of(node);
        if (!items) return fail(std::move(items));
        if (items->empty()) return false;
        auto regex = Regex::compile(pattern);
        if (!regex) return fail(std::move(regex));
        bool found = false;
        for (auto* const item : *items) {
            auto* const compared = key.empty() ? item : field(item, key).value;
            if (!compared) continue;
            if (!regex->search(trimmed(text_of(*compared)))) continue;
            auto below = key.empty() ? add(item) : run(*item, path.subspan(1));
            if (!below) return below;
            found |= *below;
        }
        return found;
    }

    yaml::Arena& arena_;
    Kind create_;
    Matches& out_;
};

}  // namespace

Result<Matches> match(yaml::Arena& arena, Node& node, Path path, Kind create) {
    Matches out;
    auto found = Matcher{arena, create, out}.run(node, path);
    if (!found) return fail(std::move(found));
    out.found = *found;
    return out;
}

}  // namespace holdfast::patch
