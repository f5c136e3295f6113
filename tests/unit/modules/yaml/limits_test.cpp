// tests/unit/modules/yaml/limits_test.cpp: hostile texts end soon, in small memory, with one clear error.
// Goal: R-15, finding 4: what costs kustomize gigabytes or its life.
// Method: each bound is hit once; texts just below it are read; time is CPU time, so a busy machine does not matter.
#include "modules/base/sanitized.hpp"
#include "modules/yaml/emit.hpp"
#include "modules/yaml/json.hpp"
#include "modules/yaml/parse.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <catch2/catch.hpp>

#include <chrono>
#include <ctime>

namespace holdfast::yaml {

namespace {

std::string repeat(std::string_view text, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += text;
    return out;
}

template <class Work> std::chrono::milliseconds time_of(Work work) {
    auto const start = std::clock();
    work();
    return std::chrono::milliseconds{(std::clock() - start) * 1000 / CLOCKS_PER_SEC};
}

constexpr std::chrono::milliseconds kSoon{kSanitized ? 20'000 : 2000};  // checked code is slow code

}  // namespace

TEST_CASE("yaml limits: nesting", "[yaml][limits]") {
    for (auto const& text :
         {repeat("[", 200'000), repeat("{a: ", 200'000), repeat("- ", 200'000), repeat("? ", 200'000)}) {
        Arena arena;
        CHECK(time_of([&] { CHECK(parse(arena, text).error().code == Errc::limit); }) < kSoon);
        CHECK(arena.bytes() < 8'000'000);
    }
    Arena arena;
    auto const depth = limits::kYamlDepthMax;
    CHECK(parse(arena, repeat("[", depth) + repeat("]", depth)));
    CHECK(parse(arena, repeat("[", depth + 1) + repeat("]", depth + 1)).error().message ==
          "yaml: line 1: more than 1000 levels of nesting");
}

TEST_CASE("yaml limits: bytes of the stream", "[yaml][limits]") {
    Arena arena;
    auto const result = parse(arena, std::string(100, 'x'), {.bytes_max = 99});
    CHECK(result.error().code == Errc::limit);
    CHECK(result.error().message == "yaml: more than 99 bytes");
    CHECK(parse(arena, std::string(99, 'x'), {.bytes_max = 99}));
}

TEST_CASE("yaml limits: a million keys", "[yaml][limits]") {
    std::string text;
    for (int i = 0; i < 1'000'000; ++i) text += "key" + std::to_string(i) + ": 1\n";
    Arena arena;
    CHECK(time_of([&] { CHECK(parse(arena, text).error().code == Errc::limit); }) < kSoon);
    Arena roomy;
    ParseOptions options;
    options.nodes_max = 3'000'000;
    CHECK(time_of([&] {
              auto const* const document = parse(roomy, text, options).value();
              CHECK(check_unique_keys(*document));
          }) < kSoon);
}

TEST_CASE("yaml limits: a hundred thousand documents", "[yaml][limits]") {
    Arena arena;
    auto const text = repeat("---\na: 1\n", 100'000);
    CHECK(time_of([&] { CHECK(parse_all(arena, text)->size() == 100'000); }) < kSoon);
    CHECK(parse_all(arena, repeat("---\n", 300'000)).error().code == Errc::limit);
}

TEST_CASE("yaml limits: an alias bomb", "[yaml][limits]") {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
        auto const last = "*a" + std::to_string(i - 1);
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last + repeat(", " + last, 8) + "]\n";
    }
    for (auto const dialect : {Dialect::v3, Dialect::v2}) {
        Arena arena;
        auto const* const document = parse(arena, text, {.dialect = dialect}).value();
        CHECK(time_of([&] {
                  CHECK(to_json(*document, {.dialect = dialect}).error().message ==
                        "yaml: document contains excessive aliasing");
              }) < kSoon);
    }
}

TEST_CASE("yaml limits: a few honest aliases are no bomb", "[yaml][limits]") {
    std::string text = "base: &base {a: 1, b: 2, c: 3}\nlist:\n" + repeat("- *base\n", 2000);
    Arena arena;
    CHECK(to_json(*parse(arena, text).value()));
}

TEST_CASE("yaml limits: a cycle of anchors", "[yaml][limits]") {
    Arena arena;
    for (auto const* const text : {"&a [*a]", "&a {b: *a}", "a: &a {<<: *a}", "&a {*a : b}", "&x [&y [*x, *y]]"}) {
        INFO(text);
        auto const value = to_json(*parse(arena, text).value());
        REQUIRE_FALSE(value);
    }
    CHECK(to_json(*parse(arena, "&a [*a]").value()).error().message == "yaml: anchor 'a' value contains itself");
}

TEST_CASE("yaml limits: a thousand equal keys are reported in bounded text", "[yaml][limits]") {
    Arena arena;
    auto const* const document = parse(arena, repeat("a: 1\n", 20'000)).value();
    CHECK(time_of([&] {
              auto const result = check_unique_keys(*document);
              CHECK(result.error().message.starts_with(
                  "yaml: unmarshal errors:\n  line 2: mapping key \"a\" already defined at line 1\n"));
              CHECK(result.error().message.size() < 10'000);
          }) < kSoon);
}

TEST_CASE("yaml limits: comments, blanks, tags and scalars without end are read in linear time", "[yaml][limits]") {
    for (auto const& text :
         {repeat("# c\n", 500'000) + "a: 1\n", repeat("\n", 2'000'000), std::string(2'000'000, ' ') + "a",
          "a: " + std::string(2'000'000, 'x'), "a: \"" + repeat("\\n", 1'000'000) + "\"",
          "a: |\n" + repeat("  x\n", 500'000), "a: >\n" + repeat("  x\n", 500'000), "a: " + repeat("b\n  ", 500'000),
          "[" + repeat("a,", 300'000) + "b]", repeat("a: &x 1 # c\n# d\n", 1000),
          "!" + std::string(500'000, 'a') + " b", repeat("- # c\n", 100'000), repeat("  # c\n # d\n", 200'000) + "a: 1",
          "'" + repeat("''", 500'000) + "'", repeat("é", 300'000), repeat("\xE2\x80\xA8", 300'000)}) {
        Arena arena;
        INFO(text.substr(0, 30));
        CHECK(time_of([&] {
                  auto const documents = parse_all(arena, text);
                  if (documents) CHECK(emit_all(*documents));
              }) < kSoon);
    }
}

}  // namespace holdfast::yaml
