// modules/helm/manifest.hpp: rendered files into manifests and hooks, split and sorted as Helm does.
#pragma once

#include "modules/base/error.hpp"
#include "modules/helm/log.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::helm {

struct Manifest {
    std::string path;  // chart/templates/file.yaml
    std::string content;
    std::string api_version;
    std::string kind;
    std::string name;  // metadata.name
};

struct Hook {
    std::string name;
    std::string kind;
    std::string path;
    std::string manifest;
    std::vector<std::string> events;  // pre-install, ..., test
    int weight = 0;
    std::vector<std::string> delete_policies;
    std::vector<std::string> output_log_policies;
};

struct Sorted {
    std::vector<Manifest> manifests;  // in install order
    std::vector<Hook> hooks;
};

inline constexpr std::size_t kManifestsMax = 100'000;

/// Helm's SplitManifests: documents at "---", blank ones dropped, leading blanks cut off.
std::vector<std::string> split_manifests(std::string_view text);

/// Helm's SortManifests with InstallOrder. `files` maps path to rendered text; partials and blank files are skipped.
/// Errors  invalid_input  "YAML parse error on PATH: ..."; limit  kManifestsMax
Result<Sorted> sort_manifests(std::map<std::string, std::string> const& files, Log& log);

/// Position in Helm's install order (uninstall order when `uninstall`); kinds it does not know come last.
std::size_t kind_rank(std::string_view kind, bool uninstall = false);

}  // namespace holdfast::helm
