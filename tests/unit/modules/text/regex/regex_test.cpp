// What Go answers to 895 calls is in tests/golden/gotemplate/sprig_regex.txt; here is what templates cannot reach.
#include "modules/text/regex/regex.hpp"

#include <catch2/catch.hpp>

using holdfast::Errc;
using holdfast::regex::Effort;
using holdfast::regex::Regex;

TEST_CASE("regex: a group that took no part is empty", "[text][regex]") {
    Effort effort;
    CHECK(Regex::compile("(a)|(b)").value().replace_all("b", "[$0$1$2]", 100, effort).value() == "[bb]");
}

TEST_CASE("regex: both spellings of a named group work, look-behind does not", "[text][regex]") {
    Effort effort;
    CHECK(Regex::compile("(?<n>b)").value().replace_all("abc", "[$n]", 100, effort).value() == "a[b]c");
    CHECK(Regex::compile("(?P<n>b)").value().replace_all("abc", "[${n}]", 100, effort).value() == "a[b]c");
    CHECK(Regex::compile("(?<=a)b").error().message == "error parsing regexp: invalid named capture: `(?<=a)b`");
    CHECK(Regex::compile(R"(\(?<n>|[(?<n>])").value().matches("<", effort));
}

TEST_CASE("regex: too large a pattern, program or result is a limit", "[text][regex]") {
    Effort effort;
    CHECK(Regex::compile(std::string(100'000, 'a')).error().code == Errc::limit);
    CHECK(Regex::compile(R"((\pL\pN\pS\pL\pN\pS\pL\pN\pS\pL\pN\pS){1000})").error().code == Errc::limit);
    CHECK(Regex::compile("a").value().replace_all_literal("aaaa", "xxxxxxxxxx", 20, effort).error().code ==
          Errc::limit);
}

TEST_CASE("regex: a pattern that ruins backtracking matchers is linear here", "[text][regex]") {
    Effort effort;
    auto const regex = Regex::compile("(a+)+$").value();

    CHECK_FALSE(regex.matches(std::string(200'000, 'a') + "b", effort));
}

TEST_CASE("regex: a search ends where its effort does, whatever the pattern", "[text][regex]") {
    // Goal    neither a match that reads to the end each time nor a text with too many states outlasts its budget.
    // Method  each would take minutes; a budget of some 25 ms ends it.
    auto const [pattern, text] = GENERATE(table<std::string, std::string>({
        {"a(.*b)?", std::string(2'000'000, 'a')},
        {"(?s:.){0,900}(?s:.){0,900}(?s:.){0,900}x", std::string(3'000'000, 'a')},
        {"[ab]*a[ab]{900}c",
         [] {
             std::string mixed;
             for (unsigned i = 0, bits = 1; i < 1'000'000; ++i, bits = bits * 1'103'515'245 + 12'345)
                 mixed += (bits >> 16 & 1) != 0 ? 'a' : 'b';
             return mixed;
         }()},
    }));
    INFO(pattern);
    auto const regex = Regex::compile(pattern).value();

    Effort all{1'000'000};
    static_cast<void>(regex.find_all(text, -1, all));
    CHECK(all.spent());
    Effort replace{1'000'000};
    static_cast<void>(regex.replace_all(text, "<$0>", 64u << 20, replace));
    CHECK(replace.spent());
    Effort split{1'000'000};
    static_cast<void>(regex.split(text, -1, split));
    CHECK(split.spent());
}

TEST_CASE("regex: many short matches of a long text cost little", "[text][regex]") {
    std::string text;
    for (int i = 0; i < 300'000; ++i) text += "ab ";
    Effort effort{80'000'000};
    auto const found = Regex::compile("[a-z]+").value().find_all(text, -1, effort);

    REQUIRE(found);
    CHECK(found->size() == 300'000);
    CHECK_FALSE(effort.spent());
}

TEST_CASE("regex: matches and replacements beyond the bound are not made", "[text][regex]") {
    Effort few{UINT64_MAX - 1, 1'000};
    static_cast<void>(Regex::compile("").value().find_all(std::string(100'000, 'a'), -1, few));
    CHECK(few.spent());

    Effort long_replacement{1'000'000};
    auto const names = "${" + std::string(100'000, 'n') + "}";
    static_cast<void>(
        Regex::compile("a").value().replace_all(std::string(100'000, 'a'), names, 64u << 20, long_replacement));
    CHECK(long_replacement.spent());
}
