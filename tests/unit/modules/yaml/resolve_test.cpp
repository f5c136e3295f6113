// tests/unit/modules/yaml/resolve_test.cpp: types of scalars, and Go's numbers. The long table is in the goldens.
#include "modules/yaml/go_number.hpp"
#include "modules/yaml/resolve.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

namespace holdfast::yaml {

TEST_CASE("yaml resolve: v2 knows YAML 1.1's words, v3 does not", "[yaml]") {
    CHECK(resolve_tag("yes", Dialect::v2) == Tag::boolean);
    CHECK(resolve_tag("yes", Dialect::v3) == Tag::string);
    CHECK(resolve_tag("0o17", Dialect::v3) == Tag::integer);
    CHECK(std::get<std::int64_t>(resolve_plain("0o17").value) == 15);
    CHECK(std::get<std::int64_t>(resolve_plain("017").value) == 15);
    CHECK(std::get<double>(resolve_plain("08").value) == 8.0);
    CHECK(std::get<std::uint64_t>(resolve_plain("18446744073709551615").value) == UINT64_MAX);
    CHECK(std::get<double>(resolve_plain("18446744073709551616").value) == 18446744073709551616.0);
}

TEST_CASE("yaml resolve: a tag that does not fit is an error", "[yaml]") {
    CHECK(resolve("!!int", "x").error().message == "yaml: cannot decode !!str `x` as a !!int");
    CHECK(std::get<double>(resolve("!!float", "1")->value) == 1.0);
    CHECK(resolve("!mine", "1")->tag == Tag::other);
}

TEST_CASE("go numbers: formats are strconv's", "[yaml]") {
    CHECK(format_float(1e6) == "1e+06");
    CHECK(format_float(100000) == "100000");
    CHECK(format_float(123456789) == "1.23456789e+08");
    CHECK(format_float(0.0001) == "0.0001");
    CHECK(format_float(0.00001) == "1e-05");
    CHECK(format_float(-0.0) == "-0");
    CHECK(format_float(0.1, 'g', -1, 32) == "0.1");
    CHECK(format_float(16777217, 'g', -1, 32) == "1.6777216e+07");
    CHECK(format_float(1234.5678, 'f', 2) == "1234.57");
    CHECK(format_float(1234.5678, 'e', 3) == "1.235e+03");
    CHECK(format_float(1234.5678, 'g', 3) == "1.23e+03");
    CHECK(format_float(100000, 'g', 10) == "100000");
    CHECK(format_float(5e-324) == "5e-324");
    CHECK(format_float(1e100, 'f') == "1" + std::string(100, '0'));
    CHECK(format_float(std::numeric_limits<double>::infinity()) == "+Inf");
    CHECK(format_float(1e211, 'g', -1, 32) == "+Inf");
    CHECK(format_float(std::nan("")) == "NaN");
}

TEST_CASE("go numbers: JSON's floats have exponents only when very small or large", "[yaml]") {
    CHECK(format_float_json(1e20) == "100000000000000000000");
    CHECK(format_float_json(1e21) == "1e+21");
    CHECK(format_float_json(1e-6) == "0.000001");
    CHECK(format_float_json(1e-7) == "1e-7");
    CHECK_FALSE(format_float_json(std::nan("")));
}

TEST_CASE("go numbers: texts are read as strconv reads them", "[yaml]") {
    CHECK(parse_int("-0x8000000000000000") == std::numeric_limits<std::int64_t>::min());
    CHECK_FALSE(parse_int("0x8000000000000000"));
    CHECK(parse_int("1_000", 0) == 1000);
    CHECK_FALSE(parse_int("1_000", 10));
    CHECK_FALSE(parse_int("1__0", 0));
    CHECK_FALSE(parse_int("", 0));
    CHECK_FALSE(parse_int("+", 0));
    CHECK(parse_int("z", 36) == 35);
    CHECK(parse_uint("0B11") == 3);
    CHECK(parse_float("1e400") == std::nullopt);
    CHECK(parse_float("1e-400") == 0.0);
    CHECK(parse_float("0x1p-2") == 0.25);
    CHECK(parse_float("-Infinity") == -std::numeric_limits<double>::infinity());
    CHECK(parse_float("1_0") == 10.0);
    CHECK_FALSE(parse_float("0x1"));
    CHECK_FALSE(parse_float("infinit"));
    CHECK_FALSE(parse_float("1e"));
}

}  // namespace holdfast::yaml
