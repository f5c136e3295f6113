// tests/support/helm_tool.cpp: `holdfast template` as a program of its own, for tests and comparisons.
#include "daemon/cmd_template.hpp"

#include <string_view>

int main(int argc, char** argv) {
    bool const named = argc > 1 && std::string_view{argv[1]} == "template";
    return holdfast::daemon::run_template(named ? argc - 1 : argc, named ? argv + 1 : argv);
}
