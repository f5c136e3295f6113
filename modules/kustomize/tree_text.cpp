// modules/kustomize/tree_text.cpp: lengths first, so that reading is cutting.
#include "modules/kustomize/tree_text.hpp"

#include <charconv>
#include <optional>

namespace holdfast::kustomize {
namespace {

/// A number and the character behind it.
std::optional<std::size_t> take_number(std::string_view& text, char end) {
    std::size_t value = 0;
    auto const [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || at == text.data() + text.size() || *at != end) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(at - text.data()) + 1);
    return value;
}

std::optional<std::string_view> take_bytes(std::string_view& text, std::size_t size) {
    if (size > text.size()) return std::nullopt;
    auto const taken = text.substr(0, size);
    text.remove_prefix(size);
    return taken;
}

/// Takes one entry off the front. Out  false: it is none
bool take_entry(std::string_view& rest, TreeFiles& tree) {
    if (rest.size() < 2 || rest[1] != ' ') return false;
    char const kind = rest[0];
    rest.remove_prefix(2);
    auto const path_size = take_number(rest, ' ');
    auto const content_size = path_size ? take_number(rest, '\n') : std::nullopt;
    auto const path = content_size ? take_bytes(rest, *path_size) : std::nullopt;
    auto const content = path ? take_bytes(rest, *content_size) : std::nullopt;
    if (!content) return false;
    auto key = "/" + std::string{*path};
    if (key == "/" || clean_path(key) != key) return false;
    switch (TreeEntry{kind}) {
        case TreeEntry::file: return tree.files.emplace(std::move(key), *content).second;
        case TreeEntry::link: return tree.links.emplace(std::move(key), *content).second;
        case TreeEntry::directory: return tree.files.emplace(key + "/", "").second;
    }
    return false;
}

}  // namespace

void append_entry(std::string& tree_text, TreeEntry kind, std::string_view path, std::string_view content) {
    tree_text += {static_cast<char>(kind), ' '};
    tree_text += std::to_string(path.size()) + ' ' + std::to_string(content.size()) + '\n';
    tree_text += path;
    tree_text += content;
}

Result<TreeFiles> read_tree(std::string_view tree_text) {
    TreeFiles tree;
    for (auto rest = tree_text; !rest.empty();) {
        if (!take_entry(rest, tree)) return fail(Errc::corrupt, "the files of a fetched repository cannot be read");
    }
    return tree;
}

}  // namespace holdfast::kustomize
