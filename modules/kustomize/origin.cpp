// modules/kustomize/origin.cpp: the origin and transformations annotations.
#include "modules/kustomize/origin.hpp"

#include "modules/kustomize/remote.hpp"
#include "modules/yaml/emit.hpp"
#include "modules/yaml/parse.hpp"

namespace holdfast::kustomize {

Origin Origin::append(std::string const& more) const {
    auto copy = *this;
    auto added = more;
    if (auto repository = parse_repository(more)) {
        copy.repo = repository->clone_spec();
        copy.ref = repository->ref;
        copy.path.clear();
        added = clean_path(repository->path);
        if (added == ".") added = "notCloned";  // kustomize's name for the root of a repository shows through
    }
    copy.path = join_path(copy.path, added);
    return copy;
}

std::string Origin::text(bool as_item) const {
    yaml::Arena arena;
    auto* const root = yaml::make_map(arena);
    struct Field {
        char const* name;
        std::string const& text;
    };
    for (auto const& [name, text] :
         {Field{"path", path}, Field{"repo", repo}, Field{"ref", ref}, Field{"configuredIn", configured_in}}) {
        if (!text.empty()) root->set(arena, name, yaml::make_string(arena, text));
    }
    auto* const by = yaml::make_map(arena);
    for (auto const& [key, value] :
         {Field{"apiVersion", api_version}, Field{"kind", kind}, Field{"name", name}, Field{"namespace", ns}}) {
        if (!value.empty()) by->set(arena, key, yaml::make_string(arena, value));
    }
    if (!by->empty()) root->set(arena, "configuredBy", by);
    auto* top = root;
    if (as_item) {
        top = yaml::make_seq(arena);
        top->append(arena, root);
    }
    return yaml::emit(*top).value_or("");
}

Origin configured_by(Origin const& at, std::string const& file, std::string kind) {
    return {.repo = at.repo,
            .ref = at.ref,
            .configured_in = join_path(at.path, file),
            .api_version = "builtin",
            .kind = std::move(kind)};
}

Result<std::optional<Origin>> origin_of_plugin(Resource const& config) {
    auto const text = config.annotation_of(annotation::kOrigin);
    if (!text) return std::nullopt;
    yaml::Arena arena;
    auto parsed = yaml::parse(arena, *text);
    if (!parsed) return fail(std::move(parsed));
    auto const* root = yaml::root_of(*parsed);
    auto const get = [&](char const* key) {
        auto const* node = root ? root->find(key) : nullptr;
        return node ? std::string{node->value()} : std::string{};
    };
    return Origin{.repo = get("repo"),
                  .ref = get("ref"),
                  .configured_in = get("path"),
                  .api_version = std::string{config.api_version()},
                  .kind = std::string{config.kind()},
                  .name = std::string{config.name()},
                  .ns = std::string{config.ns()}};
}

Result<void> set_origin(Resource& object, std::optional<Origin> const& origin) {
    auto notes = object.annotations();
    if (origin) {
        notes[std::string{annotation::kOrigin}] = origin->text();
    } else {
        notes.erase(std::string{annotation::kOrigin});
    }
    return object.set_annotations(notes);
}

Result<void> note_transformer(ResMap& objects, Origin const& origin) {
    for (auto* const object : objects.all()) {
        if (object->gone()) continue;
        auto notes = object->annotations();
        if (notes.contains(annotation::kOrigin)) {
            notes[std::string{annotation::kTransformations}] += origin.text(true);
        } else {
            notes[std::string{annotation::kOrigin}] = origin.text();
        }
        if (auto ok = object->set_annotations(notes); !ok) return ok;
    }
    return {};
}

}  // namespace holdfast::kustomize
