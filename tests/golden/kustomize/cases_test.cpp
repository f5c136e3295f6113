// tests/golden/kustomize/cases_test.cpp: our builds of the trees in cases/ against what kustomize v5.8.1 made of them.
#include "modules/kustomize/flux_generate.hpp"
#include "modules/kustomize/kustomize.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace holdfast::kustomize {
namespace {

namespace fs = std::filesystem;
using Tree = std::map<std::string, std::string>;

struct Case {
    std::string name, flags;
    Tree files;
};

struct Group {
    Tree base;
    std::vector<Case> cases;
};

/// The format is described in txtar.py.
Group read_group(fs::path const& path) {
    std::ifstream in{path, std::ios::binary};
    Group group;
    Tree* tree = nullptr;
    std::string name, content, line;
    auto const flush = [&] {
        if (!name.empty()) {
            if (content.ends_with("\n\\ no newline\n")) {
                content.resize(content.size() - 14);
            } else if (content == "\\ no newline\n") {
                content.clear();
            }
            (*tree)[name] = content;
        }
        name.clear();
        content.clear();
    };
    while (std::getline(in, line)) {
        if (line == "== base") {
            tree = &group.base;
        } else if (line.starts_with("== case ")) {
            flush();
            auto const bar = line.find(" | ");
            group.cases.push_back({line.substr(8, bar - 8), line.substr(bar + 3), {}});
            tree = &group.cases.back().files;
        } else if (line.starts_with("-- ") && line.ends_with(" --")) {
            flush();
            name = line.substr(3, line.size() - 6);
        } else if (line.starts_with('\\') && line != "\\ no newline") {
            content += line.substr(1) + "\n";
        } else {
            content += line + "\n";
        }
    }
    flush();
    return group;
}

void write_tree(fs::path const& top, Tree const& tree) {
    for (auto const& [name, text] : tree) {
        auto const path = top / name;
        fs::create_directories(path.parent_path());
        std::ofstream{path, std::ios::binary} << text;
    }
}

/// The last word of `flags` is the directory.
std::pair<Options, std::string> read_flags(std::string const& flags) {
    Options options;
    std::istringstream words{flags};
    std::string word, directory;
    while (words >> word) {
        if (word == "--load-restrictor=LoadRestrictionsNone") options.load_restrictions_none = true;
        else if (word == "--reorder=none") options.reorder = Options::Reorder::none;
        else if (word == "--enable-managedby-label") options.managed_by_label = true;
        else if (word == "--enable-alpha-plugins") options.alpha_plugins = true;
        else directory = word;
    }
    return {options, directory};
}

std::string first_line(std::string text) { return text.substr(0, text.find('\n')); }

std::string with_placeholder(std::string text, std::string const& directory) {
    for (std::size_t at = 0; (at = text.find(directory, at)) != std::string::npos;)
        text.replace(at, directory.size(), "$DIR");
    return text;
}

void check(Group const& group, Case const& one) {
    test::TempDir const top;
    auto files = one.files;
    auto const expect = files.extract("expect"), error = files.extract("error");
    write_tree(top.path(), group.base);
    write_tree(top.path(), files);
    auto [options, directory] = read_flags(one.flags);

    auto const built = build((top.path() / directory).string(), options);
    auto const text = built ? built->text() : Result<std::string>{fail(built.error().code, built.error().message)};

    INFO(one.name);
    if (!error.empty()) {
        REQUIRE_FALSE(text);
        CHECK("Error: " + with_placeholder(first_line(text.error().message), top.path().string()) ==
              first_line(error.mapped()));
    } else {
        if (!text) FAIL(text.error().message);
        CHECK(*text == expect.mapped());
    }
}

/// A directory as kustomize-controller builds it; fields.json holds the fields of the Kustomization.
void check_flux(Case const& one) {
    auto files = one.files;
    auto const expect = files.extract("expect"), error = files.extract("error"), fields = files.extract("fields.json");
    MemoryFiles memory;
    for (auto const& [name, text] : files) memory["/top/" + name] = text;
    Options options;
    options.files = &memory;
    options.root = "/top";

    auto const built = build_flux("/top/" + one.flags, boost::json::parse(fields.mapped()).as_object(), options);
    auto const text = built ? built->text() : Result<std::string>{fail(built.error().code, built.error().message)};

    INFO(one.name);
    if (!error.empty()) {
        CHECK_FALSE(text);
        if (!text)
            CHECK("Error: " + with_placeholder(first_line(text.error().message), "/top") == first_line(error.mapped()));
    } else {
        CHECK((text ? "" : text.error().message) == "");
        if (text) CHECK(*text == expect.mapped());
    }
}

}  // namespace

TEST_CASE("kustomize: directories build as kustomize-controller builds them", "[kustomize][golden]") {
    auto const* const directory = std::getenv("HOLDFAST_KUSTOMIZE_CASES");
    REQUIRE(directory != nullptr);
    auto const group = read_group(fs::path{directory}.parent_path() / "flux.txt");
    for (auto const& one : group.cases) check_flux(one);
    CHECK(group.cases.size() >= 70);
}

TEST_CASE("kustomize: every recorded tree builds to kustomize's bytes or fails with its first line",
          "[kustomize][golden]") {
    auto const* const directory = std::getenv("HOLDFAST_KUSTOMIZE_CASES");
    REQUIRE(directory != nullptr);
    std::vector<fs::path> groups;
    for (auto const& entry : fs::directory_iterator{directory}) groups.push_back(entry.path());
    std::sort(groups.begin(), groups.end());
    std::size_t count = 0;
    for (auto const& path : groups) {
        auto const group = read_group(path);
        INFO(path.filename().string());
        for (auto const& one : group.cases) {
            check(group, one);
            ++count;
        }
    }
    CHECK(count >= 600);
}

}  // namespace holdfast::kustomize
