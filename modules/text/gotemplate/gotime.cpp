// modules/text/gotemplate/gotime.cpp: calendar, durations and the Value that holds a time.Time.
#include "modules/text/gotemplate/gotime.hpp"

#include "modules/text/gotemplate/calendar.hpp"
#include "modules/text/gotemplate/funcs.hpp"
#include "modules/text/gotemplate/strconv.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <unordered_map>

namespace holdfast::gotemplate {

namespace {

Function const* time_method(std::string_view name);

constexpr std::string_view kRfc3339 = "2006-01-02T15:04:05.999999999Z07:00";

/// How Go source names a zone: the two that are variables, else by its name.
std::string zone_literal(ZonePointer const& zone) {
    if (zone == utc()) return "time.UTC";
    if (zone == local()) return "time.Local";
    return "time.Location(" + quote(zone->name) + ")";
}

class LocationObject final : public Object {
public:
    explicit LocationObject(ZonePointer zone) : Object(types::location), zone(std::move(zone)) {}
    std::optional<std::string> text() const override { return zone->name; }
    bool equals(Object const& other) const override {
        auto const* right = dynamic_cast<LocationObject const*>(&other);
        return right != nullptr && right->zone == zone;
    }
    ZonePointer const zone;
};

class TimeObject final : public Object {
public:
    explicit TimeObject(Moment moment) : Object(types::time), moment(std::move(moment)) {}
    std::optional<std::string> text() const override {
        return format_time(moment, "2006-01-02 15:04:05.999999999 -0700 MST");
    }
    std::optional<std::string> go_text() const override {
        auto const c = broken_down(moment);
        auto text = "time.Date(" + std::to_string(c.year) + ", time." + std::string{month_name(c.month)};
        for (auto const part : {c.day, c.hour, c.minute, c.second, static_cast<int>(moment.nanoseconds)})
            text += ", " + std::to_string(part);
        return text + ", " + zone_literal(moment.zone) + ")";
    }
    bool equals(Object const& other) const override {
        auto const* right = dynamic_cast<TimeObject const*>(&other);
        return right != nullptr && right->moment.seconds == moment.seconds &&
               right->moment.nanoseconds == moment.nanoseconds && right->moment.zone->name == moment.zone->name;
    }
    Moment const moment;
};

constexpr std::int64_t kSecond = 1'000'000'000;

// seconds * scale + rest, wrapping as Go's int64 does
std::int64_t scaled(std::int64_t seconds, std::int64_t scale, std::int64_t rest) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(seconds) * static_cast<std::uint64_t>(scale) +
                                     static_cast<std::uint64_t>(rest));
}

Moment added(Moment moment, std::int64_t nanoseconds) {
    auto total = moment.nanoseconds + nanoseconds % kSecond;
    moment.seconds = scaled(moment.seconds, 1, nanoseconds / kSecond);
    if (total >= kSecond) total -= kSecond, ++moment.seconds;
    if (total < 0) total += kSecond, --moment.seconds;
    moment.nanoseconds = static_cast<std::int32_t>(total);
    return moment;
}

// time.Sub: what does not fit is the largest or smallest duration.
std::int64_t difference(Moment const& left, Moment const& right) {
    auto const exact =
        (static_cast<__int128>(left.seconds) - right.seconds) * kSecond + (left.nanoseconds - right.nanoseconds);
    return static_cast<std::int64_t>(std::clamp<__int128>(exact, INT64_MIN, INT64_MAX));
}

// Far enough for every calendar, and sums of it do not overflow.
std::int64_t bounded(std::int64_t value) { return std::clamp<std::int64_t>(value, -1'000'000'000, 1'000'000'000); }

/// What Go's div leaves: nanoseconds since the year 1, modulo `step`, never negative.
std::int64_t past_step(Moment const& moment, std::int64_t step) {
    auto const since = (static_cast<__int128>(moment.seconds) - Moment{}.seconds) * kSecond + moment.nanoseconds;
    auto const rest = static_cast<std::int64_t>(since % step);
    return rest < 0 ? rest + step : rest;
}

