// daemon/cli/template.hpp: `holdfast template [NAME] CHART`: helm template, on the command line.
#pragma once

#include "daemon/cli/template_render.hpp"

namespace holdfast::daemon {

/// In      argv[0] is "template"; the flags of `helm template` v4.2.1 and --seed N, --time RFC3339-seconds, which fix what is random
/// Out     the exit status: 0, or 1 after "Error: ..." on stderr
int run_template(int argc, char** argv);

/// The same without printing.
TemplateOutput template_output(int argc, char** argv);

}  // namespace holdfast::daemon
