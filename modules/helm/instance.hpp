// modules/helm/instance.hpp: a chart as one render sees it: dependencies picked, renamed, and given their values.
#pragma once

#include "modules/helm/chart.hpp"
#include "modules/helm/log.hpp"

#include <memory>
#include <string>
#include <vector>

namespace holdfast::helm {

/// The mutable copy of a loaded chart's metadata, values and dependency list; files stay shared with the Chart.
struct Instance {
    Chart const* chart = nullptr;
    Metadata metadata;
    gotemplate::Value values;  // defaults; replaced by what import-values adds
    std::vector<std::unique_ptr<Instance>> dependencies;
    Instance const* parent = nullptr;  // whose path this one's path starts with
    std::vector<std::unique_ptr<Instance>>
        replaced;  // what copies were made of: still the parents of the copies' parts

    std::string const& name() const { return metadata.name; }
    bool is_root() const { return parent == nullptr; }
    std::string full_path() const;  // root/charts/a/charts/b
};

inline constexpr auto kInstancesMax = limits::kChartInstancesMax;

/// The whole tree of `chart`, nothing picked yet.
std::unique_ptr<Instance> instantiate(Chart const& chart, Instance const* parent = nullptr);

/// Helm's ProcessDependencies: aliases, conditions, tags, import-values.
/// Errors  invalid_input  "type mismatch on x: ..."; limit  kInstancesMax
Result<void> process_dependencies(Instance& root, gotemplate::Value const& values, Log& log);

/// Helm's CoalesceValues: user values over the chart's defaults, passed down to subcharts, globals shared, nulls deleting.
/// `merge` is MergeValues: nulls stay. The arguments are not changed.
Result<gotemplate::Value> coalesce_values(Instance const& root, gotemplate::Value const& values, bool merge, Log& log);

/// Helm's CoalesceTables: `into` wins; changed in place, and so may be `from`.
void coalesce_tables(gotemplate::Value& into, gotemplate::Value from, bool merge, std::string const& prefix, Log& log);

/// Helm's Values.Table: the map at a dotted path, or invalid and then the part of the path that is no map in `*missing`.
gotemplate::Value table_at(gotemplate::Value const& values, std::string_view path, std::string_view* missing = nullptr);

gotemplate::Value deep_copy(gotemplate::Value const& value);

/// Helm's ValidateAgainstSchema: every chart's schema against its part of the values.
/// Errors  invalid_input  "values don't meet the specifications of the schema(s) in the following chart(s):\n..."; limit
Result<void> validate_schemas(Instance const& root, gotemplate::Value const& values, Log& log, bool debug);

}  // namespace holdfast::helm
