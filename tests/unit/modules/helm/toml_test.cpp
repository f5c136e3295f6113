// tests/unit/modules/helm/toml_test.cpp: TOML that wants too much; what is right TOML is held to Go in tests/golden/toml.
#include "modules/base/limits.hpp"
#include "modules/helm/functions.hpp"

#include <catch2/catch.hpp>

using namespace holdfast;
using gotemplate::Value;

namespace {

std::string repeated(std::size_t count, std::string_view text) {
    std::string out;
    out.reserve(count * text.size());
    for (std::size_t i = 0; i < count; ++i) out += text;
    return out;
}

std::string nested(std::size_t depth, std::string_view open, std::string_view close) {
    return "a = " + repeated(depth, open) + repeated(depth, close);
}

Value list_of(Value item) {
    std::vector<Value> items;
    items.push_back(std::move(item));
    return Value::list(std::move(items));
}

Value table_of(std::string_view key, Value item) {
    auto table = Value::map();
    table.set(key, std::move(item));
    return table;
}

}  // namespace

TEST_CASE("toml: values nest to the limit and no deeper", "[helm][toml][hostile]") {
    auto const depth = limits::kTomlDepthMax;
    for (auto const& [open, close] : {std::pair{"[", "]"}, {"{b=", "}"}}) {
        auto const inner = std::string_view{open} == "[" ? "" : "1";
        auto const fits = "a = " + repeated(depth, open) + inner + repeated(depth, close);
        auto const read = helm::from_toml(fits);
        REQUIRE(read);
        CHECK(read->find("Error") == nullptr);

        auto const deeper = helm::from_toml("a = " + repeated(depth + 1, open) + inner + repeated(depth + 1, close));
        REQUIRE_FALSE(deeper);
        CHECK(deeper.error().code == Errc::limit);
    }
    CHECK(helm::from_toml(nested(1'000'000, "[", "]")).error().code == Errc::limit);
    CHECK(helm::from_toml(nested(1'000'000, "[", "")).error().code == Errc::limit);
    CHECK(helm::from_toml(nested(1'000'000, "{a=", "")).error().code == Errc::limit);
    CHECK(helm::from_toml(nested(1'000'000, "[{a=", "")).error().code == Errc::limit);
}

TEST_CASE("toml: many tables are read in place, too many are refused", "[helm][toml][hostile]") {
    // Copying the list for each of its tables would take minutes here.
    auto const many = helm::from_toml(repeated(100'000, "[[a]]\nb = 1\n"));
    REQUIRE(many);
    CHECK(many->find("a")->size() == 100'000);

    CHECK(helm::from_toml(repeated(limits::kTomlTablesMax + 1, "[[a]]\n")).error().code == Errc::limit);
}

TEST_CASE("toml: a dotted key costs what it is long", "[helm][toml][hostile]") {
    // Go walks from the top for each part, 100,000 times 100,000 steps.
    auto const read = helm::from_toml(repeated(100'000, "a.") + "a = 1\n" + repeated(100'000, "a.") + "b = 2\n");
    REQUIRE(read);
    CHECK(read->find("Error") == nullptr);
    CHECK(read->size() == 1);

    CHECK(helm::to_toml(*read).error().code == Errc::limit);
    CHECK(helm::from_toml(repeated(limits::kTomlTablesMax + 1, "a.") + "a = 1").error().code == Errc::limit);

    auto const twice = helm::from_toml(repeated(20'000, "a.") + "a = 1\n" + repeated(20'000, "a.") + "a = 2\n");
    REQUIRE(twice);
    CHECK(twice->find("Error")->as_string().ends_with(".a' has already been defined."));
}

TEST_CASE("toml: writing stops at the depth limit", "[helm][toml][hostile]") {
    auto lists = Value::integer(1);
    for (int i = 0; i < 300'000; ++i) lists = list_of(std::move(lists));
    CHECK(helm::to_toml(table_of("x", lists)).error().code == Errc::limit);
    CHECK(helm::to_toml(lists).error().code == Errc::limit);

    auto tables = Value::integer(1);
    for (int i = 0; i < 300'000; ++i) tables = table_of("x", std::move(tables));
    CHECK(helm::to_toml(tables).error().code == Errc::limit);
    CHECK(helm::to_toml(table_of("x", list_of(tables))).error().code == Errc::limit);

    auto in_line = Value::integer(1);
    for (int i = 0; i < 100'000; ++i) in_line = list_of(table_of("x", list_of(list_of(std::move(in_line)))));
    CHECK(helm::to_toml(table_of("x", in_line)).error().code == Errc::limit);

    auto itself = Value::map();
    itself.set("a", itself);
    CHECK(helm::to_toml(itself).error().code == Errc::limit);
    CHECK(helm::to_toml(list_of(list_of(itself))).error().code == Errc::limit);
    itself.erase("a");
}

TEST_CASE("toml: headers repeat their whole path, and that is bounded", "[helm][toml][hostile]") {
    std::vector<Value> empty_tables(200, Value::map());
    auto made = Value::list(std::move(empty_tables));
    for (int i = 0; i < 900; ++i) made = table_of(std::string(1'000, 'k'), std::move(made));

    auto const written = helm::to_toml(made);

    REQUIRE_FALSE(written);
    CHECK(written.error().code == Errc::limit);
}
