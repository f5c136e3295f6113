// modules/helm/output.hpp: what `helm template` prints of a render.
#pragma once

#include "modules/helm/helm.hpp"

#include <span>
#include <string>
#include <vector>

namespace holdfast::helm {

struct OutputOptions {
    bool include_crds = false;
    bool no_hooks = false;
    bool skip_tests = false;
    std::span<std::string const> show_only;  // patterns of paths below the chart's name
};

/// The text for standard output.
/// Errors  not_found  "could not find template x in chart"
Result<std::string> print(Rendered const& rendered, OutputOptions const& options);

/// What `--debug` prints of a render that failed in its templates or their output.
/// Errors  as above
Result<std::string> print(RenderFailure const& failure, OutputOptions const& options);

/// The same, as files: path below the output folder and the text to append to it, in order.
struct OutputFile {
    std::string path;
    std::string text;
    bool is_hook = false;
    bool is_crd = false;
};
std::vector<OutputFile> print_files(Rendered const& rendered, OutputOptions const& options);

}  // namespace holdfast::helm
