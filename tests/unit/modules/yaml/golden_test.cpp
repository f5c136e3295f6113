// tests/unit/modules/yaml/golden_test.cpp: our answers against those recorded from go-yaml.
// Goal: same nodes, comments, places, types, texts and errors as go-yaml v3, v2 and sigs.k8s.io/yaml.
// Method: tests/golden/yaml/cases.jsonl through every door; expected.jsonl was written by go-yaml itself (record).
#include "modules/base/base64.hpp"
#include "tests/unit/modules/yaml/report.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

#include <fstream>
#include <string>

namespace holdfast::yaml {

namespace {

namespace json = boost::json;

std::string text_of(json::object const& object, std::string_view key, std::string_view missing) {
    auto const* const found = object.if_contains(key);
    return std::string{found ? std::string_view{found->as_string()} : missing};
}

}  // namespace

TEST_CASE("yaml: every recorded text gives what go-yaml gives", "[yaml][golden]") {
    std::ifstream cases{HOLDFAST_GOLDEN_DIR "/yaml/cases.jsonl"};
    std::ifstream expected{HOLDFAST_GOLDEN_DIR "/yaml/expected.jsonl"};
    int count = 0;
    for (std::string case_line, expected_line; std::getline(cases, case_line) && std::getline(expected, expected_line);
         ++count) {
        auto const one = json::parse(case_line).as_object();
        auto const wanted = json::parse(expected_line).as_object();
        auto const name = text_of(one, "name", "");
        REQUIRE(text_of(wanted, "name", "") == name);
        auto const base64 = text_of(one, "base64", "");
        auto const text = base64.empty() ? text_of(one, "in", "") : base64_decode(base64).value();

        auto const got = test::report(name, text);

        INFO(name);
        INFO(text);
        auto const emit = text_of(wanted, "emit", "");
        auto const yaml = text_of(wanted, "yaml", "");
        for (std::string_view const field : {"dump", "emit", "json", "sigs", "strict", "yaml"}) {
            CHECK(text_of(got, field, "") == text_of(wanted, field, ""));
        }
        CHECK(text_of(got, "wide", "") == text_of(wanted, "wide", emit));
        CHECK(text_of(got, "four", "") == text_of(wanted, "four", emit));
        CHECK(text_of(got, "pretty", "") == text_of(wanted, "pretty", yaml));
    }
    CHECK(count > 700);
}

}  // namespace holdfast::yaml
