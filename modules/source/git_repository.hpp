// modules/source/git_repository.hpp: the story of a GitRepository: ask, fetch what is new, keep it, say so.
#pragma once

#include "modules/base/backoff.hpp"
#include "modules/git/git.hpp"
#include "modules/source/ports.hpp"
#include "modules/story/story.hpp"

#include <functional>
#include <map>
#include <stop_token>

namespace holdfast::source {

class GitRepositories {
public:
    /// Blocking; called on the pool. git::checkout, or a test's.
    using Checkout =
        std::function<Result<git::Checkout>(git::Remote const&, git::Reference const&, git::Options const&)>;

    struct Settings {
        std::filesystem::path scratch;
        std::uint64_t wire_bytes_max = 256u << 20;
        BackoffPolicy retry{.delay_min = std::chrono::milliseconds{5'000},
                            .delay_max = std::chrono::milliseconds{300'000}};
    };

    /// Everything outlives this object. `pool` runs libgit2; `stop` ends what runs there.
    GitRepositories(story::Ports ports, asio::thread_pool& pool, ArtifactStore& store, Settings settings,
                    std::stop_token stop, Checkout checkout = git::checkout);

    /// What the journal keeps for this story, for an entry that is restored already.
    void load(model::JournalEntry const& entry);

    /// One pass. Never two at once for the same key. Whatever happens inside, exactly one outcome is recorded.
    ///
    /// Being offline is no failure while a revision is held: the object stays Ready, and FetchFailed says why it is
    /// not newer. A refusal (401, 404, no such branch) is one; what is held stays in use all the same.
    asio::awaitable<story::Next> reconcile(model::Key key);

    /// The held artifact turned out damaged: the next pass fetches it again. False when one was a moment ago: a disk that
    /// damages whatever it is given must not make a loop of fetches, and who found the damage tries again by itself.
    bool distrust(model::Key const& key);

private:
    struct Fetched;

    Task<git::Credentials> credentials(model::Key key, std::string secret_name);
    Task<Fetched> fetch(model::Key key, model::GitRepositorySpec spec, git::Credentials credentials);
    asio::awaitable<story::Next> keep(model::Key key, model::GitRepositorySpec spec, Fetched fetched);
    asio::awaitable<story::Next> miss(model::Key key, model::GitRepositorySpec spec, std::string reason, Error error);
    asio::awaitable<story::Next> finalize(model::Key key);
    asio::awaitable<bool> record(model::Key key);
    asio::awaitable<void> remember_check(model::Key key);

    story::Ports ports_;
    asio::thread_pool& pool_;
    ArtifactStore& store_;
    Settings settings_;
    std::stop_token stop_;
    Checkout checkout_;
    std::map<model::Key, Backoff> backoffs_;
    std::map<model::Key, bool> distrusted_;
    std::map<model::Key, std::chrono::nanoseconds> damaged_at_;  // boot clock
    std::map<model::Key, model::WallTime> remembered_;           // the last check that the journal knows of
};

}  // namespace holdfast::source
