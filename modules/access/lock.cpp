// modules/access/lock.cpp: the flags, and Microsoft's lock on top where it holds.
#include "modules/access/lock.hpp"

#include "modules/model/kinds.hpp"

#include <algorithm>

namespace holdfast::access {

/// Does Microsoft's lock hold whatever the mode is? For what a FluxConfig makes, and for all that lies in the namespace of
/// one of scope namespace: its repository may bring Flux objects along, and nothing that it brings may leave.
bool Locks::is_held(model::Entry const& entry) const {
    // Who can write a label of a FluxConfig's objects can only make the lock tighter with it.
    if (model::maker_of(entry.meta, entry.key.ns)) return true;
    if (registry_ == nullptr || entry.meta.origin == model::Origin::local) return false;
    return std::ranges::any_of(model::configs_in(*registry_, entry.key.ns), [](model::Entry const* config) {
        // One that cannot be read, or is not held for want of room, may be of that scope.
        return !config->spec || config->spec_as<model::FluxConfigSpec>().scope == model::ConfigScope::own_namespace;
    });
}

Lock Locks::of(model::Entry const& entry) const {
    bool const held = is_held(entry);
    bool const local = entry.meta.origin == model::Origin::local;
    Lock lock = flags_;
    if (local) {  // root wrote it, in a file
        lock.default_service_account.clear();
        lock.default_decryption_service_account.clear();
        lock.default_kubeconfig_service_account.clear();
    }
    if (multi_tenancy_ && (held || (mode_ == Mode::azure && !local))) {
        lock.no_cross_namespace_refs = true;
        lock.no_remote_bases = true;
        if (held || lock.default_service_account.empty()) lock.default_service_account = kApplier;
    }
    return lock;
}

}  // namespace holdfast::access
