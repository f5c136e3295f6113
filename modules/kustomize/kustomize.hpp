// modules/kustomize/kustomize.hpp: one overlay directory in, Kubernetes objects out, as `kustomize build` v5.8.1.
// Pure: reads files below a root; no network, clock, environment or program.
// Reading order: kustomize.hpp, build.cpp, target.cpp, transformers.hpp, resmap.hpp, resource.hpp.
#pragma once

#include "modules/base/error.hpp"
#include "modules/base/limits.hpp"
#include "modules/kustomize/files.hpp"
#include "modules/kustomize/remote.hpp"
#include "modules/yaml/arena.hpp"
#include "modules/yaml/node.hpp"

#include <boost/json/value.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::kustomize {

struct Limits {
    std::size_t file_bytes_max = limits::kKustomizeFileBytesMax;
    std::size_t total_bytes_max = limits::kKustomizeTotalBytesMax;
    std::size_t objects_max = limits::kKustomizeObjectsMax;
    std::size_t arena_bytes_max = limits::kKustomizeArenaBytesMax;
};

/// One helmCharts entry, ready to be rendered. Paths are absolute.
struct HelmRequest {
    std::string chart_directory;  // holds Chart.yaml; when absent the chart must be fetched from `repo`
    std::string name, version, repo, release_name, ns, name_template, kube_version;
    std::vector<std::string> api_versions;
    std::vector<std::string> values;  // texts of values files, later ones win
    bool include_crds = false, skip_hooks = false, skip_tests = false, devel = false;
};
/// Renders a chart to a stream of manifests. Owned here, filled by the helm engine.
using HelmRenderer = std::function<Result<std::string>(HelmRequest const&)>;

struct Options {
    /// Confines every read, links resolved, whatever the restrictor says; "" for kustomize's own rules.
    std::string root;
    /// Not null: these files are all there is; `root` is a directory of theirs. Outlives the Built.
    MemoryFiles const* files = nullptr;
    bool load_restrictions_none = false;  // --load-restrictor LoadRestrictionsNone
    enum class Reorder { unspecified, legacy, none } reorder = Reorder::unspecified;
    bool managed_by_label = false;  // --enable-managedby-label
    bool alpha_plugins = false;     // --enable-alpha-plugins: accepted; only builtin plugins run
    bool helm = false;              // --enable-helm
    HelmRenderer render_chart;      // empty: helmCharts fails with a clear error
    std::vector<std::string> helm_api_versions;
    std::string helm_kube_version;

    /// Fields merged into the top-level kustomization before it is built (flux_generate.hpp writes them).
    /// Called with the text of the file; returns the text to use.
    std::function<Result<std::string>(std::string_view directory, std::string_view file, std::string text)> edit_top;

    /// What was fetched, and where a failed build says what is missing. Null: URLs are refused, for the reason below.
    Remotes* remotes = nullptr;
    std::string remote_refusal = "no network in a render";

    bool schema_adds = false;  // types of `openapi.path` stand beside the builtin ones, as in Flux, not in their place

    /// Not null: where the warnings of a build that fails go; Built has those of one that does not.
    std::vector<std::string>* failed_warnings = nullptr;

    Limits limits;
};

/// The objects in output order. Owns their nodes.
class Built {
public:
    struct Object {
        std::string api_version, kind, name, ns;
        bool cluster_scoped;
        yaml::Node const* node;
    };
    std::vector<Object> objects;
    std::vector<std::string> warnings;  // "# Warning: 'bases' is deprecated. ..."

    /// One object as kustomize prints it: sorted keys, sigs.k8s.io/yaml's style.
    Result<std::string> text_of(Object const& object) const;
    /// All of them, "---" between.
    Result<std::string> text() const;

    std::shared_ptr<void> owner;  // keeps the nodes
};

/// Renders one overlay.
///
/// In      directory  of the overlay; relative to the working directory, or absolute
/// Out     0..objects_max objects in kustomize's order
/// Errors  invalid_input, not_found, denied, limit; the first line of the message is kustomize's own, the last ones say
///         where it comes from: "  at FILE:LINE:COLUMN", of a file that cannot be read and of the kustomization's entry
///         offline  something remote is not fetched yet: options.remotes->missing()
/// Never   leaves options.root, opens what is no regular file, runs a program, uses the network
/// Cost    O(objects x field specs); memory about 10 x bytes read
/// Source  kustomize v5.8.1 api/krusty Run
Result<Built> build(std::string const& directory, Options const& options = {});

}  // namespace holdfast::kustomize
