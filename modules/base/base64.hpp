// modules/base/base64.hpp: padded base64 and base32 as Go's encoding/base64 and base32 read and write them.
#pragma once

#include "modules/base/error.hpp"

#include <string>
#include <string_view>

namespace holdfast {

std::string base64_encode(std::string_view bytes);
/// Line breaks are skipped. Errors  invalid_input  "illegal base64 data at input byte N"
Result<std::string> base64_decode(std::string_view text);
std::string base32_encode(std::string_view bytes);
/// The same. Errors  invalid_input  "illegal base32 data at input byte N"
Result<std::string> base32_decode(std::string_view text);

}  // namespace holdfast
