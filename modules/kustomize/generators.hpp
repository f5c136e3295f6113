// modules/kustomize/generators.hpp: configMapGenerator and secretGenerator.
#pragma once

#include "modules/base/error.hpp"
#include "modules/kustomize/loader.hpp"
#include "modules/kustomize/resource.hpp"
#include "modules/kustomize/types.hpp"

namespace holdfast::kustomize {

/// types.MergeGlobalOptionsIntoLocal
std::optional<GeneratorOptions> merge_options(std::optional<GeneratorOptions> local,
                                              std::optional<GeneratorOptions> const& global);

/// Errors  a source that cannot be read or parsed, a key twice
Result<Resource*> make_config_map(Context& context, Loader const& loader, GeneratorArgs const& args);
Result<Resource*> make_secret(Context& context, Loader const& loader, GeneratorArgs const& args);

/// MergeDataMapFrom and MergeBinaryDataMapFrom: what `old` holds and `object` does not is taken over.
Result<void> merge_data(Resource& object, Resource const& old);

}  // namespace holdfast::kustomize
