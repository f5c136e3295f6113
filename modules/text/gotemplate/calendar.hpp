// modules/text/gotemplate/calendar.hpp: seconds to dates and back, zones applied.
#pragma once

#include "modules/text/gotemplate/gotime.hpp"

namespace holdfast::gotemplate {

struct CivilTime {
    std::int64_t year;
    int month, day;  // from 1
    int hour, minute, second;
    int weekday;       // Sunday is 0
    int year_day;      // from 1
    int offset;        // seconds east of UTC
    std::string zone;  // abbreviation
};

CivilTime broken_down(Moment const& moment);
/// Midnight UTC of a date; months and days may be out of range and roll over, as time.Date.
std::int64_t unix_seconds(std::int64_t year, std::int64_t month, std::int64_t day);
int days_in(int month, std::int64_t year);
std::string_view month_name(int month);      // from 1
std::string_view weekday_name(int weekday);  // from 0, Sunday

}  // namespace holdfast::gotemplate
