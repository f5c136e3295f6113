// modules/oci/manifest.hpp: the manifest of an artifact, or the index that lists one for each platform.
// Pure: the text is a stranger's, its digest is checked where it comes from.
#pragma once

#include "modules/base/error.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::oci {

inline constexpr std::size_t kManifestBytesMax = 4u << 20;      // as registries allow
inline constexpr std::size_t kDescriptorsMax = 10'000;          // layers, or manifests of an index
inline constexpr std::size_t kAnnotationsBytesMax = 32u << 10;  // as JSON: they become a part of .status

/// What a request for a manifest says that it can read.
inline constexpr std::string_view kManifestTypes =
    "application/vnd.docker.distribution.manifest.v2+json,application/vnd.oci.image.manifest.v1+json,"
    "application/vnd.oci.image.index.v1+json,application/vnd.docker.distribution.manifest.list.v2+json";

struct Platform {
    std::string os;
    std::string architecture;

    bool operator==(Platform const&) const = default;
};

/// What this program runs on: "linux", "amd64".
Platform own_platform();

struct Descriptor {
    std::string media_type;
    std::string digest;  // "sha256:<64 hex>"
    std::uint64_t size = 0;
    Platform platform{"linux", "amd64"};  // of a manifest; who does not say has this one
};

struct Manifest {
    bool is_index = false;
    std::vector<Descriptor> parts;    // layers, or the manifests of an index
    boost::json::object annotations;  // of texts
};

/// In      content_type  what the registry says it is; another than those of kManifestTypes is found out by looking
/// Errors  invalid_input  no manifest, one of Docker's first schema, a digest that is none, a size below zero
///         limit          kDescriptorsMax, kAnnotationsBytesMax
Result<Manifest> read_manifest(std::string_view text, std::string_view content_type);

/// The first manifest of an index for the first of `wished` that has one.
/// Errors  invalid_input  there is none; in go-containerregistry's words
Result<Descriptor> pick_manifest(Manifest const& index, std::span<Platform const> wished);

}  // namespace holdfast::oci
