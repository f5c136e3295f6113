// modules/text/gotemplate/calendar.cpp: the proleptic Gregorian calendar and TZif zones.
#include "modules/text/gotemplate/calendar.hpp"

#include "modules/text/gotemplate/strconv.hpp"

#include <algorithm>
#include <array>

namespace holdfast::gotemplate {

namespace {

constexpr std::array<std::string_view, 12> kMonths{"January",   "February", "March",    "April",
                                                   "May",       "June",     "July",     "August",
                                                   "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                "Thursday", "Friday", "Saturday"};

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0); }

bool is_leap(std::int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

// Days since 1970-01-01 of a date with month 1..12 (Hinnant's algorithm).
std::int64_t days_of(std::int64_t year, int month, std::int64_t day) {
    year -= month <= 2;
    auto const era = floor_div(year, 400);
    auto const yoe = year - era * 400;
    auto const doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146'097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719'468;
}

// One field of a POSIX TZ rule, e.g. "CET-1CEST,M3.5.0,M10.5.0/3".
struct TzRule {
    std::string name, summer_name;
    int offset = 0, summer_offset = 0;
    bool has_summer = false;
    struct Change {
        int month = 0, week = 0, day = 0, seconds = 7200;
        char kind = 'M';
    } start, end;
};

bool read_name(std::string_view& s, std::string& name) {
    if (s.starts_with('<')) {
        auto const close = s.find('>');
        if (close == std::string_view::npos) return false;
        name = s.substr(1, close - 1);
        s.remove_prefix(close + 1);
        return true;
    }
    while (!s.empty() && std::isalpha(static_cast<unsigned char>(s[0]))) {
        name.push_back(s[0]);
        s.remove_prefix(1);
    }
    return !name.empty();
}

int read_int(std::string_view& s) {
    int value = 0;
    while (!s.empty() && s[0] >= '0' && s[0] <= '9' && value < 100'000) {
        value = value * 10 + (s[0] - '0');
        s.remove_prefix(1);
    }
    return value;
}

int read_hms(std::string_view& s) {
    int sign = 1;
    if (s.starts_with('-') || s.starts_with('+')) {
        sign = s[0] == '-' ? -1 : 1;
        s.remove_prefix(1);
    }
    int seconds = read_int(s) * 3600;
    for (int unit = 60; unit > 0 && s.starts_with(':'); unit /= 60) {
        s.remove_prefix(1);
        seconds += read_int(s) * unit;
    }
    return sign * seconds;
}

bool read_change(std::string_view& s, TzRule::Change& change) {
    if (!s.starts_with(',')) return false;
    s.remove_prefix(1);
    if (s.starts_with('M')) {
        s.remove_prefix(1);
        change.month = read_int(s);
        if (!s.starts_with('.')) return false;
        s.remove_prefix(1);
        change.week = read_int(s);
        if (!s.starts_with('.')) return false;
        s.remove_prefix(1);
        change.day = read_int(s);
        if (change.month < 1 || change.month > 12 || change.week < 1 || change.week > 5 || change.day > 6) return false;
    } else {
        change.kind = s.starts_with('J') ? 'J' : 'D';
        if (change.kind == 'J') s.remove_prefix(1);
        change.day = read_int(s);
    }
    if (s.starts_with('/')) {
        s.remove_prefix(1);
        change.seconds = read_hms(s);
    }
    return true;
}

std::optional<TzRule> read_rule(std::string_view s) {
    TzRule rule;
    if (!read_name(s, rule.name)) return std::nullopt;
    rule.offset = -read_hms(s);
    if (s.empty()) return rule;
    if (!read_name(s, rule.summer_name)) return std::nullopt;
    rule.has_summer = true;
    rule.summer_offset = rule.offset + 3600;
    if (!s.empty() && s[0] != ',') rule.summer_offset = -read_hms(s);
    if (!read_change(s, rule.start) || !read_change(s, rule.end)) return std::nullopt;
    return rule;
}

// Seconds from the start of the year, local time before the change.
std::int64_t change_in(TzRule::Change const& change, std::int64_t year) {
    auto const first = days_of(year, 1, 1);
    if (change.kind == 'J') {
        auto day = change.day - 1;
        if (is_leap(year) && change.day >= 60) ++day;
        return day * 86'400LL + change.seconds;
    }
    if (change.kind == 'D') return change.day * 86'400LL + change.seconds;
    auto const month_first = days_of(year, change.month, 1);
    auto const weekday = ((month_first + 4) % 7 + 7) % 7;
    auto day = (change.day - weekday + 7) % 7 + (change.week - 1) * 7;
    if (day >= days_in(change.month, year)) day -= 7;
    return (month_first + day - first) * 86'400 + change.seconds;
}

Zone::Period by_rule(TzRule const& rule, std::int64_t seconds) {
    if (!rule.has_summer) return {0, rule.offset, rule.name};
    auto const civil = broken_down(Moment{seconds + rule.offset, 0, utc()});
    auto const in_year = seconds - days_of(civil.year, 1, 1) * 86'400;
    auto const start = change_in(rule.start, civil.year) - rule.offset;
    auto const end = change_in(rule.end, civil.year) - rule.summer_offset;
    auto const summer = start < end ? in_year >= start && in_year < end : in_year >= start || in_year < end;
    return summer ? Zone::Period{0, rule.summer_offset, rule.summer_name} : Zone::Period{0, rule.offset, rule.name};
}

std::int64_t big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (auto const c : bytes) value = value << 8 | static_cast<unsigned char>(c);
    if (bytes.size() == 4) return static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
    return static_cast<std::int64_t>(value);
}

// RFC 8536, version 2 or later.
std::optional<Zone> read_tzif(std::string_view name, std::string_view data) {
    auto const counts_at = [&](std::size_t at, std::size_t i) {
        return static_cast<std::size_t>(static_cast<std::uint32_t>(big_endian(data.substr(at + 20 + i * 4, 4))));
    };
    if (data.size() < 44 || !data.starts_with("TZif") || data[4] < '2') return std::nullopt;
    auto const first = 44 + counts_at(0, 3) * 5 + counts_at(0, 4) * 6 + counts_at(0, 5) + counts_at(0, 2) * 8 +
                       counts_at(0, 1) + counts_at(0, 0);
    if (data.size() < first + 44) return std::nullopt;
    auto const times = counts_at(first, 3), types = counts_at(first, 4), chars = counts_at(first, 5);
    auto const at_times = first + 44, at_indexes = at_times + times * 8, at_types = at_indexes + times,
               at_chars = at_types + types * 6;
    auto const at_footer = at_chars + chars + counts_at(first, 2) * 12 + counts_at(first, 1) + counts_at(first, 0);
    if (types == 0 || data.size() < at_footer) return std::nullopt;
    auto const period = [&](std::int64_t start, std::size_t type) {
        auto const entry = data.substr(at_types + std::min(type, types - 1) * 6, 6);
        auto const names = data.substr(at_chars, chars);
        auto const text = names.substr(std::min<std::size_t>(static_cast<unsigned char>(entry[5]), chars));
        return Zone::Period{start, static_cast<int>(big_endian(entry.substr(0, 4))),
                            std::string{text.substr(0, text.find('\0'))}};
    };
    Zone zone{.name = std::string{name}};
    zone.periods.push_back(period(INT64_MIN, 0));
    for (std::size_t i = 0; i < times; ++i)
        zone.periods.push_back(
            period(big_endian(data.substr(at_times + i * 8, 8)), static_cast<unsigned char>(data[at_indexes + i])));
    auto footer = data.substr(at_footer);
    if (footer.starts_with('\n')) zone.rule = footer.substr(1, footer.find('\n', 1) - 1);
    return zone;
}

}  // namespace

