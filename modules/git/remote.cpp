// modules/git/remote.cpp: a scratch repository, the list of references and the download.
#include "modules/git/remote.hpp"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace holdfast::git {

namespace {

constexpr std::string_view kScratchPrefix = "git-";
constexpr std::string_view kPeeled = "^{}";
constexpr std::string_view kCutsNothing = "server doesn't support shallow";  // libgit2's words

bool is_local(Remote const& remote) { return remote.local && remote.url.starts_with("file://"); }

}  // namespace

void clean_scratch(std::filesystem::path const& scratch) {
    std::error_code ignored;
    for (auto const& entry : std::filesystem::directory_iterator{scratch, ignored}) {
        if (entry.path().filename().string().starts_with(kScratchPrefix))
            std::filesystem::remove_all(entry.path(), ignored);
    }
}

Result<std::unique_ptr<ConnectedRemote>> ConnectedRemote::open(Remote const& remote, Options const& options,
                                                               Reference const& wish, Purpose purpose) {
    use_library();
    std::unique_ptr<ConnectedRemote> connected{new ConnectedRemote{remote, options}};
    if (!is_local(remote)) {
        auto conversation = Conversation::open(remote, options);
        if (!conversation) return fail(std::move(conversation));
        connected->conversation_ = std::move(*conversation);
    }
    auto created = purpose == Purpose::look ? connected->create_detached() : connected->create();
    if (!created) return fail(std::move(created));
    auto listed = connected->list(wish);
    if (!listed) return fail(std::move(listed));
    return connected;
}

ConnectedRemote::~ConnectedRemote() {
    remote_.reset();
    bool const taken = repository_ == nullptr;
    repository_.reset();
    std::error_code ignored;
    if (!taken) std::filesystem::remove_all(directory_, ignored);
}

Result<void> ConnectedRemote::create_detached() {
    git_remote* remote = nullptr;
    if (git_remote_create_detached(&remote, url_.c_str()) != 0)
        return std::unexpected{library_error(Errc::invalid_input)};
    remote_.reset(remote);
    return {};
}

Result<void> ConnectedRemote::create() {
    std::string pattern = options_.scratch / (std::string{kScratchPrefix} + "XXXXXX");
    if (::mkdtemp(pattern.data()) == nullptr) {
        int const error = errno;
        return fail(error == ENOSPC || error == EDQUOT ? Errc::limit : Errc::denied,
                    "scratch directory in " + options_.scratch.string() + ": " + std::strerror(error));
    }
    directory_ = pattern;
    git_repository_init_options init = GIT_REPOSITORY_INIT_OPTIONS_INIT;
    init.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_NO_REINIT;
    git_repository* repository = nullptr;
    int const code = git_repository_init_ext(&repository, directory_.c_str(), &init);
    repository_.reset(repository);
    if (code != 0) {
        auto error = library_error(Errc::busy);
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
        return std::unexpected{std::move(error).in("scratch repository")};
    }
    git_remote* remote = nullptr;
    if (git_remote_create_anonymous(&remote, repository_.get(), url_.c_str()) != 0)
        return std::unexpected{library_error(Errc::invalid_input)};
    remote_.reset(remote);
    return {};
}

/// The Conversation, when there is one, knows why reading failed; libgit2 only that it did.
Error ConnectedRemote::failed(Errc otherwise) {
    if (conversation_ && conversation_->failure()) return *conversation_->failure();
    return library_error(otherwise);
}

int ConnectedRemote::on_progress(git_indexer_progress const* progress, void* self) {
    auto& remote = *static_cast<ConnectedRemote*>(self);
    if (!remote.conversation_) return remote.options_.stop.stop_requested() ? -1 : 0;
    if (progress->total_objects > remote.options_.bounds.objects_max) {
        remote.conversation_->remember({Errc::limit, "the pack holds " + std::to_string(progress->total_objects) +
                                                         " objects, more than " +
                                                         std::to_string(remote.options_.bounds.objects_max)});
    }
    return remote.conversation_->check() ? 0 : -1;
}

git_remote_callbacks ConnectedRemote::callbacks() {
    git_remote_callbacks callbacks = GIT_REMOTE_CALLBACKS_INIT;
    if (conversation_)
        callbacks.transport = [](git_transport** out, git_remote* owner, void* self) {
            return make_transport(out, owner, static_cast<ConnectedRemote*>(self)->conversation_.get());
        };
    callbacks.transfer_progress = on_progress;
    callbacks.payload = this;
    return callbacks;
}

Result<void> ConnectedRemote::list(Reference const& wish) {
    git_remote_connect_options connect = GIT_REMOTE_CONNECT_OPTIONS_INIT;
    connect.callbacks = callbacks();
    if (git_remote_connect_ext(remote_.get(), GIT_DIRECTION_FETCH, &connect) != 0)
        return std::unexpected{failed(Errc::invalid_input)};
    git_remote_head const** heads = nullptr;
    std::size_t count = 0;
    if (git_remote_ls(&heads, &count, remote_.get()) != 0) return std::unexpected{failed(Errc::invalid_input)};
    is_empty_ = count == 0;
    for (std::size_t i = 0; i < count; ++i) {
        std::string_view const name = heads[i]->name;
        if (name.ends_with(kPeeled)) {
            // A server lists what an annotated tag points to right behind the tag.
            bool const of_last = !refs_.empty() && refs_.back().name == name.substr(0, name.size() - kPeeled.size());
            if (of_last) refs_.back() = Ref::of(refs_.back().name, hex(heads[i]->oid));
            continue;
        }
        auto const commit = hex(heads[i]->oid);
        if (may_mean(wish, name, commit)) refs_.push_back(Ref::of(name, commit));
    }
    return {};
}

Result<void> ConnectedRemote::download(std::vector<std::string> const& refspecs, int depth) {
    std::vector<char*> pointers;
    for (auto const& refspec : refspecs) pointers.push_back(const_cast<char*>(refspec.c_str()));
    git_strarray const wanted{.strings = pointers.data(), .count = pointers.size()};
    git_fetch_options fetch = GIT_FETCH_OPTIONS_INIT;
    fetch.callbacks = callbacks();
    fetch.prune = GIT_FETCH_NO_PRUNE;
    fetch.update_fetchhead = 0;
    fetch.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    fetch.depth = conversation_ ? depth : 0;  // libgit2 copies a repository of this machine whole
    if (git_remote_download(remote_.get(), &wanted, &fetch) == 0) return {};
    auto error = failed(Errc::invalid_input);
    // Known before anything is asked for; the history is paid for out of the same bounds.
    if (fetch.depth != 0 && error.message == kCutsNothing) return download(refspecs, 0);
    return std::unexpected{std::move(error)};
}

bool ConnectedRemote::has(std::string const& commit) const {
    git_oid id;
    if (git_oid_fromstr(&id, commit.c_str()) != 0) return false;
    git_commit* found = nullptr;
    int const code = git_commit_lookup(&found, repository_.get(), &id);
    CommitPtr const keep{found};
    return code == 0;
}

RepositoryPtr ConnectedRemote::take_repository() {
    remote_.reset();
    return std::move(repository_);
}

}  // namespace holdfast::git
