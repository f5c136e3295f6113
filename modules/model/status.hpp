// modules/model/status.hpp: what is known about an object, in the shape Flux writes it to .status.
#pragma once

#include "modules/base/error.hpp"
#include "modules/model/duration.hpp"
#include "modules/model/spec.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::model {

enum class Truth { yes, no, unknown };

/// metav1.Condition.
struct Condition {
    std::string type;
    Truth status = Truth::unknown;
    std::string reason;
    std::string message;
    std::int64_t observed_generation = 0;
    WallTime last_transition;
};

/// An ordered set of conditions; a transition time moves only when the status does.
class Conditions {
public:
    void set(std::string_view type, Truth status, std::string_view reason, std::string_view message,
             std::int64_t generation, WallTime now);
    void remove(std::string_view type);
    Condition const* find(std::string_view type) const;
    bool is(std::string_view type, Truth status) const;
    std::vector<Condition> const& all() const { return all_; }
    void add(Condition condition) { all_.push_back(std::move(condition)); }

private:
    std::vector<Condition> all_;
};

/// Flux's Artifact. `digest` is "sha256:<hex>" of the stored tar.gz.
struct Artifact {
    std::string revision;
    std::string digest;
    std::string path;
    std::string url;
    std::uint64_t size = 0;
    WallTime last_update;
    WallTime last_checked;  // when upstream last said that this is still the newest; not part of .status
};

/// One applied object: "<namespace>_<name>_<group>_<kind>" and the API version.
struct InventoryEntry {
    std::string id;
    std::string version;

    auto operator<=>(InventoryEntry const&) const = default;
};

/// Flux's Snapshot: passes with the same outcome over the same manifests are one row.
struct HistoryEntry {
    std::string digest;
    WallTime first_reconciled;
    WallTime last_reconciled;
    Duration last_duration{};
    std::string last_status;
    std::int64_t total = 0;
    std::string revision;
};

struct Status {
    std::int64_t observed_generation = -1;
    Conditions conditions;
    std::string last_handled_reconcile_at;

    std::optional<Artifact> artifact;  // GitRepository
    std::optional<std::string> observed_ignore;

    std::string last_applied_revision;  // Kustomization
    std::string last_attempted_revision;
    std::vector<InventoryEntry> inventory;
    std::vector<HistoryEntry> history;

    json::object extra;  // FluxConfig's own fields, as they stand in .status

    /// Adds a pass to the history: newest first, at most five rows, same digest and status folded.
    void remember(std::string digest, std::string_view outcome, std::string revision, Duration took, WallTime now);
};

/// The five words of Azure's complianceState.
enum class Compliance { compliant, non_compliant, pending, suspended, unknown };

/// "Compliant", "Non-Compliant", "Pending", "Suspended", "Unknown".
std::string_view compliance_name(Compliance state);

/// Ready=True -> compliant, Ready=False -> non_compliant, else pending; suspend wins. A failure that only
/// waits for something else (a dependency, a first artifact) is pending.
Compliance compliance_of(Conditions const& conditions, bool suspend);

/// The worst of both: non_compliant > pending > unknown > suspended > compliant.
Compliance worst(Compliance a, Compliance b);

/// .status as Flux writes it for this kind. Reading what was written gives the same Status.
json::object to_json(Kind kind, Status const& status);
Status read_status(json::object const& status);

/// metav1.Condition list.
json::array to_json(Conditions const& conditions);

}  // namespace holdfast::model