bool less_than_half(std::int64_t part, std::int64_t whole) {
    return static_cast<std::uint64_t>(part) * 2 < static_cast<std::uint64_t>(whole);
}

/// time.Duration.Round: halves away from zero; what does not fit is the largest or smallest duration.
std::int64_t rounded(std::int64_t d, std::int64_t step) {
    if (step <= 0) return d;
    auto const rest = d % step;
    auto const size = rest < 0 ? -rest : rest;
    if (less_than_half(size, step)) return d - rest;
    auto const exact = static_cast<__int128>(d) + (d < 0 ? size - step : step - size);
    return static_cast<std::int64_t>(std::clamp<__int128>(exact, INT64_MIN, INT64_MAX));
}

Moment const& self(Call& call) { return *as_time(call.receiver()); }

using Methods = std::unordered_map<std::string_view, Function>;

Methods make_methods() {
    Methods methods;
    auto const add = [&](std::string_view name, std::string_view signature, Implementation body) {
        methods.emplace(name, make_function(name, signature, std::move(body)));
    };
    auto const number = [&](std::string_view name, auto pick) {
        add(name, "-> int",
            [pick](Call& call) -> Result<Value> { return Value::integer(pick(broken_down(self(call)))); });
    };
    number("Year", [](CivilTime const& c) { return c.year; });
    number("Day", [](CivilTime const& c) { return std::int64_t{c.day}; });
    number("Hour", [](CivilTime const& c) { return std::int64_t{c.hour}; });
    number("Minute", [](CivilTime const& c) { return std::int64_t{c.minute}; });
    number("Second", [](CivilTime const& c) { return std::int64_t{c.second}; });
    number("YearDay", [](CivilTime const& c) { return std::int64_t{c.year_day}; });
    add("Nanosecond", "-> int", [](Call& call) -> Result<Value> { return Value::integer(self(call).nanoseconds); });
    add("Month", "-> month",
        [](Call& call) -> Result<Value> { return Value::integer(broken_down(self(call)).month, types::month); });
    add("Weekday", "-> weekday",
        [](Call& call) -> Result<Value> { return Value::integer(broken_down(self(call)).weekday, types::weekday); });
    add("Unix", "-> int64",
        [](Call& call) -> Result<Value> { return Value::integer(self(call).seconds, types::int64); });
    add("UnixMilli", "-> int64", [](Call& call) -> Result<Value> {
        return Value::integer(scaled(self(call).seconds, 1000, self(call).nanoseconds / 1'000'000), types::int64);
    });
    add("UnixMicro", "-> int64", [](Call& call) -> Result<Value> {
        return Value::integer(scaled(self(call).seconds, 1'000'000, self(call).nanoseconds / 1000), types::int64);
    });
    add("UnixNano", "-> int64", [](Call& call) -> Result<Value> {
        return Value::integer(scaled(self(call).seconds, kSecond, self(call).nanoseconds), types::int64);
    });
    add("Format", "string -> string",
        [](Call& call) -> Result<Value> { return Value::string(format_time(self(call), call.text(0))); });
    add("String", "-> string",
        [](Call& call) -> Result<Value> { return Value::string(*call.receiver().as_object()->text()); });
    add("IsZero", "-> bool", [](Call& call) -> Result<Value> {
        return Value::boolean(self(call).seconds == Moment{}.seconds && self(call).nanoseconds == 0);
    });
    auto const same_zone_utc = [](Call& call) -> Result<Value> {
        auto moment = self(call);
        moment.zone = utc();
        return make_time(moment);
    };
    add("UTC", "-> time", same_zone_utc);
    add("Local", "-> time", same_zone_utc);
    add("Location", "-> location",
        [](Call& call) -> Result<Value> { return Value::object(new LocationObject(self(call).zone)); });
    add("In", "location -> time", [](Call& call) -> Result<Value> {
        auto const* object = static_cast<LocationObject const*>(call[0].as_object());
        if (object == nullptr) return fail(Errc::invalid_input, "time: missing Location in call to Time.In");
        auto moment = self(call);
        moment.zone = object->zone;
        return make_time(moment);
    });
    // Only the local zone and fixed offsets are ever attached to a time here, and neither has summers.
    add("IsDST", "-> bool", [](Call&) -> Result<Value> { return Value::boolean(false); });
    add("Truncate", "duration -> time", [](Call& call) -> Result<Value> {
        auto const step = call.integer(0);
        return make_time(step <= 0 ? self(call) : added(self(call), -past_step(self(call), step)));
    });
    add("Round", "duration -> time", [](Call& call) -> Result<Value> {
        auto const step = call.integer(0);
        if (step <= 0) return make_time(self(call));
        auto const rest = past_step(self(call), step);
        return make_time(added(self(call), less_than_half(rest, step) ? -rest : step - rest));
    });
    add("GoString", "-> string",
        [](Call& call) -> Result<Value> { return Value::string(*call.receiver().as_object()->go_text()); });
    add("MarshalText", "-> []byte",
        [](Call& call) -> Result<Value> { return Value::bytes(format_time(self(call), kRfc3339)); });
    add("MarshalJSON", "-> []byte",
        [](Call& call) -> Result<Value> { return Value::bytes('"' + format_time(self(call), kRfc3339) + '"'); });
    auto const appended = [](Call& call, std::string_view layout) -> Result<Value> {
        return Value::bytes(std::string{call.text(0)} + format_time(self(call), layout));
    };
    add("AppendFormat", "[]byte, string -> []byte",
        [appended](Call& call) -> Result<Value> { return appended(call, call.text(1)); });
    add("AppendText", "[]byte -> []byte", [appended](Call& call) -> Result<Value> { return appended(call, kRfc3339); });
    auto const refused = [&](std::string_view name, std::string_view why) {
        methods.emplace(name, Function{.name = std::string{name}, .implementation = {}, .refusal = why});
    };
    refused("ISOWeek", "invalid function signature for ISOWeek: second return value should be error; is int");
    refused("Zone", "invalid function signature for Zone: second return value should be error; is int");
    refused("ZoneBounds",
            "invalid function signature for ZoneBounds: second return value should be error; is time.Time");
    refused("Date", "function Date has 3 return values; should be 1 or 2");
    refused("Clock", "function Clock has 3 return values; should be 1 or 2");
    add("Add", "duration -> time",
        [](Call& call) -> Result<Value> { return make_time(added(self(call), call.integer(0))); });
    add("AddDate", "int, int, int -> time", [](Call& call) -> Result<Value> {
        auto civil = broken_down(self(call));
        auto moment = self(call);
        moment.seconds = unix_seconds(bounded(civil.year) + bounded(call.integer(0)),
                                      civil.month + bounded(call.integer(1)), civil.day + bounded(call.integer(2))) +
                         civil.hour * 3600 + civil.minute * 60 + civil.second - civil.offset;
        return make_time(moment);
    });
    add("Sub", "time -> duration", [](Call& call) -> Result<Value> {
        return Value::integer(difference(self(call), *as_time(call[0])), types::duration);
    });
    add("Before", "time -> bool",
        [](Call& call) -> Result<Value> { return Value::boolean(difference(self(call), *as_time(call[0])) < 0); });
    add("After", "time -> bool",
        [](Call& call) -> Result<Value> { return Value::boolean(difference(self(call), *as_time(call[0])) > 0); });
    add("Equal", "time -> bool",
        [](Call& call) -> Result<Value> { return Value::boolean(difference(self(call), *as_time(call[0])) == 0); });
    add("Compare", "time -> int", [](Call& call) -> Result<Value> {
        auto const d = difference(self(call), *as_time(call[0]));
        return Value::integer(d < 0 ? -1 : d > 0 ? 1 : 0);
    });
    return methods;
}

