// modules/model/kinds/kustomization.cpp: which fields of a Kustomization are read, which are refused, and its .status.
#include "modules/model/kinds/kustomization.hpp"

#include "modules/model/kinds.hpp"
#include "modules/model/members.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace holdfast::model {

namespace {

constexpr std::size_t kHistoryMax = 5;
constexpr std::size_t kNameBytesMax = 253;     // of an object in a cluster
constexpr std::size_t kDependenciesMax = 100;  // each of them is looked at in each pass, and wakes this one

DeletionPolicy read_deletion_policy(Fields& spec) {
    std::string const word = spec.text("deletionPolicy", "MirrorPrune");
    if (word == "MirrorPrune" || word.empty()) return DeletionPolicy::mirror_prune;
    if (word == "Delete") return DeletionPolicy::remove;
    if (word == "WaitForTermination") return DeletionPolicy::wait_for_termination;
    if (word == "Orphan") return DeletionPolicy::orphan;
    spec.wrong("deletionPolicy", "must be MirrorPrune, Delete, WaitForTermination or Orphan");
    return DeletionPolicy::mirror_prune;
}

/// It becomes a part of a user's name, between colons: nothing but a name may stand there.
std::string read_service_account(Fields& spec) {
    std::string name = spec.text("serviceAccountName");
    auto const fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
    if (name.size() > kNameBytesMax || !std::ranges::all_of(name, fits)) {
        spec.wrong("serviceAccountName", "must be the name of a ServiceAccount of the same namespace");
    }
    return name;
}

void read_source(Fields& spec, KustomizationSpec& k, std::string const& own_namespace) {
    Fields source = spec.child("sourceRef");
    std::string const api_version = source.text("apiVersion");
    if (!api_version.empty() && !api_version.starts_with("source.toolkit.fluxcd.io/")) {
        source.wrong("apiVersion", "must be one of source.toolkit.fluxcd.io");
    }
    k.source_kind = source.required_text("kind");
    k.source = {source.text("namespace", own_namespace), source.required_text("name")};
    if (k.source.ns.empty()) k.source.ns = own_namespace;
}

void read_lists(Fields& spec, KustomizationSpec& k, std::string const& own_namespace) {
    auto const* list = spec.list("dependsOn");
    if (list != nullptr && list->size() > kDependenciesMax) {
        spec.wrong("dependsOn", "more than " + std::to_string(kDependenciesMax) + " dependencies");
    } else if (list != nullptr) {
        for (std::size_t i = 0; i < list->size(); ++i) {
            Fields one = spec.element("dependsOn", *list, i);
            k.depends_on.push_back({one.text("namespace", own_namespace), one.required_text("name")});
            if (k.depends_on.back().ns.empty()) k.depends_on.back().ns = own_namespace;
            one.refuse("readyExpr");
        }
    }
    if (auto const* checks = spec.list("healthChecks")) {
        for (std::size_t i = 0; i < checks->size(); ++i) {
            Fields one = spec.element("healthChecks", *checks, i);
            k.health_checks.push_back(
                {one.text("apiVersion"), one.required_text("kind"), one.text("namespace"), one.required_text("name")});
        }
    }
}

/// The objects that this Kustomization has to look at again when they change.
std::vector<Key> refs_of(KustomizationSpec const& k) {
    std::vector<Key> refs;
    if (auto const kind = kind_named(k.source_kind); kind && info(*kind).what == Class::source) {
        refs.push_back({*kind, k.source.ns, k.source.name});
    }
    for (NamespacedName const& one : k.depends_on) refs.push_back({Kind::kustomization, one.ns, one.name});
    return refs;
}

HistoryEntry read_history_row(json::object const& row) {
    HistoryEntry entry;
    entry.digest = text_at(row, "digest");
    entry.first_reconciled = time_at(row, "firstReconciled");
    entry.last_reconciled = time_at(row, "lastReconciled");
    if (auto const took = parse_duration(text_at(row, "lastReconciledDuration"))) entry.last_duration = *took;
    entry.last_status = text_at(row, "lastReconciledStatus");
    entry.total = number_at(row, "totalReconciliations", 1);
    if (auto const* metadata = object_at(row, "metadata"))
        entry.revision = {text_at(*metadata, "revision"), text_at(*metadata, "originRevision")};
    return entry;
}

void write_history(Status const& status, json::object& out) {
    auto const& history = status.part<KustomizationStatus>().history;
    if (history.empty()) return;
    json::array rows;
    for (HistoryEntry const& entry : history) {
        json::object row{{"digest", entry.digest},
                         {"firstReconciled", format_time(entry.first_reconciled)},
                         {"lastReconciled", format_time(entry.last_reconciled)},
                         {"lastReconciledDuration", format_duration(entry.last_duration)},
                         {"lastReconciledStatus", entry.last_status},
                         {"totalReconciliations", entry.total}};
        if (auto const& [revision, origin] = entry.revision; !revision.empty()) {
            json::object metadata{{"revision", revision}};
            if (!origin.empty()) metadata["originRevision"] = origin;
            row["metadata"] = std::move(metadata);
        }
        rows.push_back(std::move(row));
    }
    out["history"] = std::move(rows);
}

void read_history(json::object const& from, Status& status) {
    auto const* rows = list_at(from, "history");
    if (rows == nullptr) return;
    auto& history = status.part<KustomizationStatus>().history;
    for (json::value const& row : *rows) {
        if (auto const* object = row.if_object(); object != nullptr && history.size() < kHistoryMax) {
            history.push_back(read_history_row(*object));
        }
    }
}

/// A pass like the last one adds nothing but to its row.
void strip_history(json::value& written) {
    auto* rows = written.if_array();
    if (rows == nullptr) return;
    for (json::value& value : *rows) {
        auto* row = value.if_object();
        if (row == nullptr) continue;
        for (std::string_view const name : {"lastReconciled", "lastReconciledDuration", "totalReconciliations"})
            row->erase(name);
    }
}

void write_inventory(Status const& status, json::object& out) {
    auto const& inventory = status.part<KustomizationStatus>().inventory;
    if (inventory.empty() && !status.part<KustomizationStatus>().has_inventory) return;
    json::array entries;
    for (InventoryEntry const& entry : inventory) {
        entries.push_back(json::object{{"id", entry.id}, {"v", entry.version}});
    }
    out["inventory"] = json::object{{"entries", std::move(entries)}};
}

void read_inventory(json::object const& from, Status& status) {
    auto const* inventory = object_at(from, "inventory");
    auto const* entries = inventory == nullptr ? nullptr : list_at(*inventory, "entries");
    if (entries == nullptr) return;
    status.part<KustomizationStatus>().has_inventory = true;
    auto& read = status.part<KustomizationStatus>().inventory;
    for (json::value const& value : *entries) {
        auto const* entry = value.if_object();
        if (read.size() >= kInventoryMax) break;  // more is applied by nobody
        if (entry != nullptr) read.push_back({text_at(*entry, "id"), text_at(*entry, "v")});
    }
    std::ranges::sort(read);
    auto const repeats = std::ranges::unique(read, {}, &InventoryEntry::id);
    read.erase(repeats.begin(), repeats.end());
}

template <auto Member> void write_text(Status const& status, json::object& out, std::string_view name) {
    std::string const& text = status.part<KustomizationStatus>().*Member;
    if (!text.empty()) out[name] = text;
}

}  // namespace

