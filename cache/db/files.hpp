// cache/db/files.hpp: durable renames and replacements of what lies in the state directory.
#pragma once

#include "modules/base/error.hpp"

#include <filesystem>
#include <string_view>

namespace holdfast::cache::db {

/// What errno says, as an Error: "<step> <path>: <words>".
std::unexpected<Error> file_failed(std::string_view step, std::filesystem::path const& path);

/// The whole new content or the old one, whenever the power goes; durable on return. Mode 0600.
Result<void> replace_file(std::filesystem::path const& path, std::string_view text);

/// Renames within a directory; durable after sync_directory().
Result<void> move_file(std::filesystem::path const& from, std::filesystem::path const& to);

Result<void> sync_file(std::filesystem::path const& path);

/// The directory that `path` is in.
Result<void> sync_directory(std::filesystem::path const& path);

}  // namespace holdfast::cache::db
