// modules/text/gotemplate/parse.hpp: template text to trees (text/template/parse/parse.go).
#pragma once

#include "modules/base/error.hpp"
#include "modules/text/gotemplate/template.hpp"

#include <string_view>

namespace holdfast::gotemplate {

/// Errors  invalid_input (Go's text), limit (nesting)
Result<Trees> parse_template(std::string_view name, std::string_view text, TextLife life, FuncMap const& funcs);

}  // namespace holdfast::gotemplate
