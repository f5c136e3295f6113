// modules/rollout/health.hpp: what a set of applied objects is waiting for.
// Pure.
#pragma once

#include "modules/rollout/owned.hpp"

#include <string>
#include <vector>

namespace holdfast::rollout {

struct Health {
    std::vector<std::string> pending;  // "Deployment/apps/web status: 'InProgress'"
    std::vector<std::string> failed;   // the same form
    std::string details;               // the failed objects' own words
    std::vector<kube::ObjectId>
        unseen;  // named objects that the owner has not applied: ask the server, with its rights

    bool certain = true;  // false: of some of them nothing was heard yet

    bool is_good() const { return pending.empty() && failed.empty() && unseen.empty(); }
    void add(std::string const& display, kube::Health health, std::string const& message);
};

/// Of all the owner's objects. The owner itself and skipped objects do not count. O(unhealthy objects)
Health health_of_all(Owner const& owner, OwnedObjects const& owned);

/// Of the objects that are named.
Health health_of(Owner const& owner, std::vector<kube::ObjectId> const& ids, OwnedObjects const& owned);

/// "[a, b]" as Flux lists objects.
std::string list_text(std::vector<std::string> const& items);

}  // namespace holdfast::rollout
