// modules/git/snapshot.hpp: the trees of one commit as a list, its blobs on demand; private to this folder.
#pragma once

#include "modules/git/git.hpp"
#include "modules/git/library.hpp"

namespace holdfast::git {

/// Takes the repository over and removes `directory` with it, also when it fails.
///
/// Errors  not_found      the commit is not in the repository
///         invalid_input  an object is missing or broken, a name is "", ".", ".." or holds "/"
///         limit          more than `files_max` entries, deeper than kGitTreeDepthMax, a path or all paths too long, a blob larger than kGitObjectBytesMax
Result<std::unique_ptr<Snapshot>> read_commit(RepositoryPtr repository, std::filesystem::path directory,
                                              std::string const& commit, std::size_t files_max);

}  // namespace holdfast::git
