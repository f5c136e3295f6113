// modules/text/gotemplate/parse.hpp: template text to trees (text/template/parse/parse.go).
#pragma once

#include "modules/base/error.hpp"
#include "modules/text/gotemplate/node.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace holdfast::gotemplate {

using Trees = std::map<std::string, std::shared_ptr<Tree const>, std::less<>>;

/// Errors  invalid_input (Go's text), limit (nesting)
Result<Trees> parse_template(std::string_view name, std::string_view text, FuncMap const& funcs);

}  // namespace holdfast::gotemplate
