// modules/rollout/owned.hpp: what is known of every applied object, kept true by watches, and the pace of its repairs.
// About 250 bytes an object: id, version, digests, health. Used from the event loop.
#pragma once

#include "modules/base/clock.hpp"
#include "modules/base/log.hpp"
#include "modules/base/shares.hpp"
#include "modules/base/task_group.hpp"
#include "modules/kube/kstatus.hpp"
#include "modules/kube/watcher.hpp"
#include "modules/model/journal.hpp"
#include "modules/model/registry.hpp"
#include "modules/rollout/apply.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace holdfast::rollout {

using Boot = std::chrono::nanoseconds;  // a moment on the boot clock

/// Somebody else's changes of one applied object: one row a spell.
struct Drift {
    Owner owner;
    std::string object;    // "Deployment/apps/web"
    std::string what;      // "deleted", "changed", "replaced", "owner label removed", "owner label changed"
    std::string manager;   // "kubectl-edit (Update)"; empty when unknown
    model::WallTime seen;  // the newest
    bool repaired = false;
    std::uint64_t count = 1;  // times in this spell
};

/// How often an object is repaired while somebody fights: at once the first time, then 1 s, 2 s, 4 s … up to the owner's
/// interval; forgotten after a quiet interval.
struct Pace {
    Boot last_repair{};
    Boot delay{};  // before the next repair of this spell; 0: the next one opens a spell
    std::uint64_t repairs = 0;
};

/// One object as the watch last showed it.
struct Known {
    Owner owner;
    model::OwnedObject object;
    kube::Health health = kube::Health::unknown;
    std::string message;   // of an unhealthy object
    bool gone = false;     // deleted, or its owner label taken off
    bool drifted = false;  // gone, or a field of ours taken
    bool skipped = false;  // applied by nobody: reconcile disabled, ssa ignore
    bool may_go = false;   // a Job at its end or with a time-to-live: its removal is no drift before the interval
    bool taken = false;    // the labels of another owner that has it are on it
    model::Truth ready = model::Truth::unknown;  // condition Ready of a Flux object
    Boot due{};                                  // of a drifted one: not to be repaired before
    Pace pace = {};
    std::string seen_version;  // resourceVersion that the watch showed last
    std::string awaited;  // of our own last write, while the watch has not shown it: what it shows until then is older
    Boot awaited_until{};
    std::uint64_t awaited_at = 0;  // which moment that was, among writes and lists
};

/// Where the objects of an owner are, and with whose rights the server is asked about them.
struct Location {
    std::string cluster = {};  // which one: objects of two may have the same id; "": the daemon's own
    std::string connection =
        {};  // who watches there: owners with the same one share the watches; "": the daemon itself
    std::shared_ptr<kube::Cluster> watcher = {};  // of that connection; null: the daemon's own cluster, when it is ""
    std::shared_ptr<kube::Cluster> reader = {};   // for what no watch tells

    bool is_own() const { return connection.empty(); }
};

/// The watches are by owner label, one for all owners of a kind on the daemon's own cluster, and one for all who use the same
/// credentials and account on another. So an owner is told only of objects that it has applied: what it merely plans, or
/// what an inventory names, may be somebody else's.
class OwnedObjects {
public:
    struct Ports {
        asio::any_io_executor executor;
        kube::Cluster* cluster;  // null: nothing is watched
        Log const& log;
        Clock const& clock;
    };
    /// drift: repair is due after `in`. health: of an object, or whether it can be watched; a look is due after `in`.
    /// ready: of a Flux object.
    enum class Change { drift, health, ready };
    using Listener = std::function<void(Owner const& owner, Change change, Boot in)>;

    OwnedObjects(Ports ports, std::size_t watches_max);
    ~OwnedObjects();

    /// Set once, before anything else.
    void listen(Listener listener) { listener_ = std::move(listener); }

    /// The longest pause between repairs of this owner's objects, and how long a spell must be quiet to be over.
    void set_interval(Owner const& owner, Boot interval) { intervals_[owner] = interval; }

