// tests/unit/modules/patch/cases_test.cpp: answers that kyaml and kustomize gave, recorded by record.py.
#include "tests/unit/modules/patch/question.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <string>

// Goal: merges, JSON patches, paths, field specifications and selectors answer as kustomize 5.8.1 does.
// Method: named and random questions from cases.jsonl; where kustomize refuses, the words must be the same.
TEST_CASE("patch: recorded answers of kustomize are given again", "[patch]") {
    std::ifstream file{HOLDFAST_PATCH_CASES};
    REQUIRE(file);
    std::size_t count = 0;
    for (std::string line; std::getline(file, line); ++count) {
        auto const fields = boost::json::parse(line);
        auto const& question = fields.as_object();
        auto const& expected = question.at("answer").as_object();
        auto const answer = holdfast::patch::respond(question);

        INFO(question.at("name").as_string().c_str());
        CHECK(answer.err == expected.at("err").as_string().c_str());
        if (!answer.err.empty()) continue;
        CHECK(answer.tree == expected.at("tree").as_string().c_str());
        CHECK(answer.out == expected.at("out").as_string().c_str());
    }
    CHECK(count > 500);
}
