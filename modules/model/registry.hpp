// modules/model/registry.hpp: everything that is wanted and everything that is known, by key, in memory.
// Used from the event loop only. Stories read and write it; whoever schedules them listens to it.
#pragma once

#include "modules/model/spec.hpp"
#include "modules/model/status.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace holdfast::model {

/// One Flux or FluxConfig object: the wish, what is wrong with it, and what is known about it.
struct Entry {
    Key key;
    Meta meta;
    std::optional<Spec> spec;  // empty while `problem` says what is wrong with the newest wish
    std::string problem;
    std::uint64_t spec_digest = 0;  // changes when the spec does; generation does the same in a cluster
    std::string wish;               // JSON not yet in the journal; empty once it is
    Status status;
    std::uint64_t status_written = 0;  // digest of the .status the cluster has from us
    bool status_owed = false;          // the cluster could not be told
    bool unrecorded = false;           // the journal could not be told: the next pass must, changed or not
    bool gone = false;  // left its feed: a deleted object whose finalizer is off, or a local file taken away

    template <class T> T const& spec_as() const { return std::get<T>(*spec); }
    bool suspended() const;
};

enum class Change { wish, status };

class Registry {
public:
    using Listener = std::function<void(Entry const&, Change)>;

    /// The entry stays valid until erase(key); pointers may be kept across awaits only with a fresh find().
    Entry* find(Key const& key);
    Entry const* find(Key const& key) const;

    /// Stores a wish as it came from its feed. Status is kept when the entry exists, else taken from `status`.
    /// The listener hears of it only when something a story acts on is new: spec, deletion, requestedAt, labels.
    Entry& put(Key key, Meta meta, Result<Spec> spec, std::string wish, std::optional<Status> status);

    /// The wish left its feed for good. Listeners hear of it once.
    void leave(Entry& entry);

    void erase(Key const& key);

    /// Tells the listener that the entry's status changed.
    void changed(Entry const& entry) const;

    /// At most one listener, set before the loop runs.
    void listen(Listener listener) { listener_ = std::move(listener); }

    std::map<Key, std::unique_ptr<Entry>> const& all() const { return entries_; }

private:
    std::map<Key, std::unique_ptr<Entry>> entries_;
    Listener listener_;
};

}  // namespace holdfast::model
