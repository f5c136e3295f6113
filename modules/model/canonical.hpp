// modules/model/canonical.hpp: equal JSON, equal digest, whatever the order of keys.
#pragma once

#include <boost/json/value.hpp>

#include <cstdint>

namespace holdfast::model {

/// Never 0, which stands for "none" wherever these digests are kept.
std::uint64_t canonical_digest(boost::json::value const& value);
std::uint64_t canonical_digest(boost::json::object const& object);

}  // namespace holdfast::model
