// tests/fuzz/kustomization_fuzz.cpp: any bytes as a small tree of files, built as the daemon does; the same tree is what every
// repository holds that the build asks for, and the bytes are what every other URL answers.
// Looks for: crashes, undefined behaviour, hangs. Input: files in txtar form ("-- name --" lines), the first one is
// kustomization.yaml.
#include "modules/kustomize/kustomize.hpp"
#include "modules/kustomize/tree_text.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

using namespace holdfast::kustomize;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view rest{reinterpret_cast<char const*>(data), size};
    std::map<std::string, std::string> texts;
    std::string name = "kustomization.yaml";
    while (texts.size() < 20) {
        auto const next = rest.find("-- ");
        texts["/t/" + name] += rest.substr(0, next);
        if (next == std::string_view::npos) break;
        rest.remove_prefix(next + 3);
        auto const end = rest.find(" --\n");
        if (end == std::string_view::npos) break;
        name = rest.substr(0, end);
        rest.remove_prefix(end + 4);
    }
    MemoryFiles files;
    for (auto const& [path, text] : texts) files[clean_path(path)] = text;
    Options options;
    options.files = &files;
    options.root = "/t";
    options.load_restrictions_none = true;
    options.limits.objects_max = 2000;
    options.limits.arena_bytes_max = 64u << 20;
    Remotes remotes;
    options.remotes = &remotes;
    std::string_view const input{reinterpret_cast<char const*>(data), size};
    TreeFiles repository;
    for (auto const& [path, text] : files) {
        if (is_below(path, "/t") && path != "/t") repository.files[path.substr(2)] = text;
    }
    (void)read_tree(input).has_value();
    for (int round = 0; round < 4; ++round) {
        if (auto const built = build("/t", options)) (void)built->text().has_value();
        auto const missing = remotes.take_missing();
        for (auto const& remote : missing) remotes.add(remote, {.content = input, .tree = repository});
        if (missing.empty()) break;
    }
    return 0;
}
