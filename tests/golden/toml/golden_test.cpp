// Goal: fromToml and toToml give the values, texts and errors that Helm's give.
// Method: every document of documents.jsonl was read and written again by BurntSushi/toml (record), here by ours.
#include "modules/base/base64.hpp"
#include "modules/text/gotemplate/json.hpp"
#include "tests/golden/toml/answer.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace holdfast;

TEST_CASE("toml: documents and errors agree with BurntSushi/toml", "[helm][toml]") {
    std::ifstream file{HOLDFAST_GOLDEN_DIR "/documents.jsonl"};
    REQUIRE(file);
    int documents = 0;
    for (std::string line; std::getline(file, line); ++documents) {
        auto const recorded = gotemplate::from_json(line);
        REQUIRE(recorded);
        auto const text_of = [&](char const* name) { return std::string{recorded->lookup(name).as_string()}; };
        // What is no UTF-8, and so no JSON string either, stands there as base64.
        auto const document = recorded->find("doc") != nullptr ? text_of("doc") : *base64_decode(text_of("base64"));

        auto const answer = helm::golden::answer_to(document);

        if (answer.out == text_of("out") && answer.toml == text_of("toml") && answer.err == text_of("err")) continue;
        INFO(line);
        CHECK(answer.out == text_of("out"));
        CHECK(answer.toml == text_of("toml"));
        CHECK(answer.err == text_of("err"));
    }
    CHECK(documents > 400);
}
