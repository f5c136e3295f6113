// modules/fluxconfig/account.cpp: makes the account and its bindings, and takes them away again.
#include "modules/fluxconfig/account.hpp"

#include "modules/access/lock.hpp"
#include "modules/model/kinds.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace holdfast::fluxconfig {

using access::kApplier;
using model::Kind;

namespace {

namespace json = boost::json;
constexpr std::string_view kRbac = "rbac.authorization.k8s.io/v1";

json::object metadata(std::string name, std::string const& ns, bool in_namespace) {
    json::object out{{"name", std::move(name)},
                     {"labels", json::object{{model::kManagedLabel, "true"}, {model::kConfigNamespaceLabel, ns}}}};
    if (in_namespace) out["namespace"] = ns;
    return out;
}

json::object account(std::string const& ns) {
    return {{"apiVersion", "v1"}, {"kind", "ServiceAccount"}, {"metadata", metadata(std::string{kApplier}, ns, true)}};
}

json::object binding(std::string_view kind, json::object meta, std::string const& ns, std::string_view role_kind,
                     std::string_view role) {
    json::object subject{{"kind", "ServiceAccount"}, {"name", kApplier}, {"namespace", ns}};
    return {{"apiVersion", kRbac},
            {"kind", kind},
            {"metadata", std::move(meta)},
            {"roleRef", json::object{{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", role_kind}, {"name", role}}},
            {"subjects", json::array{std::move(subject)}}};
}

/// Writing Flux objects, but not their status. Not FluxConfigs: whoever writes one of scope cluster may do anything.
json::object flux_role(std::string const& ns, std::string name) {
    static std::vector<std::pair<std::string_view, std::vector<std::string_view>>> const kGroups{
        {"source.toolkit.fluxcd.io",
         {"gitrepositories", "ocirepositories", "helmrepositories", "helmcharts", "buckets", "externalartifacts"}},
        {"kustomize.toolkit.fluxcd.io", {"kustomizations"}},
        {"helm.toolkit.fluxcd.io", {"helmreleases"}},
        {"notification.toolkit.fluxcd.io", {"alerts", "providers", "receivers"}},
        {"image.toolkit.fluxcd.io", {"imagerepositories", "imagepolicies", "imageupdateautomations"}}};
    json::array const verbs{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"};
    json::array rules;
    for (auto const& [group, resources] : kGroups) {
        json::array names(resources.begin(), resources.end());
        rules.push_back(
            json::object{{"apiGroups", json::array{group}}, {"resources", std::move(names)}, {"verbs", verbs}});
    }
    return {{"apiVersion", kRbac},
            {"kind", "Role"},
            {"metadata", metadata(std::move(name), ns, true)},
            {"rules", std::move(rules)}};
}

Task<kube::Target> target_of(kube::Cluster& cluster, json::object const& object) {
    auto const gvk = kube::kind_of(object);
    if (!gvk) co_return fail(Errc::invalid_input, "an object without a kind");
    auto resource = co_await cluster.resource_for(*gvk);
    if (!resource) co_return fail(std::move(resource));
    co_return kube::Target{std::move(*resource), std::string{kube::namespace_of(object)},
                           std::string{kube::name_of(object)}};
}

Task<void> apply(kube::Cluster& cluster, json::object object) {
    kube::WriteOptions const options{
        .field_manager = std::string{model::info(Kind::flux_config).manager}, .force = true, .metadata_only = true};
    auto applied = co_await cluster.apply(std::move(object), options);
    if (!applied) co_return fail(std::move(applied));
    co_return Result<void>{};
}

/// Unless it is gone, or another's.
Task<void> remove(kube::Cluster& cluster, json::object object) {
    auto target = co_await target_of(cluster, object);
    if (!target) co_return fail(std::move(target));
    kube::ReadOptions const metadata_only{.metadata_only = true};
    auto live = co_await cluster.get(*target, metadata_only);
    if (!live && live.error().code == Errc::not_found) co_return Result<void>{};
    if (!live) co_return fail(std::move(live));
    if (kube::find_string(*live, {"metadata", "labels", model::kManagedLabel}) != "true") co_return Result<void>{};
    kube::DeleteOptions const options{.uid = std::string{kube::uid_of(*live)}};
    auto removed = co_await cluster.remove(std::move(*target), options);
    if (!removed && removed.error().code != Errc::not_found) co_return removed;
    co_return Result<void>{};
}

}  // namespace

bool needs_account(model::FluxConfigSpec const& spec, bool multi_tenancy) {
    return multi_tenancy || spec.scope == model::ConfigScope::own_namespace;
}

Reach reach_of(model::Registry const& registry, std::string const& ns, bool multi_tenancy, model::Key const* but) {
    Reach reach = Reach::none;
    for (model::Entry const* entry : model::configs_in(registry, ns)) {
        if (but != nullptr && entry->key == *but) continue;
        // One that cannot be read may be of scope namespace: what it kept in is not let out meanwhile.
        if (!entry->spec) return Reach::own_namespace;
        auto const& spec = entry->spec_as<model::FluxConfigSpec>();
        if (spec.scope == model::ConfigScope::own_namespace) return Reach::own_namespace;
        if (needs_account(spec, multi_tenancy)) reach = Reach::cluster;
    }
    return reach;
}

std::vector<json::object> bindings(std::string const& ns, Reach reach) {
    std::string const name{kApplier};
    std::string const flux = name + "-flux";
    std::vector<json::object> objects;
    if (reach == Reach::own_namespace) {
        objects.push_back(binding("RoleBinding", metadata(name, ns, true), ns, "ClusterRole", "admin"));
        objects.push_back(flux_role(ns, flux));
        objects.push_back(binding("RoleBinding", metadata(flux, ns, true), ns, "Role", flux));
    }
    if (reach == Reach::cluster) {
        auto meta = metadata(name + "-" + ns, ns, false);
        objects.push_back(binding("ClusterRoleBinding", std::move(meta), ns, "ClusterRole", "cluster-admin"));
    }
    return objects;
}

Task<void> make_account(kube::Cluster& cluster, std::string ns, Reach reach) {
    json::object wanted = account(ns);
    auto target = co_await target_of(cluster, wanted);
    if (!target) co_return fail(std::move(target), "account");
    kube::ReadOptions const metadata_only{.metadata_only = true};
    auto live = co_await cluster.get(std::move(*target), metadata_only);
    if (!live && live.error().code != Errc::not_found) co_return fail(std::move(live), "account");
    if (!live) {
        auto made = co_await apply(cluster, std::move(wanted));
        if (!made) co_return fail(std::move(made), "account");
    }
    for (json::object& object : bindings(ns, reach)) {
        auto made = co_await apply(cluster, std::move(object));
        if (!made) co_return fail(std::move(made), "account");
    }
    co_return Result<void>{};
}

Task<void> unmake_account(kube::Cluster& cluster, std::string ns, Reach kept) {
    std::vector<json::object> goes;
    for (Reach const reach : {Reach::own_namespace, Reach::cluster}) {
        if (reach != kept) std::ranges::move(bindings(ns, reach), std::back_inserter(goes));
    }
    if (kept == Reach::none) goes.push_back(account(ns));
    for (json::object& object : goes) {
        auto removed = co_await remove(cluster, std::move(object));
        if (!removed) co_return fail(std::move(removed), "account");
    }
    co_return Result<void>{};
}

Task<void> make_namespace(kube::Cluster& cluster, std::string ns) {
    json::object wanted{{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", json::object{{"name", ns}}}};
    auto target = co_await target_of(cluster, wanted);
    if (!target) co_return fail(std::move(target), "namespace");
    kube::ReadOptions const metadata_only{.metadata_only = true};
    auto live = co_await cluster.get(std::move(*target), metadata_only);
    if (live) co_return Result<void>{};
    if (live.error().code != Errc::not_found) co_return fail(std::move(live), "namespace");
    auto made = co_await apply(cluster, std::move(wanted));
    if (!made) co_return fail(std::move(made), "namespace");
    co_return Result<void>{};
}

}  // namespace holdfast::fluxconfig
