// modules/rollout/owned.cpp: one watch per applied kind, what it says about objects that are ours, and when to act on it.
#include "modules/rollout/owned.hpp"

#include "modules/base/hash.hpp"
#include "modules/kube/conditions.hpp"
#include "modules/rollout/cleanup.hpp"
#include "modules/rollout/marks.hpp"
#include "modules/rollout/place.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::rollout {

namespace {

namespace json = boost::json;
using std::chrono::seconds;

constexpr std::size_t kDriftsMax = 100;
constexpr std::size_t kSightingsMax = 32;         // of one object in one pass: its last versions are what matters
constexpr std::size_t kForeignItemsMax = 50'000;  // listed of one kind by a server that an object of the cluster names
constexpr seconds kAskAfter{1};                   // of doubt: a watch is rarely that far behind
constexpr seconds kAwaitMax{30};                  // for the watch to show our own write
constexpr std::chrono::milliseconds kHealthPauseMin{20};  // between passes because of health
constexpr seconds kHealthPauseMax{1};
constexpr seconds kHealthQuiet{5};
constexpr seconds kFirstDelay{1};
constexpr seconds kIntervalDefault{600};

/// A Job that has come to its end, or that has a time-to-live, may go by itself: that is no change by anybody.
bool may_go(kube::GroupVersionKind const& gvk, kube::Object const& object) {
    if (gvk.kind != "Job" || gvk.group != "batch") return false;
    if (kube::find_integer(object, {"spec", "ttlSecondsAfterFinished"})) return true;
    json::array const& conditions = kube::conditions_of(object);
    for (std::string_view const type : {"Complete", "Failed"}) {
        auto const found = kube::find_condition(conditions, type);
        if (found && found->status == "True") return true;
    }
    return false;
}

/// Condition Ready of a Flux object; unknown for all others.
model::Truth ready_of(kube::Object const& object) {
    if (kube::find_string(object, {"apiVersion"}).find(".toolkit.fluxcd.io/") == std::string_view::npos)
        return model::Truth::unknown;
    auto const condition = kube::find_condition(kube::conditions_of(object), "Ready");
    if (!condition || condition->status == "Unknown") return model::Truth::unknown;
    return condition->status == "True" ? model::Truth::yes : model::Truth::no;
}

}  // namespace

/// Feeds one kind's events to the table; what a list does not name is gone.
class OwnedObjects::KindWatch final : public kube::WatchHandler {
public:
    KindWatch(OwnedObjects& owned, Location location, std::string ns, std::string label, kube::GroupVersionKind gvk)
        : owned_(owned), location_(std::move(location)), ns_(std::move(ns)), gvk_(gvk),
          group_(owned.ports_.executor, 1),
          watcher_(location_.watcher ? *location_.watcher : *owned.ports_.cluster, *this,
                   {.gvk = gvk,
                    .label_selector = std::move(label),
                    .metadata_only = has_no_status(gvk),
                    .any_version = true,
                    .items_max = location_.is_own() ? 0 : kForeignItemsMax}) {}

    void list_begins() override {
        listed_.clear();
        listing_ = ++owned_.moments_;
    }

    void changed(kube::Object object) override {
        // A metadata-only watch answers with PartialObjectMetadata: the kind is the watch's.
        object["apiVersion"] = gvk_.api_version();
        object["kind"] = gvk_.kind;
        if (listing_ != 0) {
            if (auto const id = kube::id_of(object)) listed_.push_back(hash64(id->text()));
        }
        owned_.seen(*this, object, listing_);
    }

    void deleted(kube::Object object) override {
        object["apiVersion"] = gvk_.api_version();
        object["kind"] = gvk_.kind;
        auto const id = kube::id_of(object);
        if (id)
            owned_.vanished(*this, id->text(), std::string{kube::uid_of(object)},
                            std::string{kube::resource_version_of(object)}, 0);
    }

    void list_ends() override {
        auto const listed_at = std::exchange(listing_, 0);
        std::ranges::sort(listed_);
        std::set<std::string> missing;
        for (std::string const& id : ids_) {
            if (!std::ranges::binary_search(listed_, hash64(id))) missing.insert(id);
        }
        listed_ = {};
        for (std::string const& id : missing) owned_.vanished(*this, id, "", "", listed_at);
    }

    /// Whose objects are of this kind hears that it has to ask for itself.
    void unwatchable(Error error) override {
        static_cast<void>(error);
        tell_owners();
    }

