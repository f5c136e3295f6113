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

TEST_CASE("ignore: the bytes of one pattern and of all are bounded, those of comments are not",
          "[source][ignore][limit]") {
    SourceIgnore ignore;
    std::string const comment = "# " + std::string(100'000, 'c') + "\n";
    CHECK(ignore.add(comment + std::string(4'096, 'x')));

    auto const one = ignore.add(std::string(4'097, 'x'));
    auto all = ignore.add("y");
    std::size_t files = 0;
    for (; all; ++files) all = ignore.add(comment + std::string(30, 'x'), "folder/" + std::string(4'000, 'f'));

    REQUIRE_FALSE(one);
    CHECK(one.error().message == "an ignore pattern of more than 4096 bytes");
    CHECK(all.error().code == Errc::limit);
    CHECK(all.error().message == "more than 65536 bytes of ignore patterns");
    CHECK(files == 16);
}

TEST_CASE("ignore: comparing ends at its bound, and what was found until then is no answer",
          "[source][ignore][limit]") {
    SourceIgnore ignore{{.steps_max = 100'000}};
    REQUIRE(ignore.add("*a*a*a*a*b\nx\n"));
    CHECK(ignore.ignores("x", false));
    CHECK(ignore.within_limits());

    for (int i = 0; i < 1'000 && ignore.within_limits(); ++i) ignore.ignores(std::string(200, 'a') + "b", false);

    CHECK_FALSE(ignore.ignores("x", false));
    REQUIRE_FALSE(ignore.within_limits());
    CHECK(ignore.within_limits().error().code == Errc::limit);
}

TEST_CASE("ignore: a name, an end and a pattern that must be tried out mean the same", "[source][ignore]") {
    for (std::string const pattern : {"a.jpg", "*.jpg", "*.j[p]g", "a.\\jpg", "?.jpg", "**.jpg"}) {
        INFO(pattern);
        CHECK(rules(pattern).ignores("a.jpg", false));
        CHECK(rules(pattern).ignores("d/a.jpg", false));
        CHECK_FALSE(rules(pattern).ignores("a.jpgx", false));
        CHECK_FALSE(rules(pattern).ignores("jpg", false));
    }
    CHECK(rules("*").ignores("a", false));
    CHECK(rules("*.jpg").ignores(".jpg", false));
}

}  // namespace holdfast::source
