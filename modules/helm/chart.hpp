// modules/helm/chart.hpp: a chart as it was loaded; immutable, shared between renders of one thread.
#pragma once

#include "modules/base/error.hpp"
#include "modules/base/limits.hpp"
#include "modules/helm/log.hpp"
#include "modules/text/gotemplate/template.hpp"
#include "modules/text/gotemplate/value.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::helm {

using limits::kChartBytesMax, limits::kChartFileBytesMax, limits::kChartFilesMax, limits::kChartDepthMax;

struct File {
    std::string name;  // relative to the chart, "/" between folders
    std::string data;
};

struct Maintainer {
    std::string name{}, email{}, url{};
    bool is_null = false;  // of a list in Chart.yaml; validation refuses it
};

struct Dependency {
    std::string name{}, version{}, repository{}, condition{};
    std::vector<std::string> tags{};
    bool enabled = false;
    std::vector<gotemplate::Value> import_values{};
    std::string alias{};
    bool is_null = false;  // as above
};

/// Chart.yaml, with requirements.yaml merged in for old charts.
struct Metadata {
    std::string name, home;
    std::vector<std::string> sources;
    std::string version, description;
    std::vector<std::string> keywords;
    std::vector<Maintainer> maintainers;
    std::string icon, api_version, condition, tags, app_version;
    bool deprecated = false;
    std::optional<std::map<std::string, std::string>> annotations;
    std::string kube_version;
    std::optional<std::vector<Dependency>> dependencies;  // nothing: the key is absent
    std::string type;

    bool is_library() const;
};

struct Chart {
    Metadata metadata;
    std::vector<File> templates;
    std::vector<File> files;   // everything else, crds/ included
    gotemplate::Value values;  // defaults, a map; invalid when there is no values.yaml
    std::optional<std::string> schema;
    std::vector<std::shared_ptr<Chart const>> dependencies;  // of charts/, by folder name

    /// Parsed templates by full name (an aliased chart has more than one), filled by the engine. Never copied.
    mutable std::map<std::string, gotemplate::TemplateSet::Parsed, std::less<>> compiled;
};

using ChartPtr = std::shared_ptr<Chart const>;

/// Helm's LoadFiles: sorts files into a chart and its subcharts.
/// In      log  what Helm logs is added here when not null
/// Errors  invalid_input  Helm's text: "Chart.yaml file is missing", "validation: chart.metadata.name is required",
///                        "cannot load values.yaml: ...", "error unpacking subchart x in y: ..."
///         limit          charts nested too deep
Result<ChartPtr> load_files(std::vector<File> files, Log* log = nullptr, std::size_t depth = 0);

/// A chart from a folder, by Helm's rules: .helmignore, links followed only inside of `root`.
///
/// In      path   the chart's folder
///         root   nothing outside of it is read, also through links; empty: the chart's folder itself
/// Errors  not_found  "unable to detect chart at ...: open ...: no such file or directory"
///         invalid_input, limit  as load_files
Result<ChartPtr> load_directory(std::string const& path, std::string const& root = {}, Log* log = nullptr);

/// A chart from the bytes of a .tgz.
/// In      name  for error texts
/// Errors  as load_files; invalid_input also for what is not a gzip'ed tar, links, absolute names and ".."
Result<ChartPtr> load_archive(std::string_view bytes, std::string_view name = "chart.tgz", Log* log = nullptr);

/// load_directory or load_archive, by what `path` is; error texts as `helm template` prints them.
Result<ChartPtr> load_path(std::string const& path, Log* log = nullptr);

/// The entries of a chart archive, its first folder cut off the names.
Result<std::vector<File>> unpack_archive(std::string_view bytes);

/// Helm's LoadValues: the merged documents of one values text.
Result<gotemplate::Value> load_values(std::string_view text);
/// Helm's MergeMaps: `over` wins, maps are merged; neither is changed.
gotemplate::Value merge_maps(gotemplate::Value const& base, gotemplate::Value const& over);

/// Chart.yaml (or requirements.yaml) into `into`.
Result<void> decode_metadata(std::string_view yaml, Metadata& into);
/// Helm's Validate: also makes the texts printable.
Result<void> validate_metadata(Metadata& metadata);

}  // namespace holdfast::helm
