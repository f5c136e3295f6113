// modules/source/sources.hpp: the story of every source: ask, fetch what is new, keep it, say so.
// Reading order: upstream.hpp (what differs), hosts.hpp (whom not to ask now), sources.cpp (one pass, top to bottom).
#pragma once

#include "modules/base/backoff.hpp"
#include "modules/source/hosts.hpp"
#include "modules/source/ports.hpp"
#include "modules/source/upstream.hpp"
#include "modules/story/story.hpp"

#include <array>
#include <functional>
#include <map>
#include <set>

namespace holdfast::source {

/// One object for all kinds of the class `source`.
///
/// Being offline is no failure while a revision is held that answers the wish: the object stays Ready, and FetchFailed says
/// why it is not newer. A refusal (401, 404, no such branch) is one; what is held stays in use all the same. What cannot be
/// read any more is not held: it leaves .status, and is fetched again at once.
class Sources final : public story::Story {
public:
    /// One upstream a kind, by its number; null for a kind that is no source.
    using Upstreams = std::array<Upstream*, model::kKinds.size()>;
    using Wake = std::function<void(model::Key const&)>;

    /// Everything outlives this object. `wake` makes the schedule run a source soon, because its host answers again.
    Sources(story::Ports ports, ArtifactStore& store, Hosts& hosts, Upstreams upstreams, Wake wake,
            BackoffPolicy retry = kRetry);

    void load(model::JournalEntry const& row) override;
    /// The artifact that a status from elsewhere names may be another source's in our store: whoever may write a status may
    /// name it. It is held once the store was asked whether this source had fetched it.
    void adopt(model::Entry const& entry) override;
    /// Somebody fetched a later revision while this store was not in use: a disk that was restored, or another daemon. Until
    /// upstream was asked what is held is not applied, for that would take back what the later one brought.
    bool reclaim(model::Key const& key, model::Status const& shown) override;
    asio::awaitable<story::Outcome> reconcile(model::Entry entry) override;
    asio::awaitable<story::Outcome> finalize(model::Entry entry) override;
    void forget(model::Key const& key) override;
    model::ComplianceRecord record(model::Entry const& entry) const override;

    /// The held artifact turned out damaged: the next pass fetches it again. False when one was a moment ago: a disk that
    /// damages whatever it is given must not make a loop of fetches, and who found the damage tries again by itself.
    bool distrust(model::Key const& key);

private:
    struct Pass;
    struct Words {
        std::string reason;
        std::string message;
    };
    /// What is known of a source beside its status. The first two and `checked` outlive a restart, as facts.
    struct Memory {
        std::string answered;                          // question and digest of what is held, hashed; empty: not known
        std::string refused;                           // the question that upstream said no to last, hashed
        std::optional<model::Artifact> claimed;        // named by an adopted status
        bool asked = false;                            // upstream has answered since the start
        model::WallTime checked;                       // when upstream last answered, to ten minutes
        std::string distrusted;                        // digest of what was found damaged
        std::optional<std::chrono::nanoseconds> lost;  // boot clock: the last loss or damage
        std::optional<Backoff> backoff;                // of this object's own failures
        std::optional<Errc> said;                      // of the failure that the conditions show
        std::optional<std::chrono::nanoseconds> said_at;  // boot clock
        std::string waits_for;                            // host
    };

    asio::awaitable<bool> is_stored(std::string digest);
    asio::awaitable<bool> has_fetched(model::Key key, std::string digest);
    Task<json::object> object_of(model::Key key, std::string kind, std::string name);
    Task<void> read_secrets(Wish const& wish, Request& request);
    Task<void> read_account(Wish const& wish, Request& request);
    Task<void> store_row(StoredArtifact row);

    story::Outcome refuse(model::Entry const& entry, Refusal refusal);
    story::Outcome lose(Pass& pass);
    story::Outcome wait(Pass& pass, Hosts::Silence const& silence);
    story::Outcome miss(Pass& pass, Miss miss, model::Duration retry);
    story::Outcome keep(Pass& pass, Fetched const& fetched);

    model::Duration end_turn(Hosts::Turn& turn, Pass& pass, Miss const& miss);
    Words words_of(Pass const& pass, Miss const& miss) const;
    static void remember(Pass& pass);
    void waits(Pass& pass);
    void waits_no_more(model::Key const& key, Memory& memory);
    model::Duration own_retry(Pass& pass);

    static constexpr BackoffPolicy kRetry{.delay_min = std::chrono::milliseconds{5'000},
                                          .delay_max = std::chrono::milliseconds{300'000}};

    story::Ports ports_;
    ArtifactStore& store_;
    Hosts& hosts_;
    Upstreams upstreams_;
    Wake wake_;
    BackoffPolicy retry_;
    std::map<model::Key, Memory> memories_;
    std::map<std::string, std::set<model::Key>> waiting_;  // by host
};

}  // namespace holdfast::source
