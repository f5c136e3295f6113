// modules/text/gotemplate/fmt.hpp: Go's package fmt on Values: Sprint, Sprintf, Sprintln with every verb.
#pragma once

#include "modules/text/gotemplate/value.hpp"

#include <span>
#include <string>
#include <string_view>

namespace holdfast::gotemplate {

/// fmt.Sprint: spaces between operands when neither is a string. False: cut short, the values nest or print beyond all bounds.
bool print(std::string& out, std::span<Value const> args);
/// fmt.Sprintln: spaces always, newline at the end.
bool println(std::string& out, std::span<Value const> args);
/// fmt.Sprintf.  Never fails: mistakes are printed as Go prints them, "%!d(string=x)".
/// Cost  stops growing at `bytes_max` and returns false (width bombs)
bool printf(std::string& out, std::string_view format, std::span<Value const> args, std::size_t bytes_max = 64u << 20);
/// fmt.Sprint(value), the text of one %v.
std::string to_text(Value const& value);

}  // namespace holdfast::gotemplate
