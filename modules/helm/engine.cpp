// modules/helm/engine.cpp: one template set per render, each chart's scope below its parent's.
#include "modules/helm/engine.hpp"

#include "modules/helm/text.hpp"

#include <algorithm>

namespace holdfast::helm {

using gotemplate::Kind;
using gotemplate::TemplateSet;
using gotemplate::Value;

namespace {

constexpr std::size_t kTemplatesMax = 20'000;

struct Renderable {
    std::string name;
    std::string base_path;
    File const* file;
    Chart const* chart;
    Value scope;  // shared by the templates of one chart
    std::size_t depth;
};

class Collector {
public:
    Collector(Value release, Value capabilities)
        : release_(std::move(release)), capabilities_(std::move(capabilities)) {}

    /// The scope of `chart`; its templates and those below are added to `all`.
    Value collect(Instance const& chart, Value const& parent_values, std::vector<Renderable>& all) {
        Value metadata = metadata_value(chart.metadata);
        metadata.set("IsRoot", Value::boolean(chart.is_root()).boxed());
        Value values = Value::map(kValuesType);
        if (chart.is_root()) {
            values = parent_values;
        } else if (auto const found = table_at(parent_values, chart.name()); found.is_map()) {
            values = found;  // a dot in a chart's name is a step, as in Helm
        }
        Value subcharts = Value::map();
        Value scope = Value::map();
        scope.set("Chart", std::move(metadata).boxed());
        scope.set("Files", files_value(chart.chart->files).boxed());
        scope.set("Release", release_.boxed());
        scope.set("Capabilities", capabilities_.boxed());
        scope.set("Values", values.viewed_as(kValuesType).boxed());
        scope.set("Subcharts", subcharts.boxed());
        for (auto const& sub : chart.dependencies) subcharts.set(sub->name(), collect(*sub, values, all).boxed());
        auto const path = chart.full_path();
        bool const library = chart.metadata.is_library();
        for (auto const& file : chart.chart->templates) {
            if (library && !base_name(file.name).starts_with('_')) continue;
            auto name = clean_path(path + '/' + file.name);
            auto const depth = static_cast<std::size_t>(std::ranges::count(name, '/'));
            all.push_back({std::move(name), path + "/templates", &file, chart.chart, scope, depth});
        }
        return scope;
    }

private:
    Value release_;
    Value capabilities_;
};

/// Deeper first, then the later name first, as Helm; of equal names the last one collected stays.
void sort_templates(std::vector<Renderable>& all) {
    std::map<std::string_view, std::size_t> last;
    for (std::size_t i = 0; i < all.size(); ++i) last[all[i].name] = i;
    std::vector<Renderable> kept;
    for (auto const& [name, i] : last) kept.push_back(std::move(all[i]));
    std::ranges::sort(kept, [](Renderable const& a, Renderable const& b) {
        return a.depth != b.depth ? a.depth > b.depth : a.name > b.name;
    });
    all = std::move(kept);
}

Result<void> parse_all(std::vector<Renderable> const& all, TemplateSet& set) {
    for (auto const& one : all) {
        auto found = one.chart->compiled.find(one.name);
        if (found == one.chart->compiled.end()) {
            auto parsed = set.parse_only(one.name, one.file->data, gotemplate::TextLife::lent);
            if (!parsed) return fail(parsed.error().code, parse_error_text(one.name, parsed.error().message));
            found = one.chart->compiled.emplace(one.name, std::move(*parsed)).first;
        }
        set.add(found->second);
    }
    return {};
}

}  // namespace

Result<std::map<std::string, std::string>> render_templates(Instance const& root, Value const& values,
                                                            Value const& release, Value const& capabilities,
                                                            EngineRun const& run) {
    std::vector<Renderable> all;
    Collector{release, capabilities}.collect(root, values, all);
    if (all.size() > kTemplatesMax) return fail(Errc::limit, "too many templates");
    sort_templates(all);
    TemplateSet set{run.funcs};
    if (auto parsed = parse_all(all, set); !parsed) return fail(std::move(parsed));
    HelmExecutor executor{set, run.ports, run.budget, run.tpl_cache, run.lookup};
    std::map<std::string, std::string> rendered;
    std::size_t bytes = 0;
    for (auto& one : all) {
        if (base_name(one.name).starts_with('_')) continue;
        Value about = Value::map(kValuesType);
        about.set("Name", Value::string(one.name).boxed());
        about.set("BasePath", Value::string(one.base_path).boxed());
        one.scope.set("Template", std::move(about).boxed());
        std::string out;
        executor.included.clear();
        if (!executor.execute(one.name, one.scope.viewed_as(kValuesType), out)) {
            auto const& error = executor.error();
            if (error.error.code == Errc::limit) return fail(Errc::limit, exec_error_text(one.name, error.chain));
            return fail(Errc::invalid_input, exec_error_text(one.name, error.chain));
        }
        bytes += out.size();
        if (bytes > run.budget.output_bytes_max)
            return fail(Errc::limit,
                        "rendered output larger than " + std::to_string(run.budget.output_bytes_max) + " bytes");
        rendered[one.name] = replace_all(std::move(out), "<no value>", "");
    }
    return rendered;
}

}  // namespace holdfast::helm
