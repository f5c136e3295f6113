// tests/support/helm_tool.cpp: `holdfast template` as a program of its own, for tests and comparisons.
#include "daemon/cmd_template.hpp"

int main(int argc, char** argv) { return holdfast::daemon::run_template(argc, argv); }
