// modules/reconcile/health.hpp: what a set of applied objects is waiting for.
// Pure.
#pragma once

#include "modules/model/spec.hpp"
#include "modules/reconcile/owned.hpp"

#include <string>
#include <vector>

namespace holdfast::reconcile {

struct Health {
    std::vector<std::string> pending;           // "Deployment/apps/web status: 'InProgress'"
    std::vector<std::string> failed;            // the same form
    std::vector<model::HealthCheckRef> unseen;  // healthChecks that no watch covers: ask the server

    bool is_good() const { return pending.empty() && failed.empty() && unseen.empty(); }
};

/// With `wait` all of the owner's objects, else those that spec.healthChecks names. The Kustomization itself and
/// skipped objects do not count.
Health health_of(model::Key const& owner, model::KustomizationSpec const& spec, OwnedObjects const& owned);

/// Is anything to be waited for at all?
bool checks_health(model::KustomizationSpec const& spec);

/// "[a, b]" as Flux lists objects.
std::string list_text(std::vector<std::string> const& items);

}  // namespace holdfast::reconcile
