// modules/helm/manifest.cpp: split, read the heads, tell hooks from manifests, sort by kind.
#include "modules/helm/manifest.hpp"

#include "modules/helm/text.hpp"
#include "modules/helm/typed.hpp"
#include "modules/text/gotemplate/strconv.hpp"

#include <algorithm>
#include <iterator>

namespace holdfast::helm {
namespace {

constexpr std::string_view kInstallOrder[] = {"PriorityClass",
                                              "Namespace",
                                              "NetworkPolicy",
                                              "ResourceQuota",
                                              "LimitRange",
                                              "PodSecurityPolicy",
                                              "PodDisruptionBudget",
                                              "ServiceAccount",
                                              "Secret",
                                              "SecretList",
                                              "ConfigMap",
                                              "StorageClass",
                                              "PersistentVolume",
                                              "PersistentVolumeClaim",
                                              "CustomResourceDefinition",
                                              "ClusterRole",
                                              "ClusterRoleList",
                                              "ClusterRoleBinding",
                                              "ClusterRoleBindingList",
                                              "Role",
                                              "RoleList",
                                              "RoleBinding",
                                              "RoleBindingList",
                                              "Service",
                                              "DaemonSet",
                                              "Pod",
                                              "ReplicationController",
                                              "ReplicaSet",
                                              "Deployment",
                                              "HorizontalPodAutoscaler",
                                              "StatefulSet",
                                              "Job",
                                              "CronJob",
                                              "IngressClass",
                                              "Ingress",
                                              "APIService",
                                              "MutatingWebhookConfiguration",
                                              "ValidatingWebhookConfiguration"};

constexpr std::string_view kUninstallOrder[] = {"ValidatingWebhookConfiguration",
                                                "MutatingWebhookConfiguration",
                                                "APIService",
                                                "Ingress",
                                                "IngressClass",
                                                "Service",
                                                "CronJob",
                                                "Job",
                                                "StatefulSet",
                                                "HorizontalPodAutoscaler",
                                                "Deployment",
                                                "ReplicaSet",
                                                "ReplicationController",
                                                "Pod",
                                                "DaemonSet",
                                                "RoleBindingList",
                                                "RoleBinding",
                                                "RoleList",
                                                "Role",
                                                "ClusterRoleBindingList",
                                                "ClusterRoleBinding",
                                                "ClusterRoleList",
                                                "ClusterRole",
                                                "CustomResourceDefinition",
                                                "PersistentVolumeClaim",
                                                "PersistentVolume",
                                                "StorageClass",
                                                "ConfigMap",
                                                "SecretList",
                                                "Secret",
                                                "ServiceAccount",
                                                "PodDisruptionBudget",
                                                "PodSecurityPolicy",
                                                "LimitRange",
                                                "ResourceQuota",
                                                "NetworkPolicy",
                                                "Namespace",
                                                "PriorityClass"};

constexpr std::string_view kEvents[] = {"pre-install",  "post-install", "pre-delete",    "post-delete", "pre-upgrade",
                                        "post-upgrade", "pre-rollback", "post-rollback", "test"};

struct Head {
    std::string api_version;
    std::string kind;
    std::string name;
    std::map<std::string, std::string> annotations;
};

/// sigs.k8s.io/yaml into Helm's SimpleHead: only these fields are looked at, the rest must merely be YAML.
Result<Head> read_head(std::string_view text) {
    static constexpr TypedField kMetadata[] = {{"name"},
                                               {"annotations", TypedField::Kind::string_map, {}, "map[string]string"}};
    static constexpr TypedField kHead[] = {
        {"apiVersion"},
        {"kind"},
        {"metadata", TypedField::Kind::structure, kMetadata,
         "struct { Name string \"json:\\\"name\\\"\"; Annotations map[string]string \"json:\\\"annotations\\\"\" }"}};
    auto decoded = decode_yaml(text, {"SimpleHead", "util.SimpleHead", kHead});
    if (!decoded) return fail(std::move(decoded));
    Head head{.api_version = decoded->text("apiVersion"), .kind = decoded->text("kind"), .name = {}, .annotations = {}};
    if (auto const* metadata = decoded->child("metadata")) {
        head.name = metadata->text("name");
        head.annotations = metadata->strings("annotations");
    }
    return head;
}

template <class Visit> void each_value(std::string_view list, Visit visit) {
    for (auto const part : split(list, ',')) visit(lower(trimmed(part)));
}

/// The hook this manifest is; no events when one of them is unknown, which drops it.
Hook make_hook(Head const& head, std::string const& path, std::string const& text, std::string_view types) {
    Hook hook{.name = head.name, .kind = head.kind, .path = path, .manifest = text};
    bool unknown = false;
    each_value(types, [&](std::string event) {
        if (event == "test-success") event = "test";
        unknown = unknown || std::ranges::find(kEvents, event) == std::end(kEvents);
        hook.events.push_back(std::move(event));
    });
    if (unknown) hook.events.clear();
    auto const annotation = [&](char const* key) {
        auto const found = head.annotations.find(key);
        return found == head.annotations.end() ? nullptr : &found->second;
    };
    if (auto const* weight = annotation("helm.sh/hook-weight")) {
        auto const number = gotemplate::parse_int(*weight, 10);
        hook.weight = number && *number <= INT32_MAX && *number >= INT32_MIN ? static_cast<int>(*number) : 0;
    }
    if (auto const* policies = annotation("helm.sh/hook-delete-policy"))
        each_value(*policies, [&](std::string policy) { hook.delete_policies.push_back(std::move(policy)); });
    if (auto const* policies = annotation("helm.sh/hook-output-log-policy"))
        each_value(*policies, [&](std::string policy) { hook.output_log_policies.push_back(std::move(policy)); });
    return hook;
}

/// Helm's order: by kind, kinds it does not know last and by name; equal ones stay as they were.
template <class T> void sort_by_kind(std::vector<T>& items) {
    struct Key {
        std::size_t rank;
        std::string_view kind;
        std::size_t at;
        auto operator<=>(Key const&) const = default;
    };
    std::vector<Key> keys;
    keys.reserve(items.size());
    for (auto const& item : items) {
        auto const rank = kind_rank(item.kind);
        keys.push_back(
            {rank, rank == std::size(kInstallOrder) ? std::string_view{item.kind} : std::string_view{}, keys.size()});
    }
    std::ranges::sort(keys);
    std::vector<T> sorted;
    sorted.reserve(items.size());
    for (auto const& key : keys) sorted.push_back(std::move(items[key.at]));
    items = std::move(sorted);
}

}  // namespace

std::size_t kind_rank(std::string_view kind, bool uninstall) {
    auto const find = [&](auto const& order) {
        return static_cast<std::size_t>(std::ranges::find(order, kind) - std::begin(order));
    };
    return uninstall ? find(kUninstallOrder) : find(kInstallOrder);
}

std::vector<std::string> split_manifests(std::string_view text) {
    text = trimmed_left(text);
    std::vector<std::string> documents;
    std::size_t start = 0;
    auto const add = [&](std::size_t end) {
        auto const document = trimmed_left(text.substr(start, end - start));
        if (!document.empty()) documents.emplace_back(document);
    };
    // A separator is "\s*\n---\s*", or "---\s*" at the very start.
    auto const pass = [&](std::size_t at) {
        while (at < text.size() && is_blank(text[at])) ++at;
        start = at;
    };
    if (text.starts_with("---")) pass(3);
    for (auto at = text.find("\n---", start); at != text.npos; at = text.find("\n---", start)) {
        auto end = at;
        while (end > start && is_blank(text[end - 1])) --end;
        add(end);
        pass(at + 4);
    }
    add(text.size());
    return documents;
}

Result<Sorted> sort_manifests(std::map<std::string, std::string> const& files, Log& log) {
    Sorted sorted;
    for (auto const& [path, text] : files) {
        if (base_name(path).starts_with('_') || trimmed(text).empty()) continue;
        for (auto& document : split_manifests(text)) {
            if (sorted.manifests.size() + sorted.hooks.size() >= kManifestsMax)
                return fail(Errc::limit, "too many manifests");
            auto head = read_head(document);
            if (!head) return fail(std::move(head), "YAML parse error on " + path);
            auto const types = head->annotations.find("helm.sh/hook");
            if (types == head->annotations.end()) {
                sorted.manifests.push_back({path, std::move(document), head->api_version, head->kind, head->name});
                continue;
            }
            auto hook = make_hook(*head, path, document, types->second);
            if (!hook.events.empty()) {
                sorted.hooks.push_back(std::move(hook));
            } else {
                log.push_back(log_line("INFO", "skipping unknown hooks", {{"hookTypes", types->second}}));
            }
        }
    }
    sort_by_kind(sorted.manifests);
    sort_by_kind(sorted.hooks);
    return sorted;
}

}  // namespace holdfast::helm
