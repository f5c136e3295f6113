// daemon/facts.hpp: gathers what the parts know into one snapshot for the status endpoint.
#pragma once

#include "modules/intake/intake.hpp"
#include "modules/kube/client.hpp"
#include "modules/model/registry.hpp"
#include "modules/rollout/owned.hpp"
#include "modules/status/snapshot.hpp"
#include "modules/uplink/ports.hpp"

namespace holdfast::daemon {

void add_objects(status::Snapshot& snapshot, model::Registry const& registry, rollout::OwnedObjects const& owned);

/// `started` and `now` on the steady clock place what watches heard on the wall clock.
void add_cluster(status::Snapshot& snapshot, kube::Client const* client, intake::ClusterIntake const* intake,
                 rollout::OwnedObjects const& owned, std::string const& problem);

void add_outbox(status::Snapshot& snapshot, Result<uplink::QueueState> const& state);

/// Resident memory of this process, in bytes.
std::int64_t resident_bytes();

}  // namespace holdfast::daemon
