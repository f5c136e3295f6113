// modules/rollout/prune.cpp: looks at each stale object, then deletes it.
#include "modules/rollout/prune.hpp"

#include "modules/rollout/marks.hpp"
#include "modules/rollout/place.hpp"
#include "modules/rollout/stages.hpp"

#include <map>

namespace holdfast::rollout {

namespace {

constexpr int kLooksMax = 5;  // at an object that changes under our hands

enum class Fate { deleted, absent, skipped };

/// The object in any version that is served: the one it was applied in may be gone.
Task<kube::Target> target_of(kube::Cluster& cluster, kube::ObjectId id, std::string version) {
    auto resource = co_await cluster.any_version_of(id.group, id.kind, std::move(version));
    if (!resource) co_return fail(std::move(resource));
    kube::Target target{std::move(*resource), id.ns, id.name};
    co_return target;
}

/// Deletes it in the version that was looked at: between the look and the delete another owner may take it over.
Task<Fate> remove_one(kube::Cluster& cluster, Owner owner, kube::ObjectId id, std::string version) {
    auto target = co_await target_of(cluster, id, std::move(version));
    if (!target && target.error().code == Errc::not_found) co_return Fate::absent;
    if (!target) co_return fail(std::move(target), id.display() + " query failed");
    kube::ReadOptions const metadata{.metadata_only = true};
    for (int look = 1;; ++look) {
        auto live = co_await cluster.get(*target, metadata);
        if (!live && live.error().code == Errc::not_found) co_return Fate::absent;
        if (!live) co_return fail(std::move(live), id.display() + " query failed");
        if (!is_owned_by(*live, owner) || is_marked(*live, owner, "prune", "disabled") ||
            is_marked(*live, owner, "reconcile", "disabled")) {
            co_return Fate::skipped;
        }
        kube::DeleteOptions const options{.uid = std::string{kube::uid_of(*live)},
                                          .resource_version = std::string{kube::resource_version_of(*live)}};
        kube::Refusal refusal;
        auto removed = co_await cluster.remove(*target, options, &refusal);
        if (removed) co_return Fate::deleted;
        if (removed.error().code == Errc::not_found) co_return Fate::absent;
        if (refusal.code != 409 || look == kLooksMax)
            co_return fail(std::move(removed), id.display() + " delete failed");
    }
}

}  // namespace

Task<PruneReport> prune(kube::Cluster& cluster, Owner owner, std::vector<model::OwnedObject> stale,
                        std::set<std::string> applied) {
    PruneReport report;
    std::map<kube::ObjectId, model::OwnedObject> by_id;
    for (model::OwnedObject& one : stale) {
        auto const named = co_await name(cluster, one.entry);
        std::string const text = named ? named->id : one.entry.id;  // remove_one() says what cannot be learned
        if (applied.contains(text)) continue;
        auto id = kube::parse_object_id(text);
        // An id that nobody can read, or that no object can have, names nothing that could be deleted.
        if (!id || !kube::check_segment("name", id->name)) continue;
        if (named && named->lacks_namespace) continue;
        one.entry.id = text;
        by_id.try_emplace(std::move(*id), std::move(one));
    }
    std::vector<kube::ObjectId> ids;
    for (auto const& [id, object] : by_id) ids.push_back(id);
    sort_for_deletion(ids);
    std::string errors;
    for (kube::ObjectId const& id : ids) {
        model::OwnedObject& object = by_id.find(id)->second;
        auto fate = co_await remove_one(cluster, owner, id, object.entry.version);
        if (!fate) {
            if (report.survivors.empty()) report.code = fate.error().code;
            errors += fate.error().message + ";";
            report.survivors.push_back(std::move(object));
            continue;
        }
        // What was only planned and is not there was never made.
        if (*fate == Fate::absent && object.wished == 0 && object.uid.empty()) continue;
        report.changes.push_back(id.display() + (*fate == Fate::skipped ? " skipped" : " deleted"));
        if (*fate != Fate::deleted) continue;
        report.terminating.push_back(std::move(object));
    }
    if (!errors.empty()) report.error = "delete failed, errors: " + errors;
    co_return report;
}

asio::awaitable<std::vector<std::string>> still_there(kube::Cluster& cluster, std::vector<model::OwnedObject> objects) {
    std::vector<std::string> there;
    for (model::OwnedObject const& object : objects) {
        auto const id = kube::parse_object_id(object.entry.id);
        if (!id) continue;
        auto target = co_await target_of(cluster, *id, object.entry.version);
        if (!target && target.error().code == Errc::not_found) continue;
        if (target) {
            kube::ReadOptions const metadata{.metadata_only = true};
            auto live = co_await cluster.get(std::move(*target), metadata);
            if (!live && live.error().code == Errc::not_found) continue;
            // Another object of the same name is not the one that was deleted.
            if (live && !object.uid.empty() && kube::uid_of(*live) != object.uid) continue;
        }
        there.push_back(id->display());
    }
    co_return there;
}

}  // namespace holdfast::rollout
