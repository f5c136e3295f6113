// modules/yaml/go_text.hpp: values in the words of Go's fmt, for error texts and keys.
#pragma once

#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace holdfast::yaml {

/// strconv.Quote.
std::string go_quote(std::string_view text);

/// fmt's %#v of a decoded value; `any_keys` when maps are map[interface {}]interface {} (v2).
std::string go_syntax(boost::json::value const& value, bool any_keys);

/// sigs.k8s.io/yaml: a map key as text; floats with the precision of float32.
std::string go_key(boost::json::value const& key);

}  // namespace holdfast::yaml
