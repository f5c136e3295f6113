// modules/rollout/marks.hpp: what is written on an object: whose it is, how it wants to be treated, who else wrote it.
// Pure.
#pragma once

#include "modules/kube/object.hpp"
#include "modules/rollout/owner.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace holdfast::rollout {

/// Owner labels and spec.commonMetadata on a rendered object.
void stamp(kube::Object& object, Owner const& owner, std::map<std::string, std::string> const& labels,
           std::map<std::string, std::string> const& annotations);

/// Does the object carry the labels of this owner?
bool is_owned_by(kube::Object const& object, Owner const& owner);

/// <label group>/<what>: <value>, as a label or an annotation, in any case of letters.
bool is_marked(kube::Object const& object, Owner const& owner, std::string_view what, std::string_view value);

/// Marked on the manifest or on the live object to be left as it is: reconcile: disabled, ssa: Ignore.
bool is_left_alone(kube::Object const& object, Owner const& owner);

/// Digest of the fields the API server says our last apply owns. Somebody else's change of one of them takes it
/// from us, so this digest changes exactly when there is something to repair: that, or another apply of ours than the last
/// one, as after a restore from a backup. 0 when we own none.
std::uint64_t owned_fields(kube::Object const& object, std::string_view manager);

/// Who else wrote the object last, as "kubectl-edit (Update)"; empty when nobody else did.
std::string last_other_manager(kube::Object const& object, std::string_view manager);

}  // namespace holdfast::rollout
