// modules/helm/text.hpp: small text helpers of the Helm port.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::helm {

/// RE2's \s.
constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; }
/// unicode.IsSpace for one byte; U+0085 and U+00A0 are two bytes long and handled by trimmed().
constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trimmed_left(std::string_view text);  // strings.TrimLeftFunc(unicode.IsSpace)
std::string_view trimmed(std::string_view text);       // strings.TrimSpace
std::string lower(std::string_view text);              // ASCII
std::vector<std::string_view> split(std::string_view text, char by);
std::string_view base_name(std::string_view path);  // path.Base for paths without a trailing slash
std::string_view extension(std::string_view path);  // filepath.Ext
std::string clean_path(std::string_view path);      // path.Clean
std::string replace_all(std::string text, std::string_view from, std::string_view to);

}  // namespace holdfast::helm