    /// Where this owner's objects are from now on. What was watched with another connection is watched with this one; what is
    /// known of the objects stays.
    void set_location(Owner const& owner, Location location);

    /// Nobody may ask for this owner's objects any more.
    void leave(Owner const& owner) { set_location(owner, {.connection = "none"}); }

    /// What the journal, or the status of whoever applied before us, names. An object that two owners name is known once for
    /// each: which of them has it, its label says.
    void load(Owner const& owner, std::vector<model::OwnedObject> const& objects);

    /// Starts the watch that this object needs, if it is known: its kind is served.
    void watch(Owner const& owner, std::string const& id);

    /// What a pass is about to write (wished = 0): known until replace() says what came of it, whatever becomes of the pass.
    void plan(Owner const& owner, std::vector<model::OwnedObject> const& objects);

    /// An id that turned out to be another way to write `to`.
    void rename(Owner const& owner, std::string const& from, std::string const& to);

    /// After a pass: exactly these objects are the owner's.
    void replace(Owner const& owner, std::vector<Applied> const& applied,
                 std::vector<model::OwnedObject> const& survivors);

    /// What one apply of a pass that failed later has changed.
    void update(Owner const& owner, Applied const& applied);

    /// It is pruned.
    void remove(Owner const& owner, std::string const& id);

    void forget(Owner const& owner);

    /// Another cluster answers at the address of the daemon's own: nothing that was applied there is known to be there.
    void forget_cluster();

    /// While a pass applies, its own writes come back through the watch before their answers do: what the watch says
    /// of the owner's objects is kept, and judged when the pass has ended.
    void begin_pass(Owner const& owner) { in_pass_[owner].clear(); }
    void end_pass(Owner const& owner);

    /// What the watch showed while we waited for a write of our own that never came back is believed in the end, when
    /// not even the server could be asked.
    void settle_doubts();

    /// Watches of kinds with no object left end, and give their place to others.
    void end_idle_watches();

    /// Asks the server, as the owner's reader, for the objects of kinds that cannot be watched, as a watch would have told.
    asio::awaitable<void> look_up(Owner owner);

    /// Objects that are named and were not applied yet, of all owners. O(objects)
    std::size_t planned() const;

    /// Kinds of this owner's objects that no watch shows, and why: "Deployment: forbidden…".
    std::vector<std::string> unwatched(Owner const& owner) const;

    /// Does the server tell now how this owner's objects are, or has it said that it does not?
    bool is_followed(Owner const& owner) const;

    /// As this owner knows it; null when it does not.
    Known const* find(Owner const& owner, std::string const& id) const;
    std::vector<Known const*> of(Owner const& owner) const;

    /// How long until the next drifted object of this owner may be repaired; nothing: there is none.
    std::optional<Boot> repair_due(Owner const& owner) const;
    /// Whether a drifted object may be repaired now.
    bool is_due(Known const& known) const { return known.due <= ports_.clock.boot(); }

    /// Ids of this owner's objects that are not current, in order.
    std::set<std::string> const& unhealthy(Owner const& owner) const;

    /// Newest first, at most 100.
    std::vector<Drift> const& drifts() const { return drifts_; }
    std::uint64_t drifts_total() const { return drifts_total_; }

    /// The drifted objects of this owner whose spell begins now, and what is told of one, before or after its repair:
    /// "Deployment/apps/web was changed by kubectl-edit (Update)".
    std::vector<std::string> new_spells(Owner const& owner) const;
    std::string spell_text(Owner const& owner, std::string const& id) const;

    /// "apps/v1 Deployment": what is watched, whether it is synced, and how long ago the server spoke.
    struct WatchState {
        std::string cluster;  // Location::cluster
        kube::GroupVersionKind gvk;
        kube::Watcher::State state;
        std::size_t objects = 0;
    };
    std::vector<WatchState> watches() const;
    std::size_t size() const { return known_.size(); }

    asio::awaitable<void> stop();

private:
    class KindWatch;
    friend class KindWatch;
    class Look;
    using KindKey =
        std::tuple<std::string, std::string, std::string, std::string>;  // connection, label group, group, kind

