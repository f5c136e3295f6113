// modules/kustomize/t_image.cpp: images: name, tag and digest of containers.
#include "modules/kustomize/context.hpp"
#include "modules/kustomize/selection.hpp"
#include "modules/kustomize/transformers.hpp"
#include "modules/patch/field.hpp"

#include <re2/re2.h>

#include <memory>

namespace holdfast::kustomize {
namespace {

using yaml::Node;

struct Reference {
    std::string name, tag, digest;
};

/// image.Split: "host:5000/app:v1@sha256:..." -> its parts.
Reference split(std::string const& image) {
    auto slash = image.find('/');
    if (slash == std::string::npos || slash == 0) slash = 0;
    auto const at = image.find('@', slash), colon = image.find(':', slash);
    auto const none = std::string::npos;
    if (at == none && colon == none) return {image, "", ""};
    if (at != none && (colon == none || at < colon)) return {image.substr(0, at), "", image.substr(at + 1)};
    if (at != none) return {image.substr(0, colon), image.substr(colon + 1, at - colon - 1), image.substr(at + 1)};
    return {image.substr(0, colon), image.substr(colon + 1), ""};
}

class Changer {
public:
    Changer(Image image, std::shared_ptr<re2::RE2 const> pattern)
        : image_{std::move(image)}, pattern_{std::move(pattern)} {}

    Result<void> change(yaml::Arena& arena, Node& node) const {
        if (auto ok = patch::require(&node, yaml::Kind::scalar); !ok) return ok;
        auto const value = std::string{node.value()};
        if (!re2::RE2::PartialMatch(value, *pattern_)) return {};
        auto [name, tag, digest] = split(value);
        if (!image_.new_name.empty()) name = image_.new_name;
        if (!image_.new_tag.empty()) {
            tag = image_.new_tag;
            digest = image_.digest;
        } else if (!image_.digest.empty()) {
            tag.clear();
            digest = image_.digest;
        } else if (!image_.tag_suffix.empty()) {
            tag += image_.tag_suffix;
            digest.clear();
        }
        if (!tag.empty()) name += ":" + tag;
        if (!digest.empty()) name += "@" + digest;
        return patch::set_scalar(arena, name)(node);
    }

    /// The fields named containers and initContainers, wherever they are.
    Result<void> change_containers(yaml::Arena& arena, Node& node) const {
        if (node.is_seq()) {
            for (auto* const item : node.items()) {
                if (auto ok = change_containers(arena, *item); !ok) return ok;
            }
        }
        if (!node.is_map()) return {};
        for (std::size_t i = 0; i + 1 < node.size(); i += 2) {
            auto& value = *node.item(i + 1);
            if (auto ok = change_containers(arena, value); !ok) return ok;
            auto const key = node.item(i)->value();
            if ((key != "containers" && key != "initContainers") || !value.is_seq()) continue;
            for (auto* const container : value.items()) {
                auto image = patch::get(container, "image");
                if (!image) return fail(std::move(image));
                if (!*image) continue;
                if (auto ok = change(arena, **image); !ok) return ok;
            }
        }
        return {};
    }

private:
    Image image_;
    std::shared_ptr<re2::RE2 const> pattern_;
};

}  // namespace

Result<Transform> change_image(Image image, FieldSpecs specs) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);
    auto pattern =
        std::make_shared<re2::RE2>("^" + image.name + "(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$", options);
    if (!pattern->ok()) {
        return fail(Errc::invalid_input, "image name '" + image.name + "' is no regular expression: " +
                                             go_regex_error(pattern->error(), image.name));
    }
    return Transform{[changer = Changer{std::move(image), std::move(pattern)},
                      specs = std::move(specs)](ResMap& objects) -> Result<void> {
        for (auto* const object : objects.all()) {
            if (object->gone() || object->kind() == "CustomResourceDefinition") continue;
            auto& arena = object->context().arena;
            if (auto ok = changer.change_containers(arena, *object->edit()); !ok) return ok;
        }
        for (auto* const object : objects.all()) {
            if (object->gone() || object->kind() == "CustomResourceDefinition") continue;
            auto& arena = object->context().arena;
            auto const visit = [&](Node& node) { return changer.change(arena, node); };
            if (auto ok = patch::apply(arena, specs, *object->edit(), visit); !ok) return ok;
        }
        return {};
    }};
}

}  // namespace holdfast::kustomize