    void tell_owners() {
        std::set<Owner> owners;
        for (std::string const& id : ids_) {
            auto const [begin, end] = owned_.known_.equal_range(id);
            for (auto it = begin; it != end; ++it) {
                if (owned_.sees(*this, it->second.owner)) owners.insert(it->second.owner);
            }
        }
        for (Owner const& owner : owners) owned_.tell(owner, Change::health);
    }

    /// Credentials may have been renewed where their owner looks for them.
    void unauthorized() override {
        if (!location_.is_own()) tell_owners();
    }

    void add(std::string const& id) { ids_.insert(id); }
    void remove(std::string const& id) { ids_.erase(id); }
    std::size_t size() const { return ids_.size(); }

    Result<void> start() { return group_.start("watch " + gvk_.kind, watcher_.run()); }
    void cancel() { group_.cancel(); }
    bool has_ended() const { return group_.size() == 0; }
    asio::awaitable<void> join() { return group_.join(); }
    kube::Watcher::State const& state() const { return watcher_.state(); }
    kube::GroupVersionKind const& gvk() const { return gvk_; }
    std::string const& ns() const { return ns_; }
    Location const& location() const { return location_; }

private:
    OwnedObjects& owned_;
    Location location_;
    std::string ns_;  // of whose first object of this kind it was: charged for the place
    kube::GroupVersionKind gvk_;
    std::set<std::string> ids_;          // of known objects of this kind
    std::vector<std::uint64_t> listed_;  // hashes of ids: a list may name many that nobody here knows
    std::uint64_t listing_ = 0;          // which moment the list began; 0: none is under way
    TaskGroup group_;
    kube::Watcher watcher_;
};

OwnedObjects::OwnedObjects(Ports ports, std::size_t watches_max)
    : ports_(ports), asking_(ports.executor, 1), places_(watches_max) {}

OwnedObjects::~OwnedObjects() = default;

void OwnedObjects::tell(Owner const& owner, Change change, Boot in) {
    if (!listener_) return;
    if (change == Change::health) in = std::max(in, pause_of_health(owner));
    listener_(owner, change, in);
}

/// At once, then with growing pauses until it was quiet for a while: an object may come and go a hundred times a second.
Boot OwnedObjects::pause_of_health(Owner const& owner) {
    auto const now = ports_.clock.boot();
    HealthPace& pace = health_paces_[owner];
    if (now >= pace.next + kHealthQuiet) pace = {};
    if (now < pace.next) return pace.next - now;
    pace.delay = std::clamp<Boot>(2 * pace.delay, kHealthPauseMin, kHealthPauseMax);
    pace.next = now + pace.delay;
    return {};
}

Boot OwnedObjects::interval_of(Owner const& owner) const {
    auto const found = intervals_.find(owner);
    return found == intervals_.end() ? Boot{kIntervalDefault} : found->second;
}

Known& OwnedObjects::put(Owner const& owner, model::OwnedObject const& object) {
    Known* known = known_by(owner, object.entry.id);
    if (known == nullptr) {
        known = &known_.emplace(object.entry.id, Known{.owner = owner, .object = {}})->second;
        by_owner_[owner].push_back(object.entry.id);
        unhealthy_[owner].insert(object.entry.id);  // until something is known of it
    }
    known->object = object;
    return *known;
}

void OwnedObjects::erase(Owner const& owner, std::string const& id) {
    if (auto const drifted = drifted_.find(owner); drifted != drifted_.end()) drifted->second.erase(id);
    if (auto const unhealthy = unhealthy_.find(owner); unhealthy != unhealthy_.end()) unhealthy->second.erase(id);
    if (auto const doubts = doubts_.find(owner); doubts != doubts_.end()) doubts->second.erase(id);
    auto const [begin, end] = known_.equal_range(id);
    for (auto it = begin; it != end; ++it) {
        if (it->second.owner != owner) continue;
        known_.erase(it);
        break;
    }
    unfollow(owner, id);
}

void OwnedObjects::unfollow(Owner const& owner, std::string const& id) {
    auto const parsed = kube::parse_object_id(id);
    if (!parsed) return;
    auto const watch = watches_.find(key_of(location_of(owner), owner, *parsed));
    if (watch != watches_.end()) drop_unneeded(*watch->second, id);
}

void OwnedObjects::drop_unneeded(KindWatch& watch, std::string const& id) {
    auto const [begin, end] = known_.equal_range(id);
    bool const needed = std::any_of(begin, end, [&](auto const& row) { return sees(watch, row.second.owner); });
    if (!needed) watch.remove(id);
}

Location const& OwnedObjects::location_of(Owner const& owner) const {
    static Location const kOwn;
    auto const found = locations_.find(owner);
    return found == locations_.end() ? kOwn : found->second;
}

