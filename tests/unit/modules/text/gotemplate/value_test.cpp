#include "modules/text/gotemplate/json.hpp"
#include "modules/text/gotemplate/value.hpp"

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

TEST_CASE("gotemplate: equal maps compare equal, also when one contains itself", "[text][gotemplate]") {
    auto left = from_json(R"({"a":[1,{"b":null}],"c":"x"})").value();
    auto const right = from_json(R"({"c":"x","a":[1,{"b":null}]})").value();
    CHECK(deep_equal(left, right));

    left.set("c", Value::string("y"));
    CHECK_FALSE(deep_equal(left, right));

    auto one = Value::map(), two = Value::map();
    one.set("self", one);
    two.set("self", two);
    CHECK(deep_equal(one, two));
    one.erase("self");
    two.erase("self");
}