Spec read_kustomization(Fields& spec, std::string const& own_namespace) {
    KustomizationSpec k;
    read_source(spec, k, own_namespace);
    k.path = spec.text("path", k.path);
    // A typing error must not make a loop of passes: nobody means less than this.
    constexpr std::chrono::seconds kIntervalMin{5};
    k.interval = std::max<Duration>(spec.required_duration("interval"), kIntervalMin);
    k.retry_interval = std::max<Duration>(spec.duration("retryInterval", k.interval), kIntervalMin);
    // Flux: thirty seconds less than the interval, and never under thirty, whatever is asked for.
    k.timeout =
        std::max<Duration>(spec.duration("timeout", k.interval - std::chrono::seconds{30}), std::chrono::seconds{30});
    k.prune = spec.flag("prune", false);
    k.wait = spec.flag("wait", false);
    k.force = spec.flag("force", false);
    k.suspend = spec.flag("suspend", false);
    k.target_namespace = spec.text("targetNamespace");
    k.service_account = read_service_account(spec);
    if (spec.has("kubeConfig")) {
        Fields kube_config = spec.child("kubeConfig");
        k.kube_config = read_kube_config(kube_config);
    }
    k.deletion_policy = read_deletion_policy(spec);
    read_lists(spec, k, own_namespace);
    {
        Fields common = spec.child("commonMetadata");
        k.common_labels = common.texts("labels");
        k.common_annotations = common.texts("annotations");
    }
    json::object handed_on;
    for (std::string_view const name :
         {"namePrefix", "nameSuffix", "patches", "images", "components", "ignoreMissingComponents", "buildMetadata"}) {
        if (auto const* value = spec.as_is(name)) handed_on[name] = *value;
    }
    std::uint64_t spared = 0;
    if (!handed_on.empty()) {
        k.kustomize = Packed{json::serialize(handed_on)};
        std::uint64_t const plain = weight_of(handed_on);
        spared = plain - std::min<std::uint64_t>(plain, k.kustomize.held());
    }
    for (std::string_view const name : {"decryption", "postBuild", "healthCheckExprs", "ignore"}) {
        spec.refuse(name);
    }
    std::vector<Key> refs = refs_of(k);
    Spec out{std::move(k), std::move(refs)};
    out.spare(spared);
    return out;
}

