// modules/git/snapshot.cpp: walks trees with a stack of its own and distrusts every name and size.
#include "modules/git/snapshot.hpp"

#include "modules/base/limits.hpp"
#include "modules/base/utf8.hpp"

#include <system_error>

namespace holdfast::git {

namespace {

/// The scratch repository, removed with its last user.
class Scratch {
public:
    Scratch(RepositoryPtr repository, std::filesystem::path directory)
        : repository_{std::move(repository)}, directory_{std::move(directory)} {}
    Scratch(Scratch&& other) noexcept
        : repository_{std::move(other.repository_)}, directory_{std::exchange(other.directory_, {})} {}
    Scratch& operator=(Scratch&&) = delete;
    ~Scratch() {
        repository_.reset();
        std::error_code ignored;
        if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
    }
    git_repository* get() const { return repository_.get(); }

private:
    RepositoryPtr repository_;
    std::filesystem::path directory_;
};

class CommitFiles final : public Snapshot {
public:
    CommitFiles(Scratch scratch, OdbPtr odb, CommitPtr commit)
        : scratch_{std::move(scratch)}, odb_{std::move(odb)}, commit_{std::move(commit)} {}

    std::vector<File> const& files() const override { return files_; }
    std::string message() const override { return git_commit_message(commit_.get()); }

    Result<std::string> read(std::size_t index) override {
        git_odb_object* object = nullptr;
        int const code = git_odb_read(&object, odb_.get(), &ids_.at(index));
        OdbObjectPtr const keep{object};
        if (code != 0) return std::unexpected{library_error(Errc::corrupt)};
        if (git_odb_object_size(object) != files_[index].size) return fail(Errc::corrupt, "blob changed its size");
        return std::string{static_cast<char const*>(git_odb_object_data(object)), git_odb_object_size(object)};
    }

    Result<void> walk(std::size_t files_max);

private:
    struct Level {
        TreePtr tree;
        std::string prefix;  // "" or "apps/web/"
        std::size_t next = 0;
    };

    Result<TreePtr> open_tree(git_oid const& id);
    Result<std::uint64_t> size_of(git_oid const& id, git_object_t type);
    Result<void> add(git_tree_entry const* entry, std::string const& prefix);

