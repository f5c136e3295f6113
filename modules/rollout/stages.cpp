// modules/rollout/stages.cpp: Flux's order of kinds.
#include "modules/rollout/stages.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>

namespace holdfast::rollout {

namespace {

constexpr std::array<std::string_view, 23> kFirst{"CustomResourceDefinition",
                                                  "Namespace",
                                                  "ClusterRole",
                                                  "ClusterClass",
                                                  "RuntimeClass",
                                                  "PriorityClass",
                                                  "StorageClass",
                                                  "VolumeSnapshotClass",
                                                  "IngressClass",
                                                  "GatewayClass",
                                                  "ClusterRoleBinding",
                                                  "ResourceQuota",
                                                  "ServiceAccount",
                                                  "Role",
                                                  "RoleBinding",
                                                  "ConfigMap",
                                                  "Secret",
                                                  "Service",
                                                  "LimitRange",
                                                  "Deployment",
                                                  "StatefulSet",
                                                  "CronJob",
                                                  "PodDisruptionBudget"};
constexpr std::array<std::string_view, 2> kLast{"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"};

/// Kinds of the same name in other groups are nothing special.
bool is_native(kube::ObjectId const& id) {
    if (id.kind == "CustomResourceDefinition") return id.group == "apiextensions.k8s.io";
    if (id.kind == "Namespace") return id.group.empty();
    if (id.kind == "ClusterRole") return id.group == "rbac.authorization.k8s.io";
    return true;
}

int rank(kube::ObjectId const& id) {
    std::string_view const kind = id.kind;
    if (!is_native(id)) return 100;
    auto const first = std::ranges::find(kFirst, kind);
    if (first != kFirst.end()) return static_cast<int>(first - kFirst.begin());
    auto const last = std::ranges::find(kLast, kind);
    if (last != kLast.end()) return 1'000 + static_cast<int>(last - kLast.begin());
    return 100;
}

std::size_t stage_of(kube::ObjectId const& id) {
    std::string_view const kind = id.kind;
    bool const defines = kind == "CustomResourceDefinition" || kind == "Namespace" || kind == "ClusterRole";
    if (defines) return is_native(id) ? 0 : 2;
    return kind.ends_with("Class") ? 1 : 2;
}

auto order_of(kube::ObjectId const& id) {
    return std::make_tuple(rank(id), std::string_view{id.group}, std::string_view{id.kind}, std::string_view{id.ns},
                           std::string_view{id.name});
}

}  // namespace

std::vector<Stage> stages_of(std::vector<Wish> wishes) {
    std::array<std::vector<Wish>, 3> sorted;
    for (Wish& wish : wishes) {
        std::size_t const stage = stage_of(wish.id);
        sorted[stage].push_back(std::move(wish));
    }
    std::vector<Stage> stages;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        if (sorted[i].empty()) continue;
        std::ranges::sort(sorted[i], {}, [](Wish const& one) { return order_of(one.id); });
        stages.push_back({.wishes = std::move(sorted[i]), .wait = i < 2});
    }
    return stages;
}

void sort_for_deletion(std::vector<kube::ObjectId>& ids) {
    std::ranges::sort(ids, [](kube::ObjectId const& a, kube::ObjectId const& b) { return order_of(a) > order_of(b); });
}

}  // namespace holdfast::rollout