Function const* find_in(Methods const& methods, std::string_view name) {
    auto const found = methods.find(name);
    return found == methods.end() ? nullptr : &found->second;
}

Function const* time_method(std::string_view name) {
    static Methods const methods = make_methods();
    return find_in(methods, name);
}

Methods make_duration_methods() {
    Methods methods;
    auto const add = [&](std::string_view name, std::string_view signature, auto body) {
        methods.emplace(name, make_function(name, signature, [body](Call& call) -> Result<Value> {
                            return body(call.receiver().as_int(), call);
                        }));
    };
    // Whole units and the rest apart, as Go does: the sum keeps more digits than one division.
    auto const in_units = [&](std::string_view name, std::int64_t unit) {
        add(name, "-> float64", [unit](std::int64_t d, Call&) {
            return Value::floating(static_cast<double>(d / unit) +
                                   static_cast<double>(d % unit) / static_cast<double>(unit));
        });
    };
    auto const whole_units = [&](std::string_view name, std::int64_t unit) {
        add(name, "-> int64", [unit](std::int64_t d, Call&) { return Value::integer(d / unit, types::int64); });
    };
    in_units("Hours", 3600 * kSecond);
    in_units("Minutes", 60 * kSecond);
    in_units("Seconds", kSecond);
    whole_units("Milliseconds", 1'000'000);
    whole_units("Microseconds", 1'000);
    whole_units("Nanoseconds", 1);
    add("String", "-> string", [](std::int64_t d, Call&) { return Value::string(format_duration(d)); });
    add("Abs", "-> duration", [](std::int64_t d, Call&) {
        return Value::integer(d >= 0 ? d : d == INT64_MIN ? INT64_MAX : -d, types::duration);
    });
    add("Round", "duration -> duration",
        [](std::int64_t d, Call& call) { return Value::integer(rounded(d, call.integer(0)), types::duration); });
    add("Truncate", "duration -> duration", [](std::int64_t d, Call& call) {
        auto const step = call.integer(0);
        return Value::integer(step <= 0 ? d : d - d % step, types::duration);
    });
    return methods;
}

}  // namespace

