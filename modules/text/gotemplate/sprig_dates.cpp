// modules/text/gotemplate/sprig_dates.cpp: sprig's dates. "now" is the caller's clock; "Local" is UTC.
#include "modules/text/gotemplate/gotime.hpp"
#include "modules/text/gotemplate/sprig.hpp"
#include "modules/text/gotemplate/sprig_common.hpp"
#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/gotemplate/template.hpp"

namespace holdfast::gotemplate {

namespace {

using namespace sprig;

constexpr std::int64_t kSecond = 1'000'000'000;

Moment now(Call& call) {
    auto const since = call.executor().ports().clock->now().time_since_epoch();
    auto const nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
    return Moment{nanoseconds / kSecond, static_cast<std::int32_t>(nanoseconds % kSecond), local()};
}

// A time, or whole seconds as int64, int or (date only) int32; anything else is now.
Moment moment_of(Call& call, Value const& value, bool takes_int32) {
    if (auto const* moment = as_time(value)) return *moment;
    if (value.kind() == Kind::integer) {
        auto const& type = value.type();
        if (&type == &types::int64 || &type == &types::integer || (takes_int32 && &type == &types::int32))
            return Moment{value.as_int(), 0, local()};
    }
    return now(call);
}

Result<Value> date_in_zone(Call& call, std::string_view layout, Value const& date, std::string_view zone) {
    auto moment = moment_of(call, date, true);
    auto found = load_zone(call.executor().ports().zones, zone);
    moment.zone = found ? *found : utc();
    return text(call, format_time(moment, layout));
}

std::int64_t since(Call& call, Moment const& moment) {
    auto const current = now(call);
    auto const seconds = (static_cast<__int128>(current.seconds) - moment.seconds) * kSecond +
                         (current.nanoseconds - moment.nanoseconds);
    if (seconds > INT64_MAX) return INT64_MAX;
    if (seconds < INT64_MIN) return INT64_MIN;
    return static_cast<std::int64_t>(seconds);
}

// Duration.Round(time.Second): halves away from zero.
std::int64_t rounded(std::int64_t d) {
    auto rest = d % kSecond;
    if (d < 0) {
        rest = -rest;
        if (rest + rest < kSecond) return d + rest;
        return d < INT64_MIN + kSecond ? INT64_MIN : d - kSecond + rest;
    }
    if (rest + rest < kSecond) return d - rest;
    return d > INT64_MAX - kSecond ? INT64_MAX : d + kSecond - rest;
}

Result<Value> round_duration(Call& call) {
    auto const& arg = call[0];
    std::int64_t d = 0;
    if (arg.is_string()) d = parse_duration(arg.as_string()).value_or(0);
    else if (arg.kind() == Kind::integer && &arg.type() == &types::int64) d = arg.as_int();
    else if (auto const* moment = as_time(arg)) d = since(call, *moment);
    auto const u = d < 0 ? 0 - static_cast<std::uint64_t>(d) : static_cast<std::uint64_t>(d);
    constexpr std::uint64_t hour = 3'600'000'000'000;
    constexpr std::pair<std::uint64_t, char const*> units[] = {{hour * 24 * 365, "y"}, {hour * 24 * 30, "mo"},
                                                               {hour * 24, "d"},       {hour, "h"},
                                                               {60'000'000'000, "m"},  {1'000'000'000, "s"}};
    for (auto const& [size, name] : units)
        if (u > size) return Value::string(std::to_string(u / size) + name);
    return Value::string("0s");
}

Result<Value> modified(Call& call, bool must) {
    auto const delta = parse_duration(call.text(0));
    if (!delta) {
        if (must) return std::unexpected{delta.error()};
        return call[1];
    }
    auto moment = *as_time(call[1]);
    auto const nanoseconds = static_cast<__int128>(moment.seconds) * kSecond + moment.nanoseconds + *delta;
    auto const floor = nanoseconds / kSecond - (nanoseconds % kSecond < 0);
    moment.seconds = static_cast<std::int64_t>(floor);
    moment.nanoseconds = static_cast<std::int32_t>(nanoseconds - floor * kSecond);
    return make_time(moment);
}

Result<Value> to_date(Call& call, bool must) {
    auto moment = parse_time(call.text(0), call.text(1), local());
    if (moment) return make_time(*moment);
    if (must) return fail(std::move(moment));
    return make_time(Moment{});
}

}  // namespace

void add_sprig_dates(FuncMap& funcs) {
    funcs.add("now", "-> time", [](Call& call) -> Result<Value> { return make_time(now(call)); });
    funcs.add("date", "string, any -> string",
              [](Call& call) { return date_in_zone(call, call.text(0), call[1], "Local"); });
    auto const in_zone = [](Call& call) { return date_in_zone(call, call.text(0), call[1], call.text(2)); };
    funcs.add("dateInZone", "string, any, string -> string", in_zone);
    funcs.add("date_in_zone", "string, any, string -> string", in_zone);
    funcs.add("htmlDate", "any -> string",
              [](Call& call) { return date_in_zone(call, "2006-01-02", call[0], "Local"); });
    funcs.add("htmlDateInZone", "any, string -> string",
              [](Call& call) { return date_in_zone(call, "2006-01-02", call[0], call.text(1)); });
    for (auto const* name : {"dateModify", "date_modify"})
        funcs.add(name, "string, time -> time", [](Call& call) { return modified(call, false); });
    for (auto const* name : {"mustDateModify", "must_date_modify"})
        funcs.add(name, "string, time -> time", [](Call& call) { return modified(call, true); });
    funcs.add("ago", "any -> string", [](Call& call) -> Result<Value> {
        return Value::string(format_duration(rounded(since(call, moment_of(call, call[0], false)))));
    });
    funcs.add("duration", "any -> string", [](Call& call) -> Result<Value> {
        std::uint64_t seconds = 0;
        if (call[0].is_string()) {
            auto const source = call[0].as_string();
            auto const parsed = parse_int(source, 10);
            if (parsed) seconds = static_cast<std::uint64_t>(*parsed);
            else if (parsed.error().message.ends_with("value out of range"))
                seconds = source.starts_with('-') ? std::uint64_t{1} << 63 : (std::uint64_t{1} << 63) - 1;
        } else if (call[0].kind() == Kind::integer && &call[0].type() == &types::int64) {
            seconds = call[0].as_uint();
        }
        return Value::string(format_duration(static_cast<std::int64_t>(seconds * kSecond)));
    });
    funcs.add("durationRound", "any -> string", round_duration);
    funcs.add("toDate", "string, string -> time", [](Call& call) { return to_date(call, false); });
    funcs.add("mustToDate", "string, string -> time", [](Call& call) { return to_date(call, true); });
    funcs.add("unixEpoch", "time -> string",
              [](Call& call) -> Result<Value> { return Value::string(std::to_string(as_time(call[0])->seconds)); });
}

}  // namespace holdfast::gotemplate
