// modules/http/base64.hpp: standard base64, as in Authorization and kubeconfig.
#pragma once

#include "modules/base/error.hpp"

#include <string>
#include <string_view>

namespace holdfast::http {

std::string base64_encode(std::string_view bytes);

/// Line breaks and spaces are skipped. Errors  invalid_input
Result<std::string> base64_decode(std::string_view text);

}  // namespace holdfast::http
