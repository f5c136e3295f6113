// tests/unit/modules/kustomize/limits_test.cpp: every bound of a build, hit.
#include "tests/unit/modules/kustomize/memory_tree.hpp"

#include <catch2/catch.hpp>

namespace holdfast::kustomize {
namespace {

std::string with_code(MemoryTree const& tree, Options const& options = {}) {
    auto const built = tree.build("", options);
    if (built) return "built";
    return std::string{to_string(built.error().code)} + ": " + built.error().message;
}

bool contains(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

/// Two directories a level, each of which names both of the next one.
MemoryTree diamond(std::size_t levels, std::string const& fields) {
    std::map<std::string, std::string> files{{"kustomization.yaml", "resources: [0a, 0b]\n"}};
    for (std::size_t level = 0; level < levels; ++level) {
        for (auto const* side : {"a", "b"}) {
            auto const here = std::to_string(level) + side, next = std::to_string(level + 1);
            files[here + "/kustomization.yaml"] =
                (level + 1 < levels ? "resources: [../" + next + "a, ../" + next + "b]\n" : "resources: [r.yaml]\n") +
                fields + (fields.empty() ? "" : std::string{side} + "-\n");
            files[here + "/r.yaml"] = config_map(std::string{"r"} + side);
        }
    }
    return MemoryTree{std::move(files)};
}

}  // namespace

TEST_CASE("kustomize: more objects than allowed are a limit error", "[kustomize][limits]") {
    MemoryTree const tree{
        {{"kustomization.yaml", "resources: [a.yaml]\n"}, {"a.yaml", config_map("a") + "---\n" + config_map("b")}}};
    Options options;
    options.limits.objects_max = 1;
    CHECK(contains(with_code(tree, options),
                   "limit: accumulating resources: accumulating resources from 'a.yaml': more than 1 objects"));
}

TEST_CASE("kustomize: nodes that need too much memory are a limit error", "[kustomize][limits]") {
    MemoryTree const tree{{{"kustomization.yaml", "resources: [a.yaml]\n"}, {"a.yaml", config_map("a")}}};
    Options options;
    options.limits.arena_bytes_max = 100;
    CHECK(contains(with_code(tree, options), "limit: "));
}

TEST_CASE("kustomize: a file larger than allowed, and too many bytes in all, are limit errors", "[kustomize][limits]") {
    MemoryTree const tree{{{"kustomization.yaml", "configMapGenerator: [{name: a, files: [big, k=big]}]\n"},
                           {"big", std::string(2000, 'x')}}};
    Options options;
    options.limits.file_bytes_max = 1999;
    CHECK(contains(with_code(tree, options), "limit: "));
    options.limits.file_bytes_max = 2000;
    options.limits.total_bytes_max = 3000;
    CHECK(contains(with_code(tree, options), "limit: "));
    options.limits.total_bytes_max = 5000;
    CHECK(with_code(tree, options) == "built");
}

TEST_CASE("kustomize: a diamond of bases costs its size", "[kustomize][limits]") {
    // The first join repeats an id; kustomize says so after 2^n builds.
    CHECK(contains(with_code(diamond(40, "")), "may not add resource with an already registered id"));

    auto const built = diamond(8, "namePrefix: ").build();

    REQUIRE(built);
    CHECK(built->objects.size() == 256);
}

TEST_CASE("kustomize: a chain of 300 bases builds, a longer one and a cycle end with one line", "[kustomize][limits]") {
    auto const chain = [](int length) {
        std::map<std::string, std::string> files{{"kustomization.yaml", "resources: [\"0\"]\n"},
                                                 {"object/kustomization.yaml", "resources: [a.yaml]\n"},
                                                 {"object/a.yaml", config_map("a")}};
        for (int i = 0; i < length; ++i) {
            auto const next = i + 1 < length ? std::to_string(i + 1) : "object";
            files[std::to_string(i) + "/kustomization.yaml"] =
                "resources: [../" + next + "]\nlabels: [{pairs: {l" + std::to_string(i) + ": v}}]\n";
        }
        return MemoryTree{std::move(files)};
    };
    auto const built = chain(300).text();
    CHECK(contains(built, "    l0: v\n"));
    CHECK(contains(built, "    l299: v\n"));
    CHECK(contains(with_code(chain(501)), "more than 500 directories refer to each other"));
    MemoryTree const cycle{{{"kustomization.yaml", "resources: [a]\n"},
                            {"a/kustomization.yaml", "resources: [../b]\n"},
                            {"b/kustomization.yaml", "resources: [../a]\n"}}};
    CHECK(contains(with_code(cycle), "cycle detected: candidate root '/t/a' contains visited root '/t/a'"));
}

TEST_CASE("kustomize: anchors that hold themselves or multiply are errors", "[kustomize][limits]") {
    std::string const head = "apiVersion: example.com/v1\nkind: A\nmetadata: {name: a}\n";
    std::string bomb = head + "a0: &a0 [x, x]\n";
    for (int i = 1; i < 9; ++i) {
        auto const below = "*a" + std::to_string(i - 1);
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + below;
        for (int k = 0; k < 8; ++k) bomb += ", " + below;
        bomb += "]\n";
    }
    for (auto const& text : {head + "spec: &a [*a]\n", head + "spec: &a {b: *a}\n", head + "spec: &a {<<: *a}\n"}) {
        MemoryTree const tree{{{"kustomization.yaml", "resources: [a.yaml]\n"}, {"a.yaml", text}}};
        CHECK(contains(with_code(tree), "value contains itself"));
    }
    MemoryTree const tree{{{"kustomization.yaml", "resources: [a.yaml]\n"}, {"a.yaml", bomb}}};
    CHECK(contains(with_code(tree), "excessive aliasing"));
}

TEST_CASE("kustomize: an object that patches make too deep is a limit error", "[kustomize][limits]") {
    std::string path;
    for (int i = 0; i < 2000; ++i) path += i == 0 ? "a" : ".a";
    MemoryTree const tree{
        {{"kustomization.yaml",
          "resources: [a.yaml]\nreplacements: [{source: {kind: ConfigMap}, targets: [{select: {kind: ConfigMap}, fieldPaths: [" +
              path + "], options: {create: true}}]}]\n"},
         {"a.yaml", config_map("a")}}};
    CHECK(with_code(tree).starts_with("limit: "));
}

}  // namespace holdfast::kustomize
