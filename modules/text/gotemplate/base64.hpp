// modules/text/gotemplate/base64.hpp: Go's encoding/base64 and base32, standard alphabets, with their error texts.
#pragma once

#include "modules/base/error.hpp"

#include <string>
#include <string_view>

namespace holdfast::gotemplate {

std::string base64_encode(std::string_view bytes);
/// Errors  invalid_input "illegal base64 data at input byte N"; line breaks are skipped
Result<std::string> base64_decode(std::string_view text);
std::string base32_encode(std::string_view bytes);
/// Errors  invalid_input "illegal base32 data at input byte N"
Result<std::string> base32_decode(std::string_view text);

}  // namespace holdfast::gotemplate
