// modules/text/gotemplate/gotime.hpp: Go's time.Time, Duration and layouts.
#pragma once

#include "modules/base/error.hpp"
#include "modules/text/gotemplate/ports.hpp"
#include "modules/text/gotemplate/value.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::gotemplate {

namespace types {
extern Type const time;      // time.Time
extern Type const location;  // *time.Location
}  // namespace types

/// A time zone: periods of constant offset, in order of their start (seconds since 1970).
struct Zone {
    struct Period {
        std::int64_t start;
        int offset;
        std::string name;
    };
    std::string name;
    std::vector<Period> periods;  // never empty; the first covers everything before the second
    std::string rule;             // POSIX TZ text for times after the last period, may be empty

    Period at(std::int64_t seconds) const;
};
using ZonePointer = std::shared_ptr<Zone const>;

ZonePointer utc();
ZonePointer local();  // UTC under another identity: no machine state enters a render
ZonePointer fixed_zone(std::string name, int offset_seconds);
/// "", "UTC", "Local" or a name of the port.
/// Errors  invalid_input, Go's text "unknown time zone X"
Result<ZonePointer> load_zone(TimeZones* zones, std::string_view name);

/// time.Time without the monotonic clock.
struct Moment {
    std::int64_t seconds = -62'135'596'800;  // Unix; default is Go's zero time, year 1
    std::int32_t nanoseconds = 0;
    ZonePointer zone = utc();
};

Value make_time(Moment moment);
Moment const* as_time(Value const& value);  // nullptr when it is not a time

std::string format_time(Moment const& moment, std::string_view layout);
/// time.ParseInLocation(layout, text, zone).  Errors  invalid_input, Go's text.
Result<Moment> parse_time(std::string_view layout, std::string_view text, ZonePointer const& zone);

std::string format_duration(std::int64_t nanoseconds);  // "1h2m3.5s"
Result<std::int64_t> parse_duration(std::string_view text);

/// The methods of time.Duration, and of time.Month and time.Weekday: Type::method.
Function const* duration_method(std::string_view name);
Function const* scalar_method(std::string_view name);

/// String() of a named scalar: time.Duration, time.Month, time.Weekday.
std::optional<std::string> scalar_text(Value const& value);

}  // namespace holdfast::gotemplate
