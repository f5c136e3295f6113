// modules/helm/strvals.hpp: Helm's --set language: "a.b[0].c=x,d={1,2}" into a values map.
#pragma once

#include "modules/base/error.hpp"
#include "modules/text/gotemplate/value.hpp"

#include <functional>
#include <string_view>

namespace holdfast::helm {

enum class SetKind {
    typed,    // --set: true, false, null and integers become values
    string,   // --set-string
    json,     // --set-json: the text after "=" is JSON
    literal,  // --set-literal: no escapes, no lists, no second assignment
    file,     // --set-file: the text after "=" names a file whose content is the value
};

inline constexpr std::int64_t kSetIndexMax = 65'536;
inline constexpr int kSetDepthMax = 30;
inline constexpr int kSetNestedMax = 1'000;             // a[0][0][0]...; Helm has no bound
inline constexpr std::size_t kSetItemsMax = 1'000'000;  // list slots made by one line

using ReadFile = std::function<Result<std::string>(std::string_view path)>;

/// Merges one line into `values`, a map[string]any changed in place; on an error it may be half merged.
/// Errors  invalid_input  Helm's text: key "a" has no value; index of 99 is greater than maximum supported index of 65536
///         limit          kSetItemsMax, kSetNestedMax, kSetNestedMax
Result<void> set_values(std::string_view line, SetKind kind, gotemplate::Value& values, ReadFile const& read_file = {});

}  // namespace holdfast::helm
