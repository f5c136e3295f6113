// modules/text/gotemplate/timeformat.cpp: Go's reference-time layouts ("2006-01-02"), written and read.
#include "modules/text/gotemplate/calendar.hpp"
#include "modules/text/gotemplate/gotime.hpp"
#include "modules/text/gotemplate/unicode.hpp"

#include <algorithm>
#include <cstdlib>

namespace holdfast::gotemplate {

namespace {

enum class Std {
    none,
    long_month,
    month,
    num_month,
    zero_month,
    long_weekday,
    weekday,
    day,
    under_day,
    zero_day,
    under_year_day,
    zero_year_day,
    hour,
    hour12,
    zero_hour12,
    minute,
    zero_minute,
    second,
    zero_second,
    long_year,
    year,
    upper_pm,
    lower_pm,
    tz,
    iso_tz,
    iso_seconds_tz,
    iso_short_tz,
    iso_colon_tz,
    iso_colon_seconds_tz,
    num_tz,
    num_seconds_tz,
    num_short_tz,
    num_colon_tz,
    num_colon_seconds_tz,
    frac0,
    frac9
};

struct Chunk {
    std::string_view prefix;
    Std std = Std::none;
    std::string_view text;  // the element itself
    std::string_view suffix;
};

bool is_digit_at(std::string_view s, std::size_t i) { return i < s.size() && s[i] >= '0' && s[i] <= '9'; }
bool lower_follows(std::string_view s, std::size_t i) { return i < s.size() && s[i] >= 'a' && s[i] <= 'z'; }

struct Literal {
    std::string_view text;
    Std std;
};
constexpr Literal kLiterals[] = {{"January", Std::long_month},
                                 {"Jan", Std::month},
                                 {"Monday", Std::long_weekday},
                                 {"Mon", Std::weekday},
                                 {"MST", Std::tz},
                                 {"002", Std::zero_year_day},
                                 {"01", Std::zero_month},
                                 {"02", Std::zero_day},
                                 {"03", Std::zero_hour12},
                                 {"04", Std::zero_minute},
                                 {"05", Std::zero_second},
                                 {"06", Std::year},
                                 {"15", Std::hour},
                                 {"1", Std::num_month},
                                 {"2006", Std::long_year},
                                 {"2", Std::day},
                                 {"__2", Std::under_year_day},
                                 {"3", Std::hour12},
                                 {"4", Std::minute},
                                 {"5", Std::second},
                                 {"PM", Std::upper_pm},
                                 {"pm", Std::lower_pm},
                                 {"-070000", Std::num_seconds_tz},
                                 {"-07:00:00", Std::num_colon_seconds_tz},
                                 {"-0700", Std::num_tz},
                                 {"-07:00", Std::num_colon_tz},
                                 {"-07", Std::num_short_tz},
                                 {"Z070000", Std::iso_seconds_tz},
                                 {"Z07:00:00", Std::iso_colon_seconds_tz},
                                 {"Z0700", Std::iso_tz},
                                 {"Z07:00", Std::iso_colon_tz},
                                 {"Z07", Std::iso_short_tz}};

Chunk next_chunk(std::string_view layout) {
    auto const found = [&](std::size_t at, std::size_t length, Std std) {
        return Chunk{layout.substr(0, at), std, layout.substr(at, length), layout.substr(at + length)};
    };
    for (std::size_t i = 0; i < layout.size(); ++i) {
        auto const rest = layout.substr(i);
        if (rest.starts_with("_2006")) return found(i + 1, 4, Std::long_year);
        if (rest.starts_with("_2")) return found(i, 2, Std::under_day);
        for (auto const& literal : kLiterals) {
            if (!rest.starts_with(literal.text)) continue;
            if ((literal.std == Std::month || literal.std == Std::weekday) && lower_follows(rest, 3)) continue;
            return found(i, literal.text.size(), literal.std);
        }
        if ((rest[0] == '.' || rest[0] == ',') && rest.size() > 1 && (rest[1] == '0' || rest[1] == '9')) {
            std::size_t end = 1;
            while (end < rest.size() && rest[end] == rest[1]) ++end;
            if (!is_digit_at(rest, end)) return found(i, end, rest[1] == '0' ? Std::frac0 : Std::frac9);
        }
    }
    return {layout, Std::none, {}, {}};
}

void append_padded(std::string& out, std::int64_t value, int width, char fill = '0') {
    auto const digits = std::to_string(std::llabs(value));
    if (value < 0) out.push_back('-');
    out.append(static_cast<std::size_t>(std::max(width - static_cast<int>(digits.size()), 0)), fill);
    out += digits;
}

bool is_iso(Std std) { return std >= Std::iso_tz && std <= Std::iso_colon_seconds_tz; }
bool has_colon(Std std) {
    return std == Std::iso_colon_tz || std == Std::num_colon_tz || std == Std::iso_colon_seconds_tz ||
           std == Std::num_colon_seconds_tz;
}
bool has_seconds(Std std) {
    return std == Std::iso_seconds_tz || std == Std::num_seconds_tz || std == Std::iso_colon_seconds_tz ||
           std == Std::num_colon_seconds_tz;
}
bool is_short(Std std) { return std == Std::num_short_tz || std == Std::iso_short_tz; }

void append_offset(std::string& out, Std std, int offset) {
    if (is_iso(std) && offset == 0) {
        out.push_back('Z');
        return;
    }
    out.push_back(offset < 0 ? '-' : '+');
    auto const absolute = std::abs(offset);
    append_padded(out, absolute / 3600, 2);
    if (has_colon(std)) out.push_back(':');
    if (!is_short(std)) append_padded(out, absolute / 60 % 60, 2);
    if (has_seconds(std)) {
        if (has_colon(std)) out.push_back(':');
        append_padded(out, absolute % 60, 2);
    }
}

void append_fraction(std::string& out, Chunk const& chunk, std::int32_t nanoseconds) {
    std::string digits;
    append_padded(digits, nanoseconds, 9);
    digits.resize(std::min<std::size_t>(chunk.text.size() - 1, 9), '0');
    if (chunk.std == Std::frac9) {
        while (digits.ends_with('0')) digits.pop_back();
        if (digits.empty()) return;
    }
    out.push_back(chunk.text[0]);
    out += digits;
}

void append_chunk(std::string& out, Chunk const& chunk, CivilTime const& civil, std::int32_t nanoseconds) {
    auto const hour12 = civil.hour % 12 == 0 ? 12 : civil.hour % 12;
    switch (chunk.std) {
        case Std::year: append_padded(out, std::max<std::int64_t>(civil.year, 0) % 100, 2); break;
        case Std::long_year: append_padded(out, civil.year, 4); break;
        case Std::month: out += month_name(civil.month).substr(0, 3); break;
        case Std::long_month: out += month_name(civil.month); break;
        case Std::num_month: append_padded(out, civil.month, 0); break;
        case Std::zero_month: append_padded(out, civil.month, 2); break;
        case Std::weekday: out += weekday_name(civil.weekday).substr(0, 3); break;
        case Std::long_weekday: out += weekday_name(civil.weekday); break;
        case Std::day: append_padded(out, civil.day, 0); break;
        case Std::under_day: append_padded(out, civil.day, 2, ' '); break;
        case Std::zero_day: append_padded(out, civil.day, 2); break;
        case Std::under_year_day: append_padded(out, civil.year_day, 3, ' '); break;
        case Std::zero_year_day: append_padded(out, civil.year_day, 3); break;
        case Std::hour: append_padded(out, civil.hour, 2); break;
        case Std::hour12: append_padded(out, hour12, 0); break;
        case Std::zero_hour12: append_padded(out, hour12, 2); break;
        case Std::minute: append_padded(out, civil.minute, 0); break;
        case Std::zero_minute: append_padded(out, civil.minute, 2); break;
        case Std::second: append_padded(out, civil.second, 0); break;
        case Std::zero_second: append_padded(out, civil.second, 2); break;
        case Std::upper_pm: out += civil.hour >= 12 ? "PM" : "AM"; break;
        case Std::lower_pm: out += civil.hour >= 12 ? "pm" : "am"; break;
        case Std::tz:
            if (!civil.zone.empty()) out += civil.zone;
            else append_offset(out, Std::num_tz, civil.offset);
            break;
        case Std::frac0:
        case Std::frac9: append_fraction(out, chunk, nanoseconds); break;
        case Std::none: break;
        default: append_offset(out, chunk.std, civil.offset);
    }
}

// time's own quote: every byte outside printable ASCII as \x..
std::string time_quote(std::string_view text) {
    constexpr char kHex[] = "0123456789abcdef";
    std::string out{'"'};
    for (auto const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (byte >= 0x80 || byte < ' ') {
            out += "\\x";
            out.push_back(kHex[byte >> 4]);
            out.push_back(kHex[byte & 15]);
            continue;
        }
        if (c == '"' || c == '\\') out.push_back('\\');
        out.push_back(c);
    }
    return out + '"';
}

struct Reader {
    std::string_view layout, value;  // whole, for messages
    std::string_view rest;
    std::string range_error;
    std::int64_t year = 0;
    int month = -1, day = -1, year_day = -1, hour = 0, minute = 0, second = 0, nanoseconds = 0;
    bool pm = false, am = false, zulu = false, has_offset = false;
    int offset = 0;
    std::string zone_name;

