// modules/kustomize/origin.hpp: buildMetadata: where an object came from and what changed it.
#pragma once

#include "modules/base/error.hpp"
#include "modules/kustomize/resmap.hpp"

#include <optional>
#include <string>

namespace holdfast::kustomize {

struct Origin {
    std::string path, repo, ref, configured_in;
    std::string api_version, kind, name, ns;  // configuredBy

    /// Origin.Append: a file or directory below, or a repository.
    Origin append(std::string const& path) const;
    /// Origin.String: YAML. `as_item` makes it an entry of the transformations list.
    std::string text(bool as_item = false) const;
};

/// The step that a builtin field of a kustomization file stands for.
Origin configured_by(Origin const& at, std::string const& file, std::string kind);
/// OriginFromCustomPlugin
Result<std::optional<Origin>> origin_of_plugin(Resource const& config);

Result<void> set_origin(Resource& object, std::optional<Origin> const& origin);
/// AddTransformerAnnotation: objects without an origin came from the transformer itself.
Result<void> note_transformer(ResMap& objects, Origin const& origin);

}  // namespace holdfast::kustomize