namespace types {
Type const time{
    .kind = Kind::structure, .name = "time.Time", .kind_name = "struct", .named = true, .method = time_method};

Function const* location_method(std::string_view name) {
    static Function const string = make_function("String", "-> string", [](Call& call) -> Result<Value> {
        auto const* object = call.receiver().as_object();
        return Value::string(object == nullptr ? "UTC" : *object->text());
    });
    return name == "String" ? &string : nullptr;
}
Type const location{
    .kind = Kind::pointer, .name = "*time.Location", .kind_name = "ptr", .named = true, .method = location_method};
}  // namespace types

Function const* duration_method(std::string_view name) {
    static Methods const methods = make_duration_methods();
    return find_in(methods, name);
}

Function const* scalar_method(std::string_view name) {
    static Function const string = make_function("String", "-> string", [](Call& call) -> Result<Value> {
        return Value::string(*scalar_text(call.receiver()));
    });
    return name == "String" ? &string : nullptr;
}

Value make_time(Moment moment) { return Value::object(new TimeObject(std::move(moment))); }

Moment const* as_time(Value const& value) {
    if (value.kind() != Kind::structure) return nullptr;
    auto const* object = dynamic_cast<TimeObject const*>(value.as_object());
    return object == nullptr ? nullptr : &object->moment;
}

std::string format_duration(std::int64_t nanoseconds) {
    if (nanoseconds == 0) return "0s";
    auto const negative = nanoseconds < 0;
    auto u = negative ? 0 - static_cast<std::uint64_t>(nanoseconds) : static_cast<std::uint64_t>(nanoseconds);
    // Digits after the point, trailing zeros dropped, then the whole part in front.
    auto const fraction = [](std::uint64_t& value, int digits) {
        std::string text;
        for (int i = 0; i < digits; ++i, value /= 10)
            if (!text.empty() || value % 10 != 0) text.insert(text.begin(), static_cast<char>('0' + value % 10));
        return text.empty() ? text : "." + text;
    };
    std::string out;
    if (u < static_cast<std::uint64_t>(kSecond)) {
        if (u < 1000) return (negative ? "-" : "") + std::to_string(u) + "ns";
        auto const micro = u < 1'000'000;
        auto const tail = fraction(u, micro ? 3 : 6);
        return (negative ? "-" : "") + std::to_string(u) + tail + (micro ? "\xC2\xB5s" : "ms");
    }
    auto const tail = fraction(u, 9);
    out = std::to_string(u % 60) + tail + "s";
    u /= 60;
    if (u > 0) {
        out = std::to_string(u % 60) + "m" + out;
        u /= 60;
        if (u > 0) out = std::to_string(u) + "h" + out;
    }
    return (negative ? "-" : "") + out;
}

