// modules/model/status.cpp: conditions, history, and the JSON form of a status.
#include "modules/model/status.hpp"

#include "modules/base/utf8.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>

namespace holdfast::model {

namespace {

constexpr std::size_t kHistoryMax = 5;
constexpr std::size_t kMessageBytesMax = 20'000;  // as Flux; the CRDs refuse more than 32,768

std::string_view truth_word(Truth status) {
    switch (status) {
        case Truth::yes: return "True";
        case Truth::no: return "False";
        case Truth::unknown: return "Unknown";
    }
    return "Unknown";
}

Truth read_truth(std::string_view word) {
    return word == "True" ? Truth::yes : word == "False" ? Truth::no : Truth::unknown;
}

std::string text_at(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string{value->get_string()} : std::string{};
}

std::int64_t number_at(json::object const& object, std::string_view name, std::int64_t fallback) {
    auto const* value = object.if_contains(name);
    if (value == nullptr || !value->is_number()) return fallback;
    boost::system::error_code ec;
    auto const number = value->to_number<std::int64_t>(ec);
    return ec ? fallback : number;
}

WallTime time_at(json::object const& object, std::string_view name) {
    auto const parsed = parse_time(text_at(object, name));
    return parsed ? *parsed : WallTime{};
}

json::object const* object_at(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_object() ? &value->get_object() : nullptr;
}

json::array const* list_at(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_array() ? &value->get_array() : nullptr;
}

json::object artifact_json(Artifact const& artifact) {
    return {{"digest", artifact.digest}, {"lastUpdateTime", format_time(artifact.last_update)},
            {"path", artifact.path},     {"revision", artifact.revision},
            {"size", artifact.size},     {"url", artifact.url}};
}

json::array history_json(std::vector<HistoryEntry> const& history) {
    json::array rows;
    for (HistoryEntry const& entry : history) {
        json::object row{{"digest", entry.digest},
                         {"firstReconciled", format_time(entry.first_reconciled)},
                         {"lastReconciled", format_time(entry.last_reconciled)},
                         {"lastReconciledDuration", format_duration(entry.last_duration)},
                         {"lastReconciledStatus", entry.last_status},
                         {"totalReconciliations", entry.total}};
        if (!entry.revision.empty()) row["metadata"] = json::object{{"revision", entry.revision}};
        rows.push_back(std::move(row));
    }
    return rows;
}

HistoryEntry read_history_row(json::object const& row) {
    HistoryEntry entry;
    entry.digest = text_at(row, "digest");
    entry.first_reconciled = time_at(row, "firstReconciled");
    entry.last_reconciled = time_at(row, "lastReconciled");
    if (auto const took = parse_duration(text_at(row, "lastReconciledDuration"))) entry.last_duration = *took;
    entry.last_status = text_at(row, "lastReconciledStatus");
    entry.total = number_at(row, "totalReconciliations", 1);
    if (auto const* metadata = object_at(row, "metadata")) entry.revision = text_at(*metadata, "revision");
    return entry;
}

}  // namespace

void Conditions::set(std::string_view type, Truth status, std::string_view reason, std::string_view message,
                     std::int64_t generation, WallTime now) {
    auto found = std::ranges::find(all_, type, &Condition::type);
    if (found == all_.end()) {
        // Ready leads, as in Flux: people read the first line.
        found = all_.insert(type == "Ready" ? all_.begin() : all_.end(), Condition{.type = std::string{type}});
        found->last_transition = now;
    } else if (found->status != status) {
        found->last_transition = now;
    }
    found->status = status;
    found->reason = reason;
    // A remote's words may be any bytes, and any number of them: neither the journal nor the API server would take those.
    found->message = to_utf8(message, kMessageBytesMax);
    found->observed_generation = generation;
}

void Conditions::remove(std::string_view type) {
    std::erase_if(all_, [&](Condition const& one) { return one.type == type; });
}

Condition const* Conditions::find(std::string_view type) const {
    auto const found = std::ranges::find(all_, type, &Condition::type);
    return found == all_.end() ? nullptr : &*found;
}

bool Conditions::is(std::string_view type, Truth status) const {
    auto const* found = find(type);
    return found != nullptr && found->status == status;
}

void Status::remember(std::string digest, std::string_view outcome, std::string revision, Duration took, WallTime now) {
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

std::string_view compliance_name(Compliance state) {
    switch (state) {
        case Compliance::compliant: return "Compliant";
        case Compliance::non_compliant: return "Non-Compliant";
        case Compliance::pending: return "Pending";
        case Compliance::suspended: return "Suspended";
        case Compliance::unknown: return "Unknown";
    }
    return "Unknown";
}

Compliance compliance_of(Conditions const& conditions, bool suspend) {
    if (suspend) return Compliance::suspended;
    auto const* ready = conditions.find("Ready");
    if (ready == nullptr || ready->status == Truth::unknown) return Compliance::pending;
    if (ready->status == Truth::yes) return Compliance::compliant;
    bool const waits = ready->reason == "DependencyNotReady" || ready->reason == "Progressing";
    return waits ? Compliance::pending : Compliance::non_compliant;
}

Compliance worst(Compliance a, Compliance b) {
    constexpr auto rank = [](Compliance state) {
        constexpr std::array<Compliance, 5> kBestFirst{Compliance::compliant, Compliance::suspended,
                                                       Compliance::unknown, Compliance::pending,
                                                       Compliance::non_compliant};
        return std::ranges::find(kBestFirst, state) - kBestFirst.begin();
    };
    return rank(a) >= rank(b) ? a : b;
}

json::array to_json(Conditions const& conditions) {
    json::array rows;
    for (Condition const& one : conditions.all()) {
        rows.push_back(json::object{{"lastTransitionTime", format_time(one.last_transition)},
                                    {"message", one.message},
                                    {"observedGeneration", one.observed_generation},
                                    {"reason", one.reason},
                                    {"status", truth_word(one.status)},
                                    {"type", one.type}});
    }
    return rows;
}

json::object to_json(Kind kind, Status const& status) {
    json::object out = status.extra;
    out["conditions"] = to_json(status.conditions);
    out["observedGeneration"] = status.observed_generation;
    if (!status.last_handled_reconcile_at.empty()) out["lastHandledReconcileAt"] = status.last_handled_reconcile_at;
    if (kind == Kind::git_repository) {
        if (status.artifact) out["artifact"] = artifact_json(*status.artifact);
        if (status.observed_ignore) out["observedIgnore"] = *status.observed_ignore;
    }
    if (kind == Kind::kustomization) {
        if (!status.last_applied_revision.empty()) out["lastAppliedRevision"] = status.last_applied_revision;
        if (!status.last_attempted_revision.empty()) out["lastAttemptedRevision"] = status.last_attempted_revision;
        json::array entries;
        for (InventoryEntry const& entry : status.inventory) {
            entries.push_back(json::object{{"id", entry.id}, {"v", entry.version}});
        }
        out["inventory"] = json::object{{"entries", std::move(entries)}};
        out["history"] = history_json(status.history);
    }
    return out;
}

Status read_status(json::object const& from) {
    Status status;
    status.observed_generation = number_at(from, "observedGeneration", -1);
    status.last_handled_reconcile_at = text_at(from, "lastHandledReconcileAt");
    status.last_applied_revision = text_at(from, "lastAppliedRevision");
    status.last_attempted_revision = text_at(from, "lastAttemptedRevision");
    if (auto const* rows = list_at(from, "conditions")) {
        for (json::value const& value : *rows) {
            if (!value.is_object()) continue;
            json::object const& row = value.get_object();
            status.conditions.add({.type = text_at(row, "type"),
                                   .status = read_truth(text_at(row, "status")),
                                   .reason = text_at(row, "reason"),
                                   .message = text_at(row, "message"),
                                   .observed_generation = number_at(row, "observedGeneration", 0),
                                   .last_transition = time_at(row, "lastTransitionTime")});
        }
    }
    if (auto const* artifact = object_at(from, "artifact")) {
        status.artifact = Artifact{.revision = text_at(*artifact, "revision"),
                                   .digest = text_at(*artifact, "digest"),
                                   .path = text_at(*artifact, "path"),
                                   .url = text_at(*artifact, "url"),
                                   .size = static_cast<std::uint64_t>(number_at(*artifact, "size", 0)),
                                   .last_update = time_at(*artifact, "lastUpdateTime"),
                                   .last_checked = time_at(*artifact, "lastUpdateTime")};
    }
    if (from.contains("observedIgnore")) status.observed_ignore = text_at(from, "observedIgnore");
    if (auto const* inventory = object_at(from, "inventory")) {
        if (auto const* entries = list_at(*inventory, "entries")) {
            for (json::value const& value : *entries) {
                if (!value.is_object()) continue;
                status.inventory.push_back({text_at(value.get_object(), "id"), text_at(value.get_object(), "v")});
            }
        }
    }
    if (auto const* history = list_at(from, "history")) {
        for (json::value const& row : *history) {
            if (row.is_object()) status.history.push_back(read_history_row(row.get_object()));
        }
    }
    for (auto const& member : from) {
        constexpr std::array<std::string_view, 9> kNamed{"observedGeneration",
                                                         "lastHandledReconcileAt",
                                                         "lastAppliedRevision",
                                                         "lastAttemptedRevision",
                                                         "conditions",
                                                         "artifact",
                                                         "observedIgnore",
                                                         "inventory",
                                                         "history"};
        if (std::ranges::find(kNamed, std::string_view{member.key()}) == kNamed.end()) {
            status.extra[member.key()] = member.value();
        }
    }
    return status;
}

}  // namespace holdfast::model
