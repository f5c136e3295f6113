// tests/unit/modules/text/glob/glob_test.cpp: patterns against recorded answers of gobwas/glob and filepath.Match.
#include "modules/text/glob/glob.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <string>
#include <vector>

using namespace holdfast;

namespace {

std::vector<std::string> fields(std::string_view line) {
    std::vector<std::string> out;
    for (;;) {
        auto const tab = line.find('\t');
        out.emplace_back(line.substr(0, tab));
        if (tab == line.npos) return out;
        line.remove_prefix(tab + 1);
    }
}

std::string glob_answer(std::string const& pattern, std::vector<std::string> const& names) {
    auto const glob = glob::compile(pattern, "/");
    if (!glob) return '!' + glob.error().message;
    std::string marks;
    for (auto const& name : names) {
        glob::Looks looks;
        marks += glob->match(name, looks).value() ? '1' : '0';
    }
    return marks;
}

std::string path_answer(std::string const& pattern, std::vector<std::string> const& names) {
    std::string marks;
    std::string bad;
    for (auto const& name : names) {
        auto const matched = glob::match_path(pattern, name);
        if (!matched) bad = '!' + matched.error().message;
        marks += matched && *matched ? '1' : '0';
    }
    return bad.empty() ? marks : bad;
}

}  // namespace

TEST_CASE("glob: recorded patterns match the recorded names", "[text][glob]") {
    std::ifstream file{HOLDFAST_GOLDEN_DIR "/helm/glob.tsv"};
    REQUIRE(file);
    std::vector<std::string> names;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) continue;
        auto const field = fields(line);
        if (field[0] == "names") {
            names.assign(field.begin() + 1, field.end());
            continue;
        }
        REQUIRE(field.size() == 3);
        INFO(field[0] << " '" << field[1] << "'");
        CHECK((field[0] == "glob" ? glob_answer(field[1], names) : path_answer(field[1], names)) == field[2]);
    }
}

TEST_CASE("glob: long and deep patterns are refused", "[text][glob]") {
    CHECK(glob::compile(std::string(5000, 'a'), "/").error().code == Errc::limit);
    CHECK(glob::compile(std::string(100, '{'), "/").error().code == Errc::limit);
}

TEST_CASE("glob: a pattern that tries every split of a name ends where its looks do", "[text][glob]") {
    std::string pattern = "*a";
    for (int i = 0; i < 16; ++i) pattern += "?*a";
    auto const glob = glob::compile(pattern + "?*z", "/").value();
    glob::Looks looks{.max = 1'000'000};

    CHECK(glob.match(std::string(250, 'a'), looks).error().code == Errc::limit);
    CHECK(looks.count < 1'100'000);
}

TEST_CASE("glob: the longest patterns there may be compile and match", "[text][glob]") {
    std::string pairs, runs, names, every;
    for (int i = 0; i < 2'040; ++i) pairs += "?a", names += "xa";
    for (int i = 0; i < 1'300; ++i) runs += "?a*";
    for (int i = 0; i < 2'040; ++i) every += "?*";
    glob::Looks looks;
    CHECK(glob::compile(pairs, "/").value().match(names, looks).value());
    CHECK_FALSE(glob::compile(pairs, "/").value().match(names + "a", looks).value());
    CHECK(glob::compile(every, "/").value().match(std::string(2'040, 'x'), looks).value());
    CHECK_FALSE(glob::compile(every, "/").value().match(std::string(2'039, 'x'), looks).value());
    CHECK(glob::compile(runs, "/"));
}
