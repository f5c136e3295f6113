#include "modules/text/gotemplate/json.hpp"
#include "modules/text/gotemplate/value.hpp"
#include "tests/unit/modules/text/gotemplate/support.hpp"

#include <catch2/catch.hpp>

using namespace holdfast::gotemplate;

TEST_CASE("gotemplate: a copy of a map sees what the other copy sets", "[text][gotemplate]") {
    auto const map = Value::map();
    auto copy = map;

    copy.set("a", Value::integer(1));

    REQUIRE(map.find("a") != nullptr);
    CHECK(map.find("a")->as_int() == 1);
    CHECK(map.identity() == copy.identity());
}

// Goal: order, lookup and removal stay right on both sides of the size where a map gets an index.
TEST_CASE("gotemplate: a map of any size lists its keys in order and finds each of them", "[text][gotemplate]") {
    auto const size = GENERATE(0, 1, 8, 9, 10, 100, 1000);
    auto map = Value::map();
    for (int i = 0; i < size; ++i) map.set("k" + std::to_string(i * 7919 % 1009), Value::integer(i));

    auto const entries = map.entries();
    CHECK(map.size() == static_cast<std::size_t>(size));
    CHECK(std::is_sorted(entries.begin(), entries.end(),
                         [](auto const& a, auto const& b) { return a.first.as_string() < b.first.as_string(); }));
    for (int i = 0; i < size; ++i) {
        auto const* found = map.find("k" + std::to_string(i * 7919 % 1009));
        REQUIRE(found != nullptr);
        CHECK(found->as_int() == i);
    }

    for (int i = 0; i < size; i += 2) CHECK(map.erase("k" + std::to_string(i * 7919 % 1009)));
    CHECK(map.size() == static_cast<std::size_t>(size / 2));
    CHECK_FALSE(map.erase("nope"));
    for (int i = 0; i < size; ++i) CHECK((map.find("k" + std::to_string(i * 7919 % 1009)) != nullptr) == (i % 2 == 1));
}

TEST_CASE("gotemplate: lists nested a million deep are freed without a deep stack", "[text][gotemplate]") {
    auto value = Value::list({});
    for (int i = 0; i < 1'000'000; ++i) value = Value::list({value});

    CHECK(value.size() == 1);
}

TEST_CASE("gotemplate: an element of []any is boxed, one of []string is not", "[text][gotemplate]") {
    auto const any = Value::list({Value::string("a")});
    auto const strings = Value::list({Value::string("a")}, types::list_string);

    CHECK(any.at(0).in_interface());
    CHECK(any.at(0).static_type().name == "interface {}");
    CHECK_FALSE(strings.at(0).in_interface());
    CHECK(strings.at(0).static_type().name == "string");
}

TEST_CASE("gotemplate: a missing key, a null and a nil map are three different things", "[text][gotemplate]") {
    auto const map = from_json(R"({"null":null})").value();

    CHECK_FALSE(map.lookup("missing").is_valid());
    CHECK(map.lookup("null").is_valid());
    CHECK(map.lookup("null").is_nil());
    CHECK(Value::zero(types::map_any).is_map());
    CHECK(Value::zero(types::map_any).is_nil());
    CHECK(to_json(Value::zero(types::map_any)).value() == "null");
    CHECK(to_json(Value::map()).value() == "{}");
}

