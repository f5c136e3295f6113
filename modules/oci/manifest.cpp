// modules/oci/manifest.cpp: reads manifests field by field; a field of another type is no manifest.
#include "modules/oci/manifest.hpp"

#include "modules/base/json_text.hpp"
#include "modules/oci/name.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace holdfast::oci {

namespace {

namespace json = boost::json;

std::string_view plain_type(std::string_view content_type) {
    auto const type = content_type.substr(0, content_type.find(';'));
    return type.substr(0, type.find_last_not_of(' ') + 1);
}

std::string text_of(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    if (value == nullptr || value->is_null()) return {};
    return std::string{value->as_string()};
}

Platform read_platform(json::value const& value) {
    auto const& object = value.as_object();
    return {text_of(object, "os"), text_of(object, "architecture")};
}

Result<Descriptor> read_descriptor(json::object const& object) {
    Descriptor out{.media_type = text_of(object, "mediaType"), .digest = text_of(object, "digest")};
    auto digest = check_digest(out.digest);
    if (!digest) return fail(std::move(digest));
    auto const size = object.at("size").to_number<std::int64_t>();
    if (size < 0) return fail(Errc::invalid_input, "a size below zero");
    out.size = static_cast<std::uint64_t>(size);
    if (auto const* platform = object.if_contains("platform"); platform != nullptr && !platform->is_null())
        out.platform = read_platform(*platform);
    return out;
}

Result<void> read_annotations(json::object const& from, Manifest& manifest) {
    auto const* annotations = from.if_contains("annotations");
    if (annotations == nullptr || annotations->is_null()) return {};
    for (auto const& [key, value] : annotations->as_object()) manifest.annotations[key] = value.as_string();
    auto const bytes = json::serialize(manifest.annotations).size();
    if (bytes > kAnnotationsBytesMax) {
        return fail(Errc::limit, "the annotations have " + std::to_string(bytes) + " bytes, more than " +
                                     std::to_string(kAnnotationsBytesMax));
    }
    return {};
}

bool is_index(json::object const& object, std::string_view content_type) {
    auto type = std::string{plain_type(content_type)};
    for (int looks = 0; looks < 2; ++looks) {
        if (type == "application/vnd.oci.image.index.v1+json") return true;
        if (type == "application/vnd.docker.distribution.manifest.list.v2+json") return true;
        if (type == "application/vnd.oci.image.manifest.v1+json") return false;
        if (type == "application/vnd.docker.distribution.manifest.v2+json") return false;
        type = text_of(object, "mediaType");
    }
    return object.contains("manifests") && !object.contains("layers");
}

}  // namespace

Platform own_platform() {
#if defined(__aarch64__)
    return {"linux", "arm64"};
#elif defined(__x86_64__)
    return {"linux", "amd64"};
#else
#error "say what registries call this processor"
#endif
}

Result<Manifest> read_manifest(std::string_view text, std::string_view content_type) try {
    auto const parsed = parse_json(text);
    if (!parsed) return std::unexpected{parsed.error()};
    json::object const& object = parsed->as_object();
    if (plain_type(content_type).starts_with("application/vnd.docker.distribution.manifest.v1+")) {
        return fail(Errc::invalid_input, "unsupported MediaType: \"" + std::string{plain_type(content_type)} +
                                             "\", see https://github.com/google/go-containerregistry/issues/377");
    }
    Manifest manifest{.is_index = is_index(object, content_type)};
    auto const* parts = object.if_contains(manifest.is_index ? "manifests" : "layers");
    if (parts != nullptr && !parts->is_null()) {
        if (parts->as_array().size() > kDescriptorsMax) {
            return fail(Errc::limit, "a manifest of " + std::to_string(parts->as_array().size()) +
                                         " parts, more than " + std::to_string(kDescriptorsMax));
        }
        for (json::value const& part : parts->as_array()) {
            auto descriptor = read_descriptor(part.as_object());
            if (!descriptor) return fail(std::move(descriptor));
            manifest.parts.push_back(std::move(*descriptor));
        }
    }
    auto annotated = read_annotations(object, manifest);
    if (!annotated) return fail(std::move(annotated));
    return manifest;
} catch (std::exception const&) {
    return fail(Errc::invalid_input, "it is no manifest: a field has another type");
}

Result<Descriptor> pick_manifest(Manifest const& index, std::span<Platform const> wished) {
    for (Platform const& platform : wished) {
        auto const found = std::ranges::find(index.parts, platform, &Descriptor::platform);
        if (found != index.parts.end()) return *found;
    }
    auto const& first = wished.front();
    return fail(Errc::invalid_input, "no child with platform " + first.os + "/" + first.architecture + " in index");
}

}  // namespace holdfast::oci
