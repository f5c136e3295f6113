// modules/helm/toml_text.hpp: how BurntSushi/toml writes strings and keys.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::helm::toml {

/// "text", escaped.
void append_quoted(std::string& out, std::string_view text);
/// One part of a key: as it is when it may stand bare, else quoted.
void append_key(std::string& out, std::string_view key);

}  // namespace holdfast::helm::toml
