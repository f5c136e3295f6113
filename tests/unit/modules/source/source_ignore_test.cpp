// tests/unit/modules/source/source_ignore_test.cpp: the ignore rules, against what go-git's matcher answers.
#include "modules/source/source_ignore.hpp"

#include "modules/base/limits.hpp"

#include <catch2/catch.hpp>

namespace holdfast::source {

SourceIgnore rules(std::string_view text, std::string_view directory = "") {
    SourceIgnore ignore;
    REQUIRE(ignore.add(text, directory));
    return ignore;
}

TEST_CASE("ignore: without patterns Flux's defaults are in force", "[source][ignore]") {
    SourceIgnore const ignore;

    for (auto path : {".gitignore", "a/.gitmodules", "x/logo.png", "x/photo.jpeg", "charts/app.tar.gz", "a.zip",
                      ".travis.yml", "d/cloudbuild.yaml", ".sops.yaml", "deep/er/.flux.yaml",
                      ".github/workflows/a.yaml", "x/.git/config", "deep/.goreleaser.yml"}) {
        INFO(path);
        CHECK(ignore.ignores(path, false));
    }
    for (auto path :
         {"app.yaml", "app.tgz", "README.md", "png", "github/a.yaml", ".github", "sops.yaml", ".sourceignore"}) {
        INFO(path);
        CHECK_FALSE(ignore.ignores(path, false));
    }
    CHECK(ignore.ignores(".github", true));
    CHECK_FALSE(ignore.ignores("", true));
}

TEST_CASE("ignore: any own pattern replaces the defaults, but version control stays out", "[source][ignore]") {
    auto const ignore = rules("*.md\n");

    CHECK(ignore.ignores("README.md", false));
    CHECK_FALSE(ignore.ignores("logo.png", false));
    CHECK(ignore.ignores(".gitignore", false));
    CHECK_FALSE(rules("!.gitignore").ignores(".gitignore", false));
}

TEST_CASE("ignore: the idiom of a list of wanted directories works", "[source][ignore]") {
    auto const ignore = rules("# exclude all\n/*\n\n# include\n!/deploy\n!/charts/\n");

    CHECK(ignore.ignores("src/main.c", false));
    CHECK(ignore.ignores("src", true));
    CHECK_FALSE(ignore.ignores("deploy/app.yaml", false));
    CHECK_FALSE(ignore.ignores("charts", true));
    CHECK_FALSE(ignore.ignores("charts/web/values.yaml", false));
    CHECK(ignore.ignores("charts", false));
}

TEST_CASE("ignore: a file below an ignored directory can be included again", "[source][ignore]") {
    auto const ignore = rules("vendor/\n!keep.yaml\n");

    CHECK(ignore.ignores("vendor/a.yaml", false));
    CHECK_FALSE(ignore.ignores("vendor/keep.yaml", false));
}

TEST_CASE("ignore: patterns of a directory reach only what lies below it", "[source][ignore]") {
    auto const ignore = rules("secret.yaml\n/top.yaml\n", "apps/web");

    CHECK(ignore.ignores("apps/web/secret.yaml", false));
    CHECK(ignore.ignores("apps/web/deep/secret.yaml", false));
    CHECK(ignore.ignores("apps/web/top.yaml", false));
    CHECK_FALSE(ignore.ignores("apps/web/deep/top.yaml", false));
    CHECK_FALSE(ignore.ignores("apps/secret.yaml", false));
}

TEST_CASE("ignore: details of the syntax are go-git's", "[source][ignore]") {
    CHECK(rules("a/**/z").ignores("a/b/c/z", false));
    CHECK(rules("a/**/z").ignores("a/z", false));
    CHECK(rules("a/**").ignores("a/b/c", false));
    CHECK(rules("**/z").ignores("z", false));
    CHECK_FALSE(rules("a**/z").ignores("ab/z", false));
    CHECK(rules("a/b").ignores("a/b/c", false));
    CHECK_FALSE(rules("a/b").ignores("x/a/b", false));
    CHECK(rules("trailing   ").ignores("trailing", false));
    CHECK(rules("space\\ ").ignores("space ", false));
    CHECK(rules("\\#hash").ignores("#hash", false));
    CHECK(rules("[a-c]?.yaml").ignores("b1.yaml", false));
    CHECK_FALSE(rules("[a-").ignores("a", false));
    CHECK(rules("crlf.yaml\r\n").ignores("crlf.yaml", false));
    CHECK_FALSE(rules("!\n").ignores("anything", false));
}

TEST_CASE("ignore: too many patterns are a limit", "[source][ignore][limit]") {
    std::string text;
    for (std::size_t i = 0; i <= limits::kIgnorePatternsMax; ++i) text += "x\n";
    SourceIgnore ignore;

    auto added = ignore.add(text);

    REQUIRE_FALSE(added);
    CHECK(added.error().code == Errc::limit);
}

}  // namespace holdfast::source
