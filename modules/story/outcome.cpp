// modules/story/outcome.cpp: how a pass ends, well or badly.
#include "modules/story/story.hpp"

namespace holdfast::story {

using model::Entry;
using model::Truth;

Outcome begin(Entry const& entry) { return {.status = entry.status}; }

Outcome rest(Entry const& entry) {
    Outcome outcome = begin(entry);
    if (entry.status.conditions.is("Ready", Truth::yes)) outcome.status.observed_generation = entry.meta.generation;
    return outcome;
}

Outcome stop(Entry const& entry, Outcome so_far, Stop why, Clock const& clock) {
    auto const now = clock.wall();
    auto& conditions = so_far.status.conditions;
    auto const* before = entry.status.conditions.find("Ready");
    std::string const message = model::condition_text(why.message);
    bool const repeat =
        before != nullptr && before->status == Truth::no && before->reason == why.reason && before->message == message;
    conditions.set("Ready", Truth::no, why.reason, message, entry.meta.generation, now);
    if (why.retry) {
        conditions.remove("Stalled");
        auto const* progress = conditions.find("Reconciling");
        if (why.progress.empty() && progress != nullptr) why.progress = progress->message;
        if (!why.progress.empty()) {
            conditions.set("Reconciling", Truth::yes, "ProgressingWithRetry", why.progress, entry.meta.generation, now);
        }
    } else {
        conditions.remove("Reconciling");
        conditions.set("Stalled", Truth::yes, why.reason, message, entry.meta.generation, now);
        so_far.status.observed_generation = entry.meta.generation;
    }
    if (!repeat) {
        bool const event = !why.event || !why.event->empty();
        std::string text = why.event && event ? std::move(*why.event) : std::move(why.message);
        so_far.news.push_back({.level = why.quiet ? LogLevel::info : LogLevel::error,
                               .reason = std::move(why.reason),
                               .message = std::move(text),
                               .revision = std::move(why.revision),
                               .event = event});
    }
    so_far.next = why.retry;
    return so_far;
}

Outcome succeed(Entry const& entry, Outcome so_far, std::string_view reason, std::string_view message,
                std::optional<model::Duration> next, Clock const& clock) {
    auto& conditions = so_far.status.conditions;
    conditions.remove("Reconciling");
    conditions.remove("Stalled");
    conditions.set("Ready", Truth::yes, reason, message, entry.meta.generation, clock.wall());
    so_far.status.observed_generation = entry.meta.generation;
    so_far.next = next;
    return so_far;
}

model::ComplianceRecord object_record(Entry const& entry, model::WallTime now) {
    auto const compliance = model::compliance_of(entry.status.conditions, entry.suspended());
    auto const* ready = entry.status.conditions.find("Ready");
    std::string const reason = ready == nullptr ? "" : ready->reason;
    std::string const message = ready == nullptr ? "" : ready->message;
    std::string const state{model::compliance_name(compliance)};
    std::string const revision = model::info(entry.key.kind).revision(entry.status);
    auto const label = [&](std::string_view name) {
        auto const found = entry.meta.labels.find(std::string{name});
        return found == entry.meta.labels.end() ? std::string{} : found->second;
    };
    model::ComplianceRecord record;
    record.stream = model::Stream::object_status;
    record.subject = entry.key.text();
    record.state_digest = state + "\n" + reason + "\n" + message + "\n" + revision;
    record.observed_at = now;
    std::string const config = label(model::kConfigNameLabel);
    record.fields = {{"ConfigurationNamespace", config.empty() ? entry.key.ns : label(model::kConfigNamespaceLabel)},
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

model::ComplianceRecord last_words(model::ComplianceRecord record) {
    record.state_digest = "Deleted";
    record.fields["ComplianceState"] = "Unknown";
    bool const of_configuration = record.stream == model::Stream::compliance;
    if (!of_configuration) record.fields["Reason"] = "Deleted";
    record.fields["Message"] = of_configuration ? "the configuration was deleted" : "the object was deleted";
    return record;
}

}  // namespace holdfast::story