    Scratch scratch_;
    OdbPtr odb_;
    CommitPtr commit_;
    std::vector<File> files_;
    std::vector<git_oid> ids_;
    std::size_t path_bytes_ = 0;
};

FileKind kind_of(git_filemode_t mode) {
    switch (mode) {
        case GIT_FILEMODE_TREE: return FileKind::directory;
        case GIT_FILEMODE_BLOB_EXECUTABLE: return FileKind::executable;
        case GIT_FILEMODE_LINK: return FileKind::link;
        case GIT_FILEMODE_COMMIT: return FileKind::submodule;
        default: return FileKind::file;
    }
}

/// The size before the bytes: an object that is too large is never unpacked.
Result<std::uint64_t> CommitFiles::size_of(git_oid const& id, git_object_t type) {
    std::size_t size = 0;
    git_object_t found = GIT_OBJECT_INVALID;
    if (git_odb_read_header(&size, &found, odb_.get(), &id) != 0)
        return std::unexpected{library_error(Errc::invalid_input)};
    if (found != type) return fail(Errc::invalid_input, "object " + hex(id) + " is of another type than its tree says");
    if (size > limits::kGitObjectBytesMax)
        return fail(Errc::limit, "object " + hex(id) + " has " + std::to_string(size) + " bytes, more than " +
                                     std::to_string(limits::kGitObjectBytesMax));
    return std::uint64_t{size};
}

Result<TreePtr> CommitFiles::open_tree(git_oid const& id) {
    auto size = size_of(id, GIT_OBJECT_TREE);
    if (!size) return fail(std::move(size), "tree");
    git_tree* tree = nullptr;
    if (git_tree_lookup(&tree, scratch_.get(), &id) != 0) return std::unexpected{library_error(Errc::invalid_input)};
    return TreePtr{tree};
}

Result<void> CommitFiles::add(git_tree_entry const* entry, std::string const& prefix) {
    std::string_view const name = git_tree_entry_name(entry);
    if (name.empty() || name == "." || name == ".." || name.contains('/')) {
        return fail(Errc::invalid_input, "the tree holds a file named '" + to_utf8(name, 200) + "'");
    }
    // A name may have 64 KiB and hang in directories like it: counted before anything is made of it.
    auto const path_bytes = prefix.size() + name.size();
    if (path_bytes > limits::kArtifactPathBytesMax)
        return fail(Errc::limit, "a path is longer than " + std::to_string(limits::kArtifactPathBytesMax) + " bytes");
    path_bytes_ += path_bytes;
    if (path_bytes_ > limits::kGitPathsBytesMax)
        return fail(Errc::limit, "the paths have more than " + std::to_string(limits::kGitPathsBytesMax) + " bytes");
    File file{.path = prefix + std::string{name}, .kind = kind_of(git_tree_entry_filemode(entry)), .size = 0};
    if (file.kind != FileKind::directory && file.kind != FileKind::submodule) {
        auto size = size_of(*git_tree_entry_id(entry), GIT_OBJECT_BLOB);
        if (!size) return fail(std::move(size), file.path);
        file.size = *size;
    }
    files_.push_back(std::move(file));
    ids_.push_back(*git_tree_entry_id(entry));
    return {};
}

Result<void> CommitFiles::walk(std::size_t files_max) {
    auto root = open_tree(*git_commit_tree_id(commit_.get()));
    if (!root) return fail(std::move(root));
    std::vector<Level> stack;
    stack.push_back({.tree = std::move(*root), .prefix = "", .next = 0});
    while (!stack.empty()) {
        auto& level = stack.back();
        if (level.next == git_tree_entrycount(level.tree.get())) {
            stack.pop_back();
            continue;
        }
        auto const* entry = git_tree_entry_byindex(level.tree.get(), level.next++);
        // The same tree may hang in another a million times: entries count wherever they come from.
        if (files_.size() >= files_max)
            return fail(Errc::limit, "more than " + std::to_string(files_max) + " files and directories");
        auto added = add(entry, level.prefix);
        if (!added) return added;
        if (files_.back().kind != FileKind::directory) continue;
        if (stack.size() >= limits::kGitTreeDepthMax)
            return fail(Errc::limit, "directories deeper than " + std::to_string(limits::kGitTreeDepthMax));
        auto tree = open_tree(*git_tree_entry_id(entry));
        if (!tree) return fail(std::move(tree), files_.back().path);
        stack.push_back({.tree = std::move(*tree), .prefix = files_.back().path + "/", .next = 0});
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Snapshot>> read_commit(RepositoryPtr repository, std::filesystem::path directory,
                                              std::string const& commit, std::size_t files_max) {
    Scratch scratch{std::move(repository), std::move(directory)};
    git_oid id;
    if (git_oid_fromstr(&id, commit.c_str()) != 0) return fail(Errc::invalid_input, "'" + commit + "' is not a commit");
    git_odb* odb = nullptr;
    if (git_repository_odb(&odb, scratch.get()) != 0) return std::unexpected{library_error(Errc::busy)};
    OdbPtr odb_owner{odb};
    git_commit* found = nullptr;
    int const code = git_commit_lookup(&found, scratch.get(), &id);
    CommitPtr commit_owner{found};
    if (code != 0)
        return std::unexpected{
            library_error(Errc::not_found).in("unable to resolve commit object for '" + commit + "'")};

    auto files = std::make_unique<CommitFiles>(std::move(scratch), std::move(odb_owner), std::move(commit_owner));
    auto walked = files->walk(files_max);
    if (!walked) return fail(std::move(walked), "commit " + commit);
    return std::unique_ptr<Snapshot>{std::move(files)};
}

}  // namespace holdfast::git
