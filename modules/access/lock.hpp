// modules/access/lock.hpp: what an object is held to: whose account its requests go out with when it names none, and whose
// objects it may name. Pure.
#pragma once

#include "modules/model/registry.hpp"

#include <string>
#include <string_view>

namespace holdfast::access {

/// Flux's lock-down flags by Flux's names.
struct Lock {
    bool no_cross_namespace_refs = false;
    bool no_remote_bases = false;
    std::string default_service_account = {};             // of objects that name none; empty: the daemon's own rights
    std::string default_decryption_service_account = {};  // for key services of a cloud
    std::string default_kubeconfig_service_account = {};  // for the Secret-less kubeConfig

    /// May an object of the namespace `own` use a source of the namespace `other`?
    bool reaches(std::string_view own, std::string_view other) const {
        return !no_cross_namespace_refs || own == other;
    }

    bool operator==(Lock const&) const = default;
};

/// What holds for whoever writes Flux objects.
enum class Mode {
    flux,  // Flux's: the daemon's own rights, but for what the flags take
    azure  // Microsoft's: the account flux-applier of the object's namespace, no source of another one, no remote bases
};

/// The account of Microsoft's lock; whoever installs a configuration makes it in the configuration's namespace.
inline constexpr std::string_view kApplier = "flux-applier";

/// There is one of them in a daemon: everybody looks at the same mode.
class Locks {
public:
    /// `flags` hold for every object, but for the default accounts: an object of a local manifest acts as the daemon
    /// unless it names an account. `multi_tenancy` false takes Microsoft's lock off everything. `registry` says which
    /// FluxConfigs there are, and outlives this object; null: none.
    explicit Locks(Lock flags, bool multi_tenancy = true, model::Registry const* registry = nullptr)
        : flags_(std::move(flags)), multi_tenancy_(multi_tenancy), registry_(registry) {}

    Locks(Locks&&) = default;
    Locks& operator=(Locks&&) = default;

    /// The mode of the node, once it is known.
    void hold_to(Mode mode) { mode_ = mode; }

    /// What holds for this object. Never less than the flags say.
    Lock of(model::Entry const& entry) const;

private:
    bool is_held(model::Entry const& entry) const;

    Lock flags_;
    bool multi_tenancy_;
    model::Registry const* registry_;
    Mode mode_ = Mode::flux;
};

}  // namespace holdfast::access
