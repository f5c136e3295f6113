// modules/status/snapshot.hpp: everything a person at the box is shown, at one moment; every fact with its time.
// The daemon fills it; json.cpp, page.cpp and metrics.cpp show it, table.hpp what json.cpp wrote. docs/openapi.yaml describes the JSON.
#pragma once

#include "modules/model/status.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::status {

namespace json = boost::json;
using Moment = std::optional<model::WallTime>;  // empty: never

struct Watch {
    std::string kind;
    bool synced = false;
    std::size_t objects = 0;
    Moment heard_at;
    std::string error;
};

struct Cluster {
    bool configured = false;
    bool reachable = false;
    std::string server;
    Moment heard_at;
    std::string error;
    std::vector<Watch> watches;
};

/// What an object is for; also the list of the JSON that it stands in.
enum class Role {
    configuration,  // "configurations": asks for others as a whole (FluxConfig)
    source,         // "sources": where manifests come from
    applier,        // "kustomizations": puts manifests into the cluster
};

/// One wish of any kind. A new kind needs no field here: what only it has goes to `extra`.
struct Object {
    Role role = Role::source;
    std::string kind;
    std::string ns;
    std::string name;
    model::Compliance state = model::Compliance::unknown;
    std::string reason;  // of the Ready condition
    std::string message;
    bool suspended = false;
    std::string url;                     // where it comes from; shown without a login
    std::string revision;                // held or applied
    Moment changed_at;                   // of the Ready condition
    Moment fetched_at;                   // sources: when this revision was stored
    Moment checked_at;                   // sources: when upstream last said that it is the newest
    std::size_t objects = 0;             // how many it owns, or asked for
    std::vector<std::string> unhealthy;  // appliers: "Deployment/apps/web: InProgress: 1 of 3 updated"
    json::object extra;                  // under the names that docs/openapi.yaml gives its kind
};

struct Drift {
    std::string object;
    std::string owner;
    std::string what;
    std::string manager;
    model::WallTime seen_at;
    bool repaired = false;
};

struct Outbox {
    std::int64_t waiting = 0;
    std::int64_t bytes = 0;
    std::int64_t first_sequence = 0;
    std::int64_t last_sequence = 0;
    std::int64_t refused = 0;
    bool refusing = false;  // the last change found no room
    std::int64_t folded = 0;
    std::int64_t dead_letters = 0;
    Moment oldest_at;
    std::string error;  // the queue itself could not be read
};

struct Uplink {
    std::string state = "disabled";
    Moment success_at;
    std::string error;
    Moment error_at;
    Moment next_try_at;
    std::int64_t sent = 0;
    std::int64_t requests = 0;   // answered 204
    std::int64_t set_aside = 0;  // since the start
    Moment identity_expires_at;
};

/// Requests sent to the API server, by verb: for metrics and for whoever doubts "0 writes".
struct Requests {
    std::string verb;
    std::uint64_t count = 0;
};

struct Snapshot {
    std::string version;
    std::string site;
    model::WallTime now;
    model::WallTime started_at;
    Cluster cluster;
    bool seccomp = false;
    int landlock_abi = 0;
    bool landlock_scopes = false;    // no signal and no abstract socket leads out of a worker
    bool workers_die_first = false;  // when memory runs out
    std::int64_t memory_bytes_max = 0;
    std::int64_t memory_bytes_used = 0;
    std::int64_t disk_bytes_max = 0;
    std::int64_t disk_bytes_used = 0;
    std::vector<Object> objects;
    std::vector<Drift> drifts;
    Outbox outbox;
    Uplink uplink;
    std::vector<Requests> requests;
    std::uint64_t passes = 0;
    std::uint64_t crashes = 0;  // passes that a bug of ours ended
    std::string manifests;
    std::vector<std::string> problems;  // of local manifests and of the daemon itself

    /// The word of the headline: summarize(*this).state.
    model::Compliance state() const;
};

/// The headline and what it rests on. The word decides the exit code, and nothing else does.
struct Summary {
    model::Compliance state = model::Compliance::pending;
    std::string why;  // "2 of 200 are Non-Compliant, 3 objects are not ready"
    std::size_t wishes = 0;
    std::size_t compliant = 0;
    std::size_t non_compliant = 0;
    std::size_t not_ready = 0;       // applied objects, each counted once
    std::size_t drifted = 0;         // applied objects that differ and are not repaired yet, each counted once
    std::size_t drift_repaired = 0;  // times
};

/// Non-compliant while there is a problem, pending while nothing is wished, else the worst of everything wished for.
Summary summarize(Snapshot const& snapshot);

/// 0 compliant, 2 non-compliant, 1 anything else.
int exit_code_of(model::Compliance state);

/// The order in which rows are shown: what failed, what is on its way, what is compliant but has objects that are not
/// ready, what is suspended, what is well.
int rank_of(model::Compliance state, bool is_all_ready);

/// Body of /api/v1/status.
std::string to_json(Snapshot const& snapshot);

/// Body of /: readable without a script, on a phone too; at most 48 KiB, what failed first.
std::string to_page(Snapshot const& snapshot);

/// Body of /metrics, Prometheus text format, with Flux's names where Flux has them.
std::string to_metrics(Snapshot const& snapshot);

}  // namespace holdfast::status
