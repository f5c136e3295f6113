// modules/base/read_file.hpp: a whole file, bounded, with the texts of Go's os package.
#pragma once

#include "modules/base/error.hpp"

#include <cstddef>
#include <string>

namespace holdfast {

/// Errors  not_found  "open PATH: no such file or directory", or why else; invalid_input  "read PATH: is a directory";
///         limit  more than bytes_max
Result<std::string> read_file(std::string const& path, std::size_t bytes_max);

/// The same from a descriptor that stays the caller's; `name` stands in messages.
Result<std::string> read_descriptor(int fd, std::string const& name, std::size_t bytes_max);

}  // namespace holdfast
