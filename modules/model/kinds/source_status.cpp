// modules/model/kinds/source_status.cpp: the artifact of a source, to and from .status.
#include "modules/model/kinds/source_status.hpp"

#include "modules/base/json_text.hpp"
#include "modules/model/members.hpp"

#include <boost/json/serialize.hpp>

namespace holdfast::model {

namespace {

/// Any writer of .status may have made it up: only what names a file of our cache is believed.
bool is_sha256(std::string_view digest) {
    constexpr std::string_view kPrefix = "sha256:";
    if (!digest.starts_with(kPrefix) || digest.size() != kPrefix.size() + 64) return false;
    return digest.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string_view::npos;
}

/// Texts alone, and not more of them than an artifact of ours can have.
std::string read_metadata(json::object const& artifact) {
    constexpr std::size_t kBytesMax = 64u << 10;
    auto const* metadata = object_at(artifact, "metadata");
    if (metadata == nullptr || metadata->empty()) return {};
    for (auto const& member : *metadata) {
        if (!member.value().is_string()) return {};
    }
    auto text = json::serialize(*metadata);
    return text.size() > kBytesMax ? std::string{} : text;
}

/// An object that we wrote ourselves.
void write_json(std::string const& text, std::string_view name, json::object& out) {
    if (text.empty()) return;
    if (auto value = parse_json(text)) out[name] = std::move(*value);
}

}  // namespace

Artifact const* artifact_of(Status const& status) {
    auto const& artifact = status.part<SourceStatus>().artifact;
    return artifact ? &*artifact : nullptr;
}

std::string origin_of(Artifact const& artifact) {
    if (artifact.metadata.empty()) return {};
    auto const said = parse_json(artifact.metadata);
    return said && said->is_object() ? text_at(said->get_object(), "org.opencontainers.image.revision") : "";
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
    write_json(artifact->metadata, "metadata", out["artifact"].as_object());
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
                 .last_checked = time_at(*artifact, "lastUpdateTime"),
                 .metadata = read_metadata(*artifact)};
}

void write_observed_ignore(Status const& status, json::object& out) {
    auto const& ignore = status.part<SourceStatus>().observed_ignore;
    if (ignore) out["observedIgnore"] = *ignore;
}

void read_observed_ignore(json::object const& from, Status& status) {
    if (from.contains("observedIgnore")) status.part<SourceStatus>().observed_ignore = text_at(from, "observedIgnore");
}

void write_observed_layer_selector(Status const& status, json::object& out) {
    write_json(status.part<SourceStatus>().observed_layer_selector, "observedLayerSelector", out);
}

void read_observed_layer_selector(json::object const& from, Status& status) {
    auto const* selector = object_at(from, "observedLayerSelector");
    if (selector == nullptr || selector->empty()) return;
    json::object known;
    for (std::string_view const name : {"mediaType", "operation"}) {
        if (selector->contains(name)) known[name] = text_at(*selector, name);
    }
    if (!known.empty()) status.part<SourceStatus>().observed_layer_selector = json::serialize(known);
}

void write_latest_url(Status const& status, json::object& out) {
    auto const* artifact = artifact_of(status);
    if (artifact == nullptr) return;
    out["url"] = artifact->url.substr(0, artifact->url.rfind('/') + 1) + "latest.tar.gz";
}

}  // namespace holdfast::model
