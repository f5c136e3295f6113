// modules/text/gotemplate/escape.hpp: the escapers behind html, js and urlquery.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::gotemplate {

std::string html_escape(std::string_view text);   // template.HTMLEscapeString
std::string js_escape(std::string_view text);     // template.JSEscapeString
std::string query_escape(std::string_view text);  // url.QueryEscape

}  // namespace holdfast::gotemplate
