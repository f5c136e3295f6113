// modules/kustomize/ids.cpp: text forms and the order of kinds.
#include "modules/kustomize/ids.hpp"

#include <array>
#include <functional>

namespace holdfast::kustomize {
namespace {

constexpr std::array<std::string_view, 22> kFirst = {"Namespace",
                                                     "ResourceQuota",
                                                     "StorageClass",
                                                     "CustomResourceDefinition",
                                                     "ServiceAccount",
                                                     "PodSecurityPolicy",
                                                     "Role",
                                                     "ClusterRole",
                                                     "RoleBinding",
                                                     "ClusterRoleBinding",
                                                     "ConfigMap",
                                                     "Secret",
                                                     "Endpoints",
                                                     "Service",
                                                     "LimitRange",
                                                     "PriorityClass",
                                                     "PersistentVolume",
                                                     "PersistentVolumeClaim",
                                                     "Deployment",
                                                     "StatefulSet",
                                                     "CronJob",
                                                     "PodDisruptionBudget"};
constexpr std::array<std::string_view, 2> kLast = {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"};

int rank_of(std::string_view kind) {
    for (std::size_t i = 0; i < kFirst.size(); ++i) {
        if (kFirst[i] == kind) return static_cast<int>(i) - static_cast<int>(kFirst.size());
    }
    for (std::size_t i = 0; i < kLast.size(); ++i) {
        if (kLast[i] == kind) return static_cast<int>(i) + 1;
    }
    return 0;
}

std::string or_else(std::string const& text, char const* fallback) { return text.empty() ? fallback : text; }

std::string quoted(std::string const& text) { return "\"" + text + "\""; }

}  // namespace

std::string Gvk::str() const {
    return or_else(kind, "[noKind]") + "." + or_else(version, "[noVer]") + "." + or_else(group, "[noGrp]");
}

std::string Gvk::legacy_sort_key() const {
    return or_else(group, "~G") + "_" + or_else(version, "~V") + "_" + or_else(kind, "~K");
}

std::string Gvk::without_empty() const {
    std::string out;
    for (auto const* part : {&group, &version, &kind}) {
        if (part->empty()) continue;
        if (!out.empty()) out += '_';
        out += *part;
    }
    return out;
}

std::pair<std::string_view, std::string_view> split_api_version(std::string_view api_version) {
    auto const slash = api_version.find('/');
    if (slash == std::string_view::npos) return {{}, api_version};
    return {api_version.substr(0, slash), api_version.substr(slash + 1)};
}

Gvk make_gvk(patch::Schema const& schema, std::string_view api_version, std::string_view kind) {
    auto const [group, version] = split_api_version(api_version);
    Gvk gvk{std::string{group}, std::string{version}, std::string{kind}};
    gvk.cluster_scoped = schema.is_cluster_scoped(api_version, kind);
    return gvk;
}

bool less_than(Gvk const& a, Gvk const& b) {
    if (a.same(b)) return false;
    auto const rank_a = rank_of(a.kind), rank_b = rank_of(b.kind);
    if (rank_a != rank_b) return rank_a < rank_b;
    return a.legacy_sort_key() < b.legacy_sort_key();
}

std::size_t ResId::hash() const {
    std::hash<std::string_view> const of;
    auto seed = of(name);
    for (auto const text : {std::string_view{gvk.kind}, std::string_view{gvk.group}, std::string_view{gvk.version},
                            effective_namespace()}) {
        seed ^= of(text) + 0x9e3779b97f4a7c15u + (seed << 6) + (seed >> 2);
    }
    return seed;
}

std::string ResId::str() const { return gvk.str() + "/" + or_else(name, "[noName]") + "." + or_else(ns, "[noNs]"); }

std::string ResId::go_syntax() const {
    return "resid.ResId{Gvk:resid.Gvk{Group:" + quoted(gvk.group) + ", Version:" + quoted(gvk.version) +
           ", Kind:" + quoted(gvk.kind) + ", isClusterScoped:" + (gvk.cluster_scoped ? "true" : "false") +
           "}, Name:" + quoted(name) + ", Namespace:" + quoted(ns) + "}";
}

}  // namespace holdfast::kustomize
