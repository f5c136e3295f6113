// modules/reconcile/owned.cpp: one watch per applied kind, and what it says about objects that are ours.
#include "modules/reconcile/owned.hpp"

#include "modules/kube/conditions.hpp"
#include "modules/reconcile/owner.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

namespace holdfast::reconcile {

namespace {

constexpr std::size_t kDriftsMax = 100;

/// Versions of one kind are comparable numbers; anything else counts as newer.
bool is_older(std::string_view a, std::string_view b) {
    std::uint64_t left = 0;
    std::uint64_t right = 0;
    auto const x = std::from_chars(a.data(), a.data() + a.size(), left);
    auto const y = std::from_chars(b.data(), b.data() + b.size(), right);
    return x.ec == std::errc{} && y.ec == std::errc{} && left < right;
}

}  // namespace

/// Feeds one kind's events to the table; what a list does not name is gone.
class OwnedObjects::KindWatch final : public kube::WatchHandler {
public:
    KindWatch(OwnedObjects& owned, kube::Cluster& cluster, kube::GroupVersionKind gvk)
        : owned_(owned), gvk_(gvk),
          watcher_(cluster, *this,
                   {.gvk = gvk, .label_selector = std::string{kOwnerName}, .metadata_only = has_no_status(gvk)}) {}

    void list_begins() override {
        listed_.clear();
        listing_ = true;
    }

    void changed(kube::Object object) override {
        // A metadata-only watch answers with PartialObjectMetadata: the kind is the watch's.
        object["apiVersion"] = gvk_.api_version();
        object["kind"] = gvk_.kind;
        if (listing_) {
            if (auto const id = kube::id_of(object)) listed_.insert(id->text());
        }
        owned_.seen(gvk_, object);
    }

    void deleted(kube::Object object) override {
        object["apiVersion"] = gvk_.api_version();
        object["kind"] = gvk_.kind;
        if (auto const id = kube::id_of(object)) owned_.vanished(id->text());
    }

    void list_ends() override {
        listing_ = false;
        std::vector<std::string> missing;
        for (auto const& [id, known] : owned_.known_) {
            auto const parsed = kube::parse_object_id(id);
            if (!parsed || parsed->group != gvk_.group || parsed->kind != gvk_.kind) continue;
            if (known.object.wished != 0 && !listed_.contains(id)) missing.push_back(id);
        }
        listed_.clear();
        for (std::string const& id : missing) owned_.vanished(id);
    }