    /// What a watch said of one object.
    struct Sighting {
        bool gone = false;
        std::uint64_t listed_at = 0;  // when the list began that shows it; 0: an event
        kube::ObjectStatus status = {};
        model::Truth ready = model::Truth::unknown;
        bool may_go = false;
        bool ours = false;      // its labels name the owner
        bool others = false;    // its labels name another owner that has it
        bool alone = false;     // it wants to be left as it is
        bool foreign = false;   // kubectl wrote fields of it
        bool restarts = false;  // and nothing but the note of a restart
        std::string uid;
        std::string resource_version;  // empty: a list without it
        std::uint64_t fields = 0;
        std::string manager;
    };

    Known* known_by(Owner const& owner, std::string const& id);
    Known& put(Owner const& owner, model::OwnedObject const& object);
    void erase(Owner const& owner, std::string const& id);
    void take(Known& known, Sighting sighting);
    void judge(Known& known, Sighting const& sighting);
    void follow(Owner const& owner, kube::ObjectId const& id, std::string const& version);
    void unfollow(Owner const& owner, std::string const& id);
    void drop_unneeded(KindWatch& watch, std::string const& id);  // nobody has the object there any more
    void seen(KindWatch const& by, kube::Object const& object, std::uint64_t listed_at);
    bool sees(KindWatch const& watch, Owner const& owner) const;
    bool can_watch(Location const& location) const {
        return location.is_own() ? ports_.cluster != nullptr : location.watcher != nullptr;
    }
    Location const& location_of(Owner const& owner) const;
    static KindKey key_of(Location const& location, Owner const& owner, kube::ObjectId const& id);
    bool is_somebodys(std::string const& cluster, std::string const& id, kube::Object const& object) const;
    void vanished(KindWatch const& by, std::string const& id, std::string uid, std::string resource_version,
                  std::uint64_t listed_at);
    void settle(Known& known);
    void doubt(Known const& known, Sighting sighting);
    asio::awaitable<void> ask_about_doubts();
    asio::awaitable<void> look_at(Owner owner, std::string text);
    void set_health(Known& known, kube::ObjectStatus const& status);
    void set_ready(Known& known, model::Truth ready);
    void drift(Known& known, std::string what, std::string manager, bool may_wait = false);
    void undrift(Known& known);
    void repaired(Known& known);
    Boot interval_of(Owner const& owner) const;
    std::string too_many(Owner const& owner) const;
    KindWatch const* watch_of(Owner const& owner, kube::ObjectId const& id) const;
    bool is_watched(Owner const& owner, kube::ObjectId const& id) const;
    void tell(Owner const& owner, Change change, Boot in = {});
    Boot pause_of_health(Owner const& owner);

    struct HealthPace {
        Boot next{};
        Boot delay{};
    };

    Ports ports_;
    Listener listener_;
    std::unordered_multimap<std::string, Known> known_;  // by id; one per owner
    std::map<Owner, std::vector<std::string>> by_owner_;
    std::map<Owner, std::set<std::string>> drifted_;
    std::map<Owner, std::set<std::string>> unhealthy_;
    std::map<Owner, HealthPace> health_paces_;
    std::map<Owner, Boot> intervals_;
    std::map<Owner, Location> locations_;
    std::map<Owner, std::map<std::string, std::deque<Sighting>>> in_pass_;  // by id: sightings since the pass began
    std::map<Owner, std::map<std::string, Sighting>>
        doubts_;        // the newest sighting of an object whose write is awaited
    TaskGroup asking_;  // about doubts
    std::map<KindKey, std::unique_ptr<KindWatch>> watches_;
    std::vector<std::unique_ptr<KindWatch>> ending_;  // of kinds with no object left: they unwind later in the loop
    Shares places_;                                   // of watches, by namespace
    std::vector<Drift> drifts_;
    std::uint64_t drifts_total_ = 0;
    std::uint64_t moments_ = 0;  // writes and lists, in their order
};

}  // namespace holdfast::rollout
