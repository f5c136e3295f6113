// modules/yaml/json_text.hpp: a string as encoding/json writes it.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::yaml {

/// In quotes; control characters, U+2028, U+2029 and, when asked, < > & escaped; a bad byte becomes \ufffd.
void append_json_string(std::string& out, std::string_view text, bool escape_html);

/// Each bad byte becomes U+FFFD.
std::string to_valid_utf8(std::string_view text);

}  // namespace holdfast::yaml
