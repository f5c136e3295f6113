// modules/helm/helm.hpp: a chart and values in, the manifests, hooks and notes that Helm v4.2.1 renders out.
// Pure: no network, clock, environment or randomness but the ports handed in.
// Reading order: helm.hpp, chart.hpp, instance.hpp, engine.hpp, manifest.hpp.
#pragma once

#include "modules/helm/capabilities.hpp"
#include "modules/helm/chart.hpp"
#include "modules/helm/functions.hpp"
#include "modules/helm/log.hpp"
#include "modules/helm/manifest.hpp"
#include "modules/helm/objects.hpp"

#include <list>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::helm {

struct Ports {
    gotemplate::Random* random = nullptr;
    gotemplate::Clock* clock = nullptr;
    gotemplate::TimeZones* zones = nullptr;
    Lookup* lookup = nullptr;  // nullptr: every lookup is empty
};

struct RenderOptions {
    ReleaseOptions release;
    Capabilities capabilities = default_capabilities();
    bool skip_schema_validation = false;
    bool subchart_notes = false;
    gotemplate::Budget budget{};
    bool debug = false;  // log what Helm logs with --debug
    Log* log = nullptr;  // what Helm logs is added here, also when the render fails
};

struct Crd {
    std::string name;      // crds/x.yaml
    std::string filename;  // with the chart's path in front
    std::string data;
};

struct Rendered {
    std::vector<Manifest> manifests;  // in install order
    std::vector<Hook> hooks;          // in install order of their kinds; run by weight
    std::string notes;
    std::vector<Crd> crds;
    Metadata chart;                  // after dependencies were picked
    gotemplate::Value chart_values;  // defaults, with imported ones
    gotemplate::Value values;        // coalesced: what templates saw, before they changed it
};

/// Where a render failed: Helm's command adds a hint when it was in the templates or their output.
enum class RenderStage { dependencies, values, templates, manifests };

/// What is known of a render that failed.
struct RenderFailure {
    RenderStage stage = RenderStage::dependencies;
    std::string
        manifests;  // the output of the templates when it is what could not be read: by name, "# Source:" lines in front
};

/// Renders charts; keeps compiled templates of the charts it was given and of texts passed to tpl. One thread.
class Engine {
public:
    Engine();
    Engine(Engine const&) = delete;
    Engine& operator=(Engine const&) = delete;
    ~Engine();

    /// What `helm template` does after loading.
    ///
    /// In      values   the user's values, a map; not changed
    /// Errors  invalid_input  Helm's text; limit  budgets; whatever a port returns
    /// Never   writes anything, resolves a host name, reads a remote schema
    /// Cost    O(templates + output); a chart's templates are parsed on its first render only
    Result<Rendered> render(Chart const& chart, gotemplate::Value const& values, RenderOptions const& options,
                            Ports const& ports);

    /// The same; a failure leaves its circumstances in `*failure`.
    Result<Rendered> render(Chart const& chart, gotemplate::Value const& values, RenderOptions const& options,
                            Ports const& ports, RenderFailure* failure);

    /// `helm template --name-template`: one template without data.
    Result<std::string> render_name(std::string_view text, Ports const& ports);

    gotemplate::FuncMap const& functions() const { return funcs_; }

private:
    gotemplate::FuncMap const& funcs_;  // of the program: a chart keeps templates that point to them
    TplCache tpl_cache_;
};

/// Loaded charts by digest of their archive, the least recently used dropped first. One thread.
class ChartCache {
public:
    explicit ChartCache(std::size_t bytes_max = limits::kChartCacheBytesMax) : bytes_max_(bytes_max) {}
    ChartPtr find(std::string_view digest);
    /// Keeps the chart; `bytes` is what it is charged with (its archive's unpacked size).
    void keep(std::string digest, ChartPtr chart, std::size_t bytes);
    std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        std::string digest;
        ChartPtr chart;
        std::size_t bytes;
    };
    std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    std::list<Entry> entries_;  // most recently used first
};

/// What a chart's dependencies lack: Helm's CheckDependencies and "charts are not installable".
Result<void> check_installable(Chart const& chart, Log* log = nullptr);

/// Helm's rule for release names. Errors: invalid_input, "release name check failed: release name \"X\": ...".
Result<void> check_release_name(std::string_view name, Log* log = nullptr);

}  // namespace holdfast::helm
