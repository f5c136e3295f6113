// modules/patch/json_diff.hpp: what is different between two JSON objects, as a patch or as a list of fields.
#pragma once

#include <boost/json/value.hpp>

#include <string>
#include <vector>

namespace holdfast::patch {

/// The operations (RFC 6902: add, remove, replace) that make `to` of `from`; [] when they are equal.
/// Lists are compared place by place. Below limits::kPatchDepthMax levels a value is replaced as a whole.
/// Cost    O(nodes of both)
boost::json::array json_diff(boost::json::value const& from, boost::json::value const& to);

/// The merge patch (RFC 7386) that makes `to` of `from`; {} when they are equal. Lists are replaced as a whole, and a
/// null in `to` cannot be said: it removes.
boost::json::value merge_diff(boost::json::value const& from, boost::json::value const& to);

/// Drift: JSON pointers of the fields that `wanted` has and `live` lacks or has otherwise, in `wanted`'s order.
/// What only `live` has is not looked at; lists must be as long as wanted, their maps may have more fields.
/// Stops after `max` pointers.
std::vector<std::string> drift(boost::json::value const& wanted, boost::json::value const& live, std::size_t max);

/// ~0 and ~1 for one part of a JSON pointer.
std::string escape_pointer(std::string_view part);

}  // namespace holdfast::patch
