// modules/rollout/apply.cpp: dry run, write, wait, for each stage in turn.
#include "modules/rollout/apply.hpp"

#include "modules/kube/refusal.hpp"
#include "modules/rollout/cleanup.hpp"
#include "modules/rollout/marks.hpp"
#include "modules/rollout/normalize.hpp"
#include "modules/rollout/stages.hpp"

#include <algorithm>
#include <array>

namespace holdfast::rollout {

namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr milliseconds kPollMin{50};
constexpr milliseconds kPollMax{1'000};
constexpr std::chrono::seconds kRecreateMax{60};
constexpr int kUndeclaredRounds = 8;  // of taking away what the schema does not declare
constexpr int kCleanupTries = 10;     // against a live object that changes under our hands

std::string said(kube::ObjectId const& id, kube::Refusal const& refusal) {
    return id.kind == "Secret" ? kube::words_about_secret(refusal) : refusal.message;
}

Error describe(kube::ObjectId const& id, std::string_view step, Error error, kube::Refusal const& refusal) {
    if (step == "dry-run" && refusal.is("NotFound")) {
        error.message =
            id.display() + (id.ns.empty() ? " namespace not specified: " : " not found: ") + said(id, refusal);
        return error;
    }
    std::string text = id.display() + " " + std::string{step} + " failed";
    if (!refusal.reason.empty()) text += " (" + refusal.reason + ")";
    error.message = text + ": " + (refusal.message.empty() ? error.message : said(id, refusal));
    return error;
}

struct Plan {
    Wish wish;
    kube::Target target = {};
    bool recreate = false;      // an immutable field changes and force allows it
    std::string live_uid = {};  // empty: it is not there yet
    bool cleanup = false;       // others left something on it
};

class Stager {
public:
    Stager(kube::Cluster& cluster, Clock const& clock, Owner owner, ApplyOptions options, ApplyReport& done)
        : cluster_(cluster), clock_(clock), owner_(std::move(owner)), options_(std::move(options)), done_(done) {}

    Task<void> run(Stage stage) {
        std::vector<Plan> plans;
        for (Wish& wish : stage.wishes) {
            if (is_settled(wish)) continue;
            plans.push_back({.wish = std::move(wish)});
        }
        std::vector<Plan> writes;
        for (Plan& one : plans) {
            auto wanted = co_await dry_run(one);
            if (!wanted) co_return fail(std::move(wanted));
            if (*wanted) writes.push_back(std::move(one));
        }
        auto intended = co_await intend(writes);
        if (!intended) co_return intended;
        std::size_t const first = done_.objects.size();
        for (Plan& one : writes) {
            auto written = co_await write(one);
            if (!written) co_return written;
        }
        if (!stage.wait) co_return Result<void>{};
        auto const ready = co_await wait_for(first);
        co_return ready;
    }

private:
    Task<void> intend(std::vector<Plan> const& writes) {
        if (!options_.intend || writes.empty()) co_return Result<void>{};
        std::vector<model::OwnedObject> planned;
        for (Plan const& one : writes) planned.push_back({.entry = {one.wish.id.text(), one.wish.version}});
        auto intended = co_await options_.intend(std::move(planned));
        co_return intended;
    }

    void skip(Wish const& wish, std::string uid) {
        done_.objects.push_back({.id = wish.id,
                                 .owned = {.entry = {wish.id.text(), wish.version}, .uid = std::move(uid)},
                                 .action = Action::skipped});
    }

    /// Nothing to ask the server for.
    bool is_settled(Wish const& wish) {
        if (is_left_alone(wish.object, owner_)) {
            skip(wish, "");
            return true;
        }
        auto const* known = options_.known ? options_.known(wish) : nullptr;
        if (known == nullptr) return false;
        done_.objects.push_back({.id = wish.id, .owned = *known, .action = Action::unchanged, .known = true});
        return true;
    }

    bool may_force(kube::Object const& object) const {
        return options_.force || is_marked(object, owner_, "force", "enabled");
    }

    kube::WriteOptions write_options(bool dry_run, bool metadata_only) const {
        return {.field_manager = std::string{owner_.manager()},
                .dry_run = dry_run,
                .force = true,
                .metadata_only = metadata_only};
    }

    Task<kube::Target> target_of(Wish const& wish) {
        kube::GroupVersionKind gvk{wish.id.group, wish.version, wish.id.kind};
        auto resource = co_await cluster_.resource_for(std::move(gvk));
        if (!resource) {
            Error const error = describe(wish.id, "dry-run", std::move(resource).error(), {});
            co_return std::unexpected{error};
        }
        if (resource->namespaced && wish.id.ns.empty()) {
            co_return fail(Errc::invalid_input, wish.id.display() +
                                                    " namespace not specified: the server could not find the requested "
                                                    "resource");
        }
        kube::Target target{std::move(*resource), wish.id.ns, wish.id.name};
        co_return target;
    }

    /// Out  false when the live object wants to be left as it is
    Task<bool> dry_run(Plan& plan) {
        auto target = co_await target_of(plan.wish);
        if (!target) co_return fail(std::move(target));
        plan.target = std::move(*target);
        kube::Refusal refusal;
        auto tried = co_await try_apply(plan, refusal);
        if (!tried) {
            bool const immutable = refusal.says_immutable();
            if (immutable) {
                auto may = co_await may_recreate(plan);
                if (!may) co_return std::unexpected{may.error()};
                if (*may) {
                    plan.recreate = true;
                    co_return true;
                }
            }
            Error const error = describe(plan.wish.id, "dry-run", std::move(tried).error(), refusal);
            co_return std::unexpected{error};
        }
        // A dry run of a create answers without a version: nothing is there.
        bool const is_there = !kube::resource_version_of(*tried).empty();
        if (!is_there) co_return true;
        plan.live_uid = kube::uid_of(*tried);
        bool const seeded = is_marked(plan.wish.object, owner_, "ssa", "ifnotpresent");
        if (seeded || is_left_alone(*tried, owner_)) {
            skip(plan.wish, plan.live_uid);
            co_return false;
        }
        plan.cleanup = needs_cleanup(*tried, owner_.manager()) && !is_marked(*tried, owner_, "ssa", "merge");
        co_return true;
    }

    /// Flux decodes the kinds it knows, so that what no schema declares is lost on the way; an apply refuses it.
    Task<kube::Object> try_apply(Plan& plan, kube::Refusal& refusal) {
        for (int round = 1;; ++round) {
            kube::Object object = plan.wish.object;
            refusal = {};
            auto options = write_options(true, true);
            auto tried = co_await cluster_.apply_to(plan.target, std::move(object), std::move(options), &refusal);
            bool const undeclared = refusal.message.find("field not declared in schema") != std::string::npos;
            if (tried || round == kUndeclaredRounds || !undeclared) co_return tried;
            bool const dropped = is_built_in(plan.wish.id.group) && drop_undeclared(plan.wish.object, refusal.message);
            if (dropped) continue;
            if (round > 1) co_return tried;
            std::string const version = kube::GroupVersionKind{plan.wish.id.group, plan.wish.version, ""}.api_version();
            auto const patch_of = [version](kube::Object const& live) { return version_patch(live, version); };
            auto migrated = co_await edit(plan, patch_of, "migrate API version");
            if (!migrated || !*migrated) co_return tried;
        }
    }

    /// Is force allowed, on the manifest or on the live object; is it there at all; and would the server take it back?
    Task<bool> may_recreate(Plan& plan) {
        kube::ReadOptions const metadata{.metadata_only = true};
        auto live = co_await cluster_.get(plan.target, metadata);
        if (!live && live.error().code == Errc::not_found) co_return false;
        if (!live) co_return fail(std::move(live), plan.wish.id.display());
        if (!may_force(plan.wish.object) && !may_force(*live)) co_return false;
        plan.live_uid = kube::uid_of(*live);
        kube::Refusal refusal;
        kube::Object object = plan.wish.object;
        auto options = write_options(true, true);
        options.force = false;
        auto created = co_await cluster_.create(std::move(object), std::move(options), &refusal);
        // Admission and validation have passed when all that is wrong is that it is there.
        co_return created.has_value() || refusal.is("AlreadyExists");
    }

    Task<void> write(Plan& plan) {
        if (plan.recreate) {
            auto removed = co_await remove_and_wait(plan);
            if (!removed) co_return removed;
        }
        if (plan.cleanup) {
            auto cleaned = co_await clean(plan);
            if (!cleaned) co_return cleaned;
        }
        kube::Refusal refusal;
        bool const only_metadata = has_no_status({plan.wish.id.group, plan.wish.version, plan.wish.id.kind});
        auto options = write_options(false, only_metadata);
        kube::Object object = plan.wish.object;
        auto applied = co_await cluster_.apply_to(plan.target, std::move(object), std::move(options), &refusal);
        if (!applied) {
            Error const error = describe(plan.wish.id, "apply", std::move(applied).error(), refusal);
            co_return std::unexpected{error};
        }
        report(plan, *applied, only_metadata);
        co_return Result<void>{};
    }

    /// Hands over what others wrote.
    Task<void> clean(Plan const& plan) {
        auto const patch_of = [this](kube::Object const& live) { return cleanup_patch(live, owner_.manager()); };
        auto cleaned = co_await edit(plan, patch_of, "metadata.managedFields cleanup");
        if (!cleaned) co_return fail(std::move(cleaned));
        co_return Result<void>{};
    }

    /// Changes metadata of the live object, in the version that was looked at.
    /// Out  false when there is nothing to change
    Task<bool> edit(Plan const& plan, std::function<json::array(kube::Object const&)> patch_of, std::string step) {
        kube::ReadOptions const metadata{.metadata_only = true};
        for (int attempt = 1;; ++attempt) {
            auto live = co_await cluster_.get(plan.target, metadata);
            if (!live && live.error().code == Errc::not_found) co_return false;
            if (!live) co_return fail(std::move(live), plan.wish.id.display());
            json::array patch = patch_of(*live);
            if (patch.empty()) co_return false;
            patch.push_back(json::object{
                {"op", "replace"}, {"path", "/metadata/resourceVersion"}, {"value", kube::resource_version_of(*live)}});
            kube::Refusal refusal;
            kube::WriteOptions options{.field_manager = std::string{owner_.manager()}, .metadata_only = true};
            auto patched =
                co_await cluster_.patch(plan.target, kube::Patch::json, std::move(patch), std::move(options), &refusal);
            if (patched) co_return true;
            if (refusal.code == 409 && attempt < kCleanupTries) {
                co_await sleep_for(kPollMin * attempt);
                continue;
            }
            Error const error = describe(plan.wish.id, step, std::move(patched).error(), refusal);
            co_return std::unexpected{error};
        }
    }

    void report(Plan const& plan, kube::Object const& answer, bool only_metadata) {
        Wish const& wish = plan.wish;
        auto const* before = options_.before ? options_.before(wish.id) : nullptr;
        Applied applied{.id = wish.id,
                        .owned = {.entry = {wish.id.text(), wish.version},
                                  .uid = std::string{kube::uid_of(answer)},
                                  .resource_version = std::string{kube::resource_version_of(answer)},
                                  .wished = wish.wished,
                                  .fields = owned_fields(answer, owner_.manager())}};
        bool const there_before = before != nullptr && before->uid == applied.owned.uid && !applied.owned.uid.empty();
        if (there_before && before->resource_version == applied.owned.resource_version) {
            applied.action = Action::unchanged;
        } else {
            applied.action = plan.live_uid.empty() || plan.recreate ? Action::created : Action::configured;
        }
        applied.status = only_metadata ? kube::ObjectStatus{kube::Health::current, "Resource is current"}
                                       : kube::status_of(answer, clock_.wall());
        done_.objects.push_back(std::move(applied));
    }

    /// Deletes the object that was looked at, no other of its name, and waits until it is gone.
    Task<void> remove_and_wait(Plan const& plan) {
        std::string const name = plan.wish.id.display();
        kube::DeleteOptions const options{.uid = plan.live_uid};
        auto removed = co_await cluster_.remove(plan.target, options);
        if (!removed && removed.error().code != Errc::not_found) {
            co_return fail(std::move(removed), name + " immutable field detected, failed to delete object");
        }
        auto const started = clock_.boot();
        milliseconds pause = kPollMin;
        kube::ReadOptions const metadata{.metadata_only = true};
        while (clock_.boot() - started < kRecreateMax) {
            auto live = co_await cluster_.get(plan.target, metadata);
            if (!live && live.error().code == Errc::not_found) co_return Result<void>{};
            co_await sleep_for(pause);
            pause = std::min(pause * 2, kPollMax);
        }
        co_return fail(Errc::timeout, name +
                                          " immutable field detected, failed to wait for object to be deleted: it is "
                                          "still there after 60 s, a finalizer holds it");
    }

    /// Until every object applied since `first` is current.
    Task<void> wait_for(std::size_t first) {
        auto const started = clock_.boot();
        bool defined = false;
        for (std::size_t i = first; i < done_.objects.size(); ++i) {
            milliseconds pause = kPollMin;
            while (!is_current(done_.objects[i])) {
                if (done_.objects[i].status.health == kube::Health::failed ||
                    clock_.boot() - started > options_.stage_wait_max) {
                    std::string const word{kube::to_string(done_.objects[i].status.health)};
                    co_return fail(Errc::timeout, "timeout waiting for: [" + done_.objects[i].id.display() +
                                                      " status: '" + word + "']: " + done_.objects[i].status.message);
                }
                co_await sleep_for(pause);
                pause = std::min(pause * 2, kPollMax);
                auto looked = co_await look(i);
                if (!looked) co_return looked;
            }
            bool const defines = done_.objects[i].id.kind == "CustomResourceDefinition";
            if (defines && done_.objects[i].action != Action::unchanged) defined = true;
        }
        if (defined && options_.kinds_changed) options_.kinds_changed();
        co_return Result<void>{};
    }

    static bool is_current(Applied const& one) {
        return one.known || one.action == Action::skipped || one.status.health == kube::Health::current;
    }

    Task<void> look(std::size_t i) {
        kube::ObjectId const id = done_.objects[i].id;
        kube::GroupVersionKind gvk{id.group, done_.objects[i].owned.entry.version, id.kind};
        auto resource = co_await cluster_.resource_for(std::move(gvk));
        if (!resource) co_return fail(std::move(resource), "wait");
        kube::Target const target{std::move(*resource), id.ns, id.name};
        auto live = co_await cluster_.get(target);
        if (!live) co_return fail(std::move(live), "wait for " + id.display());
        done_.objects[i].status = kube::status_of(*live, clock_.wall());
        co_return Result<void>{};
    }

    kube::Cluster& cluster_;
    Clock const& clock_;
    Owner owner_;
    ApplyOptions options_;
    ApplyReport& done_;
};

}  // namespace

std::string_view to_string(Action action) {
    switch (action) {
        case Action::created: return "created";
        case Action::configured: return "configured";
        case Action::unchanged: return "unchanged";
        case Action::skipped: return "skipped";
    }
    return "unknown";
}

bool has_no_status(kube::GroupVersionKind const& gvk) {
    constexpr std::array<std::string_view, 5> kCore{"ConfigMap", "Secret", "ServiceAccount", "LimitRange", "Endpoints"};
    constexpr std::array<std::string_view, 4> kRbac{"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"};
    if (gvk.group.empty()) return std::ranges::find(kCore, gvk.kind) != kCore.end();
    if (gvk.group == "rbac.authorization.k8s.io") return std::ranges::find(kRbac, gvk.kind) != kRbac.end();
    return gvk.group == "admissionregistration.k8s.io" || gvk.group == "storage.k8s.io" ||
           gvk.group == "scheduling.k8s.io" || gvk.group == "node.k8s.io";
}

Task<void> apply_staged(kube::Cluster& cluster, Clock const& clock, Owner owner, std::vector<Wish> wishes,
                        ApplyOptions options, ApplyReport& done) {
    std::vector<Stage> stages = stages_of(std::move(wishes));
    Stager stager{cluster, clock, std::move(owner), std::move(options), done};
    for (Stage& stage : stages) {
        auto ran = co_await stager.run(std::move(stage));
        if (!ran) co_return ran;
    }
    co_return Result<void>{};
}

}  // namespace holdfast::rollout
