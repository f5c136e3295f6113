// daemon/cmd_build.hpp: `holdfast build DIR`: kustomize build, on the command line.
#pragma once

namespace holdfast::daemon {

/// In      argv[0] is "build"; the flags of `kustomize build` and: --root DIR, --no-limits
/// Out     the exit status: 0, or 1 after one line "Error: ..." on stderr
int run_build(int argc, char** argv);

}  // namespace holdfast::daemon
