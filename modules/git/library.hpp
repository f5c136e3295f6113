// modules/git/library.hpp: libgit2's one-time setup and its handles as unique_ptr; private to this folder.
#pragma once

#include "modules/base/error.hpp"

#include <git2.h>

#include <memory>
#include <string>

namespace holdfast::git {

template <auto Free> struct FreeWith {
    template <class T> void operator()(T* handle) const { Free(handle); }
};
using RepositoryPtr = std::unique_ptr<git_repository, FreeWith<git_repository_free>>;
using RemotePtr = std::unique_ptr<git_remote, FreeWith<git_remote_free>>;
using OdbPtr = std::unique_ptr<git_odb, FreeWith<git_odb_free>>;
using CommitPtr = std::unique_ptr<git_commit, FreeWith<git_commit_free>>;
using TreePtr = std::unique_ptr<git_tree, FreeWith<git_tree_free>>;
using OdbObjectPtr = std::unique_ptr<git_odb_object, FreeWith<git_odb_object_free>>;

/// Sets the library up at the first call: no configuration files, bounded objects, bounded memory.
void use_library();

/// What libgit2 says about the call that just failed on this thread. `otherwise` when its class says nothing of the reaction.
Error library_error(Errc otherwise);

std::string hex(git_oid const& id);

}  // namespace holdfast::git