    std::unexpected<Error> refuse(std::string_view element, std::string_view at,
                                  std::string const& message = {}) const {
        auto text = "parsing time " + time_quote(value);
        if (message.empty())
            text += " as " + time_quote(layout) + ": cannot parse " + time_quote(at) + " as " + time_quote(element);
        return fail(Errc::invalid_input, text + message);
    }

    bool skip(std::string_view prefix) {
        while (!prefix.empty()) {
            if (prefix[0] == ' ') {
                if (!rest.empty() && rest[0] != ' ') return false;
                while (prefix.starts_with(' ')) prefix.remove_prefix(1);
                while (rest.starts_with(' ')) rest.remove_prefix(1);
                continue;
            }
            if (rest.empty() || rest[0] != prefix[0]) return false;
            prefix.remove_prefix(1);
            rest.remove_prefix(1);
        }
        return true;
    }

    bool number(int& out, bool fixed) {
        if (!is_digit_at(rest, 0) || (!is_digit_at(rest, 1) && fixed)) return false;
        auto const width = is_digit_at(rest, 1) ? 2u : 1u;
        out = width == 2 ? (rest[0] - '0') * 10 + (rest[1] - '0') : rest[0] - '0';
        rest.remove_prefix(width);
        return true;
    }

    template <class Name> bool name(int count, int first, std::size_t length, Name names, int& out) {
        for (int i = 0; i < count; ++i) {
            auto const candidate = names(i + first).substr(0, length);
            if (rest.size() < candidate.size() || to_lower(rest.substr(0, candidate.size())) != to_lower(candidate))
                continue;
            out = i + 1;
            rest.remove_prefix(candidate.size());
            return true;
        }
        return false;
    }

