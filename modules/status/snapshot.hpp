// modules/status/snapshot.hpp: everything a person at the box is shown, at one moment; every fact with its time.
// The daemon fills it; json.cpp, page.cpp, metrics.cpp and table.cpp show it. docs/openapi.yaml describes the JSON.
#pragma once

#include "modules/model/status.hpp"

#include <boost/json/array.hpp>

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

struct Source {
    std::string kind;
    std::string ns;
    std::string name;
    std::string url;
    model::Compliance state = model::Compliance::unknown;
    std::string reason;
    std::string message;
    std::string revision;
    std::string digest;
    Moment fetched_at;  // when this revision was stored
    Moment checked_at;  // when upstream last said that it is the newest
    bool suspended = false;
};

struct Kustomization {
    std::string ns;
    std::string name;
    std::string path;
    model::Compliance state = model::Compliance::unknown;
    std::string reason;
    std::string message;
    std::string revision;
    std::string attempted_revision;
    std::size_t objects = 0;
    std::vector<std::string> unhealthy;  // "Deployment/apps/web: InProgress: 1 of 3 updated"
    Moment changed_at;                   // of the Ready condition
    bool suspended = false;
};

struct Configuration {
    std::string ns;
    std::string name;
    std::string url;
    model::Compliance state = model::Compliance::unknown;
    std::string commit;
    std::string message;
    Moment changed_at;
    json::array statuses;  // ARM's statuses[]
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
    std::int64_t folded = 0;
    std::int64_t dead_letters = 0;
    Moment oldest_at;
    std::string error;  // the queue itself could not be read
};

struct Uplink {
    std::string state = "disabled";
    Moment success_at;
    std::string error;
    Moment next_try_at;
    std::int64_t sent = 0;
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
    std::int64_t memory_bytes_max = 0;
    std::int64_t memory_bytes_used = 0;
    std::int64_t disk_bytes_max = 0;
    std::int64_t disk_bytes_used = 0;
    std::vector<Configuration> configurations;
    std::vector<Source> sources;
    std::vector<Kustomization> kustomizations;
    std::vector<Drift> drifts;
    Outbox outbox;
    Uplink uplink;
    std::vector<Requests> requests;
    std::uint64_t passes = 0;
    std::string manifests;
    std::vector<std::string> problems;  // of local manifests and of the daemon itself

    /// The worst of everything wished for; unknown while nothing is.
    model::Compliance state() const;
};

/// Body of /api/v1/status.
std::string to_json(Snapshot const& snapshot);

/// Body of /: readable without a script, a style sheet of a few lines, at most 50 KB.
std::string to_page(Snapshot const& snapshot);

/// Body of /metrics, Prometheus text format, with Flux's names where Flux has them.
std::string to_metrics(Snapshot const& snapshot);

/// `holdfast status`: what to_json wrote, as a table for a terminal.
/// Errors  invalid_input  not such a document
Result<std::string> to_table(std::string_view status_json);

/// 0 compliant or nothing wished, 1 pending, unknown or suspended, 2 non-compliant or a manifest that cannot be read.
Result<int> exit_code(std::string_view status_json);

/// "12 s", "4 min", "3 h", "2 d": the age of a fact.
std::string age_text(std::int64_t seconds);

}  // namespace holdfast::status
