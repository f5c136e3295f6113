// modules/model/registry.cpp: keeps the entries and the two indexes, and tells the listener.
#include "modules/model/registry.hpp"

#include "modules/base/hash.hpp"
#include "modules/model/kinds.hpp"

#include <algorithm>
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

/// No tenant who fills the shares of a namespace may keep the operator's word about it out.
bool is_operators(Key const& key) { return info(key.kind).what == Class::config; }

constexpr std::uint64_t kEntryWeight = 1'024;  // of an entry beside its spec, with a few labels

/// What an object says about itself beside its spec, as far as it is kept.
std::uint64_t weight_of(Meta const& meta) {
    std::uint64_t weight = meta.requested_at.size();
    for (auto const& [name, value] : meta.labels) weight += name.size() + value.size() + sizeof name + sizeof value;
    for (std::string const& updater : meta.updaters) weight += updater.size() + sizeof updater;
    return std::max(weight, kEntryWeight);
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

bool Registry::may_name(Key const& key) const {
    return find(key) != nullptr || is_operators(key) || named_.may_take(key.ns);
}

bool Registry::fits(Entry const& entry, std::uint64_t weight) const {
    if (is_operators(entry.key)) return true;
    return held_.may_take(entry.key.ns) && bytes_.may_take(entry.key.ns, weight);
}

bool Registry::has_room_for(Entry const& entry) const {
    return entry.turned_away != 0 && fits(entry, entry.turned_away);
}

void Registry::charge(Entry& entry, std::uint64_t weight) {
    held_.take(entry.key.ns);
    bytes_.take(entry.key.ns, weight);
    entry.weight = weight;
}

void Registry::discharge(Entry& entry) {
    auto const weight = std::exchange(entry.weight, 0);
    if (weight == 0) return;
    held_.give_back(entry.key.ns);
    bytes_.give_back(entry.key.ns, weight);
}

std::string Registry::no_room(Entry const& entry, std::uint64_t weight) const {
    std::string const& ns = entry.key.ns;
    return "no room for this object: it takes " + std::to_string(weight) + " bytes, namespace '" + ns + "' has " +
           std::to_string(held_.held(ns)) + " objects of " + std::to_string(bytes_.held(ns)) +
           " bytes, and a namespace may have its share of " + std::to_string(held_.whole()) + " objects and " +
           std::to_string(bytes_.whole()) + " bytes (limits.memory)";
}

Entry& Registry::put(Key key, Meta meta, Result<Spec> spec, std::string wish, std::optional<Status> status) {
    auto& slot = entries_[key];
    bool const is_new = !slot;
    if (is_new) {
        slot = std::make_unique<Entry>();
        slot->key = std::move(key);
        named_.take(slot->key.ns);
    }
    std::uint64_t const digest = hash64(wish);
    std::uint64_t const before = slot->weight;
    bool const is_known = before != 0 && digest == slot->spec_digest;
    Packed packed = is_known ? Packed{} : Packed{wish};
    // Whoever may write a status may have made up what it names.
    std::uint64_t const brought = is_new && status ? weight_of(to_json(slot->key.kind, *status)) : 0;
    std::uint64_t const weight =
        weight_of(meta) + brought +
        (is_known ? before - weight_of(slot->meta) : std::max<std::uint64_t>(packed.held(), spec ? spec->weight() : 0));
    unlink(*slot);
    discharge(*slot);
    bool const has_room = weight <= before || fits(*slot, weight);
    bool const is_whole_again = std::exchange(slot->abridged, false);
    bool const spec_changed = is_new || digest != slot->spec_digest || has_room == (slot->turned_away != 0);
    bool const acts = spec_changed || is_whole_again || slot->gone || meta.deleting != slot->meta.deleting ||
                      meta.uid != slot->meta.uid || meta.requested_at != slot->meta.requested_at ||
                      meta.labels != slot->meta.labels;
    // A local file has no generation of its own: each new wording is the next one.
    if (meta.origin == Origin::local) meta.generation = slot->meta.generation + (spec_changed ? 1 : 0);
    slot->meta = std::move(meta);
    slot->gone = false;
    if (has_room) {
        charge(*slot, weight);
        if (is_new && status) slot->status = std::move(*status);
    } else if (weight_of(slot->meta) > kEntryWeight) {
        slot->meta.labels.clear();
        slot->meta.updaters.clear();
    }
    if (spec_changed) {
        ++wishes_;
        slot->spec_digest = digest;
        slot->turned_away = has_room ? 0 : weight;
        slot->wish = has_room ? std::move(packed) : Packed{};
    }
    if (spec_changed || is_whole_again) {
        slot->spec.reset();
        if (!has_room) slot->problem = no_room(*slot, weight);
        else if (!spec) slot->problem = spec.error().message;
        else slot->problem.clear();
        if (has_room && spec) slot->spec = std::move(*spec);
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
    discharge(entry);
    named_.give_back(entry.key.ns);
    ++wishes_;
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
