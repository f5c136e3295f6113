// modules/kube/events.cpp: builds and sends core/v1 Events.
#include "modules/kube/events.hpp"

namespace holdfast::kube {

static constexpr std::size_t kMessageBytesMax = 32'768;  // as a condition's message

/// At most `bytes_max`, never cutting a UTF-8 character.
static std::string_view cut(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return text;
    auto end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end);
}

static json::string to_json(std::string_view text) { return json::string{json::string_view{text.data(), text.size()}}; }

Object make_event(EventDraft const& draft, std::chrono::system_clock::time_point now, std::string_view name_suffix) {
    auto const& about = *draft.about;
    auto const ns = namespace_of(about).empty() ? std::string_view{"default"} : namespace_of(about);
    auto const time = rfc3339(now);
    Object metadata;
    metadata["name"] = std::string{name_of(about)} + "." + std::string{name_suffix};
    metadata["namespace"] = to_json(ns);
    if (!draft.annotations.empty()) metadata["annotations"] = draft.annotations;

    Object reference;
    reference["apiVersion"] = to_json(find_string(about, {"apiVersion"}));
    reference["kind"] = to_json(find_string(about, {"kind"}));
    reference["name"] = to_json(name_of(about));
    if (!namespace_of(about).empty()) reference["namespace"] = to_json(namespace_of(about));
    if (!uid_of(about).empty()) reference["uid"] = to_json(uid_of(about));
    if (!resource_version_of(about).empty()) reference["resourceVersion"] = to_json(resource_version_of(about));

    Object event;
    event["apiVersion"] = "v1";
    event["kind"] = "Event";
    event["metadata"] = std::move(metadata);
    event["involvedObject"] = std::move(reference);
    event["reason"] = to_json(draft.reason);
    event["message"] = to_json(cut(draft.message, kMessageBytesMax));
    event["type"] = to_json(draft.type);
    event["source"] = Object{{"component", to_json(draft.component)}};
    event["reportingComponent"] = to_json(draft.component);
    event["reportingInstance"] = "";
    event["firstTimestamp"] = time;
    event["lastTimestamp"] = time;
    event["count"] = 1;
    return event;
}

Task<void> record_event(Cluster& cluster, Object event) {
    WriteOptions options{.metadata_only = true};
    auto created = co_await cluster.create(std::move(event), options);
    if (!created) co_return fail(std::move(created), "event");
    co_return Result<void>{};
}

}  // namespace holdfast::kube
