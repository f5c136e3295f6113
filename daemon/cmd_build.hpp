// daemon/cmd_build.hpp: `holdfast build DIR`: kustomize build, on the command line.
#pragma once

#include "modules/kustomize/kustomize.hpp"

namespace holdfast::daemon {

/// In      argv[0] is "build"; the flags of `kustomize build` and: --root DIR, --no-limits
/// Out     the exit status: 0, or 1 after one line "Error: ..." on stderr
/// `render_chart` renders helmCharts; without it they are an error
int run_build(int argc, char** argv, kustomize::HelmRenderer render_chart = {});

}  // namespace holdfast::daemon