int days_in(int month, std::int64_t year) {
    if (month == 2) return is_leap(year) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}
std::string_view month_name(int month) { return kMonths[static_cast<std::size_t>(month - 1)]; }
std::string_view weekday_name(int weekday) { return kDays[static_cast<std::size_t>(weekday)]; }

std::int64_t unix_seconds(std::int64_t year, std::int64_t month, std::int64_t day) {
    year += floor_div(month - 1, 12);
    auto const in_year = static_cast<int>(month - 1 - floor_div(month - 1, 12) * 12) + 1;
    return (days_of(year, in_year, 1) + day - 1) * 86'400;
}

Zone::Period Zone::at(std::int64_t seconds) const {
    auto const next = std::upper_bound(periods.begin(), periods.end(), seconds,
                                       [](std::int64_t s, Period const& p) { return s < p.start; });
    auto const& found = next == periods.begin() ? periods.front() : *(next - 1);
    if (next == periods.end() && !rule.empty())
        if (auto const parsed = read_rule(rule)) return by_rule(*parsed, seconds);
    return found;
}

CivilTime broken_down(Moment const& moment) {
    // Beyond this the calendar has no meaning and the arithmetic no room.
    auto const seconds = std::clamp<std::int64_t>(moment.seconds, -(std::int64_t{1} << 61), std::int64_t{1} << 61);
    auto const period = moment.zone->at(seconds);
    auto const local = seconds + period.offset;
    auto const days = floor_div(local, 86'400);
    auto const in_day = static_cast<int>(local - days * 86'400);
    auto const z = days + 719'468;
    auto const era = floor_div(z, 146'097);
    auto const doe = z - era * 146'097;
    auto const yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
    auto const doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    auto const mp = (5 * doy + 2) / 153;
    CivilTime civil{};
    civil.day = static_cast<int>(doy - (153 * mp + 2) / 5 + 1);
    civil.month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
    civil.year = yoe + era * 400 + (civil.month <= 2);
    civil.hour = in_day / 3600;
    civil.minute = in_day / 60 % 60;
    civil.second = in_day % 60;
    civil.weekday = static_cast<int>(((days + 4) % 7 + 7) % 7);
    civil.year_day = static_cast<int>(days - days_of(civil.year, 1, 1)) + 1;
    civil.offset = period.offset;
    civil.zone = period.name;
    return civil;
}

ZonePointer fixed_zone(std::string name, int offset_seconds) {
    Zone zone{.name = name};
    zone.periods.push_back({INT64_MIN, offset_seconds, std::move(name)});
    return std::make_shared<Zone const>(std::move(zone));
}

ZonePointer utc() {
    static ZonePointer const zone = fixed_zone("UTC", 0);
    return zone;
}

ZonePointer local() {
    static ZonePointer const zone = fixed_zone("UTC", 0);
    return zone;
}

Result<ZonePointer> load_zone(TimeZones* zones, std::string_view name) {
    if (name.empty() || name == "UTC") return utc();
    if (name == "Local") return local();
    if (zones != nullptr)
        if (auto const data = zones->find(name))
            if (auto zone = read_tzif(name, *data)) return std::make_shared<Zone const>(*std::move(zone));
    return fail(Errc::invalid_input, "unknown time zone " + std::string{name});
}

}  // namespace holdfast::gotemplate
