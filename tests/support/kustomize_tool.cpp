// tests/support/kustomize_tool.cpp: `holdfast build` alone, for tests that start it as a program.
#include "daemon/cli/build.hpp"

#include <cstdio>
#include <string_view>

int main(int argc, char** argv) {
    if (argc < 2 || std::string_view{argv[1]} != "build") {
        std::fputs("usage: kustomize_tool build [flags] DIR\n", stderr);
        return 2;
    }
    return holdfast::daemon::run_build(argc - 1, argv + 1);
}
