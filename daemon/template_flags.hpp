// daemon/template_flags.hpp: the flags of `holdfast template`, read as helm's flag parser reads them.
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
    std::string namespace_name = "default", kube_version, output_dir, name_template;
    bool generate_name = false, no_hooks = false, include_crds = false, skip_crds = false, skip_tests = false,
         is_upgrade = false, release_name = false, skip_schema_validation = false, debug = false, no_limits = false,
         help = false;
    std::vector<std::string> deprecations;  // lines for stderr
    std::optional<std::uint64_t> seed;
    std::optional<std::int64_t> time;
};

/// Errors  invalid_input  pflag's text ("unknown flag: --x"), or why a flag is refused here
Result<TemplateFlags> parse_template_flags(int argc, char** argv);

}  // namespace holdfast::daemon
