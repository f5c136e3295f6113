// modules/model/kinds/source_status.cpp: the artifact of a source, to and from .status.
#include "modules/model/kinds/source_status.hpp"

#include "modules/model/members.hpp"

namespace holdfast::model {

namespace {

/// Any writer of .status may have made it up: only what names a file of our cache is believed.
bool is_sha256(std::string_view digest) {
    constexpr std::string_view kPrefix = "sha256:";
    if (!digest.starts_with(kPrefix) || digest.size() != kPrefix.size() + 64) return false;
    return digest.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string_view::npos;
}

}  // namespace

Artifact const* artifact_of(Status const& status) {
    auto const& artifact = status.part<SourceStatus>().artifact;
    return artifact ? &*artifact : nullptr;
}

std::string source_revision(Status const& status) {
    auto const* artifact = artifact_of(status);
    return artifact == nullptr ? "" : artifact->revision;
}

std::string source_face(Status const& status) {
    auto const* artifact = artifact_of(status);
    return artifact == nullptr
               ? ""
               : artifact->revision + " " + artifact->digest + " " + status.part<SourceStatus>().overtaken_by;
}

void write_artifact_status(Status const& status, json::object& out) {
    auto const* artifact = artifact_of(status);
    if (artifact == nullptr) return;
    out["artifact"] = {{"digest", artifact->digest}, {"lastUpdateTime", format_time(artifact->last_update)},
                       {"path", artifact->path},     {"revision", artifact->revision},
                       {"size", artifact->size},     {"url", artifact->url}};
}

void read_artifact_status(json::object const& from, Status& status) {
    auto const* artifact = object_at(from, "artifact");
    if (artifact == nullptr || !is_sha256(text_at(*artifact, "digest"))) return;
    status.part<SourceStatus>().artifact =
        Artifact{.revision = text_at(*artifact, "revision"),
                 .digest = text_at(*artifact, "digest"),
                 .path = text_at(*artifact, "path"),
                 .url = text_at(*artifact, "url"),
                 .size = static_cast<std::uint64_t>(std::max<std::int64_t>(number_at(*artifact, "size", 0), 0)),
                 .last_update = time_at(*artifact, "lastUpdateTime"),
                 .last_checked = time_at(*artifact, "lastUpdateTime")};
}

void write_observed_ignore(Status const& status, json::object& out) {
    auto const& ignore = status.part<SourceStatus>().observed_ignore;
    if (ignore) out["observedIgnore"] = *ignore;
}

void read_observed_ignore(json::object const& from, Status& status) {
    if (from.contains("observedIgnore")) status.part<SourceStatus>().observed_ignore = text_at(from, "observedIgnore");
}

}  // namespace holdfast::model
