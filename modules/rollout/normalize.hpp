// modules/rollout/normalize.hpp: what Flux changes about a rendered object before it applies it.
// Pure. Source  fluxcd/pkg ssa/normalize
#pragma once

#include "modules/kube/object.hpp"

namespace holdfast::rollout {

/// A Secret's stringData becomes data, so that a key taken out of it goes and an edit of data is seen; ports of Services and
/// pods without a protocol get TCP, which their lists are keyed by; status and creationTimestamp go (a definition keeps
/// its status).
void normalize(kube::Object& object);

/// Is this Secret encrypted by SOPS? It must not be applied as it is.
bool is_sops_encrypted(kube::Object const& object);

/// A kind that Kubernetes itself serves: what its schema does not know is dropped, not refused, as Flux does by decoding it.
bool is_built_in(std::string_view group);

/// Takes away the fields that the server says its schema does not declare ("…: .spec.surprise: field not declared in schema").
/// Out  false when the message names none that is there
bool drop_undeclared(kube::Object& object, std::string_view message);

}  // namespace holdfast::rollout
