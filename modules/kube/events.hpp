// modules/kube/events.hpp: core/v1 Events, the lines that `kubectl describe` shows under an object.
#pragma once

#include "modules/kube/cluster.hpp"

#include <chrono>
#include <string>

namespace holdfast::kube {

struct EventDraft {
    Object const* about = nullptr;  // apiVersion, kind, metadata of the object
    std::string type = "Normal";    // or "Warning"
    std::string reason;
    std::string message;    // cut at 32 KiB, the bound of a condition's
    std::string component;  // "kustomize-controller"
    Object annotations = {};
};

/// The Event object; `name_suffix` makes its name unique. Pure.
Object make_event(EventDraft const& draft, std::chrono::system_clock::time_point now, std::string_view name_suffix);

/// Creates it. Best effort: the caller logs a failure and goes on.
Task<void> record_event(Cluster& cluster, Object event);

}  // namespace holdfast::kube