std::span<StatusField const> kustomization_status() {
    static constexpr std::array kFields = std::to_array<StatusField>({
        {"lastAppliedRevision",
         [](Status const& status, json::object& out) {
             write_text<&KustomizationStatus::last_applied_revision>(status, out, "lastAppliedRevision");
         },
         [](json::object const& from, Status& status) {
             status.part<KustomizationStatus>().last_applied_revision = text_at(from, "lastAppliedRevision");
         }},
        {"lastAttemptedRevision",
         [](Status const& status, json::object& out) {
             write_text<&KustomizationStatus::last_attempted_revision>(status, out, "lastAttemptedRevision");
         },
         [](json::object const& from, Status& status) {
             status.part<KustomizationStatus>().last_attempted_revision = text_at(from, "lastAttemptedRevision");
         }},
        {"inventory", write_inventory, read_inventory},
        {"history", write_history, read_history, strip_history},
        {"lastAppliedOriginRevision",
         [](Status const& status, json::object& out) {
             write_text<&KustomizationStatus::last_applied_origin>(status, out, "lastAppliedOriginRevision");
         },
         [](json::object const& from, Status& status) {
             status.part<KustomizationStatus>().last_applied_origin = text_at(from, "lastAppliedOriginRevision");
         }},
    });
    return kFields;
}

std::string kustomization_revision(Status const& status) {
    return status.part<KustomizationStatus>().last_applied_revision;
}

void KustomizationStatus::remember(std::string digest, std::string_view outcome, AppliedRevision revision,
                                   Duration took, WallTime now) {
    auto found = std::ranges::find_if(
        history, [&](HistoryEntry const& entry) { return entry.digest == digest && entry.last_status == outcome; });
    HistoryEntry entry;
    if (found != history.end()) {
        entry = std::move(*found);
        history.erase(found);
    } else {
        entry.first_reconciled = now;
        entry.digest = std::move(digest);
        entry.last_status = outcome;
    }
    entry.last_reconciled = now;
    entry.last_duration = took;
    entry.revision = std::move(revision);
    entry.total += 1;
    history.insert(history.begin(), std::move(entry));
    if (history.size() > kHistoryMax) history.resize(kHistoryMax);
}

}  // namespace holdfast::model
