// modules/model/duration.cpp: reading and writing durations and times in Go's and Kubernetes' forms.
#include "modules/model/duration.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <ctime>

namespace holdfast::model {

namespace {

struct Unit {
    std::string_view name;
    double nanoseconds;
};
// Longest first: "ms" before "m", so that a prefix match is the right one.
constexpr std::array<Unit, 8> kUnits{
    {{"ns", 1}, {"us", 1e3}, {"\u00b5s", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {"\u03bcs", 1e3}}};

Result<std::chrono::nanoseconds> bad_duration(std::string_view text) {
    return fail(Errc::invalid_input, "time: invalid duration \"" + std::string{text} + "\"");
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Digits of a fraction without trailing zeros: 1'500'000'000 ns in units of seconds -> "1.5".
std::string with_fraction(std::uint64_t value, std::uint64_t unit, int digits) {
    std::string text = std::to_string(value / unit);
    std::uint64_t rest = value % unit;
    if (rest == 0) return text;
    std::string fraction = std::to_string(rest);
    fraction.insert(0, static_cast<std::size_t>(digits) - fraction.size(), '0');
    while (fraction.back() == '0') fraction.pop_back();
    return text + "." + fraction;
}

std::tm utc(WallTime time, long& micros) {
    auto const since = std::chrono::floor<std::chrono::microseconds>(time).time_since_epoch().count();
    auto const seconds = static_cast<std::time_t>(since >= 0 ? since / 1'000'000 : (since - 999'999) / 1'000'000);
    micros = static_cast<long>(since - static_cast<long long>(seconds) * 1'000'000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    return parts;
}

}  // namespace

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
    if (text == "0") return std::chrono::nanoseconds{0};
    if (text.empty()) return bad_duration(text);
    double total = 0;
    std::string_view rest = text;
    while (!rest.empty()) {
        double value = 0;
        double scale = 1;
        bool seen = false;
        std::size_t at = 0;
        for (; at < rest.size() && is_digit(rest[at]); ++at) {
            value = value * 10 + (rest[at] - '0');
            seen = true;
        }
        if (at < rest.size() && rest[at] == '.') {
            for (++at; at < rest.size() && is_digit(rest[at]); ++at) {
                scale /= 10;
                value += (rest[at] - '0') * scale;
                seen = true;
            }
        }
        if (!seen) return bad_duration(text);
        rest.remove_prefix(at);
        Unit const* found = nullptr;
        for (Unit const& unit : kUnits) {
            if (!rest.starts_with(unit.name)) continue;
            if (found == nullptr || unit.name.size() > found->name.size()) found = &unit;
        }
        if (found == nullptr) return bad_duration(text);
        rest.remove_prefix(found->name.size());
        total += value * found->nanoseconds;
        if (total > 9.2e18) return bad_duration(text);
    }
    return std::chrono::nanoseconds{static_cast<std::int64_t>(total + 0.5)};
}

std::string format_duration(std::chrono::nanoseconds duration) {
    auto const count = duration.count();
    if (count == 0) return "0s";
    std::string const sign = count < 0 ? "-" : "";
    auto value = static_cast<std::uint64_t>(count < 0 ? -count : count);
    if (value < 1'000) return sign + std::to_string(value) + "ns";
    if (value < 1'000'000) return sign + with_fraction(value, 1'000, 3) + "\u00b5s";
    if (value < 1'000'000'000) return sign + with_fraction(value, 1'000'000, 6) + "ms";
    std::uint64_t const minutes = value / 60'000'000'000ULL;
    std::string seconds = with_fraction(value % 60'000'000'000ULL, 1'000'000'000, 9) + "s";
    if (minutes == 0) return sign + seconds;
    std::string const head = std::to_string(minutes % 60) + "m" + seconds;
    if (minutes < 60) return sign + head;
    return sign + std::to_string(minutes / 60) + "h" + head;
}

std::string format_time(WallTime time) {
    long micros = 0;
    std::tm const t = utc(time, micros);
    char text[40];
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                  t.tm_hour, t.tm_min, t.tm_sec);
    return text;
}

std::string format_time_micro(WallTime time) {
    long micros = 0;
    std::tm const t = utc(time, micros);
    char text[56];
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                  t.tm_hour, t.tm_min, t.tm_sec, micros);
    return text;
}

Result<WallTime> parse_time(std::string_view text) {
    std::string const copy{text};
    std::tm t{};
    int used = 0;
    auto const bad = [&] { return fail(Errc::invalid_input, "\"" + copy + "\" is not an RFC 3339 time"); };
    if (std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min,
                    &t.tm_sec, &used) != 6) {
        return bad();
    }
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    auto at = static_cast<std::size_t>(used);
    std::int64_t micros = 0;
    if (at < copy.size() && copy[at] == '.') {
        std::int64_t scale = 100'000;
        for (++at; at < copy.size() && is_digit(copy[at]); ++at, scale /= 10) micros += (copy[at] - '0') * scale;
    }
    std::int64_t offset_seconds = 0;
    if (at == copy.size()) return bad();
    if (copy[at] != 'Z') {
        int hours = 0;
        int minutes = 0;
        if (std::sscanf(copy.c_str() + at + 1, "%2d:%2d", &hours, &minutes) != 2) return bad();
        offset_seconds = (hours * 3600 + minutes * 60) * (copy[at] == '-' ? -1 : 1);
    }
    // A clock of nanoseconds ends in the year 2262; whoever writes a status may write any year.
    if (t.tm_year < 70 || t.tm_year > 2'200 - 1'900) return bad();
    std::int64_t const seconds = ::timegm(&t) - offset_seconds;
    return WallTime{std::chrono::microseconds{seconds * 1'000'000 + micros}};
}

}  // namespace holdfast::model