    asio::awaitable<void> run() { return watcher_.run(); }
    kube::Watcher::State const& state() const { return watcher_.state(); }

private:
    OwnedObjects& owned_;
    kube::GroupVersionKind gvk_;
    std::set<std::string> listed_;
    bool listing_ = false;
    kube::Watcher watcher_;
};

OwnedObjects::OwnedObjects(Ports ports, std::size_t watches_max)
    : ports_(ports), group_(ports.executor, watches_max) {}

OwnedObjects::~OwnedObjects() = default;

Known& OwnedObjects::put(model::Key const& owner, model::OwnedObject const& object) {
    auto const [slot, is_new] = known_.try_emplace(object.entry.id);
    if (is_new || slot->second.owner != owner) {
        if (!is_new) std::erase(by_owner_[slot->second.owner], object.entry.id);
        by_owner_[owner].push_back(object.entry.id);
        slot->second.owner = owner;
    }
    slot->second.object = object;
    return slot->second;
}

void OwnedObjects::erase(std::string const& id) { known_.erase(id); }

void OwnedObjects::load(model::Key const& owner, std::vector<model::OwnedObject> const& objects) {
    for (model::OwnedObject const& object : objects) {
        put(owner, object);
        if (auto const id = kube::parse_object_id(object.entry.id)) follow(*id, object.entry.version);
    }
}

void OwnedObjects::update(model::Key const& owner, Applied const& applied) {
    auto const before = known_.find(applied.owned.entry.id);
    // The watch may have shown a later version than the answer: then what it said stands.
    bool const overtaken = before != known_.end() && before->second.object.uid == applied.owned.uid &&
                           is_older(applied.owned.resource_version, before->second.object.resource_version);
    std::string const later = overtaken ? before->second.object.resource_version : "";
    if (before != known_.end() && before->second.gone && before->second.object.uid == applied.owned.uid) {
        // It was never deleted: only the label by which we watch it was taken off.
        auto const drift = std::ranges::find_if(drifts_, [&](Drift const& one) {
            return one.object == applied.id.display() && one.owner == owner && !one.repaired;
        });
        if (drift != drifts_.end()) drift->what = "owner label removed";
    }
    Known& known = put(owner, applied.owned);
    if (overtaken) known.object.resource_version = later;
    known.skipped = applied.action == Action::skipped;
    if (!applied.known && !overtaken) {
        known.gone = false;
        known.drifted = false;
        if (!known.skipped) set_health(known, applied.status);
    }
    if (!known.skipped) follow(applied.id, applied.owned.entry.version);
}

void OwnedObjects::replace(model::Key const& owner, std::vector<Applied> const& applied,
                           std::vector<model::OwnedObject> const& survivors) {
    std::set<std::string> kept;
    for (Applied const& one : applied) {
        update(owner, one);
        kept.insert(one.owned.entry.id);
    }
    for (model::OwnedObject const& one : survivors) {
        put(owner, one);
        kept.insert(one.entry.id);
    }
    auto& ids = by_owner_[owner];
    for (std::string const& id : ids) {
        if (!kept.contains(id)) erase(id);
    }
    ids.assign(kept.begin(), kept.end());
}

void OwnedObjects::forget(model::Key const& owner) {
    auto const found = by_owner_.find(owner);
    if (found == by_owner_.end()) return;
    for (std::string const& id : found->second) erase(id);
    by_owner_.erase(found);
    in_pass_.erase(owner);
}

void OwnedObjects::end_pass(model::Key const& owner) {
    in_pass_.erase(owner);
    if (has_drift(owner) && listener_) listener_(owner, Change::drift);
}

Known const* OwnedObjects::find(std::string const& id) const {
    auto const found = known_.find(id);
    return found == known_.end() ? nullptr : &found->second;
}

std::vector<Known const*> OwnedObjects::of(model::Key const& owner) const {
    std::vector<Known const*> found;
    auto const ids = by_owner_.find(owner);
    if (ids == by_owner_.end()) return found;
    for (std::string const& id : ids->second) {
        if (Known const* known = find(id)) found.push_back(known);
    }
    return found;
}

bool OwnedObjects::has_drift(model::Key const& owner) const {
    return std::ranges::any_of(of(owner), [](Known const* one) { return one->drifted; });
}

void OwnedObjects::follow(kube::ObjectId const& id, std::string const& version) {
    if (ports_.cluster == nullptr) return;
    // One watch per kind, whatever versions of it are applied: the first one's version serves all.
    for (auto const& [gvk, watch] : watches_) {
        if (gvk.group == id.group && gvk.kind == id.kind) return;
    }
    kube::GroupVersionKind const gvk{id.group, version, id.kind};
    auto watch = std::make_unique<KindWatch>(*this, *ports_.cluster, gvk);
    auto started = group_.start("watch " + gvk.kind, watch->run());
    if (!started) {
        ports_.log.error("reconcile", "kind is not watched: drift and health are only seen at the interval",
                         {{"kind", gvk.kind}, {"error", started.error().message}});
        return;
    }
    watches_.emplace(gvk, std::move(watch));
}

void OwnedObjects::seen(kube::GroupVersionKind const& gvk, kube::Object const& object) {
    auto const id = kube::id_of(object);
    if (!id) return;
    auto const found = known_.find(id->text());
    if (found == known_.end() || found->second.skipped) return;
    Known& known = found->second;
    std::string_view const version = kube::resource_version_of(object);
    if (is_older(version, known.object.resource_version)) return;
    if (gvk.group.ends_with(".toolkit.fluxcd.io")) set_ready(known, object);
    bool const ours = is_owned_by(object, known.owner);
    bool const same_version = version == known.object.resource_version;
    known.object.resource_version = version;
    if (has_no_status(gvk)) {
        set_health(known, {kube::is_being_deleted(object) ? kube::Health::terminating : kube::Health::current, ""});
    } else {
        set_health(known, kube::status_of(object, ports_.clock.wall()));
    }
    if (!ours || same_version || in_pass_.contains(known.owner) || known.object.wished == 0) return;
    std::uint64_t const fields = owned_fields(object);
    bool const replaced = !known.object.uid.empty() && kube::uid_of(object) != known.object.uid;
    if (fields == known.object.fields && !replaced) {
        known.gone = false;
        known.drifted = false;
        return;
    }
    known.gone = false;
    drift(known, replaced ? "replaced" : "changed", last_other_manager(object));
}

void OwnedObjects::vanished(std::string const& id) {
    auto const found = known_.find(id);
    if (found == known_.end() || found->second.skipped) return;
    Known& known = found->second;
    // In a pass the pass itself may have deleted it (prune, re-creation): its report says what is left.
    if (in_pass_.contains(known.owner)) return;
    known.gone = true;
    set_health(known, {kube::Health::not_found, "the object is gone"});
    drift(known, "deleted", "");
}

void OwnedObjects::set_health(Known& known, kube::ObjectStatus const& status) {
    bool const changed = known.health != status.health;
    known.health = status.health;
    known.message = status.health == kube::Health::current ? std::string{} : status.message;
    if (changed && listener_) listener_(known.owner, Change::health);
}

void OwnedObjects::set_ready(Known& known, kube::Object const& object) {
    auto const condition = kube::find_condition(kube::conditions_of(object), "Ready");
    model::Truth const ready = !condition || condition->status == "Unknown" ? model::Truth::unknown
                               : condition->status == "True"                ? model::Truth::yes
                                                                            : model::Truth::no;
    if (std::exchange(known.ready, ready) != ready && listener_) listener_(known.owner, Change::health);
}

void OwnedObjects::drift(Known& known, std::string what, std::string manager) {
    bool const first = !std::exchange(known.drifted, true);
    if (!first) return;
    auto const id = kube::parse_object_id(known.object.entry.id);
    Drift seen{.owner = known.owner,
               .object = id ? id->display() : known.object.entry.id,
               .what = std::move(what),
               .manager = std::move(manager),
               .seen = ports_.clock.wall()};
    ports_.log.info("reconcile", "drift seen",
                    {{"kind", "Kustomization"}, {"namespace", known.owner.ns}, {"name", known.owner.name},
                     {"object", seen.object}, {"what", seen.what}, {"manager", seen.manager}});
    drifts_.insert(drifts_.begin(), std::move(seen));
    if (drifts_.size() > kDriftsMax) drifts_.pop_back();
    if (listener_) listener_(known.owner, Change::drift);
}

void OwnedObjects::mark_repaired(model::Key const& owner) {
    for (Drift& one : drifts_) {
        if (one.owner == owner) one.repaired = true;
    }
}

std::vector<OwnedObjects::WatchState> OwnedObjects::watches() const {
    std::vector<WatchState> states;
    for (auto const& [gvk, watch] : watches_) {
        WatchState state{gvk, watch->state()};
        for (auto const& [id, known] : known_) {
            if (id.ends_with("_" + gvk.group + "_" + gvk.kind)) ++state.objects;
        }
        states.push_back(std::move(state));
    }
    return states;
}

asio::awaitable<void> OwnedObjects::stop() {
    group_.cancel();
    co_await group_.join();
}

}  // namespace holdfast::reconcile
