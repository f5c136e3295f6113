// modules/patch/fieldspec.cpp: walking a field specification's path through maps and lists.
#include "modules/patch/fieldspec.hpp"

#include "modules/base/limits.hpp"
#include "modules/patch/field.hpp"
#include "modules/patch/path.hpp"

namespace holdfast::patch {

using yaml::Kind;
using yaml::Node;
using yaml::Tag;

namespace {

std::pair<std::string_view, std::string_view> split_api_version(std::string_view text) {
    auto const slash = text.find('/');
    if (slash == std::string_view::npos) return {{}, text};
    return {text.substr(0, slash), text.substr(slash + 1)};
}

/// Go changes Kind and Tag of a null node and leaves the rest.
void become(Node& node, Kind kind, Tag tag) {
    Node changed{kind, node.style};
    changed.line = node.line;
    changed.column = node.column;
    changed.set_extra(node.extra());
    changed.set_tag(tag);
    if (kind == Kind::scalar && node.is_scalar()) changed.set_value(node.value());
    node = changed;
}

class Walk {
public:
    Walk(yaml::Arena& arena, FieldSpec const& spec, Visit const& visit, Create create)
        : arena_{arena}, spec_{spec}, visit_{visit}, create_{create} {}

    Result<void> run(Node& node, Path path, std::size_t depth) {
        if (depth > limits::kPatchDepthMax) {
            return fail(Errc::limit, "object is nested deeper than " + std::to_string(limits::kPatchDepthMax));
        }
        if (path.empty()) return visit_(node);
        if (is_null(&node)) return {};
        switch (node.kind) {
            case Kind::sequence: return list(node, path, depth);
            case Kind::mapping: return map(node, path, depth);
            case Kind::alias:
                if (auto* const target = yaml::follow(&node)) return run(*target, path, depth + 1);
                [[fallthrough]];
            default: return fail(Errc::invalid_input, "expected sequence or mapping node");
        }
    }

private:
    Result<void> list(Node& node, Path path, std::size_t depth) {
        for (auto* const item : node.items()) {
            auto done = run(*item, path, depth + 1);
            if (done) continue;
            std::string names;
            for (auto const& part : path) names += (names.empty() ? "" : " ") + part;
            return fail(std::move(done), "visit traversal on path: [" + names + "]");
        }
        return {};
    }

    Result<void> map(Node& node, Path path, std::size_t depth) {
        std::string_view name = path[0];
        bool const is_list = name.ends_with("[]");
        if (is_list) name.remove_suffix(2);
        if (name.empty()) return fail(Errc::invalid_input, "cannot set or create an empty field name");

        bool const creates = spec_.create && create_.kind != Kind::none && !is_list;
        bool const is_last = path.size() <= 1;
        Kind kind = Kind::none;
        auto tag = Tag::none;
        if (creates) {
            kind = is_last ? create_.kind : Kind::mapping;
            tag = is_last ? create_.tag : Tag::mapping;
        } else if (is_list) {
            kind = Kind::sequence;
        }
        auto field = creates ? lookup_create(arena_, node, kind, {name}) : lookup(node, {name});
        if (!field) return fail(std::move(field), "fieldName: " + std::string{name});
        if (!*field) return {};
        if (is_null(*field) && kind != Kind::none) become(**field, kind, tag);
        return run(**field, path.subspan(1), depth + 1);
    }

    yaml::Arena& arena_;
    FieldSpec const& spec_;
    Visit const& visit_;
    Create create_;
};

bool has_value(Node const& node, std::string_view name) {
    if (is_nil_or_empty(&node)) return false;
    if (node.is_scalar()) return !value_of(&node).empty();
    auto const entry = field(&node, name);
    return entry && !is_nil_or_empty(entry.value) && !value_of(entry.value).empty();
}

}  // namespace

bool FieldSpec::matches(Node const& object) const {
    if (!kind.empty() && kind != kind_of(object)) return false;
    if (group.empty() && version.empty()) return true;
    auto const [object_group, object_version] = split_api_version(api_version_of(object));
    return (group.empty() || group == object_group) && (version.empty() || version == object_version);
}

Result<void> apply(yaml::Arena& arena, FieldSpec const& spec, Node& object, Visit const& visit, Create create) {
    auto* const root = yaml::root_of(&object);
    if (!root || !spec.matches(*root)) return {};
    auto const path = split_path(spec.path, "/");
    auto done = Walk{arena, spec, visit, create}.run(*root, path, 0);
    if (!done) {
        return fail(std::move(done), "considering field '" + spec.path + "' of object " + describe(*root));
    }
    return {};
}

Result<void> apply(yaml::Arena& arena, std::span<FieldSpec const> specs, Node& object, Visit const& visit,
                   Create create) {
    for (auto const& spec : specs) {
        if (auto done = apply(arena, spec, object, visit, create); !done) return done;
    }
    return {};
}

Visit set_scalar(yaml::Arena& arena, std::string_view value) { return set_entry(arena, "", value, Tag::none); }

Visit set_entry(yaml::Arena& arena, std::string_view name, std::string_view value, Tag tag) {
    return [&arena, name = std::string{name}, made = yaml::make_scalar(arena, value, tag)](Node& node) -> Result<void> {
        if (name.empty()) return set_value(node, made);
        auto done = set(arena, node, name, made);
        if (!done) return fail(std::move(done));
        return {};
    };
}

Visit set_entry_if_empty(yaml::Arena& arena, std::string_view name, std::string_view value, Tag tag) {
    return [name = std::string{name}, set = set_entry(arena, name, value, tag)](Node& node) -> Result<void> {
        if (has_value(node, name)) return {};
        return set(node);
    };
}

std::string describe(Node const& object) {
    auto const [group, version] = split_api_version(api_version_of(object));
    auto const or_missing = [](std::string_view text, std::string_view missing) {
        return std::string{text.empty() ? missing : text};
    };
    return or_missing(kind_of(object), "[noKind]") + "." + or_missing(version, "[noVer]") + "." +
           or_missing(group, "[noGrp]") + "/" + or_missing(name_of(object), "[noName]") + "." +
           or_missing(namespace_of(object), "[noNs]");
}

}  // namespace holdfast::patch
