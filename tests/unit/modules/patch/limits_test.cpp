// tests/unit/modules/patch/limits_test.cpp: what hostile patches run into.
#include "modules/base/limits.hpp"
#include "modules/patch/json_patch.hpp"
#include "modules/patch/merge.hpp"
#include "modules/patch/path.hpp"
#include "modules/patch/regex.hpp"
#include "modules/patch/selector.hpp"
#include "modules/yaml/emit.hpp"
#include "modules/yaml/parse.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace {

using namespace holdfast;

yaml::Node* parsed(yaml::Arena& arena, std::string_view text) { return yaml::root_of(*yaml::parse(arena, text)); }

/// Maps inside of maps, made by hand: the reader has a limit of its own.
yaml::Node* nested(yaml::Arena& arena, std::size_t levels) {
    auto* node = yaml::make_map(arena);
    for (std::size_t i = 0; i < levels; ++i) {
        auto* const outer = yaml::make_map(arena);
        outer->set(arena, "a", node);
        node = outer;
    }
    return node;
}

std::string pod(std::string_view element, int count, bool numbered) {
    std::string text{"apiVersion: v1\nkind: Pod\nspec:\n  containers:\n"};
    for (int i = 0; i < count; ++i)
        text += "  - {" + std::string{element} + (numbered ? std::to_string(i) : "") + "}\n";
    return text;
}

}  // namespace

TEST_CASE("patch: a merge stops at the depth limit", "[patch][limit]") {
    yaml::Arena arena;
    auto const merged = patch::merge(arena, {}, *nested(arena, limits::kPatchDepthMax + 1), *nested(arena, 1));

    REQUIRE_FALSE(merged);
    CHECK(merged.error().code == Errc::limit);
}

TEST_CASE("patch: a list merged by key takes time in proportion to its length", "[patch][limit]") {
    yaml::Arena arena;
    auto* const target = parsed(arena, pod("image: x, name: c", 30'000, true));
    auto const merged = patch::merge(arena, {}, *parsed(arena, pod("tty: true, name: c", 30'000, true)), *target);

    REQUIRE(merged);
    CHECK(target->find("spec")->find("containers")->size() == 30'000);
}

TEST_CASE("patch: a list of elements without keys stops at the step limit", "[patch][limit]") {
    yaml::Arena arena;
    auto* const target = parsed(arena, pod("name: '', image: x", 30'000, true));
    auto const merged = patch::merge(arena, {}, *parsed(arena, pod("image: y", 30'000, true)), *target);

    if (!merged) CHECK(merged.error().code == Errc::limit);
}

TEST_CASE("patch: a JSON patch with too many operations is refused", "[patch][limit]") {
    std::string text = "[";
    for (std::size_t i = 0; i <= limits::kPatchOperationsMax; ++i) text += i == 0 ? "{}" : ",{}";
    auto const patch = patch::JsonPatch::parse(text + "]");

    REQUIRE_FALSE(patch);
    CHECK(patch.error().code == Errc::limit);
}

TEST_CASE("patch: copies that double each time stop at the limit of values", "[patch][limit]") {
    std::string text = "[";
    for (int i = 0; i < 40; ++i) {
        text += std::string{i == 0 ? "" : ","} + R"({"op":"copy","from":"/a","path":"/a/-"})";
    }
    auto const patch = patch::JsonPatch::parse(text + "]");
    REQUIRE(patch);
    boost::json::value document = boost::json::object{{"a", boost::json::array{1}}};
    auto const done = patch->apply(document);

    REQUIRE_FALSE(done);
    CHECK(done.error().code == Errc::limit);
}

TEST_CASE("patch: a JSON patch cannot nest a document deeper than the limit", "[patch][limit]") {
    std::string text = "[";
    std::string path = "/a";
    for (int i = 0; i < 12; ++i) {
        text += std::string{i == 0 ? "" : ","} + R"({"op":"copy","from":"/a","path":")" + path + R"(/b"})";
        path += path.substr(0).replace(0, 2, "/b");  // where the deepest map is now
    }
    auto const patch = patch::JsonPatch::parse(text + "]");
    REQUIRE(patch);
    boost::json::value document = boost::json::object{{"a", boost::json::object{}}};
    auto const done = patch->apply(document);

    REQUIRE_FALSE(done);
    CHECK(done.error().code == Errc::limit);
}

TEST_CASE("patch: an element that does not match its own pattern is not made forever", "[patch][limit]") {
    yaml::Arena arena;
    auto* const object = parsed(arena, "a: [{n: x}]\n");
    auto const path = patch::split_field_path("a.[n=^y$].b");
    auto const found = patch::match(arena, *object, patch::Path{path}, yaml::Kind::scalar);

    CHECK_FALSE(found);
}

TEST_CASE("patch: the last element of an empty list is an error, not a crash", "[patch][limit]") {
    yaml::Arena arena;
    auto* const object = parsed(arena, "a: []\n");

    CHECK_FALSE(patch::lookup(*object, {"a", "-"}));
}

TEST_CASE("patch: long patterns and selectors are refused", "[patch][limit]") {
    CHECK_FALSE(patch::Regex::compile(std::string(limits::kPatchRegexBytesMax + 1, 'a')));
    CHECK_FALSE(patch::LabelSelector::parse(std::string(limits::kPatchSelectorBytesMax + 1, 'a')));
}

TEST_CASE("patch: a path that names too many fields is refused", "[patch][limit]") {
    yaml::Arena arena;
    auto* const list = yaml::make_seq(arena);
    for (std::size_t i = 0; i <= limits::kPatchMatchesMax; ++i) list->append(arena, yaml::make_string(arena, "x"));
    auto* const object = yaml::make_map(arena);
    object->set(arena, "a", list);
    auto const path = patch::split_field_path("a.*");
    auto const found = patch::match(arena, *object, patch::Path{path});

    REQUIRE_FALSE(found);
    CHECK(found.error().code == Errc::limit);
}