OwnedObjects::KindKey OwnedObjects::key_of(Location const& location, Owner const& owner, kube::ObjectId const& id) {
    return {location.connection, std::string{owner.label_group()}, id.group, id.kind};
}

/// Objects of two clusters may have the same id: a watch speaks of those of its own.
bool OwnedObjects::sees(KindWatch const& watch, Owner const& owner) const {
    return location_of(owner).connection == watch.location().connection;
}

void OwnedObjects::set_location(Owner const& owner, Location location) {
    auto const [found, is_new] = locations_.try_emplace(owner, location);
    if (is_new) return;
    Location const before = std::exchange(found->second, std::move(location));
    if (before.connection == found->second.connection) return;
    auto const ids = by_owner_.find(owner);
    if (ids == by_owner_.end()) return;
    for (std::string const& text : ids->second) {
        auto const id = kube::parse_object_id(text);
        auto const watch = id ? watches_.find(key_of(before, owner, *id)) : watches_.end();
        if (watch != watches_.end()) drop_unneeded(*watch->second, text);
    }
    for (std::string const& text : ids->second) {
        auto const id = kube::parse_object_id(text);
        Known const* known = find(owner, text);
        bool const applied = id && known != nullptr && !known->skipped && known->object.wished != 0;
        if (applied) follow(owner, *id, known->object.entry.version);
    }
    end_idle_watches();  // they have other credentials
}

void OwnedObjects::load(Owner const& owner, std::vector<model::OwnedObject> const& objects) {
    for (model::OwnedObject const& object : objects) put(owner, object);
}

void OwnedObjects::watch(Owner const& owner, std::string const& id) {
    Known const* known = find(owner, id);
    auto const parsed = kube::parse_object_id(id);
    if (known != nullptr && parsed) follow(owner, *parsed, known->object.entry.version);
}

void OwnedObjects::plan(Owner const& owner, std::vector<model::OwnedObject> const& objects) {
    for (model::OwnedObject const& object : objects) {
        if (find(owner, object.entry.id) == nullptr) put(owner, object);
    }
}

void OwnedObjects::rename(Owner const& owner, std::string const& from, std::string const& to) {
    Known const* known = find(owner, from);
    if (known == nullptr || from == to) return;
    model::OwnedObject object = known->object;
    object.entry.id = to;
    erase(owner, from);
    auto& ids = by_owner_[owner];
    auto const place = std::ranges::find(ids, from);
    if (find(owner, to) != nullptr) {
        ids.erase(place);
        return;
    }
    *place = to;  // an inventory of thousands is renamed row by row
    known_.emplace(to, Known{.owner = owner, .object = object});
    unhealthy_[owner].insert(to);
}

std::size_t OwnedObjects::planned() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(known_, [](auto const& row) { return row.second.object.wished == 0; }));
}

void OwnedObjects::update(Owner const& owner, Applied const& applied) {
    std::string const& id = applied.owned.entry.id;
    Known const* before = find(owner, id);
    if (before != nullptr && before->gone && before->object.uid == applied.owned.uid) {
        // It was never deleted: only the label by which we watch it was taken off.
        auto const drift = std::ranges::find_if(drifts_, [&](Drift const& one) {
            return one.object == applied.id.display() && one.owner == owner && !one.repaired;
        });
        if (drift != drifts_.end()) drift->what = "owner label removed";
    }
    Known& known = put(owner, applied.owned);
    known.skipped = applied.action == Action::skipped;
    if (!known.skipped) follow(owner, applied.id, applied.owned.entry.version);
    if (applied.known) return;
    bool const was_drifted = known.drifted;
    known.gone = false;
    known.taken = false;
    undrift(known);
    if (known.skipped) {
        set_health(known, {kube::Health::current, ""});
        return;
    }
    if (was_drifted) repaired(known);
    // What the watch showed since the pass began is older than our write, up to the version that we wrote.
    known.may_go = false;
    known.awaited = applied.owned.resource_version;
    known.awaited_until = ports_.clock.boot() + kAwaitMax;
    known.awaited_at = ++moments_;
    if (known.seen_version == known.awaited) known.awaited.clear();
    if (auto const pass = in_pass_.find(owner); pass != in_pass_.end()) {
        auto const seen = pass->second.find(id);
        if (seen != pass->second.end()) {
            auto& sightings = seen->second;
            auto const own = std::ranges::find_if(sightings, [&](Sighting const& one) {
                return !one.gone && one.resource_version == applied.owned.resource_version;
            });
            if (own != sightings.end()) {
                known.awaited.clear();
                sightings.erase(sightings.begin(), own + 1);
            }
        }
    }
    set_health(known, applied.status);
}

