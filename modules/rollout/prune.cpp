// modules/reconcile/prune.cpp: looks at each stale object, then deletes it.
#include "modules/reconcile/prune.hpp"

#include "modules/model/duration.hpp"
#include "modules/reconcile/owner.hpp"
#include "modules/reconcile/stages.hpp"

#include <algorithm>
#include <map>

namespace holdfast::reconcile {

namespace {

constexpr int kLooksMax = 5;  // at an object that changes under our hands

enum class Fate { deleted, settled };

Task<kube::Target> target_of(kube::Cluster& cluster, kube::ObjectId id, std::string version) {
    kube::GroupVersionKind gvk{id.group, std::move(version), id.kind};
    auto resource = co_await cluster.resource_for(std::move(gvk));
    if (!resource) co_return fail(std::move(resource));
    kube::Target target{std::move(*resource), id.ns, id.name};
    co_return target;
}

/// Deletes it in the version that was looked at: between the look and the delete another owner may take it over.
Task<Fate> remove_one(kube::Cluster& cluster, model::Key owner, kube::ObjectId id, std::string version) {
    auto target = co_await target_of(cluster, id, std::move(version));
    if (!target && target.error().code == Errc::not_found) co_return Fate::settled;
    if (!target) co_return fail(std::move(target), id.display());
    kube::ReadOptions const metadata{.metadata_only = true};
    for (int look = 1;; ++look) {
        auto live = co_await cluster.get(*target, metadata);
        if (!live && live.error().code == Errc::not_found) co_return Fate::settled;
        if (!live) co_return fail(std::move(live), id.display());
        if (!is_owned_by(*live, owner) || is_marked(*live, "prune", "disabled") ||
            is_marked(*live, "reconcile", "disabled")) {
            co_return Fate::settled;
        }
        kube::DeleteOptions const options{.uid = std::string{kube::uid_of(*live)},
                                          .resource_version = std::string{kube::resource_version_of(*live)}};
        kube::Refusal refusal;
        auto removed = co_await cluster.remove(*target, options, &refusal);
        if (removed) co_return Fate::deleted;
        if (removed.error().code == Errc::not_found) co_return Fate::settled;
        if (refusal.code != 409 || look == kLooksMax)
            co_return fail(std::move(removed), id.display() + " delete failed");
    }
}

}  // namespace

Task<PruneReport> prune(kube::Cluster& cluster, model::Key owner, std::vector<model::OwnedObject> stale) {
    PruneReport report;
    std::vector<kube::ObjectId> ids;
    std::map<kube::ObjectId, model::OwnedObject> by_id;
    for (model::OwnedObject& one : stale) {
        auto id = kube::parse_object_id(one.entry.id);
        if (!id) continue;  // an id nobody can read names nothing that could be deleted
        ids.push_back(*id);
        by_id.emplace(std::move(*id), std::move(one));
    }
    sort_for_deletion(ids);
    for (kube::ObjectId const& id : ids) {
        model::OwnedObject& object = by_id.at(id);
        auto fate = co_await remove_one(cluster, owner, id, object.entry.version);
        if (!fate) {
            if (report.error.empty()) {
                report.error = fate.error().message;
                report.code = fate.error().code;
            }
            report.survivors.push_back(std::move(object));
            continue;
        }
        if (*fate == Fate::settled) continue;
        report.deleted.push_back(id.display());
        report.terminating.push_back(id);
        by_id.erase(id);
    }
    co_return report;
}

Task<void> wait_gone(kube::Cluster& cluster, std::vector<kube::ObjectId> ids, std::chrono::nanoseconds limit) {
    using std::chrono::milliseconds;
    auto const started = std::chrono::steady_clock::now();
    for (kube::ObjectId const& id : ids) {
        milliseconds pause{100};
        for (;;) {
            // Any served version shows whether the object is there; the empty one asks for the preferred.
            auto target = co_await target_of(cluster, id, "");
            if (!target) break;
            kube::ReadOptions const metadata{.metadata_only = true};
            auto live = co_await cluster.get(std::move(*target), metadata);
            if (!live && live.error().code == Errc::not_found) break;
            if (std::chrono::steady_clock::now() - started > limit) {
                co_return fail(Errc::timeout, id.display() + " is still there after " + model::format_duration(limit));
            }
            co_await sleep_for(pause);
            pause = std::min(pause * 2, milliseconds{2'000});
        }
    }
    co_return Result<void>{};
}

}  // namespace holdfast::reconcile
