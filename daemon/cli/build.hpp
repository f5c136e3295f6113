// daemon/cli/build.hpp: `holdfast build DIR`: kustomize build, on the command line.
#pragma once

#include "daemon/cli/build_rounds.hpp"
#include "modules/kustomize/kustomize.hpp"

namespace holdfast::daemon {

/// What a build uses of the rest of the program; without it, what needs it is an error.
struct BuildPorts {
    kustomize::HelmRenderer render_chart;
    RemoteFetcher fetch_remote;
};

/// In      argv[0] is "build"; the flags of `kustomize build` and: --allow-remote-bases, --root DIR, --no-limits
/// Out     the exit status: 0, or 1 after one line "Error: ..." on stderr
int run_build(int argc, char** argv, BuildPorts ports = {});

}  // namespace holdfast::daemon
