// modules/text/gotemplate/json.hpp: Go's encoding/json on Values: same bytes, same error texts.
#pragma once

#include "modules/base/error.hpp"
#include "modules/text/gotemplate/value.hpp"

#include <string>
#include <string_view>

namespace holdfast::gotemplate {

struct JsonStyle {
    bool escape_html = true;       // json.Marshal; false as sprig's toRawJson
    std::string_view indent = {};  // MarshalIndent(v, "", indent) when not empty
    std::size_t bytes_max = 64u << 20;
};

/// json.Marshal.  Errors  invalid_input ("json: unsupported value: NaN"), limit (nesting, a map inside itself, bytes_max)
Result<std::string> to_json(Value const& value, JsonStyle const& style = {});

/// json.Unmarshal into interface{}: numbers become float64, objects map[string]any, arrays []any.
/// Errors  invalid_input, Go's text: "invalid character 'x' looking for beginning of value"
Result<Value> from_json(std::string_view text);

}  // namespace holdfast::gotemplate
