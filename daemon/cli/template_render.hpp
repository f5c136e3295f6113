// daemon/cli/template_render.hpp: what `helm template` prints, as a call.
#pragma once

#include "daemon/cli/template_flags.hpp"
#include "modules/helm/strvals.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::daemon {

struct TemplateOutput {
    int status = 0;
    std::string out;
    std::string err;             // the lines of stderr, "Error: ..." the last
    std::optional<Error> error;  // with status 1
};

/// Renders the chart that `flags` name. `read_values` gives what the names among flags.value_files stand for.
/// `last_words` is called with a good output while everything it was made from is still there.
/// Call after sandbox::raise_stack(): templates may use all of that stack.
TemplateOutput render_template(TemplateFlags const& flags, helm::ReadFile const& read_values,
                               std::function<void(TemplateOutput const&)> const& last_words = {});

/// Values files of the command line: a path, or "-" for standard input.
/// Errors  not_found, invalid_input; denied: a URL
Result<std::string> read_values_file(std::string_view path);

}  // namespace holdfast::daemon