void OwnedObjects::replace(Owner const& owner, std::vector<Applied> const& applied,
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

void OwnedObjects::remove(Owner const& owner, std::string const& id) {
    auto const parsed = kube::parse_object_id(id);
    std::erase_if(drifts_, [&](Drift const& one) {
        return one.owner == owner && parsed && one.object == parsed->display() && !one.repaired;
    });
    erase(owner, id);
    if (auto const ids = by_owner_.find(owner); ids != by_owner_.end()) std::erase(ids->second, id);
}

void OwnedObjects::forget(Owner const& owner) {
    intervals_.erase(owner);
    in_pass_.erase(owner);
    auto const found = by_owner_.find(owner);
    if (found == by_owner_.end()) {
        locations_.erase(owner);
        return;
    }
    for (std::string const& id : found->second) erase(owner, id);
    locations_.erase(owner);
    by_owner_.erase(found);
    drifted_.erase(owner);
    unhealthy_.erase(owner);
    health_paces_.erase(owner);
    doubts_.erase(owner);
    std::erase_if(drifts_, [&](Drift const& one) { return one.owner == owner; });
}

void OwnedObjects::forget_cluster() {
    std::erase_if(doubts_, [this](auto const& one) { return location_of(one.first).is_own(); });
    for (auto& [id, known] : known_) {
        if (!location_of(known.owner).is_own()) continue;
        known.object.uid.clear();
        known.object.wished = 0;
        known.object.fields = 0;
        known.seen_version.clear();
        known.awaited.clear();
    }
}

void OwnedObjects::end_pass(Owner const& owner) {
    auto pass = in_pass_.extract(owner);
    if (pass.empty()) return;
    for (auto& [id, sightings] : pass.mapped()) {
        Known* known = known_by(owner, id);
        if (known == nullptr) continue;
        for (Sighting& one : sightings) take(*known, std::move(one));
    }
}

void OwnedObjects::settle_doubts() {
    auto const now = ports_.clock.boot();
    for (auto& [owner, doubts] : doubts_) {
        for (auto it = doubts.begin(); it != doubts.end();) {
            Known* known = known_by(owner, it->first);
            if (known != nullptr && !known->awaited.empty() && known->awaited_until > now) {
                ++it;
                continue;
            }
            Sighting const sighting = std::move(it->second);
            it = doubts.erase(it);
            if (known == nullptr) continue;
            known->awaited.clear();
            judge(*known, sighting);
        }
    }
    std::erase_if(doubts_, [](auto const& one) { return one.second.empty(); });
}

Known const* OwnedObjects::find(Owner const& owner, std::string const& id) const {
    auto const [begin, end] = known_.equal_range(id);
    for (auto it = begin; it != end; ++it) {
        if (it->second.owner == owner) return &it->second;
    }
    return nullptr;
}

Known* OwnedObjects::known_by(Owner const& owner, std::string const& id) { return const_cast<Known*>(find(owner, id)); }

std::vector<Known const*> OwnedObjects::of(Owner const& owner) const {
    std::vector<Known const*> found;
    auto const ids = by_owner_.find(owner);
    if (ids == by_owner_.end()) return found;
    for (std::string const& id : ids->second) {
        if (Known const* known = find(owner, id)) found.push_back(known);
    }
    return found;
}

std::optional<Boot> OwnedObjects::repair_due(Owner const& owner) const {
    auto const drifted = drifted_.find(owner);
    if (drifted == drifted_.end() || drifted->second.empty()) return std::nullopt;
    Boot earliest = Boot::max();
    for (std::string const& id : drifted->second) {
        if (Known const* known = find(owner, id)) earliest = std::min(earliest, known->due);
    }
    return std::max(earliest - ports_.clock.boot(), Boot{});
}

std::set<std::string> const& OwnedObjects::unhealthy(Owner const& owner) const {
    static std::set<std::string> const kNone;
    auto const found = unhealthy_.find(owner);
    return found == unhealthy_.end() ? kNone : found->second;
}

void OwnedObjects::follow(Owner const& owner, kube::ObjectId const& id, std::string const& version) {
    Location const& location = location_of(owner);
    if (!can_watch(location)) return;
    // One watch per kind, whatever versions of it are applied: the first one's version serves all.
    KindKey const key = key_of(location, owner, id);
    auto const present = watches_.find(key);
    if (present != watches_.end()) {
        present->second->add(id.text());
        return;
    }
    std::string const& ns = owner.key.ns;
    if (!places_.may_take(ns)) end_idle_watches();
    if (!places_.may_take(ns)) return;  // unwatched() says so
    kube::GroupVersionKind const gvk{id.group, version, id.kind};
    auto watch = std::make_unique<KindWatch>(*this, location, ns, owner.name_label(), gvk);
    auto started = watch->start();
    if (!started) return;
    watch->add(id.text());
    places_.take(ns);
    watches_.emplace(key, std::move(watch));
}

void OwnedObjects::end_idle_watches() {
    for (auto it = watches_.begin(); it != watches_.end();) {
        if (it->second->size() > 0) {
            ++it;
            continue;
        }
        it->second->cancel();
        places_.give_back(it->second->ns());
        ending_.push_back(std::move(it->second));
        it = watches_.erase(it);
    }
    std::erase_if(ending_, [](auto const& watch) { return watch->has_ended(); });
}

OwnedObjects::KindWatch const* OwnedObjects::watch_of(Owner const& owner, kube::ObjectId const& id) const {
    auto const found = watches_.find(key_of(location_of(owner), owner, id));
    return found == watches_.end() ? nullptr : found->second.get();
}

bool OwnedObjects::is_watched(Owner const& owner, kube::ObjectId const& id) const {
    KindWatch const* watch = watch_of(owner, id);
    return watch != nullptr && !watch->state().refused;
}

std::string OwnedObjects::too_many(Owner const& owner) const {
    std::string const all = std::to_string(places_.whole());
    if (places_.is_full()) return "too many kinds are watched: all " + all + " places are taken";
    return "too many kinds are watched for namespace '" + owner.key.ns + "': it has its share of " + all + " places";
}

std::vector<std::string> OwnedObjects::unwatched(Owner const& owner) const {
    if (!can_watch(location_of(owner))) return {};
    std::map<std::string, std::string> kinds;
    auto const ids = by_owner_.find(owner);
    if (ids == by_owner_.end()) return {};
    for (std::string const& text : ids->second) {
        auto const id = kube::parse_object_id(text);
        Known const* known = find(owner, text);
        if (!id || known == nullptr || known->skipped) continue;
        KindWatch const* watch = watch_of(owner, *id);
        if (watch == nullptr) kinds[id->kind] = too_many(owner);
        else if (watch->state().refused) kinds[id->kind] = watch->state().last_error;
    }
    std::vector<std::string> texts;
    for (auto const& [kind, why] : kinds) texts.push_back(kind + ": " + why);
    return texts;
}

bool OwnedObjects::is_followed(Owner const& owner) const {
    auto const ids = by_owner_.find(owner);
    if (ids == by_owner_.end()) return false;
    return std::ranges::all_of(ids->second, [&](std::string const& text) {
        auto const id = kube::parse_object_id(text);
        KindWatch const* watch = id ? watch_of(owner, *id) : nullptr;
        return watch == nullptr || watch->state().synced || watch->state().refused;
    });
}

asio::awaitable<void> OwnedObjects::look_up(Owner owner) {
    std::vector<std::string> ids;
    if (auto const found = by_owner_.find(owner); found != by_owner_.end()) ids = found->second;
    for (std::string const& text : ids) {
        auto const id = kube::parse_object_id(text);
        Known const* known = find(owner, text);
        if (!id || known == nullptr || known->skipped) continue;
        if (is_watched(owner, *id)) continue;
        co_await look_at(owner, text);
    }
}

/// What an object shows to whoever looks: read once for all who have it in their inventory.
class OwnedObjects::Look {
public:
    Look(kube::GroupVersionKind const& gvk, kube::Object const& object, std::uint64_t listed_at,
         std::chrono::system_clock::time_point now)
        : object_{object}, common_{.listed_at = listed_at,
                                   .ready = ready_of(object),
                                   .may_go = may_go(gvk, object),
                                   .uid = std::string{kube::uid_of(object)},
                                   .resource_version = std::string{kube::resource_version_of(object)}} {
        if (!has_no_status(gvk)) common_.status = kube::status_of(object, now);
        else common_.status.health = kube::is_being_deleted(object) ? kube::Health::terminating : kube::Health::current;
    }

    /// In  others  an owner that the labels name has it in its inventory
    Sighting by(Owner const& owner, bool others) {
        bool const merges = is_marked(object_, owner, "ssa", "merge");
        Sighting sighting = of_manager(owner.manager());
        sighting.ours = is_owned_by(object_, owner);
        sighting.others = !sighting.ours && others;
        sighting.alone = is_left_alone(object_, owner);
        sighting.foreign = sighting.foreign && !merges;
        sighting.restarts = sighting.restarts && !merges;
        return sighting;
    }

private:
    Sighting const& of_manager(std::string_view manager) {
        auto const [found, is_new] = by_manager_.try_emplace(manager, common_);
        if (is_new) {
            Sighting& sighting = found->second;
            sighting.foreign = needs_cleanup(object_, manager);
            sighting.restarts = only_restarts(object_, manager);
            sighting.fields = owned_fields(object_, manager);
            sighting.manager = last_other_manager(object_, manager);
        }
        return found->second;
    }

    kube::Object const& object_;
    Sighting common_;
    std::map<std::string_view, Sighting> by_manager_;
};

/// The server itself says how the object is now.
asio::awaitable<void> OwnedObjects::look_at(Owner owner, std::string text) {
    auto const id = kube::parse_object_id(text);
    Known const* known = find(owner, text);
    std::shared_ptr<kube::Cluster> const cluster = location_of(owner).reader;  // the owner may be forgotten meanwhile
    if (!id || known == nullptr || cluster == nullptr) co_return;
    std::string const version = known->object.entry.version;
    auto resource = co_await cluster->any_version_of(id->group, id->kind, version);
    if (!resource) co_return;
    kube::GroupVersionKind const gvk = resource->gvk;
    kube::ReadOptions const options{.metadata_only = has_no_status(gvk)};
    auto const asked_at = ++moments_;
    auto live = co_await cluster->get({std::move(*resource), id->ns, id->name}, options);
    Known* now = known_by(owner, text);
    if (now == nullptr) co_return;
    if (live) {
        (*live)["apiVersion"] = gvk.api_version();
        (*live)["kind"] = gvk.kind;
        Look look{gvk, *live, asked_at, ports_.clock.wall()};
        if (!now->skipped) take(*now, look.by(owner, is_somebodys(location_of(owner).cluster, text, *live)));
    } else if (live.error().code == Errc::not_found) {
        take(*now, {.gone = true, .listed_at = asked_at, .uid = now->object.uid});
    } else if (live.error().code == Errc::denied && !is_watched(owner, *id)) {
        // What was known of it is of its last write, and nobody will ever say more.
        set_health(*now, {kube::Health::unknown, live.error().message});
    }
}

/// A write that the watch never shows by itself: somebody else changed the object while its kind was being listed.
asio::awaitable<void> OwnedObjects::ask_about_doubts() {
    while (!doubts_.empty()) {
        co_await sleep_for(kAskAfter);
        auto const written_before = ports_.clock.boot() - kAskAfter;
        std::vector<std::pair<Owner, std::string>> due;
        for (auto const& [owner, doubts] : doubts_) {
            for (auto const& [id, sighting] : doubts) {
                Known const* known = find(owner, id);
                if (known != nullptr && known->awaited_until - kAwaitMax <= written_before) due.emplace_back(owner, id);
            }
        }
        for (auto const& [owner, id] : due) co_await look_at(owner, id);
        std::erase_if(doubts_, [](auto const& one) { return one.second.empty(); });
    }
}

void OwnedObjects::doubt(Known const& known, Sighting sighting) {
    doubts_[known.owner].insert_or_assign(known.object.entry.id, std::move(sighting));
    if (asking_.size() > 0) return;
    auto started = asking_.start("doubts", ask_about_doubts());
    if (!started) return;  // the daemon ends
}

/// Whatever is seen from now on is not older than our own write.
void OwnedObjects::settle(Known& known) {
    known.awaited.clear();
    auto const doubts = doubts_.find(known.owner);
    if (doubts != doubts_.end()) doubts->second.erase(known.object.entry.id);
}

void OwnedObjects::seen(KindWatch const& by, kube::Object const& object, std::uint64_t listed_at) {
    auto const id = kube::id_of(object);
    if (!id) return;
    std::optional<Look> look;
    bool others = false;
    auto const [begin, end] = known_.equal_range(id->text());
    for (auto it = begin; it != end; ++it) {
        Known& known = it->second;
        // A name in an inventory is no claim to be told: thousands may name one object.
        bool const is_named_only = known.object.wished == 0 && !in_pass_.contains(known.owner);
        if (is_named_only || known.skipped || !sees(by, known.owner)) continue;
        if (!look) {
            look.emplace(by.gvk(), object, listed_at, ports_.clock.wall());
            others = is_somebodys(by.location().cluster, id->text(), object);
        }
        take(known, look->by(known.owner, others));
    }
}

void OwnedObjects::vanished(KindWatch const& by, std::string const& id, std::string uid, std::string resource_version,
                            std::uint64_t listed_at) {
    auto const [begin, end] = known_.equal_range(id);
    for (auto it = begin; it != end; ++it) {
        Known& known = it->second;
        if (known.skipped || !sees(by, known.owner)) continue;
        // A list that lacks it speaks of the object known now, not of one that this pass makes.
        std::string const which = resource_version.empty() ? known.object.uid : uid;
        if (which.empty()) continue;
        take(known, {.gone = true, .listed_at = listed_at, .uid = which, .resource_version = resource_version});
    }
}

/// Judged now, after the pass, or when our own write has been seen.
void OwnedObjects::take(Known& known, Sighting sighting) {
    std::string const& id = known.object.entry.id;
    if (!sighting.gone) known.seen_version = sighting.resource_version;
    if (auto const pass = in_pass_.find(known.owner); pass != in_pass_.end()) {
        auto& sightings = pass->second[id];
        sightings.push_back(std::move(sighting));
        if (sightings.size() > kSightingsMax) sightings.pop_front();
        return;
    }
    // A list that began after our write shows it, or what came after.
    if (sighting.listed_at > known.awaited_at) settle(known);
    if (!known.awaited.empty()) {
        if (!sighting.gone && sighting.resource_version == known.awaited) {
            settle(known);
        } else if (ports_.clock.boot() < known.awaited_until) {
            doubt(known, std::move(sighting));
            return;
        } else {
            known.awaited.clear();
        }
    }
    judge(known, sighting);
}

/// Do the labels name an owner who has it in its inventory, on that cluster? A name that anybody wrote there makes nobody an
/// owner.
bool OwnedObjects::is_somebodys(std::string const& cluster, std::string const& id, kube::Object const& object) const {
    auto const [begin, end] = known_.equal_range(id);
    return std::any_of(begin, end, [&](auto const& row) {
        return is_owned_by(object, row.second.owner) && location_of(row.second.owner).cluster == cluster;
    });
}

/// Whether what was seen is what was applied.
void OwnedObjects::judge(Known& known, Sighting const& sighting) {
    if (known.object.wished == 0) return;  // planned only, or of a cluster that we do not know yet
    if (!sighting.gone && (sighting.ours || sighting.uid == known.object.uid)) {
        known.may_go = sighting.may_go;
        set_health(known, sighting.status);
        set_ready(known, sighting.ready);
    }
    if (sighting.gone) {
        bool const another = !sighting.uid.empty() && !known.object.uid.empty() && sighting.uid != known.object.uid;
        if (another) return;
        known.gone = true;
        if (known.may_go) {
            // It did what it was for; the next interval makes it again.
            set_health(known, {kube::Health::current, ""});
            known.due = ports_.clock.boot() + interval_of(known.owner);
            if (!std::exchange(known.drifted, true)) drifted_[known.owner].insert(known.object.entry.id);
            tell(known.owner, Change::drift, interval_of(known.owner));
            return;
        }
        set_health(known, {kube::Health::not_found, "the object is gone"});
        drift(known, "deleted", "");
        return;
    }
    known.taken = sighting.others;
    if (sighting.others) return;
    if (!sighting.ours) {
        // Who writes an object that somebody else made in its place is not told.
        bool const applied = sighting.uid == known.object.uid;
        drift(known, "owner label changed", applied ? sighting.manager : "");
        return;
    }
    if (sighting.alone) {
        undrift(known);
        return;
    }
    bool const replaced = !known.object.uid.empty() && sighting.uid != known.object.uid;
    known.gone = false;
    if (sighting.fields == known.object.fields && !replaced && !sighting.foreign) {
        known.object.resource_version = sighting.resource_version;
        undrift(known);
    } else {
        bool const may_wait = sighting.restarts && !replaced && sighting.fields == known.object.fields;
        drift(known, replaced ? "replaced" : "changed", sighting.manager, may_wait);
    }
}

void OwnedObjects::set_health(Known& known, kube::ObjectStatus const& status) {
    bool const changed = known.health != status.health;
    known.health = status.health;
    known.message = status.health == kube::Health::current ? std::string{} : status.message;
    auto& unhealthy = unhealthy_[known.owner];
    if (known.health == kube::Health::current || known.skipped) unhealthy.erase(known.object.entry.id);
    else unhealthy.insert(known.object.entry.id);
    if (changed) tell(known.owner, Change::health);
}

void OwnedObjects::set_ready(Known& known, model::Truth ready) {
    if (std::exchange(known.ready, ready) != ready) tell(known.owner, Change::ready);
}

void OwnedObjects::undrift(Known& known) {
    known.drifted = false;
    if (auto const drifted = drifted_.find(known.owner); drifted != drifted_.end()) {
        drifted->second.erase(known.object.entry.id);
    }
}

void OwnedObjects::drift(Known& known, std::string what, std::string manager, bool may_wait) {
    if (std::exchange(known.drifted, true)) return;
    drifted_[known.owner].insert(known.object.entry.id);
    ++drifts_total_;
    auto const now = ports_.clock.boot();
    auto const interval = interval_of(known.owner);
    bool const quiet = known.pace.repairs == 0 || now - known.pace.last_repair >= interval + known.pace.delay;
    if (quiet) known.pace = {};
    known.due = known.pace.repairs == 0 ? now : known.pace.last_repair + known.pace.delay;
    if (may_wait) known.due = std::max(known.due, now + interval);
    auto const id = kube::parse_object_id(known.object.entry.id);
    std::string const name = id ? id->display() : known.object.entry.id;
    auto const row =
        std::ranges::find_if(drifts_, [&](Drift const& one) { return one.owner == known.owner && one.object == name; });
    if (row != drifts_.end() && !quiet) {
        ++row->count;
        row->seen = ports_.clock.wall();
        row->repaired = false;
        row->what = std::move(what);
        if (!manager.empty()) row->manager = std::move(manager);
        std::rotate(drifts_.begin(), row, row + 1);
    } else {
        ports_.log.info("rollout", "drift seen",
                        {{"kind", model::kind_name(known.owner.key.kind)},
                         {"namespace", known.owner.key.ns},
                         {"name", known.owner.key.name},
                         {"object", name},
                         {"what", what},
                         {"manager", manager}});
        drifts_.insert(drifts_.begin(), Drift{.owner = known.owner,
                                              .object = name,
                                              .what = std::move(what),
                                              .manager = std::move(manager),
                                              .seen = ports_.clock.wall()});
        if (drifts_.size() > kDriftsMax) drifts_.pop_back();
    }
    tell(known.owner, Change::drift, std::max(known.due - now, Boot{}));
}

/// The repair is made: the next one of this spell waits longer.
void OwnedObjects::repaired(Known& known) {
    ++known.pace.repairs;
    known.pace.last_repair = ports_.clock.boot();
    Boot const next = known.pace.delay.count() == 0 ? Boot{kFirstDelay} : known.pace.delay * 2;
    known.pace.delay = std::min(next, std::max(interval_of(known.owner), Boot{kFirstDelay}));
    auto const id = kube::parse_object_id(known.object.entry.id);
    for (Drift& one : drifts_) {
        if (one.owner == known.owner && id && one.object == id->display()) one.repaired = true;
    }
}

std::vector<std::string> OwnedObjects::new_spells(Owner const& owner) const {
    std::vector<std::string> ids;
    auto const drifted = drifted_.find(owner);
    if (drifted == drifted_.end()) return ids;
    for (std::string const& id : drifted->second) {
        Known const* known = find(owner, id);
        if (known != nullptr && known->pace.repairs == 0 && !known->may_go) ids.push_back(id);
    }
    return ids;
}

std::string OwnedObjects::spell_text(Owner const& owner, std::string const& id) const {
    auto const parsed = kube::parse_object_id(id);
    std::string const name = parsed ? parsed->display() : id;
    auto const row =
        std::ranges::find_if(drifts_, [&](Drift const& one) { return one.owner == owner && one.object == name; });
    if (row == drifts_.end()) return name + " was changed";
    std::string const what = row->what == "owner label removed"   ? "taken the owner label off"
                             : row->what == "owner label changed" ? "given another owner label"
                                                                  : row->what;
    return name + " was " + what + (row->manager.empty() ? "" : " by " + row->manager);
}

std::vector<OwnedObjects::WatchState> OwnedObjects::watches() const {
    std::vector<WatchState> states;
    for (auto const& [key, watch] : watches_)
        states.push_back({watch->location().cluster, watch->gvk(), watch->state(), watch->size()});
    return states;
}

asio::awaitable<void> OwnedObjects::stop() {
    asking_.cancel();
    co_await asking_.join();
    for (auto const& [key, watch] : watches_) watch->cancel();
    for (auto const& [key, watch] : watches_) co_await watch->join();
    for (auto const& watch : ending_) co_await watch->join();
}

}  // namespace holdfast::rollout
