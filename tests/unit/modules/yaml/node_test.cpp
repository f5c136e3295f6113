// tests/unit/modules/yaml/node_test.cpp: changing, copying and comparing nodes.
#include "modules/yaml/emit.hpp"
#include "modules/yaml/parse.hpp"

#include <catch2/catch.hpp>

namespace holdfast::yaml {

namespace {
Node* read(Arena& arena, std::string_view text) { return root_of(parse(arena, text).value()); }
}  // namespace

TEST_CASE("yaml node: is small and needs no destructor", "[yaml]") {
    STATIC_REQUIRE(sizeof(Node) == 40);
    STATIC_REQUIRE(std::is_trivially_destructible_v<Node>);
    STATIC_REQUIRE(std::is_trivially_copyable_v<Node>);
}

TEST_CASE("yaml node: set replaces in place, appends what is new, and remove takes both key and value", "[yaml]") {
    Arena arena;
    auto* const map = read(arena, "a: 1 # keep\nb: 2\n");

    map->set(arena, "b", make_string(arena, "true"));
    map->set(arena, "c", make_seq(arena));
    CHECK(map->remove("a"));
    CHECK_FALSE(map->remove("a"));

    CHECK(map->find("b")->value() == "true");
    CHECK(map->find("missing") == nullptr);
    CHECK(map->entries() == 2);
    CHECK(emit(*map).value() == "b: \"true\"\nc: []\n");
}

TEST_CASE("yaml node: insert and erase keep the order of the rest", "[yaml]") {
    Arena arena;
    auto* const list = read(arena, "[a, b, c]\n");

    list->insert(arena, 1, make_string(arena, "x"));
    list->insert(arena, 4, make_string(arena, "y"));
    list->erase(0);

    CHECK(emit(*list).value() == "[x, b, c, y]\n");
}

TEST_CASE("yaml node: many appended children cost amortised one copy", "[yaml]") {
    Arena arena;
    auto* const list = make_seq(arena);
    for (int i = 0; i < 10'000; ++i) list->append(arena, make_null(arena));
    CHECK(list->size() == 10'000);
    CHECK(arena.bytes() < 1'500'000);
}

TEST_CASE("yaml node: a comment set on a shallow copy does not show on the original", "[yaml]") {
    Arena arena;
    auto* const scalar = read(arena, "a # one\n");
    auto* const copy = arena.make<Node>(*scalar);

    copy->set_line_comment(arena, "# two");

    CHECK(scalar->line_comment() == "# one");
    CHECK(copy->line_comment() == "# two");
}

TEST_CASE("yaml node: copy_to leaves nothing behind in the other arena, aliases included", "[yaml]") {
    Arena target;
    Node* copy = nullptr;
    {
        Arena source;
        copy = copy_to(target, *read(source, "# h\na: &x !t {b: c}\nd: *x\n"));
    }
    CHECK(emit(*copy).value() == "# h\na: &x !t {b: c}\nd: *x\n");
    CHECK(copy->find("d")->alias() == copy->find("a"));
}

TEST_CASE("yaml node: clone makes new nodes and leaves the original alone", "[yaml]") {
    Arena arena;
    auto* const map = read(arena, "a: {b: [1, 2]}\n");
    auto* const copy = clone(arena, *map);

    copy->find("a")->find("b")->item(0)->set_value("9");

    CHECK(emit(*map).value() == "a: {b: [1, 2]}\n");
    CHECK(emit(*copy).value() == "a: {b: [9, 2]}\n");
}

TEST_CASE("yaml node: equal looks at kinds, types and values, not at style or comments", "[yaml]") {
    Arena arena;
    CHECK(equal(*read(arena, "a: 'x' # c\n"), *read(arena, "{a: x}\n")));
    CHECK_FALSE(equal(*read(arena, "a: '1'\n"), *read(arena, "a: 1\n")));
    CHECK_FALSE(equal(*read(arena, "[a]\n"), *read(arena, "[a, b]\n")));
}

TEST_CASE("yaml node: a tree deeper than the stack can be copied and compared", "[yaml]") {
    Arena arena;
    auto* root = make_seq(arena);
    auto* inner = root;
    for (int i = 0; i < 200'000; ++i) {
        auto* const next = make_seq(arena);
        inner->append(arena, next);
        inner = next;
    }
    CHECK(equal(*root, *clone(arena, *root)));
    CHECK(emit(*root)->size() > 400'000);
}

TEST_CASE("yaml node: set_string chooses tag and style as go-yaml does", "[yaml]") {
    Arena arena;
    auto* const node = make_scalar(arena, "1");
    node->set_string(arena, "true");
    CHECK(emit(*node).value() == "\"true\"\n");
    node->set_string(arena, "a\nb\n");
    CHECK(emit(*node).value() == "|\n  a\n  b\n");
    node->set_string(arena, "\xFF");
    CHECK(node->tag() == "!!binary");
}

TEST_CASE("yaml node: long tags are kept in their short form", "[yaml]") {
    Arena arena;
    auto* const node = make_scalar(arena, "x");
    node->set_tag(arena, "tag:yaml.org,2002:str");
    CHECK(node->tag_id() == Tag::string);
    node->set_tag(arena, "tag:yaml.org,2002:mine");
    CHECK(node->tag() == "!!mine");
    node->set_tag(arena, "!other");
    CHECK(node->tag() == "!other");
}

TEST_CASE("yaml arena: moved, its nodes stay valid", "[yaml]") {
    Arena first;
    auto* const node = read(first, "a: text that is long enough\n");
    Arena second = std::move(first);
    CHECK(node->find("a")->value() == "text that is long enough");
    CHECK(first.bytes() == 0);
}

}  // namespace holdfast::yaml
