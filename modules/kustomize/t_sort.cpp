// modules/kustomize/t_sort.cpp: the order of the output: as accumulated, or by kind.
#include "modules/kustomize/transformers.hpp"

#include <algorithm>
#include <unordered_map>

namespace holdfast::kustomize {
namespace {

LegacySortOptions default_order() {
    return {{"Namespace",
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
             "PodDisruptionBudget"},
            {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}};
}

struct Entry {
    Resource* object;
    int rank;
    std::string gvk_key;  // compared between kinds
    std::string id_key;   // compared within one
};

bool before(Entry const& a, Entry const& b) {
    auto const &x = a.object->id().gvk, &y = b.object->id().gvk;
    if (x.same(y)) return a.id_key < b.id_key;
    if (a.rank != b.rank) return a.rank < b.rank;
    bool const namespaces = x.kind == "Namespace" && y.kind == "Namespace" && (x.group.empty() || y.group.empty());
    return namespaces ? a.gvk_key > b.gvk_key : a.gvk_key < b.gvk_key;
}

}  // namespace

Transform sort_objects(std::optional<SortOptions> options) {
    return [options = std::move(options)](ResMap& objects) -> Result<void> {
        auto const order = options ? options->order : std::string{"fifo"};
        if (order != "fifo" && order != "legacy") {
            return fail(Errc::invalid_input, "the field 'sortOptions.order' must be one of [fifo, legacy]");
        }
        if (order == "fifo") {
            if (options && options->legacy) {
                return fail(Errc::invalid_input,
                            "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', "
                            "not 'legacy'");
            }
            return {};
        }
        auto const kinds = options->legacy ? *options->legacy : default_order();
        std::unordered_map<std::string, int> ranks;
        for (std::size_t i = 0; i < kinds.order_first.size(); ++i) {
            ranks[kinds.order_first[i]] = static_cast<int>(i) - static_cast<int>(kinds.order_first.size());
        }
        for (std::size_t i = 0; i < kinds.order_last.size(); ++i) ranks[kinds.order_last[i]] = static_cast<int>(i) + 1;
        std::vector<Entry> entries;
        for (auto* const object : objects.all()) {
            auto const& id = object->id();
            auto const rank = ranks.find(id.gvk.kind);
            entries.push_back(
                {object, rank == ranks.end() ? 0 : rank->second, id.gvk.legacy_sort_key(),
                 id.gvk.str() + "|" + (id.ns.empty() ? "~X" : id.ns) + "|" + (id.name.empty() ? "~N" : id.name)});
        }
        std::sort(entries.begin(), entries.end(), before);
        std::vector<Resource*> sorted;
        for (auto const& entry : entries) sorted.push_back(entry.object);
        objects.assign({});
        if (auto ok = objects.append_all(sorted); !ok) {
            return fail(std::move(ok), "SortOrderTransformer: Failed to append to resources");
        }
        return {};
    };
}

}  // namespace holdfast::kustomize
