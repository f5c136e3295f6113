// modules/text/gotemplate/builtins.hpp: what every template can call; `and`, `or` and `call` are in exec.cpp.
#pragma once

#include "modules/text/gotemplate/funcs.hpp"

namespace holdfast::gotemplate {

/// The table of text/template's own functions, made on first use.
FuncMap const& builtins();

}  // namespace holdfast::gotemplate
