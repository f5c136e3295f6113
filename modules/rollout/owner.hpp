// modules/reconcile/owner.hpp: the marks by which an applied object is known to be ours.
// Pure.
#pragma once

#include "modules/kube/object.hpp"
#include "modules/model/spec.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::reconcile {

/// The field manager of everything that is applied, as Flux's.
inline constexpr std::string_view kFieldManager = "kustomize-controller";

inline constexpr std::string_view kOwnerName = "kustomize.toolkit.fluxcd.io/name";
inline constexpr std::string_view kOwnerNamespace = "kustomize.toolkit.fluxcd.io/namespace";

/// Owner labels and spec.commonMetadata on a rendered object.
void stamp(kube::Object& object, model::Key const& owner, model::KustomizationSpec const& spec);

/// Does the object carry the labels of this owner?
bool is_owned_by(kube::Object const& object, model::Key const& owner);

/// kustomize.toolkit.fluxcd.io/<what>: <value>, as a label or an annotation, in any case of letters.
bool is_marked(kube::Object const& object, std::string_view what, std::string_view value);

/// Digest of the fields the API server says our last apply owns. Somebody else's change of one of them takes it
/// from us, so this digest changes exactly when there is something to repair. 0 when we own none.
std::uint64_t owned_fields(kube::Object const& object);

/// Who else wrote the object last, as "kubectl-edit (Update)"; empty when nobody else did.
std::string last_other_manager(kube::Object const& object);

}  // namespace holdfast::reconcile
