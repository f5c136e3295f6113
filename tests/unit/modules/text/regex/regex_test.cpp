// What Go answers to 895 calls is in tests/golden/gotemplate/sprig_regex.txt; here is what templates cannot reach.
#include "modules/text/regex/regex.hpp"

#include <catch2/catch.hpp>

using holdfast::Errc;
using holdfast::regex::Regex;

TEST_CASE("regex: a group that took no part is -1", "[text][regex]") {
    auto const match = Regex::compile("(a)|(b)").value().find_match("b");

    REQUIRE(match);
    CHECK(match->at(0) == std::pair<std::ptrdiff_t, std::ptrdiff_t>{0, 1});
    CHECK(match->at(1).first == -1);
    CHECK(match->at(2).first == 0);
}

TEST_CASE("regex: both spellings of a named group work, look-behind does not", "[text][regex]") {
    CHECK(Regex::compile("(?<n>b)").value().replace_all("abc", "[$n]", 100).value() == "a[b]c");
    CHECK(Regex::compile("(?P<n>b)").value().replace_all("abc", "[${n}]", 100).value() == "a[b]c");
    CHECK(Regex::compile("(?<=a)b").error().message == "error parsing regexp: invalid named capture: `(?<=a)b`");
    CHECK(Regex::compile(R"(\(?<n>|[(?<n>])").value().matches("<"));
}

TEST_CASE("regex: too large a pattern, program or result is a limit", "[text][regex]") {
    CHECK(Regex::compile(std::string(100'000, 'a')).error().code == Errc::limit);
    CHECK(Regex::compile(R"((\pL\pN\pS\pL\pN\pS\pL\pN\pS\pL\pN\pS){1000})").error().code == Errc::limit);
    CHECK(Regex::compile("a").value().replace_all_literal("aaaa", "xxxxxxxxxx", 20).error().code == Errc::limit);
}

TEST_CASE("regex: a pattern that ruins backtracking matchers is linear here", "[text][regex]") {
    auto const regex = Regex::compile("(a+)+$").value();

    CHECK_FALSE(regex.matches(std::string(200'000, 'a') + "b"));
}
