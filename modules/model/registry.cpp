// modules/model/registry.cpp: keeps the entries and tells the listener.
#include "modules/model/registry.hpp"

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

Entry& Registry::put(Key key, Meta meta, Result<Spec> spec, std::uint64_t spec_digest, std::optional<Status> status) {
    auto& slot = entries_[key];
    if (!slot) {
        slot = std::make_unique<Entry>();
        slot->key = std::move(key);
        if (status) slot->status = std::move(*status);
    }
    slot->meta = std::move(meta);
    slot->spec_digest = spec_digest;
    slot->gone = false;
    if (spec) {
        slot->spec = std::move(*spec);
        slot->problem.clear();
    } else {
        slot->spec.reset();
        slot->problem = spec.error().message;
    }
    if (listener_) listener_(*slot, Change::wish);
    return *slot;
}

void Registry::erase(Key const& key) { entries_.erase(key); }

void Registry::changed(Entry const& entry) const {
    if (listener_) listener_(entry, Change::status);
}

}  // namespace holdfast::model
