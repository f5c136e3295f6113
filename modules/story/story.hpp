// modules/story/story.hpp: what every story does around its own steps: finalizer, journal, status, records, events.
// Used from the event loop.
#pragma once

#include "modules/base/async.hpp"
#include "modules/base/clock.hpp"
#include "modules/base/log.hpp"
#include "modules/kube/cluster.hpp"
#include "modules/model/journal.hpp"
#include "modules/model/registry.hpp"

#include <boost/asio/thread_pool.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::story {

/// What stories need of the world; everything outlives them.
struct Ports {
    model::Registry& registry;
    kube::Cluster* cluster;  // null while no cluster is configured
    model::Journal& journal;
    asio::thread_pool& db;
    Log const& log;
    Clock const& clock;
};

/// When the schedule should run the story again by itself; nothing: only when something changes.
struct Next {
    std::optional<model::Duration> after;
};

/// What a pass adds to the journal beside the entry's status.
struct Outcome {
    std::optional<std::string> facts;
    std::optional<std::vector<model::OwnedObject>> owned;
    std::vector<model::ComplianceRecord> records;
};

/// The finalizer of every Flux object with a controller.
inline constexpr std::string_view kFinalizer = "finalizers.fluxcd.io";

/// Puts the finalizer on a cluster object that lacks it, before anything is done for it.
Task<void> take_finalizer(Ports& ports, model::Key key);

/// The last act: journal row away, finalizer off, entry out of the registry. `records` are the last words to Azure.
Task<void> release(Ports& ports, model::Key key, std::vector<model::ComplianceRecord> records);

/// Makes the entry's status durable, together with `outcome`, then tells the cluster, best effort.
/// Errors  limit, busy, corrupt  the journal: nothing was recorded; the cluster was not told either
Task<void> conclude(Ports& ports, model::Key key, Outcome outcome);

/// Tells the cluster what it could not be told before. Never fails: what is still owed stays owed.
asio::awaitable<void> pay_status(Ports& ports, model::Key key);

/// A core/v1 Event about the entry's object, best effort; nothing for a local object. `kind` of message as Flux.
asio::awaitable<void> tell(Ports& ports, model::Key key, bool warning, std::string reason, std::string message,
                           std::string revision);

/// The record of this object's state now, for the object status stream.
model::ComplianceRecord object_record(model::Entry const& entry, model::WallTime now);

/// The same, with the word "Deleted": the last record of an object.
model::ComplianceRecord last_record(model::Entry const& entry, model::WallTime now);

/// "source-controller", "kustomize-controller", "fluxconfig-controller": the name Flux gives the same work.
std::string_view controller_of(model::Kind kind);

/// "main@sha1:67e2c98a…" as shown in a record: what was last applied, else the artifact.
std::string revision_of(model::Entry const& entry);

}  // namespace holdfast::story
