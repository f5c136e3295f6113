// tests/fuzz/kustomization_fuzz.cpp: any bytes as a small tree of files, built as the daemon does.
// Looks for: crashes, undefined behaviour, hangs. Input: files in txtar form ("-- name --" lines), the first one is
// kustomization.yaml.
#include "modules/kustomize/kustomize.hpp"

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
    if (auto const built = build("/t", options)) (void)built->text().has_value();
    return 0;
}
