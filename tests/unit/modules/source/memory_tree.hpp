// tests/unit/modules/source/memory_tree.hpp: a source::Tree from a list of files.
#pragma once

#include "modules/source/artifact.hpp"

namespace holdfast::source {

class MemoryTree final : public Tree {
public:
    MemoryTree& add(std::string path, std::string content, EntryKind kind = EntryKind::file) {
        entries_.push_back({.path = std::move(path), .kind = kind, .size = content.size()});
        contents_.push_back(std::move(content));
        return *this;
    }
    MemoryTree& directory(std::string path) { return add(std::move(path), "", EntryKind::directory); }

    std::vector<TreeEntry> const& entries() const override { return entries_; }
    Result<std::string> read(std::size_t index) override { return contents_.at(index); }

private:
    std::vector<TreeEntry> entries_;
    std::vector<std::string> contents_;
};

}  // namespace holdfast::source
