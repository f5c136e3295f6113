// modules/kustomize/t_value_add.cpp: the ValueAddTransformer plugin.
#include "modules/kustomize/context.hpp"
#include "modules/kustomize/transformers.hpp"
#include "modules/patch/field.hpp"
#include "modules/patch/path.hpp"

namespace holdfast::kustomize {
namespace {

using yaml::Node;

std::vector<std::string> path_parts(std::string path) {
    std::vector<std::string> parts;
    if (path.empty()) return parts;
    bool const rooted = path.front() == '/';
    if (rooted) {
        parts.emplace_back();
        path.erase(0, 1);
        if (path.empty()) return parts;
    }
    for (std::size_t at = 0; at <= path.size();) {
        auto end = path.find('/', at);
        if (end == std::string::npos) end = path.size();
        parts.push_back(path.substr(at, end - at));
        at = end + 1;
    }
    return parts;
}

/// filesys.InsertPathPart
std::string insert_part(std::string const& path, std::size_t position, std::string const& part) {
    if (part.empty()) return path;
    auto parts = path_parts(path);
    position = std::min(position, parts.size());
    if (!parts.empty() && parts[0].empty() && position < parts.size()) ++position;
    parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(position), part);
    std::string joined;
    for (std::size_t i = 0; i < parts.size(); ++i) joined += (i > 0 ? "/" : "") + parts[i];
    return clean_path(joined);
}

Result<void> add_value(Resource& object, ValueAddTarget const& target, std::string const& value) {
    auto& arena = object.context().arena;
    std::vector<std::string> fields;
    for (auto& part : path_parts(target.field_path)) {
        if (!fields.empty() && fields.back().ends_with('\\')) {
            fields.back().back() = '/';
            fields.back() += part;
        } else {
            fields.push_back(std::move(part));
        }
    }
    auto node = patch::lookup_create(arena, *object.edit(), yaml::Kind::scalar, fields);
    if (!node) return fail(std::move(node));
    if (!*node) return {};
    if (auto ok = patch::require(*node, yaml::Kind::scalar); !ok) return ok;
    auto text = value;
    if (target.file_path_position > 0) {
        text =
            insert_part(std::string{(*node)->value()}, static_cast<std::size_t>(target.file_path_position) - 1, value);
    }
    return patch::set_value(**node, yaml::make_scalar(arena, text));
}

}  // namespace

Transform add_values(std::string value, std::vector<ValueAddTarget> targets) {
    return [value = std::move(value), targets = std::move(targets)](ResMap& objects) -> Result<void> {
        for (auto const& target : targets) {
            auto selected =
                target.selector ? objects.select(*target.selector) : Result<std::vector<Resource*>>{objects.all()};
            if (!selected) return fail(std::move(selected));
            for (auto* const object : *selected) {
                if (target.field_path != "metadata/namespace") {
                    if (auto ok = add_value(*object, target, value); !ok) return ok;
                    continue;
                }
                ResMap one;
                one.assign({object});
                if (auto ok = set_namespaces({.ns = value})(one); !ok) return ok;
            }
        }
        return {};
    };
}

}  // namespace holdfast::kustomize
