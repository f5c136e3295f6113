// modules/access/lock.cpp: the flags, and Microsoft's lock on top where it holds.
#include "modules/access/lock.hpp"

#include "modules/model/kinds.hpp"

namespace holdfast::access {

Lock Locks::of(model::Entry const& entry) const {
    // Who can write a label of a FluxConfig's objects can only make the lock tighter with it.
    bool const generated = model::maker_of(entry.meta, entry.key.ns).has_value();
    bool const local = entry.meta.origin == model::Origin::local;
    Lock lock = flags_;
    if (local) {  // root wrote it, in a file
        lock.default_service_account.clear();
        lock.default_decryption_service_account.clear();
        lock.default_kubeconfig_service_account.clear();
    }
    if (multi_tenancy_ && (generated || (mode_ == Mode::azure && !local))) {
        lock.no_cross_namespace_refs = true;
        lock.no_remote_bases = true;
        if (generated || lock.default_service_account.empty()) lock.default_service_account = kApplier;
    }
    return lock;
}

}  // namespace holdfast::access
