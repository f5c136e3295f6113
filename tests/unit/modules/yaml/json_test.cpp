// tests/unit/modules/yaml/json_test.cpp: conversions, where the goldens do not reach.
#include "modules/yaml/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

namespace holdfast::yaml {

namespace json = boost::json;

TEST_CASE("yaml json: nodes made of a value are written as kyaml writes them", "[yaml]") {
    Arena arena;
    auto const value =
        json::parse(R"({"b":[1,2.5,1e6,"x","yes","1",null,true,18446744073709551615],"a":{},"c":"l1\nl2\n"})");
    CHECK(
        emit(*from_json(arena, value)).value() ==
        "b:\n- 1\n- 2.5\n- 1e+06\n- x\n- yes\n- \"1\"\n- null\n- true\n- 18446744073709551615\na: {}\nc: |\n  l1\n  l2\n");
}

TEST_CASE("yaml json: keys keep their order both ways", "[yaml]") {
    Arena arena;
    auto const value = to_json(*parse(arena, "z: 1\na: {y: 2, b: 3}\n").value()).value();
    CHECK(json::serialize(value) == R"({"z":1,"a":{"y":2,"b":3}})");
    CHECK(emit(*from_json(arena, value)).value() == "z: 1\na:\n  y: 2\n  b: 3\n");
}

TEST_CASE("yaml json: equal keys are reported for the whole tree", "[yaml]") {
    Arena arena;
    auto const* const document = parse(arena, "a: 1\nb:\n- c: 1\n  c: 2\na: 2\n").value();
    CHECK(check_unique_keys(*document).error().message ==
          "yaml: unmarshal errors:\n  line 5: mapping key \"a\" already defined at line 1");
    CHECK(check_unique_keys(*parse(arena, "a: {b: 1, b: 2}\nc: [{d: 1, d: 2}]\n").value()).error().message ==
          "yaml: unmarshal errors:\n  line 1: mapping key \"b\" already defined at line 1\n"
          "  line 2: mapping key \"d\" already defined at line 2");
    CHECK(check_unique_keys(*parse(arena, "a: 1\nb: 2\n").value()));
}

TEST_CASE("yaml json: only the root takes keys of other types, and only when asked", "[yaml]") {
    Arena arena;
    auto const* const document = parse(arena, "1: a\n").value();
    CHECK(json::serialize(to_json(*document, {.text_keys_at_root = true}).value()) == R"({"1":"a"})");
    CHECK(to_json(*document).error().message == "json: unsupported type: map[interface {}]interface {}");
}

TEST_CASE("yaml json: which texts YAML 1.1 reads as no string", "[yaml]") {
    for (auto const* const text :
         {"yes", "off", "1", "0x1", "1.5", "null", "~", "a: b", "- a", "[a]", "# c", ".inf", "{}", "1_000", "0o7"}) {
        INFO(text);
        CHECK(is_yaml11_non_string(text));
    }
    for (auto const* const text :
         {"", "a", "a b", "2001-01-01", "1.2.3", "a\nb", "*x", "'1'", "&a b", "[", "--", "a:b"}) {
        INFO(text);
        CHECK_FALSE(is_yaml11_non_string(text));
    }
}

TEST_CASE("yaml json: what JSON cannot hold is an error, not a guess", "[yaml]") {
    CHECK(read_sigs("a: .nan").error().message == "json: unsupported value: NaN");
    CHECK(write_sigs(json::value("\x7F")).error().message == "yaml: control characters are not allowed");
    CHECK(marshal_json(json::value("\xFF<")).value() == "\"\\ufffd\\u003c\"");
    CHECK(marshal_json(json::value("<"), false).value() == "\"<\"");
}

TEST_CASE("yaml json: keys sort by numbers inside of them", "[yaml]") {
    CHECK(key_less("a2", "a10", Dialect::v2));
    CHECK(key_less("a2", "a10", Dialect::v3));
    CHECK(key_less("1", "a", Dialect::v3));
    CHECK(key_less("a1b", "a1.b", Dialect::v3));
    CHECK_FALSE(key_less("a1b", "a1.b", Dialect::v2));
    CHECK(key_less("A", "a", Dialect::v2));
    CHECK(key_less("a", "é", Dialect::v2));
    CHECK_FALSE(key_less("a", "a", Dialect::v2));
}

}  // namespace holdfast::yaml
