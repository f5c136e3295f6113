// modules/source/image.hpp: one layer of an OCI artifact, as a tar.gz of its files or as it is.
// What reads a registry's answers is fetch_image(); the daemon runs it in a worker (daemon/fetch.hpp).
#pragma once

#include "modules/oci/registry.hpp"
#include "modules/source/artifact.hpp"
#include "modules/source/fetch_place.hpp"

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>

namespace holdfast::source {

struct ImageWish {
    std::string url;  // for messages
    oci::Remote remote;
    std::string digest;  // digest > semver > tag; all empty: "latest"
    std::string semver;
    std::string semver_filter;  // a regular expression that a tag has to match
    std::string tag;
    std::string media_type;  // of the layer; empty: the first
    bool copy = false;       // the layer as it is; else what the ignore rules leave of the files in it
    std::string known;       // the revision held
    std::optional<std::string> ignore;
    std::chrono::milliseconds timeout{60'000};
    std::uint64_t wire_bytes_max = 256u << 20;  // of the layer
    std::uint64_t bytes_max = 512u << 20;       // of the artifact
};

struct Image {
    std::string revision;         // "6.5.3@sha256:<64 hex>" of the manifest, or "sha256:<64 hex>"
    std::string digest;           // artifact: "sha256:<64 hex>" of all pieces
    std::string metadata = "{}";  // the manifest's annotations
    bool is_news = false;         // else ImageWish::known is still the newest, and there was no piece
    oci::Pass pass{};             // what let us in
};

/// What was being done when it went wrong: each is another reason of the condition.
enum class ImageStep { tag, digest, pull, layer, storage };

struct ImageMiss {
    Error error;
    ImageStep step = ImageStep::pull;
};

/// Blocking; called on a pool. fetch_image(), or who has it done.
/// Errors  those of oci::Registry, untar_spool() and write_artifact(), behind what Flux says of the step
using FetchImage =
    std::function<std::expected<Image, ImageMiss>(ImageWish const&, FetchPlace const&, ArtifactSink const& sink)>;

/// Here, in this process.
/// Source  fluxcd/source-controller internal/controller/ocirepository_controller.go
std::expected<Image, ImageMiss> fetch_image(ImageWish const& wish, FetchPlace const& place, ArtifactSink const& sink);

/// The tag that is wished for, when that needs no look at the others.
std::optional<std::string> tag_of(ImageWish const& wish);

/// "6.5.3@sha256:<64 hex>"; without a tag the digest alone.
std::string revision_of(std::string_view tag, std::string_view digest);

/// Whether a fetch of `wish` can have come to this: what a stranger says is believed no further.
bool can_be(ImageWish const& wish, std::string_view revision);

/// What a failure of this step says first.
std::string image_words(ImageStep step, ImageWish const& wish);

}  // namespace holdfast::source
