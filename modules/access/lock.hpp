// modules/access/lock.hpp: what an object is held to: whose account its requests go out with when it names none, and whose
// objects it may name. Pure.
#pragma once

#include "modules/model/registry.hpp"

#include <string>

namespace holdfast::access {

/// Flux's lock-down flags by Flux's names.
struct Lock {
    bool no_cross_namespace_refs = false;
    bool no_remote_bases = false;
    std::string default_service_account = {};             // of objects that name none; empty: the daemon's own rights
    std::string default_decryption_service_account = {};  // for key services of a cloud
    std::string default_kubeconfig_service_account = {};  // for the Secret-less kubeConfig
};

class Locks {
public:
    explicit Locks(Lock node) : node_(std::move(node)) {}

    /// What holds for this object: the lock of the node, or a tighter one.
    Lock of(model::Entry const& entry) const;

private:
    Lock node_;
};

}  // namespace holdfast::access
