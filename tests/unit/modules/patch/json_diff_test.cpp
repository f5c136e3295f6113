// tests/unit/modules/patch/json_diff_test.cpp: differences of two JSON values, applied again and listed.
#include "modules/patch/json_diff.hpp"
#include "modules/patch/json_patch.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

using namespace holdfast;
namespace json = boost::json;

namespace {

constexpr std::pair<char const*, char const*> kPairs[] = {
    {R"({})", R"({})"},
    {R"({"a": 1})", R"({"a": 2, "b": {"c": [1, 2]}})"},
    {R"({"a": 1, "b/c": 2, "d~e": 3})", R"({"a": 1, "d~e": 4})"},
    {R"({"l": [1, 2, 3, 4]})", R"({"l": [1, 3]})"},
    {R"({"l": [1]})", R"({"l": [2, {"x": 1}, null]})"},
    {R"({"a": {"b": {"c": 1}}})", R"({"a": [1]})"},
    {R"({"a": {"b": 1, "c": 2}})", R"({"a": {"c": 2, "d": 3}})"},
};

}  // namespace

TEST_CASE("json diff: applied to the first value it makes the second", "[patch]") {
    for (auto const& [from_text, to_text] : kPairs) {
        auto const from = json::parse(from_text), to = json::parse(to_text);
        auto const operations = patch::json_diff(from, to);
        auto const patch = patch::JsonPatch::parse(json::serialize(operations));
        REQUIRE(patch);
        auto changed = from;
        REQUIRE(patch->apply(changed));

        CHECK(changed == to);
        CHECK(operations.empty() == (from == to));
    }
}

TEST_CASE("json diff: a merge patch makes the second value where no null is wanted", "[patch]") {
    for (auto const& [from_text, to_text] : kPairs) {
        auto const from = json::parse(from_text), to = json::parse(to_text);
        auto changed = from;
        patch::apply_merge_patch(changed, patch::merge_diff(from, to));

        CHECK(changed == to);
    }
}

TEST_CASE("json diff: drift lists wanted fields that are gone or changed, and no others", "[patch]") {
    auto const wanted = json::parse(R"({"a": 1, "b": {"c": 2, "d": 3}, "l": [{"n": 1}, {"n": 2}], "s/t": 1})");
    auto const live = json::parse(R"({"a": 1, "b": {"c": 5, "x": 9}, "l": [{"n": 1, "m": 1}, {"n": 3}], "y": 1})");

    CHECK(patch::drift(wanted, wanted, 10).empty());
    CHECK(patch::drift(wanted, live, 10) == std::vector<std::string>{"/b/c", "/b/d", "/l/1/n", "/s~1t"});
    CHECK(patch::drift(wanted, live, 2).size() == 2);
}

TEST_CASE("json merge patch: the examples of RFC 7386 come out as it says", "[patch]") {
    constexpr char const* kExamples[][3] = {
        {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
        {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
        {R"({"a":"b"})", R"({"a":null})", R"({})"},
        {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
        {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
        {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
        {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
        {R"({"a":"foo"})", R"(null)", R"(null)"},
        {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
        {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
        {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
    };
    for (auto const& [target_text, patch_text, expected] : kExamples) {
        auto target = json::parse(target_text);
        patch::apply_merge_patch(target, json::parse(patch_text));
        CHECK(target == json::parse(expected));
    }
}
