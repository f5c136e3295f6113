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
        auto const id = kube::id_of(object);
        if (id)
            owned_.vanished(id->text(), std::string{kube::uid_of(object)},
                            std::string{kube::resource_version_of(object)});
    }

    void list_ends() override {
        listing_ = false;
        std::set<std::string> missing;
        for (auto const& [id, known] : owned_.known_) {
            auto const parsed = kube::parse_object_id(id);
            if (!parsed || parsed->group != gvk_.group || parsed->kind != gvk_.kind) continue;
            if (!listed_.contains(id)) missing.insert(id);
        }
        listed_.clear();
        for (std::string const& id : missing) owned_.vanished(id, "", "");
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

OwnedObjects::OwnedObjects(Ports ports, std::size_t watches_max) : ports_(ports), group_(ports.executor, watches_max) {}

OwnedObjects::~OwnedObjects() = default;

Known& OwnedObjects::put(model::Key const& owner, model::OwnedObject const& object) {
    Known* known = known_by(owner, object.entry.id);
    if (known == nullptr) {
        known = &known_.emplace(object.entry.id, Known{.owner = owner, .object = {}})->second;
        by_owner_[owner].push_back(object.entry.id);
    }
    known->object = object;
    return *known;
}

void OwnedObjects::erase(model::Key const& owner, std::string const& id) {
    auto const [begin, end] = known_.equal_range(id);
    for (auto it = begin; it != end; ++it) {
        if (it->second.owner != owner) continue;
        known_.erase(it);
        return;
    }
}

void OwnedObjects::load(model::Key const& owner, std::vector<model::OwnedObject> const& objects) {
    for (model::OwnedObject const& object : objects) {
        put(owner, object);
        if (auto const id = kube::parse_object_id(object.entry.id)) follow(*id, object.entry.version);
    }
}

void OwnedObjects::plan(model::Key const& owner, std::vector<model::OwnedObject> const& objects) {
    for (model::OwnedObject const& object : objects) {
        if (find(owner, object.entry.id) == nullptr) put(owner, object);
    }
}

void OwnedObjects::update(model::Key const& owner, Applied const& applied) {
    Known const* before = find(owner, applied.owned.entry.id);
    if (before != nullptr && before->gone && before->object.uid == applied.owned.uid) {
        // It was never deleted: only the label by which we watch it was taken off.
        auto const drift = std::ranges::find_if(drifts_, [&](Drift const& one) {
            return one.object == applied.id.display() && one.owner == owner && !one.repaired;
        });
        if (drift != drifts_.end()) drift->what = "owner label removed";
    }
    // The watch may have shown a later version than the answer: then what it said of the health stands.
    bool overtaken = false;
    if (auto const pass = in_pass_.find(owner); pass != in_pass_.end()) {
        auto const seen = pass->second.find(applied.owned.entry.id);
        overtaken = seen != pass->second.end() && !seen->second.gone &&
                    is_older(applied.owned.resource_version, seen->second.resource_version);
    }
    Known& known = put(owner, applied.owned);
    known.skipped = applied.action == Action::skipped;
    if (!applied.known) {
        known.gone = false;
        known.drifted = false;
        if (!known.skipped && !overtaken) set_health(known, applied.status);
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
        if (!kept.contains(id)) erase(owner, id);
    }
    ids.assign(kept.begin(), kept.end());
}

void OwnedObjects::forget(model::Key const& owner) {
    auto const found = by_owner_.find(owner);
    if (found == by_owner_.end()) return;
    for (std::string const& id : found->second) erase(owner, id);
    by_owner_.erase(found);
    in_pass_.erase(owner);
}

void OwnedObjects::end_pass(model::Key const& owner) {
    auto const pass = in_pass_.extract(owner);
    if (!pass.empty()) {
        for (auto const& [id, sighting] : pass.mapped()) {
            if (Known* known = known_by(owner, id)) judge(*known, sighting);
        }
    }
    if (has_drift(owner) && listener_) listener_(owner, Change::drift);
}

Known const* OwnedObjects::find(model::Key const& owner, std::string const& id) const {
    auto const [begin, end] = known_.equal_range(id);
    for (auto it = begin; it != end; ++it) {
        if (it->second.owner == owner) return &it->second;
    }
    return nullptr;
}

Known const* OwnedObjects::find_any(std::string const& id) const {
    auto const found = known_.find(id);
    return found == known_.end() ? nullptr : &found->second;
}

Known* OwnedObjects::known_by(model::Key const& owner, std::string const& id) {
    return const_cast<Known*>(find(owner, id));
}

std::vector<Known const*> OwnedObjects::of(model::Key const& owner) const {
    std::vector<Known const*> found;
    auto const ids = by_owner_.find(owner);
    if (ids == by_owner_.end()) return found;
    for (std::string const& id : ids->second) {
        if (Known const* known = find(owner, id)) found.push_back(known);
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
    std::string_view const version = kube::resource_version_of(object);
    auto const [begin, end] = known_.equal_range(id->text());
    for (auto it = begin; it != end; ++it) {
        Known& known = it->second;
        if (known.skipped || is_older(version, known.object.resource_version)) continue;
        if (gvk.group.ends_with(".toolkit.fluxcd.io")) set_ready(known, object);
        if (has_no_status(gvk)) {
            set_health(known, {kube::is_being_deleted(object) ? kube::Health::terminating : kube::Health::current, ""});
        } else {
            set_health(known, kube::status_of(object, ports_.clock.wall()));
        }
        Sighting sighting{.ours = is_owned_by(object, known.owner),
                          .uid = std::string{kube::uid_of(object)},
                          .resource_version = std::string{version},
                          .fields = owned_fields(object),
                          .manager = last_other_manager(object)};
        auto const pass = in_pass_.find(known.owner);
        if (pass == in_pass_.end()) judge(known, sighting);
        else pass->second[it->first] = std::move(sighting);
    }
}

/// Whether what was seen is what was applied. Older sightings than the answer to our own write say nothing.
void OwnedObjects::judge(Known& known, Sighting const& sighting) {
    if (sighting.gone) {
        // In a pass it may have been made again since, as another object.
        bool const another = !sighting.uid.empty() && !known.object.uid.empty() && sighting.uid != known.object.uid;
        if (another || known.object.wished == 0 || is_older(sighting.resource_version, known.object.resource_version))
            return;
        known.gone = true;
        set_health(known, {kube::Health::not_found, "the object is gone"});
        drift(known, "deleted", "");
        return;
    }
    if (is_older(sighting.resource_version, known.object.resource_version)) return;
    bool const same_version = sighting.resource_version == known.object.resource_version;
    known.object.resource_version = sighting.resource_version;
    if (!sighting.ours || same_version || known.object.wished == 0) return;
    bool const replaced = !known.object.uid.empty() && sighting.uid != known.object.uid;
    known.gone = false;
    if (sighting.fields == known.object.fields && !replaced) known.drifted = false;
    else drift(known, replaced ? "replaced" : "changed", sighting.manager);
}

void OwnedObjects::vanished(std::string const& id, std::string uid, std::string resource_version) {
    auto const [begin, end] = known_.equal_range(id);
    for (auto it = begin; it != end; ++it) {
        Known& known = it->second;
        if (known.skipped) continue;
        Sighting sighting{.gone = true, .uid = uid, .resource_version = resource_version};
        // A list that lacks it speaks of the object known now, not of one that this pass makes.
        if (sighting.resource_version.empty()) sighting.uid = known.object.uid;
        auto const pass = in_pass_.find(known.owner);
        if (pass == in_pass_.end()) judge(known, sighting);
        else if (!sighting.uid.empty()) pass->second[id] = std::move(sighting);
    }
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
                    {{"kind", "Kustomization"},
                     {"namespace", known.owner.ns},
                     {"name", known.owner.name},
                     {"object", seen.object},
                     {"what", seen.what},
                     {"manager", seen.manager}});
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