TEST_CASE("gotemplate: JSON refuses a map inside itself and what nests too deep", "[text][gotemplate]") {
    auto map = Value::map();
    map.set("self", map);
    CHECK(to_json(map).error().code == holdfast::Errc::limit);
    map.erase("self");

    CHECK(from_json(std::string(20'000, '[')).error().code == holdfast::Errc::limit);
}

namespace {

bool same(Value const& left, Value const& right) {
    Looked looked;
    return deep_equal(left, right, looked).value();
}

/// depth lists, each of two of the one before.
Value doubled(Value leaf, int depth) {
    for (int i = 0; i < depth; ++i) leaf = Value::list({leaf, leaf});
    return leaf;
}

}  // namespace

TEST_CASE("gotemplate: values that share their parts are compared part by part, not path by path",
          "[text][gotemplate]") {
    Looked looked{.max = 1'000};
    CHECK(deep_equal(doubled(Value::integer(1), 60), doubled(Value::integer(1), 60), looked) == true);
    CHECK(looked.count <= 2 * 60 + 1);

    CHECK_FALSE(same(doubled(Value::integer(1), 60), doubled(Value::integer(2), 60)));
}

TEST_CASE("gotemplate: values nested deeper than any stack still compare to the leaf", "[text][gotemplate]") {
    auto const nested = [](int leaf) {
        auto value = Value::integer(leaf);
        for (int i = 0; i < 200'000; ++i) value = Value::list({value});
        return value;
    };
    CHECK(same(nested(1), nested(1)));
    CHECK_FALSE(same(nested(1), nested(2)));
}

TEST_CASE("gotemplate: a comparison stops where its bound is", "[text][gotemplate]") {
    std::vector<Value> const items(1'000, Value::string("x"));
    Looked looked{.max = 100};
    CHECK_FALSE(deep_equal(Value::list(items), Value::list(items), looked).has_value());
}

TEST_CASE("gotemplate: what a map or list does not hold by its type is refused in Go's words", "[text][gotemplate]") {
    static Type const files{
        .kind = Kind::map, .name = "files", .kind_name = "map", .elem = &types::bytes, .named = true};
    auto map = Value::map(files);
    CHECK(map.assign(Value::string("a"), Value::bytes("x")).has_value());
    CHECK(map.assign(Value::string("a"), Value::integer(1)).error().message ==
          "reflect.Value.SetMapIndex: value of type int is not assignable to type []uint8");
    CHECK(map.assign(Value::string("a"), Value::bytes("x").boxed()).error().message ==
          "reflect.Value.SetMapIndex: value of type interface {} is not assignable to type []uint8");
    CHECK(map.find("a")->as_string() == "x");
}

TEST_CASE("gotemplate: equal maps compare equal, also when one contains itself", "[text][gotemplate]") {
    auto left = from_json(R"({"a":[1,{"b":null}],"c":"x"})").value();
    auto const right = from_json(R"({"c":"x","a":[1,{"b":null}]})").value();
    CHECK(same(left, right));

    left.set("c", Value::string("y"));
    CHECK_FALSE(same(left, right));

    auto one = Value::map(), two = Value::map();
    one.set("self", one);
    two.set("self", two);
    CHECK(same(one, two));
    one.erase("self");
    two.erase("self");
}

// Goal: what Go 1.26 prints of the numbers whose first digit moves: the smallest ones, and those that are rounded up.
TEST_CASE("gotemplate: numbers with two as their base print as Go prints them", "[text][gotemplate]") {
    auto const [format, number, expected] = GENERATE(table<std::string, std::string, std::string>({
        {"%x", "1e-320", "0x1.fap-1064"},
        {"%.0x", "1e-320", "0x1p-1063"},
        {"%.1x", "2.225073858507201e-308", "0x1.0p-1022"},
        {"%.0x", "1.5", "0x1p+01"},
        {"%.3x", "1.7976931348623157e308", "0x1.000p+1024"},
        {"%x", "5e-324", "0x1p-1074"},
        {"%b", "1e-320", "2024p-1074"},
        {"%b", "5e-324", "1p-1074"},
        {"%b", "-1e-310", "-20240225330731p-1074"},
        {"%b", "2.2250738585072014e-308", "4503599627370496p-1074"},
        {"%b", "1.5", "6755399441055744p-52"},
        {"%b", "0.0", "0p-1074"},
    }));
    CHECK(test::render("{{printf \"" + format + "\" " + number + "}}").out == expected);
}
