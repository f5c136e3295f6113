// modules/story/story.hpp: what a story is: it gets a copy of an object and returns what came of one pass.
// Reading order: story.hpp, passes.hpp (one pass around any story), conclude.hpp (the only writer), finalizer.hpp, tell.hpp.
// Used from the event loop.
#pragma once

#include "modules/base/async.hpp"
#include "modules/base/clock.hpp"
#include "modules/base/log.hpp"
#include "modules/kube/cluster.hpp"
#include "modules/model/journal.hpp"
#include "modules/model/kinds.hpp"
#include "modules/model/registry.hpp"

#include <boost/asio/thread_pool.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::story {

/// What stories need of the world; everything outlives them.
struct Ports {
    model::Registry& registry;
    kube::Cluster* cluster;  // null while no cluster is configured
    model::Journal& journal;
    asio::thread_pool& db;
    Log const& log;
    Clock const& clock;
};

/// When the schedule should run the story again by itself; nothing: only when something changes.
struct Next {
    std::optional<model::Duration> after;
};

/// Something worth a line in the log and, when `event` is set, an Event under the object.
struct News {
    LogLevel level = LogLevel::info;
    std::string reason;
    std::string message;
    std::string revision = {};
    bool event = true;
    std::vector<std::pair<std::string, std::string>> annotations = {};  // of the Event, below the kind's group
};

/// What came of a pass. A story changes nothing of the registry, the journal or .status itself: conclude() does, and
/// writes nothing when this says what was known before.
struct Outcome {
    model::Status status;
    std::optional<std::string> facts = {};  // what the story continues from after a restart, JSON; nothing: as before
    std::optional<std::vector<model::OwnedObject>> owned = {};  // nothing: as before
    std::vector<News> news = {};
    std::optional<model::Duration> next = {};
    bool answers = true;    // the request of reconcile.fluxcd.io/requestedAt that this pass began with is handled
    bool released = false;  // of finalize(): nothing holds the object any more
    bool passing = false;   // the next pass comes in a moment and says more: the copy in the cluster is put off
};

/// One kind's work. Never two passes at once for one key.
class Story {
public:
    virtual ~Story() = default;

    /// What the journal keeps for this story; called for each object before the first pass.
    virtual void load(model::JournalEntry const& row) = 0;

    /// An object that this journal does not know brings the status of whoever looked after it before.
    virtual void adopt(model::Entry const& entry) { static_cast<void>(entry); }

    /// The status in the cluster is not the one that is known: somebody else looked after the object meanwhile, or the
    /// datastore was restored.
    ///
    /// Out  true: what it names may be ours, and a pass has to see to it before the copy is written again
    virtual bool reclaim(model::Key const& key, model::Status const& shown) {
        static_cast<void>(key);
        static_cast<void>(shown);
        return false;
    }

    /// One pass over a copy of the object, which has its finalizer and is not on its way out.
    virtual asio::awaitable<Outcome> reconcile(model::Entry entry) = 0;

    /// The object is being deleted, or its file was taken away.
    virtual asio::awaitable<Outcome> finalize(model::Entry entry) = 0;

    /// The journal did not take what the last pass returned: the next one has to return all of it again.
    virtual void unrecorded(model::Key const& key) { static_cast<void>(key); }

    /// The object is gone: whatever is kept in memory for it goes too.
    virtual void forget(model::Key const& key) = 0;

    /// What Azure is told when the status changed.
    virtual model::ComplianceRecord record(model::Entry const& entry) const = 0;
};

/// A pass begins with what was known.
Outcome begin(model::Entry const& entry);

/// Why a pass stopped, in Flux's words, and when to try again.
struct Stop {
    std::string reason;
    std::string message;
    std::optional<model::Duration> retry = {};  // nothing: no passing of time mends it, only a new wish: Stalled
    bool quiet = false;                         // waits for something else: no Warning
    std::string progress = {};                  // what was being done: the message of Reconciling
    std::string revision = {};
    std::optional<std::string> event = {};  // the words of the Event when they are others; empty: none is made
};

/// The one way to end a pass badly: Ready False, and what Flux's kstatus consumers look at beside it. Told once.
Outcome stop(model::Entry const& entry, Outcome so_far, Stop why, Clock const& clock);

/// The one way to end a pass well: Ready True, everything that spoke of a failure or of progress taken away.
Outcome succeed(model::Entry const& entry, Outcome so_far, std::string_view reason, std::string_view message,
                std::optional<model::Duration> next, Clock const& clock);

/// A suspended object rests as it is; its request and its generation are answered all the same.
Outcome rest(model::Entry const& entry);

/// The record of this object's state, for the object status stream.
model::ComplianceRecord object_record(model::Entry const& entry, model::WallTime now);

/// The same with the word "Deleted": the last one of an object.
model::ComplianceRecord last_words(model::ComplianceRecord record);

/// kind, namespace and name: what every line of the log about an object has.
#define HOLDFAST_LOG_KEY(key)                                                                                          \
    {"kind", model::kind_name((key).kind)}, {"namespace", (key).ns}, { "name", (key).name }

}  // namespace holdfast::story
