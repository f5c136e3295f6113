// modules/yaml/timestamp.hpp: go-yaml's four time layouts, read as Go's time.Parse reads them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::yaml {

struct Timestamp {
    int year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, nanosecond = 0;
    int offset_seconds = 0;  // east of UTC
};

std::optional<Timestamp> parse_timestamp(std::string_view text);

/// time.RFC3339Nano: "2001-12-14T21:59:43.1-05:00"
std::string to_rfc3339(Timestamp const& time);

}  // namespace holdfast::yaml
