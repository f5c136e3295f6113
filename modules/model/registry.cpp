// modules/model/registry.cpp: keeps the entries and tells the listener.
#include "modules/model/registry.hpp"

#include "modules/base/hash.hpp"

#include <utility>

namespace holdfast::model {

bool Entry::suspended() const {
    return spec && std::visit([](auto const& one) { return one.suspend; }, *spec);
}

Entry* Registry::find(Key const& key) {
    auto const found = entries_.find(key);
    return found == entries_.end() ? nullptr : found->second.get();
}

Entry const* Registry::find(Key const& key) const {
    auto const found = entries_.find(key);
    return found == entries_.end() ? nullptr : found->second.get();
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
    bool const acts = spec_changed || slot->gone || meta.deleting != slot->meta.deleting ||
                      meta.uid != slot->meta.uid || meta.requested_at != slot->meta.requested_at ||
                      meta.labels != slot->meta.labels;
    // A local file has no generation of its own: each new wording is the next one.
    if (meta.origin == Origin::local) meta.generation = slot->meta.generation + (spec_changed ? 1 : 0);
    slot->meta = std::move(meta);
    slot->gone = false;
    if (spec_changed) {
        slot->spec_digest = digest;
        slot->wish = std::move(wish);
        if (spec) {
            slot->spec = std::move(*spec);
            slot->problem.clear();
        } else {
            slot->spec.reset();
            slot->problem = spec.error().message;
        }
    }
    if (acts && listener_) listener_(*slot, Change::wish);
    return *slot;
}

void Registry::leave(Entry& entry) {
    if (std::exchange(entry.gone, true)) return;
    if (listener_) listener_(entry, Change::wish);
}

void Registry::erase(Key const& key) { entries_.erase(key); }

void Registry::changed(Entry const& entry) const {
    if (listener_) listener_(entry, Change::status);
}

}  // namespace holdfast::model
