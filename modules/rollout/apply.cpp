// modules/reconcile/apply.cpp: dry run, write, wait, for each stage in turn.
#include "modules/reconcile/apply.hpp"

#include "modules/model/canonical.hpp"
#include "modules/reconcile/owner.hpp"
#include "modules/reconcile/stages.hpp"

#include <algorithm>
#include <array>

namespace holdfast::reconcile {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPollMin{50};
constexpr milliseconds kPollMax{1'000};
constexpr std::chrono::seconds kRecreateMax{60};

Error describe(kube::ObjectId const& id, std::string_view step, Error error, kube::Refusal const& refusal) {
    std::string text = id.display() + " " + std::string{step} + " failed";
    if (!refusal.reason.empty()) text += " (" + refusal.reason + ")";
    error.message = text + ": " + (refusal.message.empty() ? error.message : refusal.message);
    return error;
}

struct Plan {
    kube::ObjectId id;
    std::string version;
    kube::Object object;
    std::uint64_t wished = 0;
    bool recreate = false;  // an immutable field changes and force allows it
};

class Stager {
public:
    Stager(kube::Cluster& cluster, ApplyOptions options, ApplyReport& done)
        : cluster_(cluster), options_(std::move(options)), done_(done) {}

    Task<void> run(Stage stage) {
        std::vector<Plan> plans;
        for (kube::Object& object : stage.objects) {
            auto planned = plan(std::move(object), plans);
            if (!planned) co_return planned;
        }
        // One object is validated by its own apply: nothing of the stage is written before it.
        if (plans.size() > 1 || (plans.size() == 1 && options_.force)) {
            for (Plan& one : plans) {
                auto tried = co_await dry_run(one);
                if (!tried) co_return tried;
            }
        }
        std::size_t const first = done_.objects.size();
        std::vector<Plan> written;
        for (Plan& one : plans) {
            auto applied = co_await write(one);
            if (!applied) co_return applied;
        }
        if (!stage.wait) co_return Result<void>{};
        auto const ready = co_await wait_for(first);
        co_return ready;
    }

private:
    Result<void> plan(kube::Object object, std::vector<Plan>& plans) {
        auto gvk = kube::kind_of(object);
        if (!gvk) return fail(std::move(gvk), "apply");
        auto id = kube::id_of(object);
        if (!id) return fail(std::move(id), "apply");
        if (is_marked(object, "reconcile", "disabled") || is_marked(object, "ssa", "ignore")) {
            done_.objects.push_back(
                {.id = *id, .owned = {.entry = {id->text(), gvk->version}}, .action = Action::skipped});
            return {};
        }
        std::uint64_t const wished = model::canonical_digest(object);
        if (auto const* known = options_.known ? options_.known(*id, wished) : nullptr) {
            done_.objects.push_back({.id = *id, .owned = *known, .action = Action::unchanged, .known = true});
            return {};
        }
        plans.push_back({std::move(*id), gvk->version, std::move(object), wished});
        return {};
    }

    bool may_force(kube::Object const& object) const { return options_.force || is_marked(object, "force", "enabled"); }

    Task<void> check_namespace(Plan const& plan, kube::Resource const& resource) {
        if (resource.namespaced && plan.id.ns.empty()) {
            co_return fail(Errc::invalid_input,
                           plan.id.display() +
                               " namespace not specified: the server could not find the requested resource");
        }
        co_return Result<void>{};
    }

    Task<kube::Target> target_of(Plan const& plan) {
        kube::GroupVersionKind gvk{plan.id.group, plan.version, plan.id.kind};
        auto resource = co_await cluster_.resource_for(std::move(gvk));
        if (!resource) {
            Error const error = describe(plan.id, "dry-run", std::move(resource).error(), {});
            co_return std::unexpected{error};
        }
        auto named = co_await check_namespace(plan, *resource);
        if (!named) co_return fail(std::move(named));
        kube::Target target{std::move(*resource), plan.id.ns, plan.id.name};
        co_return target;
    }

    Task<void> dry_run(Plan& plan) {
        auto target = co_await target_of(plan);
        if (!target) co_return fail(std::move(target));
        kube::WriteOptions const options{
            .field_manager = std::string{kFieldManager}, .dry_run = true, .force = true, .metadata_only = true};
        kube::Refusal refusal;
        kube::Object object = plan.object;
        auto tried = co_await cluster_.apply_to(std::move(*target), std::move(object), options, &refusal);
        if (tried) co_return Result<void>{};
        if (refusal.says_immutable() && may_force(plan.object)) {
            plan.recreate = true;
            co_return Result<void>{};
        }
        co_return std::unexpected{describe(plan.id, "dry-run", std::move(tried).error(), refusal)};
    }

    Task<void> write(Plan& plan) {
        auto target = co_await target_of(plan);
        if (!target) co_return fail(std::move(target));
        bool const only_metadata = has_no_status({plan.id.group, plan.version, plan.id.kind});
        kube::WriteOptions const options{
            .field_manager = std::string{kFieldManager}, .force = true, .metadata_only = only_metadata};
        if (plan.recreate) {
            auto removed = co_await remove_and_wait(*target, plan.id);
            if (!removed) co_return removed;
        }
        kube::Refusal refusal;
        bool const force = may_force(plan.object);
        kube::Object object = plan.object;
        auto applied = co_await cluster_.apply_to(*target, std::move(object), options, &refusal);
        if (!applied && refusal.says_immutable() && force && !plan.recreate) {
            auto removed = co_await remove_and_wait(*target, plan.id);
            if (!removed) co_return removed;
            applied = co_await cluster_.apply_to(*target, std::move(plan.object), options, &refusal);
        }
        if (!applied) co_return std::unexpected{describe(plan.id, "apply", std::move(applied).error(), refusal)};
        report(plan, *applied, only_metadata);
        co_return Result<void>{};
    }

    void report(Plan const& plan, kube::Object const& answer, bool only_metadata) {
        auto const* before = options_.before ? options_.before(plan.id) : nullptr;
        Applied applied{.id = plan.id,
                        .owned = {.entry = {plan.id.text(), plan.version},
                                  .uid = std::string{kube::uid_of(answer)},
                                  .resource_version = std::string{kube::resource_version_of(answer)},
                                  .wished = plan.wished,
                                  .fields = owned_fields(answer)}};
        bool const there_before = before != nullptr && before->uid == applied.owned.uid && !applied.owned.uid.empty();
        if (there_before && before->resource_version == applied.owned.resource_version) {
            applied.action = Action::unchanged;
        } else if (there_before || was_there(answer)) {
            applied.action = Action::configured;
        } else {
            applied.action = Action::created;
        }
        applied.status = only_metadata ? kube::ObjectStatus{kube::Health::current, "Resource is current"}
                                       : kube::status_of(answer, std::chrono::system_clock::now());
        done_.objects.push_back(std::move(applied));
    }

    /// An object that only our apply has ever written was created by it.
    static bool was_there(kube::Object const& answer) {
        auto const* managers = kube::find_array(answer, {"metadata", "managedFields"});
        return kube::generation_of(answer) > 1 || (managers != nullptr && managers->size() > 1);
    }

    Task<void> remove_and_wait(kube::Target target, kube::ObjectId id) {
        auto removed = co_await cluster_.remove(target, {});
        if (!removed && removed.error().code != Errc::not_found) {
            co_return fail(std::move(removed), id.display() + " delete for re-creation");
        }
        auto const started = std::chrono::steady_clock::now();
        milliseconds pause = kPollMin;
        kube::ReadOptions const metadata{.metadata_only = true};
        while (std::chrono::steady_clock::now() - started < kRecreateMax) {
            auto live = co_await cluster_.get(target, metadata);
            if (!live && live.error().code == Errc::not_found) co_return Result<void>{};
            co_await sleep_for(pause);
            pause = std::min(pause * 2, kPollMax);
        }
        co_return fail(Errc::timeout, id.display() + " is still being deleted after 60 s: a finalizer holds it");
    }

    /// Until every object applied since `first` is current.
    Task<void> wait_for(std::size_t first) {
        auto const started = std::chrono::steady_clock::now();
        bool defined = false;
        for (std::size_t i = first; i < done_.objects.size(); ++i) {
            milliseconds pause = kPollMin;
            while (!is_current(done_.objects[i])) {
                if (done_.objects[i].status.health == kube::Health::failed ||
                    std::chrono::steady_clock::now() - started > options_.stage_wait_max) {
                    std::string const word{kube::to_string(done_.objects[i].status.health)};
                    co_return fail(Errc::timeout, "timeout waiting for: [" + done_.objects[i].id.display() +
                                                      " status: '" + word + "']: " + done_.objects[i].status.message);
                }
                co_await sleep_for(pause);
                pause = std::min(pause * 2, kPollMax);
                auto looked = co_await look(i);
                if (!looked) co_return looked;
            }
            if (done_.objects[i].id.kind == "CustomResourceDefinition" &&
                done_.objects[i].action != Action::unchanged) {
                defined = true;
            }
        }
        if (defined && options_.kinds_changed) options_.kinds_changed();
        co_return Result<void>{};
    }

    static bool is_current(Applied const& one) {
        return one.known || one.action == Action::skipped || one.status.health == kube::Health::current;
    }

    Task<void> look(std::size_t i) {
        kube::GroupVersionKind gvk{done_.objects[i].id.group, done_.objects[i].owned.entry.version,
                                   done_.objects[i].id.kind};
        auto resource = co_await cluster_.resource_for(std::move(gvk));
        if (!resource) co_return fail(std::move(resource), "wait");
        kube::Target const target{std::move(*resource), done_.objects[i].id.ns, done_.objects[i].id.name};
        auto live = co_await cluster_.get(target);
        if (!live) co_return fail(std::move(live), "wait for " + done_.objects[i].id.display());
        done_.objects[i].status = kube::status_of(*live, std::chrono::system_clock::now());
        co_return Result<void>{};
    }

    kube::Cluster& cluster_;
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

Task<void> apply_staged(kube::Cluster& cluster, std::vector<kube::Object> objects, ApplyOptions options,
                        ApplyReport& done) {
    std::vector<Stage> stages = stages_of(std::move(objects));
    Stager stager{cluster, std::move(options), done};
    for (Stage& stage : stages) {
        auto ran = co_await stager.run(std::move(stage));
        if (!ran) co_return ran;
    }
    co_return Result<void>{};
}

}  // namespace holdfast::reconcile
