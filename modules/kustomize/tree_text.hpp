// modules/kustomize/tree_text.hpp: the files of a fetched repository as one text: kept in the cache, handed to a worker.
// Grammar: docs/formats/remote-tree.md.
#pragma once

#include "modules/base/error.hpp"
#include "modules/kustomize/files.hpp"

#include <string>
#include <string_view>

namespace holdfast::kustomize {

enum class TreeEntry : char { file = 'f', link = 'l', directory = 'd' };

/// `path` is relative. A link's content is where it points to, a directory has none and is there only when it is empty.
void append_entry(std::string& tree_text, TreeEntry kind, std::string_view path, std::string_view content);

/// Out     views into `tree_text`
/// Errors  corrupt  not such a text, or a path that is not clean
Result<TreeFiles> read_tree(std::string_view tree_text);

}  // namespace holdfast::kustomize
