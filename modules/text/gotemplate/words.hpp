// modules/text/gotemplate/words.hpp: case and word functions of goutils and xstrings that sprig uses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::gotemplate {

std::string title_case(std::string_view text);                       // strings.Title
std::string uncapitalize(std::string_view text);                     // goutils.Uncapitalize
std::string swap_case(std::string_view text);                        // goutils.SwapCase
std::string word_initials(std::string_view text);                    // goutils.Initials
std::string without_spaces(std::string_view text);                   // goutils.DeleteWhiteSpace
std::string pascal_case(std::string_view text);                      // xstrings.ToPascalCase
std::string joined_case(std::string_view text, char32_t connector);  // xstrings.ToSnakeCase, ToKebabCase
std::string abbreviate(std::string_view text, std::int64_t offset, std::int64_t width);  // goutils.AbbreviateFull
std::string wrap_text(std::string_view text, std::int64_t width, std::string_view newline, bool wrap_long_words);

}  // namespace holdfast::gotemplate
