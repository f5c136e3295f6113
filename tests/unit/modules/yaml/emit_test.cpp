// tests/unit/modules/yaml/emit_test.cpp: trees made by hand, and the errors of the writer.
#include "modules/yaml/emit.hpp"
#include "modules/yaml/parse.hpp"

#include <catch2/catch.hpp>

namespace holdfast::yaml {

TEST_CASE("yaml emit: a node that cannot be written gives go-yaml's error", "[yaml]") {
    Arena arena;
    Node unknown;
    unknown.line = 1;
    CHECK(emit(unknown).error().message == "yaml: cannot encode node with unknown kind 0");

    auto* const anchored = make_string(arena, "x");
    anchored->set_anchor(arena, "a b");
    CHECK(emit(*anchored).error().message == "yaml: anchor value must contain alphanumerical characters only");

    auto* const bytes = make_scalar(arena, "\xFF", Tag::string);
    CHECK(emit(*bytes).error().message == "yaml: cannot marshal invalid UTF-8 data as !!str");
    CHECK(emit(*make_scalar(arena, "\xFF")).value() == "!!binary /w==\n");
}

TEST_CASE("yaml emit: an empty node is null", "[yaml]") { CHECK(emit(Node{}).value() == "null\n"); }

TEST_CASE("yaml emit: a string that would be read as something else is quoted", "[yaml]") {
    Arena arena;
    CHECK(emit(*make_string(arena, "true")).value() == "\"true\"\n");
    CHECK(emit(*make_string(arena, "yes")).value() == "yes\n");  // v3 leaves 1.1's words to kyaml
    CHECK(emit(*make_scalar(arena, "true")).value() == "true\n");
    CHECK(emit(*make_scalar(arena, "5", Tag::floating)).value() == "!!float 5\n");
}

TEST_CASE("yaml emit: later documents get a marker", "[yaml]") {
    Arena arena;
    auto const documents = parse_all(arena, "a: 1\n---\nb: 2\n").value();
    CHECK(emit_all(documents).value() == "a: 1\n---\nb: 2\n");
    std::string out = "x: y\n";
    REQUIRE(emit_to(out, *documents[1], {}, false));
    CHECK(out == "x: y\n---\nb: 2\n");
}

TEST_CASE("yaml emit: the indentation of the first sequence is found as kyaml finds it", "[yaml]") {
    CHECK(derive_sequence_indent("a:\n- b\n") == SequenceIndent::compact);
    CHECK(derive_sequence_indent("a:\n  - b\n") == SequenceIndent::wide);
    CHECK(derive_sequence_indent("a:\n  # c\n  - b\n") == SequenceIndent::wide);
    CHECK(derive_sequence_indent("a: # c\n  - b\n") == SequenceIndent::wide);
    CHECK(derive_sequence_indent("- a\n- b:\n    - c\n") == SequenceIndent::compact);
    CHECK(derive_sequence_indent("a: |\n  - b\nc:\n  - d\n") == SequenceIndent::wide);
    CHECK(derive_sequence_indent("a:\n      - b\nc:\n- d\n") == SequenceIndent::compact);
    CHECK(derive_sequence_indent("") == SequenceIndent::compact);
}

}  // namespace holdfast::yaml
