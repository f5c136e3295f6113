// modules/reconcile/owned.hpp: what is known of every applied object, kept true by watches.
// About 200 bytes an object: id, version, digests, health. Used from the event loop.
#pragma once

#include "modules/base/clock.hpp"
#include "modules/base/log.hpp"
#include "modules/base/task_group.hpp"
#include "modules/kube/kstatus.hpp"
#include "modules/kube/watcher.hpp"
#include "modules/model/journal.hpp"
#include "modules/model/registry.hpp"
#include "modules/reconcile/apply.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace holdfast::reconcile {

/// Somebody else's change of an applied object.
struct Drift {
    model::Key owner;
    std::string object;   // "Deployment/apps/web"
    std::string what;     // "deleted", "changed", "replaced", "owner label removed"
    std::string manager;  // "kubectl-edit (Update)"; empty when unknown
    model::WallTime seen;
    bool repaired = false;
};

/// One object as the watch last showed it.
struct Known {
    model::Key owner;
    model::OwnedObject object;
    kube::Health health = kube::Health::unknown;
    std::string message;                         // of an unhealthy object
    bool gone = false;                           // deleted, or its owner label taken off
    bool drifted = false;                        // gone, or a field of ours taken
    bool skipped = false;                        // applied by nobody: reconcile disabled, ssa ignore
    model::Truth ready = model::Truth::unknown;  // condition Ready of a Flux object
};

class OwnedObjects {
public:
    struct Ports {
        asio::any_io_executor executor;
        kube::Cluster* cluster;  // null: nothing is watched
        Log const& log;
        Clock const& clock;
    };
    enum class Change { drift, health };
    using Listener = std::function<void(model::Key const& owner, Change change)>;

    OwnedObjects(Ports ports, std::size_t watches_max);
    ~OwnedObjects();

    /// Set once, before anything else.
    void listen(Listener listener) { listener_ = std::move(listener); }

    /// What the journal knows of an owner, at start. Starts the watches that these objects need.
    /// An object that two owners name is known once for each: which of them has it, its label says.
    void load(model::Key const& owner, std::vector<model::OwnedObject> const& objects);

    /// What a pass is about to write (wished = 0): known until replace() says what came of it, whatever becomes of the pass.
    void plan(model::Key const& owner, std::vector<model::OwnedObject> const& objects);

    /// After a pass: exactly these objects are the owner's.
    void replace(model::Key const& owner, std::vector<Applied> const& applied,
                 std::vector<model::OwnedObject> const& survivors);

    /// What one apply of a pass that failed later has changed.
    void update(model::Key const& owner, Applied const& applied);

    void forget(model::Key const& owner);

    /// While a pass applies, its own writes come back through the watch before their answers do: what the watch says
    /// of the owner's objects is kept, and judged when the pass has ended.
    void begin_pass(model::Key const& owner) { in_pass_[owner].clear(); }
    void end_pass(model::Key const& owner);

    /// As this owner knows it; null when it does not.
    Known const* find(model::Key const& owner, std::string const& id) const;
    /// As somebody knows it; null when nobody does.
    Known const* find_any(std::string const& id) const;
    std::vector<Known const*> of(model::Key const& owner) const;
    bool has_drift(model::Key const& owner) const;

    /// Newest first, at most 100.
    std::vector<Drift> const& drifts() const { return drifts_; }
    void mark_repaired(model::Key const& owner);

    /// "apps/v1 Deployment": what is watched, whether it is synced, and how long ago the server spoke.
    struct WatchState {
        kube::GroupVersionKind gvk;
        kube::Watcher::State state;
        std::size_t objects = 0;
    };
    std::vector<WatchState> watches() const;
    std::size_t size() const { return known_.size(); }

    asio::awaitable<void> stop();

private:
    class KindWatch;
    friend class KindWatch;

    /// What a watch said of one object, last.
    struct Sighting {
        bool gone = false;
        bool ours = false;  // its label names the owner
        std::string uid;
        std::string resource_version;  // empty: a list without it
        std::uint64_t fields = 0;
        std::string manager;
    };

    Known* known_by(model::Key const& owner, std::string const& id);
    Known& put(model::Key const& owner, model::OwnedObject const& object);
    void erase(model::Key const& owner, std::string const& id);
    void judge(Known& known, Sighting const& sighting);
    void follow(kube::ObjectId const& id, std::string const& version);
    void seen(kube::GroupVersionKind const& gvk, kube::Object const& object);
    void vanished(std::string const& id, std::string uid, std::string resource_version);
    void set_health(Known& known, kube::ObjectStatus const& status);
    void set_ready(Known& known, kube::Object const& object);
    void drift(Known& known, std::string what, std::string manager);

    Ports ports_;
    TaskGroup group_;
    Listener listener_;
    std::unordered_multimap<std::string, Known> known_;  // by id; one per owner
    std::map<model::Key, std::vector<std::string>> by_owner_;
    std::map<model::Key, std::map<std::string, Sighting>> in_pass_;  // by id: the last sighting since the pass began
    std::map<kube::GroupVersionKind, std::unique_ptr<KindWatch>> watches_;
    std::vector<Drift> drifts_;
};

}  // namespace holdfast::reconcile
