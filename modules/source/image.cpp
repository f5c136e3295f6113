// modules/source/image.cpp: which manifest, which layer, and what is made of it; read forward.
#include "modules/source/image.hpp"

#include "modules/base/limits.hpp"
#include "modules/base/write_all.hpp"
#include "modules/source/untar.hpp"
#include "modules/text/regex/regex.hpp"
#include "modules/text/semver/semver.hpp"

#include <boost/json/serialize.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace holdfast::source {

namespace {

constexpr std::string_view kDefaultTag = "latest";
constexpr std::string_view kChartLayer = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
constexpr std::chrono::milliseconds kLongest = std::chrono::hours{24};  // what is longer could not be added to a clock
constexpr std::uint64_t kFilterLooksMax = 100'000'000;                  // some seconds

std::unexpected<ImageMiss> miss(ImageStep step, ImageWish const& wish, Error error) {
    auto const words = image_words(step, wish);
    return std::unexpected{ImageMiss{words.empty() ? std::move(error) : std::move(error).in(words), step}};
}

/// A file without a name.
class Scratch {
public:
    static Result<Scratch> make(std::filesystem::path const& folder, char const* name) {
        auto const path = folder / name;
        Scratch file{::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
        if (file.fd_ < 0 || ::unlink(path.c_str()) != 0)
            return fail(Errc::limit, std::string{"scratch file: "} + std::strerror(errno));
        return file;
    }
    Scratch(Scratch&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    Scratch& operator=(Scratch&&) = delete;
    ~Scratch() {
        if (fd_ >= 0) ::close(fd_);
    }
    int fd() const { return fd_; }

    Result<void> write(std::string_view piece) const {
        if (!write_all(fd_, piece)) return fail(Errc::limit, std::string{"scratch file: "} + std::strerror(errno));
        return {};
    }
    Result<void> rewind() const {
        if (::lseek(fd_, 0, SEEK_SET) != 0) return fail(Errc::limit, "scratch file: it cannot be read");
        return {};
    }

private:
    explicit Scratch(int fd) : fd_{fd} {}

    int fd_;
};

Result<std::string> read_at(int fd, std::uint64_t offset, std::uint64_t size) {
    std::string bytes(size, '\0');
    for (std::size_t done = 0; done < bytes.size();) {
        auto const got = ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return fail(Errc::corrupt, "scratch file: it is shorter than it was");
        done += static_cast<std::size_t>(got);
    }
    return bytes;
}

/// The files of a layer, whose bytes stand in a spool.
class LayerTree final : public Tree {
public:
    LayerTree(SpoolMap const& files, int spool) : spool_{spool} {
        for (auto const& [path, file] : files) {
            bool const is_directory = path.ends_with('/');
            auto const kind = is_directory      ? EntryKind::directory
                              : file.executable ? EntryKind::executable
                                                : EntryKind::file;
            entries_.push_back({is_directory ? path.substr(0, path.size() - 1) : path, kind, file.size});
            offsets_.push_back(file.offset);
        }
    }
    std::vector<TreeEntry> const& entries() const override { return entries_; }
    Result<std::string> read(std::size_t index) override {
        return read_at(spool_, offsets_.at(index), entries_.at(index).size);
    }

private:
    int spool_;
    std::vector<TreeEntry> entries_;
    std::vector<std::uint64_t> offsets_;
};

/// Charts write "+" as "_", which no tag and no version can both hold.
std::string with(std::string text, char from, char to) {
    std::ranges::replace(text, from, to);
    return text;
}

/// Source  fluxcd/pkg version ParseVersion: nothing but what is complete, behind a "v" or not
Result<semver::Version> parse_version(std::string const& tag) {
    auto strict = semver::parse_strict(tag.starts_with('v') ? std::string_view{tag}.substr(1) : tag);
    return strict ? semver::parse(tag) : strict;
}

/// The tag with the highest version that the wish allows.
Result<std::string> pick_tag(ImageWish const& wish, std::vector<std::string> const& tags) {
    std::optional<regex::Regex> filter;
    if (!wish.semver_filter.empty()) {
        auto compiled = regex::Regex::compile(wish.semver_filter);
        if (!compiled) return fail(std::move(compiled));
        filter = std::move(*compiled);
    }
    auto const constraint = semver::parse_constraint(wish.semver);
    if (!constraint)
        return fail(constraint.error().code, "semver '" + wish.semver + "' parse error: " + constraint.error().message);
    bool const is_chart = wish.media_type == kChartLayer;
    regex::Effort effort{kFilterLooksMax};
    std::string const* best = nullptr;
    std::optional<semver::Version> best_version;
    for (std::string const& tag : tags) {
        bool const passes = !filter || filter->matches(tag, effort);
        if (effort.spent()) return fail(Errc::limit, "spec.ref.semverFilter takes too long");
        if (!passes || !oci::is_tag(tag)) continue;
        auto version = parse_version(is_chart ? with(tag, '_', '+') : tag);
        if (!version || !constraint->check(*version)) continue;
        if (best_version && semver::compare(*version, *best_version) <= 0) continue;
        best = &tag;
        best_version = std::move(*version);
    }
    if (best == nullptr) return fail(Errc::not_found, "no match found for semver: " + wish.semver);
    return *best;
}

/// One fetch, step by step.
class Pull {
public:
    Pull(ImageWish const& wish, FetchPlace const& place, ArtifactSink const& sink)
        : wish_{wish}, place_{place}, sink_{sink},
          deadline_{std::chrono::steady_clock::now() + std::min(wish.timeout, kLongest)} {}

    std::expected<Image, ImageMiss> run() {
        oci::Options options{
            .reach = place_.reach, .stop = place_.stop, .connector = place_.connector, .bundle = place_.bundle};
        options.bounds.whole_max = wish_.timeout;
        options.bounds.blob_bytes_max = wish_.wire_bytes_max;
        auto registry = oci::Registry::open(wish_.remote, std::move(options));
        if (!registry) return miss(ImageStep::digest, wish_, registry.error());
        registry_ = std::move(*registry);

        auto tag = find_tag();
        if (!tag) return miss(ImageStep::tag, wish_, tag.error());
        auto document = registry_->manifest(wish_.digest.empty() ? *tag : wish_.digest);
        if (!document) return miss(wish_.digest.empty() ? ImageStep::digest : ImageStep::pull, wish_, document.error());
        Image image{.revision = revision_of(*tag, document->digest), .pass = registry_->pass()};
        if (image.revision == wish_.known) return image;
        image.is_news = true;

        auto manifest = oci::read_manifest(document->text, document->media_type);
        if (!manifest)
            return miss(ImageStep::layer, wish_, std::move(manifest).error().in("failed to parse artifact manifest"));
        if (manifest->is_index) {
            auto picked = pick_platform(*manifest, document->digest);
            if (!picked) return std::unexpected{std::move(picked).error()};
            manifest = std::move(*picked);
        }
        image.metadata = boost::json::serialize(manifest->annotations);
        auto const layer = pick_layer(*manifest);
        if (!layer) return miss(ImageStep::layer, wish_, layer.error());
        auto done = make(*layer, image);
        if (!done) return std::unexpected{std::move(done).error()};
        return image;
    }

private:
    /// Out  empty when a digest is wished for
    Result<std::string> find_tag() {
        if (!wish_.digest.empty()) return std::string{};
        if (auto tag = tag_of(wish_)) return std::move(*tag);
        auto const tags = registry_->tags();
        if (!tags) return std::unexpected{tags.error()};
        return pick_tag(wish_, *tags);
    }

    /// Of an image for many platforms that which this node could run, else that which Flux takes everywhere.
    std::expected<oci::Manifest, ImageMiss> pick_platform(oci::Manifest const& index, std::string const& digest) {
        std::array const wished{oci::own_platform(), oci::Platform{"linux", "amd64"}};
        auto const child = oci::pick_manifest(index, wished);
        if (!child) {
            return miss(ImageStep::pull, wish_,
                        {child.error().code, child.error().message + " " + wish_.remote.name.text() + "@" + digest});
        }
        auto const document = registry_->manifest(child->digest);
        if (!document) return miss(ImageStep::pull, wish_, document.error());
        auto manifest = oci::read_manifest(document->text, document->media_type);
        if (manifest && manifest->is_index)
            return miss(ImageStep::pull, wish_, {Errc::invalid_input, "an index in an index"});
        if (!manifest)
            return miss(ImageStep::layer, wish_, std::move(manifest).error().in("failed to parse artifact manifest"));
        return std::move(*manifest);
    }

    Result<oci::Descriptor> pick_layer(oci::Manifest const& manifest) const {
        if (manifest.parts.empty()) return fail(Errc::invalid_input, "no layers found in artifact");
        if (wish_.media_type.empty()) return manifest.parts.front();
        auto const found = std::ranges::find(manifest.parts, wish_.media_type, &oci::Descriptor::media_type);
        if (found != manifest.parts.end()) return *found;
        return fail(Errc::invalid_input, "failed to find layer with media type '" + wish_.media_type + "' in artifact");
    }

    /// Nothing is made of a layer before all of it has come and was what its manifest says.
    std::expected<void, ImageMiss> make(oci::Descriptor const& layer, Image& image) {
        std::string const step =
            wish_.copy ? "failed to copy layer from artifact" : "failed to extract layer contents from artifact";
        auto const blob = Scratch::make(place_.scratch, "layer");
        if (!blob) return miss(ImageStep::storage, wish_, blob.error());
        auto came = registry_->blob(layer, [&](std::string_view piece) { return blob->write(piece); });
        if (!came) return miss(ImageStep::layer, wish_, std::move(came).error().in(step));
        auto ready = blob->rewind();
        if (!ready) return miss(ImageStep::storage, wish_, ready.error());
        if (wish_.copy) return copy(*blob, layer, image);

        auto const spool = Scratch::make(place_.scratch, "spool");
        if (!spool) return miss(ImageStep::storage, wish_, spool.error());
        UntarLimits const bounds{.entries_max = limits::kArtifactEntriesMax, .bytes_max = limits::kArtifactBytesMax};
        auto const files = untar_spool(blob->fd(), spool->fd(), bounds, Links::skip);
        if (!files) return miss(ImageStep::layer, wish_, Error{files.error()}.in(step));
        LayerTree tree{*files, spool->fd()};
        auto info = write_artifact(tree, wish_.ignore, sink_, [this] { return go_on(); });
        if (!info) return miss(ImageStep::storage, wish_, std::move(info).error());
        image.digest = std::move(info->digest);
        return {};
    }

    std::expected<void, ImageMiss> copy(Scratch const& blob, oci::Descriptor const& layer, Image& image) {
        constexpr std::uint64_t kPieceBytes = 256u << 10;
        for (std::uint64_t at = 0; at < layer.size; at += kPieceBytes) {
            auto may = go_on();
            if (!may) return miss(ImageStep::storage, wish_, may.error());
            auto const piece = read_at(blob.fd(), at, std::min(kPieceBytes, layer.size - at));
            if (!piece) return miss(ImageStep::storage, wish_, piece.error());
            auto sunk = sink_(*piece);
            if (!sunk) return miss(ImageStep::storage, wish_, sunk.error());
        }
        image.digest = layer.digest;
        return {};
    }

    Result<void> go_on() const {
        if (place_.stop.stop_requested()) return fail(Errc::timeout, "context canceled");
        if (std::chrono::steady_clock::now() > deadline_) return fail(Errc::timeout, "context deadline exceeded");
        return {};
    }

    ImageWish const& wish_;
    FetchPlace const& place_;
    ArtifactSink const& sink_;
    std::chrono::steady_clock::time_point deadline_;
    std::unique_ptr<oci::Registry> registry_;
};

}  // namespace

std::expected<Image, ImageMiss> fetch_image(ImageWish const& wish, FetchPlace const& place, ArtifactSink const& sink) {
    return Pull{wish, place, sink}.run();
}

std::optional<std::string> tag_of(ImageWish const& wish) {
    if (!wish.digest.empty() || !wish.semver.empty()) return std::nullopt;
    return wish.tag.empty() ? std::string{kDefaultTag} : wish.tag;
}

std::string revision_of(std::string_view tag, std::string_view digest) {
    return tag.empty() ? std::string{digest} : std::string{tag} + "@" + std::string{digest};
}

bool can_be(ImageWish const& wish, std::string_view revision) {
    if (!wish.digest.empty()) return revision == wish.digest;
    auto const at = revision.find('@');
    if (at == std::string_view::npos || !oci::check_digest(revision.substr(at + 1))) return false;
    auto const tag = tag_of(wish);
    return tag ? revision.substr(0, at) == *tag : oci::is_tag(revision.substr(0, at));
}

std::string image_words(ImageStep step, ImageWish const& wish) {
    switch (step) {
        case ImageStep::tag: return "failed to determine the artifact tag for '" + wish.url + "'";
        case ImageStep::digest: return "failed to determine artifact digest";
        case ImageStep::pull: return "failed to pull artifact from '" + wish.url + "'";
        case ImageStep::layer:
        case ImageStep::storage: return {};  // these say themselves what they were doing
    }
    return {};
}

}  // namespace holdfast::source
