// daemon/cli/version.cpp: holdfast version.
#include "daemon/cli/common.hpp"
#include "daemon/cli/verbs.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace holdfast::daemon {

int version_verb(int argc, char** argv) {
    CLI::App app{"Print the version.", "holdfast version"};
    if (auto const code = stop_after_flags(app, argc, argv)) return *code;
    std::puts("holdfast " HOLDFAST_VERSION);
    return 0;
}

}  // namespace holdfast::daemon
