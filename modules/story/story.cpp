// modules/story/story.cpp: finalizer, journal, status and events of one object.
#include "modules/story/story.hpp"

#include "modules/base/on_pool.hpp"
#include "modules/kube/events.hpp"
#include "modules/model/canonical.hpp"

#include <boost/json/serialize.hpp>

#include <array>
#include <utility>

namespace holdfast::story {

namespace json = boost::json;

namespace {

using model::Entry;
using model::Key;
using model::Kind;

kube::GroupVersionKind gvk_of(Kind kind) {
    return kube::parse_api_version(model::api_version_of(kind), model::kind_name(kind));
}

bool in_cluster(Ports const& ports, Entry const& entry) {
    return ports.cluster != nullptr && entry.meta.origin == model::Origin::cluster;
}

/// A merge patch keeps what it does not name: fields that went away are named with null.
json::object status_patch(Kind kind, json::object status) {
    constexpr std::array<std::string_view, 2> kOfSource{"artifact", "observedIgnore"};
    constexpr std::array<std::string_view, 2> kOfKustomization{"lastAppliedRevision", "lastAttemptedRevision"};
    auto const clear = [&](auto const& names) {
        for (std::string_view const name : names) {
            if (!status.contains(name)) status[name] = nullptr;
        }
    };
    if (kind == Kind::git_repository) clear(kOfSource);
    if (kind == Kind::kustomization) clear(kOfKustomization);
    return {{"status", std::move(status)}};
}

Task<void> write_finalizers(Ports& ports, Key key, bool keep) {
    Entry const* entry = ports.registry.find(key);
    if (entry == nullptr || !in_cluster(ports, *entry)) co_return Result<void>{};
    auto resource = co_await ports.cluster->resource_for(gvk_of(key.kind));
    if (!resource) co_return fail(std::move(resource), "finalizer");
    kube::Target const target{std::move(*resource), key.ns, key.name};
    kube::ReadOptions const metadata{.metadata_only = true};
    kube::Refusal refusal;
    for (int attempt = 0; attempt < 3; ++attempt) {
        auto live = co_await ports.cluster->get(target, metadata, &refusal);
        if (!live && live.error().code == Errc::not_found) co_return Result<void>{};
        if (!live) co_return fail(std::move(live), "finalizer");
        json::array finalizers;
        if (auto const* present = kube::find_array(*live, {"metadata", "finalizers"})) {
            for (json::value const& one : *present) {
                if (!one.is_string() || one.get_string() != kFinalizer) finalizers.push_back(one);
            }
        }
        if (keep) finalizers.emplace_back(kFinalizer);
        json::object patch{{"metadata", json::object{{"finalizers", std::move(finalizers)},
                                                     {"resourceVersion", kube::resource_version_of(*live)}}}};
        kube::WriteOptions const options{.field_manager = std::string{controller_of(key.kind)}, .metadata_only = true};
        auto patched = co_await ports.cluster->patch(target, kube::Patch::merge, std::move(patch), options, &refusal);
        if (patched || patched.error().code == Errc::not_found) co_return Result<void>{};
        if (refusal.code != 409) co_return fail(std::move(patched), "finalizer");
    }
    co_return fail(Errc::busy, "finalizer: the object keeps changing");
}

}  // namespace

std::string_view controller_of(Kind kind) {
    switch (kind) {
        case Kind::git_repository: return "source-controller";
        case Kind::kustomization: return "kustomize-controller";
        case Kind::flux_config: return "fluxconfig-controller";
    }
    return "holdfast";
}

std::string revision_of(Entry const& entry) {
    if (!entry.status.last_applied_revision.empty()) return entry.status.last_applied_revision;
    return entry.status.artifact ? entry.status.artifact->revision : "";
}

Task<void> take_finalizer(Ports& ports, Key key) {
    Entry const* entry = ports.registry.find(key);
    if (entry == nullptr || entry->meta.has_finalizer || !in_cluster(ports, *entry)) co_return Result<void>{};
    auto written = co_await write_finalizers(ports, key, true);
    if (!written) co_return written;
    if (Entry* now = ports.registry.find(key)) now->meta.has_finalizer = true;
    co_return Result<void>{};
}

Task<void> release(Ports& ports, Key key, std::vector<model::ComplianceRecord> records) {
    // The cluster first: when the patch fails the journal still knows what this object owns.
    auto written = co_await write_finalizers(ports, key, false);
    if (!written) co_return written;
    auto erase = [&journal = ports.journal, key, records = std::move(records)] { return journal.erase(key, records); };
    auto erased = co_await on_pool(ports.db, std::move(erase));
    if (!erased) co_return erased;
    if (Entry const* entry = ports.registry.find(key))
        ports.registry.changed(*entry);  // its last record waits for the uplink
    ports.registry.erase(key);
    co_return Result<void>{};
}

Task<void> conclude(Ports& ports, Key key, Outcome outcome) {
    Entry* entry = ports.registry.find(key);
    if (entry == nullptr) co_return Result<void>{};
    model::JournalWrite write{.key = key};
    if (!entry->wish.empty()) write.wish = std::exchange(entry->wish, {});
    std::optional<std::string> wish = write.wish;
    write.status = json::serialize(model::to_json(key.kind, entry->status));
    write.facts = std::move(outcome.facts);
    write.owned = std::move(outcome.owned);
    write.records = std::move(outcome.records);
    auto save = [&journal = ports.journal, write = std::move(write)] { return journal.save(write); };
    auto saved = co_await on_pool(ports.db, std::move(save));
    entry = ports.registry.find(key);
    if (entry == nullptr) co_return saved;
    entry->unrecorded = !saved;
    if (!saved) {
        if (wish && entry->wish.empty()) entry->wish = std::move(*wish);  // a newer wish may have come meanwhile
        co_return saved;
    }
    ports.registry.changed(*entry);
    entry->status_owed = true;
    co_await pay_status(ports, key);
    co_return Result<void>{};
}

asio::awaitable<void> pay_status(Ports& ports, Key key) {
    Entry* entry = ports.registry.find(key);
    if (entry == nullptr || !entry->status_owed) co_return;
    if (!in_cluster(ports, *entry)) {
        entry->status_owed = false;
        co_return;
    }
    json::object status = model::to_json(key.kind, entry->status);
    std::uint64_t const digest = model::canonical_digest(status);
    if (digest == entry->status_written) {
        entry->status_owed = false;
        co_return;
    }
    auto resource = co_await ports.cluster->resource_for(gvk_of(key.kind));
    if (!resource) co_return;
    kube::Target const target{std::move(*resource), key.ns, key.name, "status"};
    kube::WriteOptions const options{.field_manager = "gotk-" + std::string{controller_of(key.kind)},
                                     .metadata_only = true};
    auto patched =
        co_await ports.cluster->patch(target, kube::Patch::merge, status_patch(key.kind, std::move(status)), options);
    entry = ports.registry.find(key);
    if (entry == nullptr) co_return;
    if (!patched && is_retryable(patched.error().code)) {
        ports.log.debug("story", "status not written, will be",
                        {{"kind", model::kind_name(key.kind)},
                         {"namespace", key.ns},
                         {"name", key.name},
                         {"error", patched.error().message}});
        co_return;
    }
    // Refused for what it is, or the object is gone: trying the same again would not help.
    entry->status_owed = false;
    if (patched) {
        entry->status_written = digest;
    } else if (patched.error().code != Errc::not_found) {
        ports.log.warning("story", "status refused",
                          {{"kind", model::kind_name(key.kind)},
                           {"namespace", key.ns},
                           {"name", key.name},
                           {"error", patched.error().message}});
    }
}

asio::awaitable<void> tell(Ports& ports, Key key, bool warning, std::string reason, std::string message,
                           std::string revision) {
    Entry const* entry = ports.registry.find(key);
    if (entry == nullptr || !in_cluster(ports, *entry)) co_return;
    kube::Object about{{"apiVersion", model::api_version_of(key.kind)},
                       {"kind", model::kind_name(key.kind)},
                       {"metadata", json::object{{"name", key.name},
                                                 {"namespace", key.ns},
                                                 {"uid", entry->meta.uid},
                                                 {"resourceVersion", entry->meta.resource_version}}}};
    kube::Object annotations;
    if (!revision.empty()) {
        std::string_view const api_version = model::api_version_of(key.kind);
        annotations[std::string{api_version.substr(0, api_version.find('/'))} + "/revision"] = revision;
    }
    kube::EventDraft const draft{.about = &about,
                                 .type = warning ? "Warning" : "Normal",
                                 .reason = std::move(reason),
                                 .message = std::move(message),
                                 .component = std::string{controller_of(key.kind)},
                                 .annotations = std::move(annotations)};
    auto const now = ports.clock.wall();
    auto const suffix = std::to_string(now.time_since_epoch().count());
    auto event = kube::make_event(draft, now, suffix);
    auto recorded = co_await kube::record_event(*ports.cluster, std::move(event));
    if (!recorded)
        ports.log.debug("story", "event not written", {{"name", key.name}, {"error", recorded.error().message}});
}

model::ComplianceRecord object_record(Entry const& entry, model::WallTime now) {
    auto const compliance = model::compliance_of(entry.status.conditions, entry.suspended());
    auto const* ready = entry.status.conditions.find("Ready");
    std::string const reason = ready == nullptr ? "" : ready->reason;
    std::string const message = ready == nullptr ? "" : ready->message;
    std::string const state{model::compliance_name(compliance)};
    std::string const revision = revision_of(entry);
    auto const label = [&](std::string const& name) {
        auto const found = entry.meta.labels.find(name);
        return found == entry.meta.labels.end() ? std::string{} : found->second;
    };
    model::ComplianceRecord record;
    record.stream = model::Stream::object_status;
    record.subject = entry.key.text();
    record.state_digest = state + "\n" + reason + "\n" + message + "\n" + revision;
    record.observed_at = now;
    std::string const config = label("clusterconfig.azure.com/name");
    record.fields = {
        {"ConfigurationNamespace", config.empty() ? entry.key.ns : label("clusterconfig.azure.com/namespace")},
        {"ConfigurationName", config.empty() ? entry.key.name : config},
        {"Kind", model::kind_name(entry.key.kind)},
        {"Namespace", entry.key.ns},
        {"Name", entry.key.name},
        {"ComplianceState", state},
        {"Reason", reason},
        {"Message", message},
        {"Revision", revision},
        {"ObservedGeneration", entry.status.observed_generation},
        {"AppliedByNamespace", label("kustomize.toolkit.fluxcd.io/namespace")},
        {"AppliedByName", label("kustomize.toolkit.fluxcd.io/name")},
        {"StatusConditions", model::to_json(entry.status.conditions)}};
    return record;
}

model::ComplianceRecord last_record(Entry const& entry, model::WallTime now) {
    auto record = object_record(entry, now);
    record.state_digest = "Deleted";
    record.fields["ComplianceState"] = "Unknown";
    record.fields["Reason"] = "Deleted";
    record.fields["Message"] = "the object was deleted";
    return record;
}

}  // namespace holdfast::story
