// tests/unit/modules/kustomize/memory_tree.hpp: a few files in memory, built in one line.
#pragma once

#include "modules/kustomize/kustomize.hpp"

#include <map>
#include <string>

namespace holdfast::kustomize {

/// Paths are relative to "/t".
class MemoryTree {
public:
    explicit MemoryTree(std::map<std::string, std::string> files) : texts_{std::move(files)} {
        for (auto const& [path, text] : texts_) files_["/t/" + path] = text;
    }
    Result<Built> build(std::string const& directory = "", Options options = {}) const {
        options.files = &files_;
        options.root = "/t";
        return kustomize::build(directory.empty() ? "/t" : "/t/" + directory, options);
    }
    /// The output, or "Error: ..." with the first line.
    std::string text(std::string const& directory = "", Options const& options = {}) const {
        auto const built = build(directory, options);
        if (!built) return "Error: " + built.error().message.substr(0, built.error().message.find('\n'));
        auto const text = built->text();
        return text ? *text : "Error: " + text.error().message;
    }

private:
    std::map<std::string, std::string> texts_;
    MemoryFiles files_;
};

inline std::string config_map(std::string const& name) {
    return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\ndata: {a: b}\n";
}

}  // namespace holdfast::kustomize
