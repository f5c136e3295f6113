// daemon/cli/template_flags.hpp: the flags of `holdfast template`: those of `helm template`, checked as Helm checks them.
#pragma once

#include "modules/base/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::daemon {

struct TemplateFlags {
    std::vector<std::string> positional;
    std::vector<std::string> value_files, set, set_string, set_json, set_file, set_literal;
    std::vector<std::string> show_only, api_versions;
    std::string namespace_name, kube_version, output_dir, name_template;
    std::string kubeconfig, kube_context;  // for the namespace, when none is named
    std::string version;                   // of a chart that is fetched: only logged
    bool generate_name = false, no_hooks = false, include_crds = false, skip_crds = false, skip_tests = false,
         is_upgrade = false, release_name = false, skip_schema_validation = false, debug = false, devel = false,
         no_limits = false, help = false;
    std::vector<std::string> said;  // lines for stderr: deprecations and warnings
    std::optional<std::uint64_t> seed;
    std::optional<std::int64_t> time;
};

/// `said` gets what is to be said all the same when the parse fails.
/// Errors  invalid_input  pflag's text ("unknown flag: --x") or Helm's; denied: why a flag is refused here
Result<TemplateFlags> parse_template_flags(int argc, char** argv, std::vector<std::string>& said);

}  // namespace holdfast::daemon