Result<std::int64_t> parse_duration(std::string_view text) {
    auto const bad = [&](std::string_view what) {
        return fail(Errc::invalid_input, "time: " + std::string{what} + quote(text));
    };
    auto s = text;
    auto const negative = s.starts_with('-');
    if (negative || s.starts_with('+')) s.remove_prefix(1);
    if (s == "0") return 0;
    if (s.empty()) return bad("invalid duration ");
    constexpr std::uint64_t kLimit = std::uint64_t{1} << 63;
    std::uint64_t total = 0;
    while (!s.empty()) {
        std::uint64_t whole = 0, fraction = 0;
        double scale = 1;
        bool digits = false;
        while (!s.empty() && s[0] >= '0' && s[0] <= '9') {
            if (whole > kLimit / 10) return bad("invalid duration ");
            whole = whole * 10 + static_cast<std::uint64_t>(s[0] - '0');
            if (whole > kLimit) return bad("invalid duration ");
            digits = true;
            s.remove_prefix(1);
        }
        if (s.starts_with('.')) {
            s.remove_prefix(1);
            for (bool full = false; !s.empty() && s[0] >= '0' && s[0] <= '9'; s.remove_prefix(1)) {
                digits = true;
                if (full || fraction > (kLimit - 1) / 10) {
                    full = true;
                    continue;
                }
                fraction = fraction * 10 + static_cast<std::uint64_t>(s[0] - '0');
                scale *= 10;
            }
        }
        if (!digits) return bad("invalid duration ");
        std::size_t length = 0;
        while (length < s.size() && s[length] != '.' && !(s[length] >= '0' && s[length] <= '9')) ++length;
        auto const unit = s.substr(0, length);
        if (unit.empty()) return bad("missing unit in duration ");
        s.remove_prefix(length);
        std::uint64_t factor = 0;
        if (unit == "ns") factor = 1;
        else if (unit == "us" || unit == "\xC2\xB5s" || unit == "\xCE\xBCs") factor = 1000;
        else if (unit == "ms") factor = 1'000'000;
        else if (unit == "s") factor = 1'000'000'000;
        else if (unit == "m") factor = 60'000'000'000;
        else if (unit == "h") factor = 3'600'000'000'000;
        else return bad("unknown unit " + quote(unit) + " in duration ");
        if (whole > kLimit / factor) return bad("invalid duration ");
        whole *= factor;
        if (fraction > 0) {
            whole += static_cast<std::uint64_t>(static_cast<double>(fraction) * (static_cast<double>(factor) / scale));
            if (whole > kLimit) return bad("invalid duration ");
        }
        total += whole;
        if (total > kLimit) return bad("invalid duration ");
    }
    if (negative) return static_cast<std::int64_t>(0 - total);
    if (total > kLimit - 1) return bad("invalid duration ");
    return static_cast<std::int64_t>(total);
}

std::optional<std::string> scalar_text(Value const& value) {
    if (&value.type() == &types::duration) return format_duration(value.as_int());
    auto const number = value.as_int();
    if (&value.type() == &types::month)
        return number >= 1 && number <= 12 ? std::string{month_name(static_cast<int>(number))}
                                           : "%!Month(" + std::to_string(number) + ")";
    if (&value.type() == &types::weekday)
        return number >= 0 && number <= 6 ? std::string{weekday_name(static_cast<int>(number))}
                                          : "%!Weekday(" + std::to_string(number) + ")";
    return std::nullopt;
}

}  // namespace holdfast::gotemplate
