// modules/status/table.hpp: `holdfast status`: what to_json wrote, as columns for a terminal and as an exit code.
#pragma once

#include "modules/base/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::status {

struct TableOptions {
    bool failed = false;    // only what is Non-Compliant, has objects that are not ready, or drifted
    std::string ns = "";    // only what is in this namespace; "": all
    std::size_t width = 0;  // columns of the terminal; 0: none, everything is shown in full
};

/// Errors  invalid_input  not such a document
Result<std::string> to_table(std::string_view status_json, TableOptions const& options = {});

/// Of the headline's word: 0 compliant, 2 non-compliant, 1 anything else.
/// Errors  invalid_input  not such a document
Result<int> exit_code(std::string_view status_json);

}  // namespace holdfast::status
