#include "modules/text/gotemplate/gotime.hpp"
#include "tests/unit/modules/text/gotemplate/support.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace holdfast::gotemplate;

namespace {

std::string big_endian(std::uint64_t value, int bytes) {
    std::string out;
    while (bytes-- > 0) out.push_back(static_cast<char>(value >> (8 * bytes)));
    return out;
}

// One transition at `start`, before it LMT (+53 s), after it the rule's standard time.
std::string tzif(std::int64_t start, int offset, std::string const& name, std::string const& rule) {
    auto const header = [](int times, int types, int chars) {
        return "TZif2" + std::string(15, '\0') + big_endian(0, 4) + big_endian(0, 4) + big_endian(0, 4) +
               big_endian(static_cast<std::uint64_t>(times), 4) + big_endian(static_cast<std::uint64_t>(types), 4) +
               big_endian(static_cast<std::uint64_t>(chars), 4);
    };
    auto const names = std::string("LMT\0", 4) + name + '\0';
    auto const types = big_endian(53, 4) + std::string("\0\0", 2) + big_endian(static_cast<std::uint64_t>(offset), 4) +
                       std::string("\0\4", 2);
    auto const one_type = big_endian(53, 4) + std::string("\0\0", 2);
    return header(0, 1, 4) + one_type + std::string("LMT\0", 4) + header(1, 2, static_cast<int>(names.size())) +
           big_endian(static_cast<std::uint64_t>(start), 8) + std::string(1, '\1') + types + names + "\n" + rule + "\n";
}

class Zones final : public TimeZones {
public:
    std::optional<std::string_view> find(std::string_view name) override {
        auto const found = files.find(std::string{name});
        if (found == files.end()) return std::nullopt;
        return found->second;
    }
    std::map<std::string, std::string> files;
};

std::string in_zone(Zones& zones, std::string_view zone, std::int64_t seconds) {
    return format_time(Moment{seconds, 0, load_zone(&zones, zone).value()}, "2006-01-02T15:04:05Z07:00 MST");
}

}  // namespace

TEST_CASE("gotemplate: a zone follows its transitions, then its rule", "[text][gotemplate]") {
    Zones zones;
    zones.files["Europe/Berlin"] = tzif(0, 3600, "CET", "CET-1CEST,M3.5.0,M10.5.0/3");
    zones.files["Australia/Sydney"] = tzif(0, 36'000, "AEST", "AEST-10AEDT,M10.1.0,M4.1.0/3");

    CHECK(in_zone(zones, "Europe/Berlin", -1) == "1970-01-01T00:00:52+00:00 LMT");
    CHECK(in_zone(zones, "Europe/Berlin", 1'711'846'799) == "2024-03-31T01:59:59+01:00 CET");
    CHECK(in_zone(zones, "Europe/Berlin", 1'711'846'800) == "2024-03-31T03:00:00+02:00 CEST");
    CHECK(in_zone(zones, "Europe/Berlin", 1'729'990'799) == "2024-10-27T02:59:59+02:00 CEST");
    CHECK(in_zone(zones, "Europe/Berlin", 1'729'990'800) == "2024-10-27T02:00:00+01:00 CET");
    CHECK(in_zone(zones, "Australia/Sydney", 1'704'067'200) == "2024-01-01T11:00:00+11:00 AEDT");
    CHECK(in_zone(zones, "Australia/Sydney", 1'719'792'000) == "2024-07-01T10:00:00+10:00 AEST");
    CHECK(load_zone(&zones, "Mars/Base").error().message == "unknown time zone Mars/Base");
    CHECK(load_zone(nullptr, "Europe/Berlin").error().message == "unknown time zone Europe/Berlin");
}

TEST_CASE("gotemplate: a damaged zone file is an unknown zone", "[text][gotemplate]") {
    Zones zones;
    auto const whole = tzif(0, 3600, "CET", "CET-1CEST,M3.5.0,M10.5.0/3");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        zones.files["X"] = whole.substr(0, size);
        auto const zone = load_zone(&zones, "X");
        if (zone) CHECK_FALSE(in_zone(zones, "X", 1'711'846'800).empty());
    }
}

TEST_CASE("gotemplate: now is the caller's clock", "[text][gotemplate]") {
    CHECK(test::render(R"({{now | date "2006-01-02 15:04:05"}} {{ago (int64 1699999000)}} {{now | unixEpoch}})").out ==
          "2023-11-14 22:13:20 16m40s 1700000000");
}

TEST_CASE("gotemplate: dates far from today keep their calendar", "[text][gotemplate]") {
    auto const text = [](std::int64_t seconds) { return format_time(Moment{seconds, 0, utc()}, "2006-01-02 Mon 002"); };

    CHECK(text(-62'135'596'800) == "0001-01-01 Mon 001");
    CHECK(text(-2'208'988'800) == "1900-01-01 Mon 001");
    CHECK(text(4'107'542'400) == "2100-03-01 Mon 060");
    CHECK(text(253'402'300'799) == "9999-12-31 Fri 365");
}
