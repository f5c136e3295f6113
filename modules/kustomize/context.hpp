// modules/kustomize/context.hpp: what one build owns: nodes, objects, files, schema, and how much of each.
#pragma once

#include "modules/kustomize/blame.hpp"
#include "modules/kustomize/kustomize.hpp"
#include "modules/kustomize/loader.hpp"
#include "modules/kustomize/resource.hpp"
#include "modules/patch/schema.hpp"
#include "modules/yaml/arena.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::kustomize {

/// Lives as long as the build; every Resource and Node points into it.
class Context {
public:
    Context(Options const& options, std::string root)
        : options{options},
          files{std::move(root), {options.limits.file_bytes_max, options.limits.total_bytes_max}, options.files} {}
    Context(Context const&) = delete;

    /// Errors: limit when the build holds more than objects_max.
    Result<Resource*> adopt(yaml::Node* node);
    /// A copy with nodes of its own; several objects that share scalars are copied with the same `shared`.
    Result<Resource*> copy(Resource const& from, yaml::SharedScalars* shared = nullptr);
    /// Errors: limit when the nodes take more memory than allowed; called once per step.
    Result<void> check_memory() const;

    /// Something remote is missing: the build is over, and begins again when it is there.
    bool needs_fetching() const { return options.remotes && !options.remotes->missing().empty(); }
    void warn(std::string line);

    Options const& options;
    Files files;
    yaml::Arena arena;
    patch::Schema schema;  // the builtin one, until the first kustomization that names another
    bool schema_is_chosen = false;
    // kyaml keeps the builtin types beside a document that is chosen later, when it had a use for them by then.
    bool builtin_merged = options.schema_adds, unknown_type_met = false;
    std::vector<std::string> warnings;
    Blame blame;

private:
    std::deque<Resource> resources_;
};

}  // namespace holdfast::kustomize
