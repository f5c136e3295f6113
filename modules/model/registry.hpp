// modules/model/registry.hpp: everything that is wanted and everything that is known, by key, in memory, and who follows whom.
// Used from the event loop only. Intake puts wishes in, story::conclude puts outcomes in; nobody else changes an entry.
#pragma once

#include "modules/base/packed.hpp"
#include "modules/base/shares.hpp"
#include "modules/model/spec.hpp"
#include "modules/model/status.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace holdfast::model {

/// One Flux or FluxConfig object: the wish, what is wrong with it, and what is known about it. A pass gets a copy.
struct Entry {
    Key key;
    Meta meta;
    std::optional<Spec> spec;  // empty while `problem` says what is wrong with the newest wish
    std::string problem;
    std::uint64_t spec_digest = 0;   // changes when the spec does; generation does the same in a cluster
    Packed wish;                     // JSON not yet in the journal; empty once it is
    Status status;                   // as the journal has it
    std::string unrecorded;          // why the journal could not be told what came after; empty: it knows everything
    std::uint64_t facts_digest = 0;  // of the facts the journal has
    bool abridged =
        false;  // restored without the logins of its URLs: nothing is done with it until its feed gives it whole
    std::uint64_t weight = 0;       // bytes of the wish that its namespace is charged for
    std::uint64_t turned_away = 0;  // bytes of a newest wish for which there was no room; 0: it is held
    bool gone = false;  // left its feed: a deleted object whose finalizer is off, or a local file taken away

    /// The copy of .status in the cluster.
    struct Copy {
        std::uint64_t written = 0;   // digest of what we wrote last
        std::uint64_t accepted = 0;  // digest of what the cluster made of it, or had already
        bool owed = false;           // the cluster could not be told, or shows something else
        bool in_flight = false;      // a patch is on its way: two could overtake each other
        bool put_off = false;        // the next pass comes in a moment and says more
    } copy = {};

    template <class T> T const& spec_as() const { return spec->as<T>(); }
    bool suspended() const { return spec && spec->suspend(); }

    /// On its way out: what it made goes, or stays, by its own rules.
    bool leaving() const { return gone || meta.deleting; }
};

/// What changed of an entry: its wish, what its followers look at, or anything else that its status says.
enum class Change { wish, face, status };

/// What all wishes may take, each namespace to its share (base/shares.hpp).
struct WishLimits {
    std::uint64_t count_max = UINT32_MAX;
    std::uint64_t bytes_max = UINT64_MAX / 2;
};

class Registry {
public:
    using Limits = WishLimits;
    explicit Registry(Limits limits = {})
        : held_(limits.count_max), bytes_(limits.bytes_max), named_(limits.count_max * 2) {}

    using Listener = std::function<void(Entry const&, Change)>;

    /// The entry stays valid until vanish(); pointers may be kept across awaits only with a fresh find().
    Entry* find(Key const& key);
    Entry const* find(Key const& key) const;

    /// May one more object of this namespace be named here, if only to say why its wish is not held? Asked before put(). A
    /// configuration always: it is the operator's, and says what its namespace is held to.
    bool may_name(Key const& key) const;

    /// Would the wish that was turned away find room now?
    bool has_room_for(Entry const& entry) const;

    /// Namespaces of which something is wished for.
    std::size_t namespaces() const { return named_.parties(); }

    /// Changes whenever a wish does: who remembers what the specs say together asks whether they still say it.
    std::uint64_t wishes() const { return wishes_; }

    /// Stores a wish as it came from its feed. One for which its namespace has no room is not held: the entry says so in
    /// `problem`, and the journal hears nothing of it. Status is kept when the entry exists, else taken from `status`.
    /// The listener hears of it only when something a story acts on is new: spec, deletion, requestedAt, labels.
    Entry& put(Key key, Meta meta, Result<Spec> spec, std::string wish, std::optional<Status> status);

    /// The wish left its feed for good. Listeners hear of it once.
    void leave(Entry& entry);

    /// Removes an entry; who followed it hears that it is gone.
    void vanish(Entry& entry);

    /// A new status, durable already. The listener hears whether followers have to look again.
    void conclude(Entry& entry, Status status);

    /// A status that says the same: counters and ages. Nobody is told, but followers when what they look at changed.
    void note(Entry& entry, Status status);

    /// Who has to look again when `key` changes: objects whose spec names it. O(log n + followers).
    std::vector<Key> followers(Key const& key) const;

    /// What `config` made: objects that carry its labels.
    std::vector<Key> made_by(Key const& config) const;

    /// At most one listener, set before the loop runs.
    void listen(Listener listener) { listener_ = std::move(listener); }

    std::map<Key, std::unique_ptr<Entry>> const& all() const { return entries_; }

private:
    void link(Entry const& entry);
    void unlink(Entry const& entry);
    void charge(Entry& entry, std::uint64_t weight);
    void discharge(Entry& entry);
    bool fits(Entry const& entry, std::uint64_t weight) const;
    std::string no_room(Entry const& entry, std::uint64_t weight) const;

    std::map<Key, std::unique_ptr<Entry>> entries_;
    std::map<Key, std::set<Key>> followers_;  // by what they follow, whether that exists or not
    std::map<Key, std::set<Key>> made_by_;    // by the FluxConfig that made them
    Shares held_;                             // wishes
    Shares bytes_;                            // of wishes
    Shares named_;                            // entries, with a wish or without
    std::uint64_t wishes_ = 0;
    Listener listener_;
};

/// The FluxConfigs of a namespace. O(log n + those).
std::vector<Entry const*> configs_in(Registry const& registry, std::string const& ns);

}  // namespace holdfast::model