    bool fraction(std::size_t length) {
        if (rest[0] != '.' && rest[0] != ',') return false;
        auto const digits = rest.substr(1, std::min<std::size_t>(length, 10) - 1);
        nanoseconds = 0;
        for (std::size_t i = 0; i < 9; ++i) {
            if (i < digits.size() && !is_digit_at(digits, i)) return false;
            nanoseconds = nanoseconds * 10 + (i < digits.size() ? digits[i] - '0' : 0);
        }
        rest.remove_prefix(length);
        return true;
    }

    bool meridiem(std::string_view after, std::string_view before) {
        if (rest.starts_with(after)) pm = true;
        else if (rest.starts_with(before)) am = true;
        else return false;
        rest.remove_prefix(2);
        return true;
    }

    bool numeric_zone(Std std) {
        if (is_iso(std) && rest.starts_with('Z')) {
            rest.remove_prefix(1);
            zulu = true;
            return true;
        }
        auto const colon = has_colon(std);
        std::size_t const length =
            is_short(std) ? 3u : 5u + (colon ? 1u : 0u) + (has_seconds(std) ? (colon ? 3u : 2u) : 0u);
        if (rest.size() < length) return false;
        if (colon && (rest[3] != ':' || (has_seconds(std) && rest[6] != ':'))) return false;
        auto const two = [&](std::size_t at) {
            return is_digit_at(rest, at) && is_digit_at(rest, at + 1) ? (rest[at] - '0') * 10 + rest[at + 1] - '0' : -1;
        };
        auto const hours = two(1);
        auto const minutes = is_short(std) ? 0 : two(colon ? 4 : 3);
        auto const seconds = has_seconds(std) ? two(colon ? 7 : 5) : 0;
        auto const sign = rest[0];
        rest.remove_prefix(length);
        if (hours > 24) range_error = "time zone offset hour";
        if (minutes > 60) range_error = "time zone offset minute";
        if (seconds > 60) range_error = "time zone offset second";
        if (hours < 0 || minutes < 0 || seconds < 0 || (sign != '+' && sign != '-')) return false;
        offset = (hours * 60 + minutes) * 60 + seconds;
        if (sign == '-') offset = -offset;
        has_offset = offset != -1;
        return true;
    }

