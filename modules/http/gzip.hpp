// modules/http/gzip.hpp: request bodies packed, answers unpacked within a bound.
#pragma once

#include "modules/base/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::http {

/// Errors  limit  no memory for the compressor
Result<std::string> gzip(std::string_view plain, int level = 6);

/// Errors  corrupt  not gzip or cut short;  limit  longer than plain_bytes_max
Result<std::string> gunzip(std::string_view packed, std::size_t plain_bytes_max);

}  // namespace holdfast::http
