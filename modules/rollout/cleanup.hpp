// modules/rollout/cleanup.hpp: what others left on an object that is ours: kubectl's fields and notes become ours to keep or drop.
// Pure. Source  fluxcd/pkg ssa PatchReplaceFieldsManagers, kustomize-controller's ApplyCleanupOptions
#pragma once

#include "modules/kube/object.hpp"

#include <boost/json/array.hpp>

#include <string_view>

namespace holdfast::rollout {

/// Were fields of this object written by kubectl, by a client-side apply, or by `manager` before it applied; or is there
/// a note of kubectl or of an early Flux on it? An apply alone would leave what they added.
bool needs_cleanup(kube::Object const& live, std::string_view manager);

/// Did others write nothing but what `kubectl rollout restart` writes? The pods it starts may start: as with Flux, the note
/// goes at the next interval.
bool only_restarts(kube::Object const& live, std::string_view manager);

/// The JSON patch that hands those fields to `manager`, so that the next apply removes what it does not wish, and takes the
/// notes away. Empty: nothing to do. It carries no precondition: the caller adds the resourceVersion.
boost::json::array cleanup_patch(kube::Object const& live, std::string_view manager);

/// The JSON patch that says of every entry of managedFields that it speaks of `api_version`: a version that came with new
/// defaults refuses an apply while an entry still speaks of an older one. Empty: none does. No precondition, as above.
boost::json::array version_patch(kube::Object const& live, std::string_view api_version);

}  // namespace holdfast::rollout
