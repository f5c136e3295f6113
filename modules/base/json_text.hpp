// modules/base/json_text.hpp: the one way to read JSON that is the product's own: journal rows, worker replies, service answers.
#pragma once

#include "modules/base/error.hpp"

#include <boost/json/value.hpp>

#include <string_view>

namespace holdfast {

/// As deep as a Kubernetes object may be, twice: such objects are what most of it carries. Numbers as they are written.
/// Errors  invalid_input  no JSON, or deeper than that (message: Boost's own, with the place)
Result<boost::json::value> parse_json(std::string_view text);

}  // namespace holdfast
