// tests/unit/modules/yaml/parse_test.cpp: what the reader promises beside go-yaml's answers (golden_test.cpp).
#include "modules/yaml/emit.hpp"
#include "modules/yaml/parse.hpp"

#include <catch2/catch.hpp>

namespace holdfast::yaml {

TEST_CASE("yaml parse: an error has go-yaml's text and our own exact place", "[yaml]") {
    Arena arena;
    Place place;
    auto const result = parse(arena, "a: 1\nb:\n  c: d: e\n", {}, &place);

    REQUIRE_FALSE(result);
    CHECK(result.error().code == Errc::invalid_input);
    CHECK(result.error().message == "yaml: line 3: mapping values are not allowed in this context");
    CHECK(place.line == 3);
    CHECK(place.column == 7);
}

TEST_CASE("yaml parse: documents before a broken one are handed out first", "[yaml]") {
    Arena arena;
    Parser parser{arena, "a: 1\n---\nb: 2\n---\nc: [\n"};

    CHECK(emit(*parser.next().value()).value() == "a: 1\n");
    CHECK(emit(*parser.next().value()).value() == "b: 2\n");
    CHECK_FALSE(parser.next());
    CHECK_FALSE(parser.next());
}

TEST_CASE("yaml parse: no text is no document, an empty document is a null", "[yaml]") {
    Arena arena;
    CHECK(parse(arena, "").value() == nullptr);
    CHECK(parse(arena, "# only a comment\n").value() == nullptr);
    CHECK(root_of(parse(arena, "---\n").value())->is_null());
    CHECK(parse_all(arena, "---\n---\n---\n")->size() == 3);
}

TEST_CASE("yaml parse: text on one line stays where it is, the rest is copied once", "[yaml]") {
    Arena arena;
    std::string const text(100'000, 'x');
    auto const* const document = parse(arena, "a: " + text + "\n").value();
    CHECK(root_of(document)->find("a")->value() == text);
    CHECK(arena.bytes() < 110'000);
}

TEST_CASE("yaml parse: without comments the nodes are the same but for the comments", "[yaml]") {
    Arena arena;
    std::string_view const text = "# h\na: 1 # l\n\nb:\n  # x\n  - c # y\n# f\n";
    auto const* const with = root_of(parse(arena, text).value());
    auto const* const without = root_of(parse(arena, text, {.comments = false}).value());
    CHECK(equal(*with, *without));
    CHECK(emit(*without).value() == "a: 1\nb:\n- c\n");
}

TEST_CASE("yaml parse: an anchor cycle is a finite tree", "[yaml]") {
    Arena arena;
    auto* const root = root_of(parse(arena, "a: &x\n  b: *x\n").value());
    CHECK(root->find("a")->find("b")->alias() == root->find("a"));
    CHECK(emit(*root).value() == "a: &x\n  b: *x\n");
}

TEST_CASE("yaml parse: a parser can be moved", "[yaml]") {
    Arena arena;
    Parser first{arena, std::string{"a\n---\nb\n"}};
    CHECK(root_of(first.next().value())->value() == "a");
    Parser second = std::move(first);
    CHECK(root_of(second.next().value())->value() == "b");
    CHECK(second.next().value() == nullptr);
}

}  // namespace holdfast::yaml
