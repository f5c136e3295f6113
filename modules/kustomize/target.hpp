// modules/kustomize/target.hpp: one kustomization being built: what it collects and what it does to that.
#pragma once

#include "modules/base/error.hpp"
#include "modules/kustomize/blame.hpp"
#include "modules/kustomize/config.hpp"
#include "modules/kustomize/loader.hpp"
#include "modules/kustomize/origin.hpp"
#include "modules/kustomize/resmap.hpp"
#include "modules/kustomize/transformers.hpp"
#include "modules/kustomize/types.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace holdfast::kustomize {

/// Transformer configuration that is mostly the default one: shared until a file adds to it.
class Config {
public:
    TransformerConfig const& get() const { return *value_; }
    bool is_set() const { return value_ != nullptr; }
    /// MakeTransformerConfig without `configurations:`.
    Result<void> merge_default();
    /// The default with `more` in it, as `configurations:` make it.
    Result<void> merge_with_default(TransformerConfig const& more);
    Result<void> merge(TransformerConfig const& more);
    Result<void> merge(Config const& other);
    /// Into an empty one, as happens behind every component.
    Result<void> merge_again();

private:
    bool is_default() const;
    Result<void> merge_config_step(TransformerConfig const& more);

    std::shared_ptr<TransformerConfig const> value_;
    bool has_default_ = false;
};

/// resources with the rules to customize them: what a directory hands to its referrer.
struct Accumulator {
    ResMap objects;
    Config config;
    std::map<std::string, Var> vars;

    Result<void> merge(Accumulator const& other);
    /// MergeVars: notes on the objects which vars read them.
    Result<void> add_vars(std::vector<Var> const& incoming);
};

/// Directories that several others refer to are built once and copied.
class Memo;

class Target {
public:
    Target(Context& context, Loader loader, Memo& memo) : context_{context}, loader_{std::move(loader)}, memo_{memo} {}

    /// Reads the kustomization file. `top`: the one the build was asked for.
    Result<void> load(bool top = false);
    /// MakeCustomizedResMap: everything, with hashes and references.
    Result<ResMap> build();

    Kustomization const& kustomization() const { return kustomization_; }
    Loader const& loader() const { return loader_; }

private:
    struct Step {
        Transform run;
        std::optional<Origin> origin;
        Entry entry;
    };
    struct Source {
        Generate run;
        std::optional<Origin> origin;
        Entry entry;
    };

    Result<void> choose_schema(bool reset);
    Result<void> accumulate(Accumulator& into);
    Result<void> accumulate_all(Accumulator& into);
    Result<ResMap> build_all();
    void take_blame() const;
    Result<void> add_resource(Accumulator& into, std::string const& path);
    Result<void> add_components(Accumulator& into);
    Result<void> add_file(Accumulator& into, std::string const& path);
    Result<void> add_directory(Accumulator& into, Loader loader, std::string const& path, bool component);
    Result<void> build_directory(Accumulator& into, Loader& loader, std::string const& path, bool component);
    Result<void> add_config(Accumulator& into);
    Result<void> run_generators(Accumulator& into);
    Result<std::vector<Source>> own_generators();
    Result<void> run_transformers(Accumulator& into);
    Result<std::vector<Step>> own_transformers(TransformerConfig const& config);
    Result<ResMap> plugin_configs(std::vector<std::string> const& entries, char const* what);
    Result<std::vector<Step>> plugin_transformers(std::vector<std::string> const& entries);
    Result<void> run_validators(Accumulator& into);
    Result<FieldSpecs> label_specs(Label const& label, TransformerConfig const& config) const;
    std::optional<Origin> origin_for(char const* kind) const;
    Result<void> drop_local(ResMap& objects) const;

    Context& context_;
    Loader loader_;
    Memo& memo_;
    Kustomization kustomization_;
    std::string file_name_, text_;  // of the kustomization file
    Entry entry_;                   // what is being worked on
    std::optional<Origin> origin_;
    std::string helm_namespace_;  // of the referrers, for charts
};

/// FixKustomizationFileNames: reads whichever of the three there is.
struct KustomizationFile {
    std::string name, text;
};
Result<KustomizationFile> find_kustomization(Loader const& loader);

}  // namespace holdfast::kustomize
