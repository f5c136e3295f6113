// modules/yaml/timestamp.cpp: a hand-written time.Parse for "2006-1-2" and what may follow it.
#include "modules/yaml/timestamp.hpp"

#include <cstdio>
#include <cstdlib>

namespace holdfast::yaml {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// One or two digits, or exactly two.
std::optional<int> take_number(std::string_view& text, bool two = false) {
    if (text.empty() || !is_digit(text[0])) return std::nullopt;
    if (text.size() < 2 || !is_digit(text[1])) {
        if (two) return std::nullopt;
        int const number = text[0] - '0';
        text.remove_prefix(1);
        return number;
    }
    int const number = (text[0] - '0') * 10 + (text[1] - '0');
    text.remove_prefix(2);
    return number;
}

bool take(std::string_view& text, char c) {
    if (text.empty() || text[0] != c) return false;
    text.remove_prefix(1);
    return true;
}

int days_in(int year, int month) {
    constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool const leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

bool take_date(std::string_view& text, Timestamp& time) {
    for (int i = 0; i < 4; ++i) {
        if (text.empty() || !is_digit(text[0])) return false;
        time.year = time.year * 10 + (text[0] - '0');
        text.remove_prefix(1);
    }
    if (!take(text, '-')) return false;
    auto const month = take_number(text);
    if (!month || *month < 1 || *month > 12 || !take(text, '-')) return false;
    auto const day = take_number(text);
    if (!day) return false;
    time.month = *month;
    time.day = *day;
    return true;
}

bool take_clock(std::string_view& text, Timestamp& time) {
    auto const hour = take_number(text);
    if (!hour || *hour >= 24 || !take(text, ':')) return false;
    auto const minute = take_number(text);
    if (!minute || *minute >= 60 || !take(text, ':')) return false;
    auto const second = take_number(text);
    if (!second || *second >= 60) return false;
    time.hour = *hour;
    time.minute = *minute;
    time.second = *second;
    if (text.size() < 2 || (text[0] != '.' && text[0] != ',') || !is_digit(text[1])) return true;
    text.remove_prefix(1);
    int scale = 100'000'000;
    while (!text.empty() && is_digit(text[0])) {
        time.nanosecond += (text[0] - '0') * scale;  // further digits than nine do not count
        scale /= 10;
        text.remove_prefix(1);
    }
    return true;
}

bool take_zone(std::string_view& text, Timestamp& time) {
    if (take(text, 'Z')) return true;
    if (text.size() < 6 || text[3] != ':') return false;
    char const sign = text[0];
    auto hours = text.substr(1, 2);
    auto minutes = text.substr(4, 2);
    text.remove_prefix(6);
    auto const hour = take_number(hours, true);
    auto const minute = take_number(minutes, true);
    if (!hour || !minute || *hour > 24 || *minute > 60) return false;
    time.offset_seconds = (*hour * 60 + *minute) * 60;
    if (sign == '-') time.offset_seconds = -time.offset_seconds;
    return sign == '+' || sign == '-';
}

}  // namespace

std::optional<Timestamp> parse_timestamp(std::string_view text) {
    if (text.size() < 8 || text[4] != '-') return std::nullopt;
    Timestamp time;
    if (!take_date(text, time)) return std::nullopt;
    if (!text.empty()) {
        if (take(text, 'T') || take(text, 't')) {
            if (!take_clock(text, time) || !take_zone(text, time)) return std::nullopt;
        } else {
            if (text[0] != ' ') return std::nullopt;
            while (take(text, ' ')) {}
            if (!take_clock(text, time)) return std::nullopt;
        }
    }
    if (!text.empty() || time.day < 1 || time.day > days_in(time.year, time.month)) return std::nullopt;
    return time;
}

std::string to_rfc3339(Timestamp const& time) {
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d", time.year, time.month, time.day, time.hour,
                  time.minute, time.second);
    std::string out = text;
    if (time.nanosecond != 0) {
        std::snprintf(text, sizeof text, ".%09d", time.nanosecond);
        out += text;
        while (out.back() == '0') out.pop_back();
    }
    if (time.offset_seconds == 0) return out + "Z";
    int const minutes = std::abs(time.offset_seconds) / 60;
    std::snprintf(text, sizeof text, "%c%02d:%02d", time.offset_seconds < 0 ? '-' : '+', minutes / 60, minutes % 60);
    return out + text;
}

}  // namespace holdfast::yaml
