// modules/kube/kstatus.hpp: is this object what it should be, from its own fields?
// Pure. Source  fluxcd/cli-utils pkg/kstatus/status Compute, with Flux's own rule for Job.
#pragma once

#include "modules/kube/object.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace holdfast::kube {

enum class Health { in_progress, failed, current, terminating, not_found, unknown };

/// "InProgress", "Failed", "Current", "Terminating", "NotFound", "Unknown".
std::string_view to_string(Health health);

struct ObjectStatus {
    Health health = Health::unknown;
    std::string message;
    std::string reason = "";  // of the Reconciling or Stalled condition kstatus would set; empty when Current
};

/// In   object  complete, with status
///      now     for the 15 s in which a Pod may stay unscheduled
/// Out  unknown with the reason as message when a field has an impossible type or value
ObjectStatus status_of(Object const& object, std::chrono::system_clock::time_point now);

}  // namespace holdfast::kube