    static std::size_t signed_offset(std::string_view s) {
        if (s.empty() || (s[0] != '-' && s[0] != '+')) return 0;
        std::size_t i = 1;
        int x = 0;
        for (; is_digit_at(s, i) && i < 6; ++i) x = x * 10 + (s[i] - '0');
        return i == 1 || x > 23 ? 0 : i;
    }

    std::size_t zone_length() const {
        if (rest.size() < 3) return 0;
        if (rest.starts_with("ChST") || rest.starts_with("MeST")) return 4;
        if (rest.starts_with("GMT")) return 3 + signed_offset(rest.substr(3));
        if (rest[0] == '+' || rest[0] == '-') return signed_offset(rest);
        std::size_t upper = 0;
        while (upper < 6 && upper < rest.size() && rest[upper] >= 'A' && rest[upper] <= 'Z') ++upper;
        if (upper == 5) return rest[4] == 'T' ? 5 : 0;
        if (upper == 4) return rest[3] == 'T' || rest.starts_with("WITA") ? 4 : 0;
        return upper == 3 ? 3 : 0;
    }

    bool zone() {
        if (rest.starts_with("UTC")) {
            zulu = true;
            rest.remove_prefix(3);
            return true;
        }
        auto const length = zone_length();
        if (length == 0) return false;
        zone_name = rest.substr(0, length);
        rest.remove_prefix(length);
        return true;
    }

    bool seconds(Std std, std::string_view following) {
        if (!number(second, std == Std::zero_second)) return false;
        if (second >= 60) {
            range_error = "second";
            return true;
        }
        if (rest.size() >= 2 && (rest[0] == '.' || rest[0] == ',') && is_digit_at(rest, 1)) {
            auto const next = next_chunk(following).std;
            if (next == Std::frac0 || next == Std::frac9) return true;
            std::size_t end = 2;
            while (is_digit_at(rest, end)) ++end;
            return fraction(end);
        }
        return true;
    }

    bool element(Chunk const& chunk) {
        int ignored = 0;
        auto const ranged = [&](bool ok, bool in_range, char const* what) {
            if (!in_range) range_error = what;
            return ok;
        };
        switch (chunk.std) {
            case Std::year:
                if (!number(ignored, true)) return false;
                year = ignored >= 69 ? 1900 + ignored : 2000 + ignored;
                return true;
            case Std::long_year:
                for (std::size_t i = 0; i < 4; ++i)
                    if (!is_digit_at(rest, i)) return false;
                year = std::atoi(std::string{rest.substr(0, 4)}.c_str());
                rest.remove_prefix(4);
                return true;
            case Std::month: return name(12, 1, 3, month_name, month);
            case Std::long_month: return name(12, 1, 20, month_name, month);
            case Std::num_month:
            case Std::zero_month: {
                auto const ok = number(month, chunk.std == Std::zero_month);
                return ranged(ok, !ok || (month > 0 && month <= 12), "month");
            }
            case Std::weekday: return name(7, 0, 3, weekday_name, ignored);
            case Std::long_weekday: return name(7, 0, 20, weekday_name, ignored);
            case Std::under_day:
                if (rest.starts_with(' ')) rest.remove_prefix(1);
                [[fallthrough]];
            case Std::day:
            case Std::zero_day: return number(day, chunk.std == Std::zero_day);
            case Std::under_year_day:
            case Std::zero_year_day: {
                for (int i = 0; i < 2 && chunk.std == Std::under_year_day && rest.starts_with(' '); ++i)
                    rest.remove_prefix(1);
                std::size_t digits = 0;
                year_day = 0;
                for (; digits < 3 && is_digit_at(rest, digits); ++digits)
                    year_day = year_day * 10 + (rest[digits] - '0');
                if (digits == 0 || (chunk.std == Std::zero_year_day && digits != 3)) return false;
                rest.remove_prefix(digits);
                return true;
            }
            case Std::hour: {
                auto const ok = number(hour, false);
                return ranged(ok, hour < 24, "hour");
            }
            case Std::hour12:
            case Std::zero_hour12: {
                auto const ok = number(hour, chunk.std == Std::zero_hour12);
                return ranged(ok, hour <= 12, "hour");
            }
            case Std::minute:
            case Std::zero_minute: {
                auto const ok = number(minute, chunk.std == Std::zero_minute);
                return ranged(ok, minute < 60, "minute");
            }
            case Std::second:
            case Std::zero_second: return seconds(chunk.std, chunk.suffix);
            case Std::upper_pm: return meridiem("PM", "AM");
            case Std::lower_pm: return meridiem("pm", "am");
            case Std::tz: return zone();
            case Std::frac0: return rest.size() >= chunk.text.size() && fraction(chunk.text.size());
            case Std::frac9: {
                if (rest.size() < 2 || (rest[0] != '.' && rest[0] != ',') || !is_digit_at(rest, 1)) return true;
                std::size_t end = 1;
                while (is_digit_at(rest, end)) ++end;
                return fraction(end);
            }
            default: return numeric_zone(chunk.std);
        }
    }

