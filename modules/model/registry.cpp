// modules/model/registry.cpp: keeps the entries and the two indexes, and tells the listener.
#include "modules/model/registry.hpp"

#include "modules/base/hash.hpp"
#include "modules/model/kinds.hpp"

#include <utility>

namespace holdfast::model {

namespace {

/// What a follower may have looked at: when it is the same, nobody has to look again.
std::string face_of(Entry const& entry) {
    auto const* ready = entry.status.conditions.find("Ready");
    std::string face = ready == nullptr ? "none" : std::to_string(static_cast<int>(ready->status));
    face += " " + std::to_string(entry.status.observed_generation) + " ";
    return face + info(entry.key.kind).face(entry.status);
}

std::vector<Key> keys_at(std::map<Key, std::set<Key>> const& index, Key const& key) {
    auto const found = index.find(key);
    return found == index.end() ? std::vector<Key>{} : std::vector<Key>(found->second.begin(), found->second.end());
}

void erase_from(std::map<Key, std::set<Key>>& index, Key const& at, Key const& member) {
    auto const found = index.find(at);
    if (found == index.end()) return;
    found->second.erase(member);
    if (found->second.empty()) index.erase(found);
}

}  // namespace

Entry* Registry::find(Key const& key) {
    auto const found = entries_.find(key);
    return found == entries_.end() ? nullptr : found->second.get();
}

Entry const* Registry::find(Key const& key) const {
    auto const found = entries_.find(key);
    return found == entries_.end() ? nullptr : found->second.get();
}

void Registry::link(Entry const& entry) {
    if (entry.spec) {
        for (Key const& ref : entry.spec->refs()) followers_[ref].insert(entry.key);
    }
    if (auto const maker = maker_of(entry.meta, entry.key.ns)) made_by_[*maker].insert(entry.key);
}

void Registry::unlink(Entry const& entry) {
    if (entry.spec) {
        for (Key const& ref : entry.spec->refs()) erase_from(followers_, ref, entry.key);
    }
    if (auto const maker = maker_of(entry.meta, entry.key.ns)) erase_from(made_by_, *maker, entry.key);
}

Entry& Registry::put(Key key, Meta meta, Result<Spec> spec, std::string wish, std::optional<Status> status) {
    auto& slot = entries_[key];
    bool const is_new = !slot;
    if (is_new) {
        slot = std::make_unique<Entry>();
        slot->key = std::move(key);
        if (status) slot->status = std::move(*status);
    }
    std::uint64_t const digest = hash64(wish);
    bool const spec_changed = is_new || digest != slot->spec_digest;
    bool const is_whole_again = std::exchange(slot->abridged, false);
    bool const acts = spec_changed || is_whole_again || slot->gone || meta.deleting != slot->meta.deleting ||
                      meta.uid != slot->meta.uid || meta.requested_at != slot->meta.requested_at ||
                      meta.labels != slot->meta.labels;
    // A local file has no generation of its own: each new wording is the next one.
    if (meta.origin == Origin::local) meta.generation = slot->meta.generation + (spec_changed ? 1 : 0);
    unlink(*slot);
    slot->meta = std::move(meta);
    slot->gone = false;
    if (spec_changed) {
        slot->spec_digest = digest;
        slot->wish = Packed{wish};
    }
    if (spec_changed || is_whole_again) {
        if (spec) {
            slot->spec = std::move(*spec);
            slot->problem.clear();
        } else {
            slot->spec.reset();
            slot->problem = spec.error().message;
        }
    }
    link(*slot);
    if (acts && listener_) listener_(*slot, Change::wish);
    return *slot;
}

void Registry::leave(Entry& entry) {
    if (std::exchange(entry.gone, true)) return;
    if (listener_) listener_(entry, Change::wish);
}

void Registry::vanish(Entry& entry) {
    entry.gone = true;
    if (listener_) listener_(entry, Change::face);  // its last record waits for the uplink, too
    unlink(entry);
    entries_.erase(Key{entry.key});
}

void Registry::conclude(Entry& entry, Status status) {
    std::string const before = face_of(entry);
    entry.status = std::move(status);
    if (listener_) listener_(entry, face_of(entry) == before ? Change::status : Change::face);
}

void Registry::note(Entry& entry, Status status) {
    std::string const before = face_of(entry);
    entry.status = std::move(status);
    if (listener_ && face_of(entry) != before) listener_(entry, Change::face);
}

std::vector<Key> Registry::followers(Key const& key) const { return keys_at(followers_, key); }

std::vector<Key> Registry::made_by(Key const& config) const { return keys_at(made_by_, config); }

std::vector<Entry const*> configs_in(Registry const& registry, std::string const& ns) {
    std::vector<Entry const*> found;
    auto const& all = registry.all();
    for (auto at = all.lower_bound({Kind::flux_config, ns, ""}); at != all.end(); ++at) {
        if (at->first.kind != Kind::flux_config || at->first.ns != ns) break;
        found.push_back(at->second.get());
    }
    return found;
}

}  // namespace holdfast::model