    // Day of the year, when the layout has one, must agree with month and day.
    char const* settle_date() {
        if (year_day < 0) {
            if (month < 0) month = 1;
            if (day < 0) day = 1;
        } else {
            int const days = days_in(2, year) == 29 ? 366 : 365;
            if (year_day < 1 || year_day > days) return ": day-of-year out of range";
            int m = 1, d = year_day;
            while (d > days_in(m, year)) d -= days_in(m++, year);
            if (month >= 0 && month != m) return ": day-of-year does not match month";
            if (day >= 0 && day != d) return ": day-of-year does not match day";
            month = m;
            day = d;
        }
        return day < 1 || day > days_in(month, year) ? ": day out of range" : nullptr;
    }
};

}  // namespace

std::string format_time(Moment const& moment, std::string_view layout) {
    auto const civil = broken_down(moment);
    std::string out;
    while (!layout.empty()) {
        auto const chunk = next_chunk(layout);
        out += chunk.prefix;
        append_chunk(out, chunk, civil, moment.nanoseconds);
        layout = chunk.suffix;
    }
    return out;
}

Result<Moment> parse_time(std::string_view layout, std::string_view text, ZonePointer const& zone) {
    Reader reader{.layout = layout, .value = text, .rest = text};
    for (auto left = layout;;) {
        auto const chunk = next_chunk(left);
        if (!reader.skip(chunk.prefix)) return reader.refuse(chunk.prefix, reader.rest);
        if (chunk.std == Std::none) {
            if (!reader.rest.empty()) return reader.refuse("", reader.rest, ": extra text: " + time_quote(reader.rest));
            break;
        }
        left = chunk.suffix;
        auto const before = reader.rest;
        auto const ok = reader.element(chunk);
        if (!reader.range_error.empty())
            return reader.refuse(chunk.text, reader.rest, ": " + reader.range_error + " out of range");
        if (!ok) return reader.refuse(chunk.text, before);
    }
    if (reader.pm && reader.hour < 12) reader.hour += 12;
    else if (reader.am && reader.hour == 12) reader.hour = 0;
    if (auto const* problem = reader.settle_date()) return reader.refuse("", reader.rest, problem);

    Moment moment{unix_seconds(reader.year, reader.month, reader.day) + reader.hour * 3600 + reader.minute * 60 +
                      reader.second,
                  reader.nanoseconds, utc()};
    if (reader.zulu) return moment;
    if (reader.has_offset) {
        moment.seconds -= reader.offset;
        auto const there = zone->at(moment.seconds);
        auto const same = there.offset == reader.offset && (reader.zone_name.empty() || there.name == reader.zone_name);
        moment.zone = same ? zone : fixed_zone(reader.zone_name, reader.offset);
        return moment;
    }
    if (!reader.zone_name.empty()) {
        for (auto const& period : zone->periods) {
            if (period.name != reader.zone_name) continue;
            moment.seconds -= period.offset;
            moment.zone = zone;
            return moment;
        }
        int offset = 0;
        if (reader.zone_name.starts_with("GMT") && reader.zone_name.size() > 3)
            offset = std::atoi(reader.zone_name.c_str() + 3) * 3600;
        moment.zone = fixed_zone(reader.zone_name, offset);
        return moment;
    }
    moment.zone = zone;
    moment.seconds -= zone->at(moment.seconds - zone->at(moment.seconds).offset).offset;
    return moment;
}

}  // namespace holdfast::gotemplate
