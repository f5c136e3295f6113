// daemon/fetch.cpp: the daemon's side of a fetch: a folder, one worker, its connections, and what it makes.
#include "daemon/fetch.hpp"

#include "daemon/fetch_request.hpp"
#include "daemon/image_request.hpp"
#include "daemon/worker_jobs.hpp"

#include "modules/base/limits.hpp"
#include "modules/base/private_loop.hpp"
#include "modules/http/connect.hpp"
#include "modules/http/tls.hpp"
#include "modules/http/url.hpp"
#include "modules/sandbox/attend.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <stdlib.h>
#include <system_error>
#include <unistd.h>

namespace holdfast::daemon {

namespace {

using source::Commit;
using source::CommitMiss;
using source::CommitPlace;
using source::CommitWish;
using source::FetchPlace;
using source::Image;
using source::ImageMiss;
using source::ImageStep;
using source::ImageWish;

constexpr std::chrono::milliseconds kLongest = std::chrono::minutes{10};
constexpr std::chrono::seconds kGrace{5};  // a worker sees its own deadline pass, and says so in better words
constexpr std::chrono::seconds kConnectMax{10};

std::unexpected<CommitMiss> miss(Error error, bool of_storage = false) {
    return std::unexpected{CommitMiss{.error = std::move(error), .of_storage = of_storage}};
}

/// A folder that goes with its fetch. git::clean_scratch() knows it by its name.
class Folder {
public:
    static Result<Folder> make(std::filesystem::path const& scratch) {
        std::string name = scratch / "git-fetch-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) {
            int const error = errno;
            return fail(error == ENOSPC || error == EDQUOT ? Errc::limit : Errc::denied,
                        "scratch directory in " + scratch.string() + ": " + std::strerror(error));
        }
        Folder folder{name};
        folder.fd_ = ::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder.fd_ < 0) return fail(Errc::limit, "scratch directory " + name + ": " + std::strerror(errno));
        return folder;
    }
    Folder(Folder&& other) noexcept : path_{std::exchange(other.path_, {})}, fd_{std::exchange(other.fd_, -1)} {}
    Folder& operator=(Folder&&) = delete;
    ~Folder() {
        if (fd_ >= 0) ::close(fd_);
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }
    int fd() const { return fd_; }

private:
    explicit Folder(std::filesystem::path path) : path_{std::move(path)} {}

    std::filesystem::path path_;
    int fd_ = -1;
};

/// One fetch, as the daemon's side sees it.
struct Errand {
    std::string host;  // that the URL names
    std::chrono::milliseconds timeout{};
    std::uint64_t bytes_max = 0;  // of what the worker makes
};

/// Connects for one worker and passes on what it makes.
class Attendant final : public sandbox::Attendant {
public:
    Attendant(Errand const& errand, FetchPlace const& place, source::ArtifactSink const& sink,
              std::chrono::steady_clock::time_point until)
        : errand_{errand}, place_{place}, sink_{sink}, until_{until} {}

    /// The host of the URL was named by who wrote that; every other by somebody who was asked.
    Result<int> connect(std::string const& host, std::uint16_t port) override {
        auto const reach = host == errand_.host ? place_.reach : place_.reach.beyond();
        auto const until = std::min(until_, std::chrono::steady_clock::now() + kConnectMax);
        PrivateLoop loop;
        auto stream = loop.run(http::connect_tcp(host, port, reach, until), place_.stop);
        if (!stream) return fail(std::move(stream));
        return (*stream)->release();
    }

    /// The certificates, and nothing else of this machine.
    Result<int> open(std::string const& what) override {
        if (what != kCertificates) return fail(Errc::denied, "a worker opens nothing but the certificates");
        for (auto const& path : http::system_ca_paths()) {
            int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
            if (fd >= 0) return fd;
        }
        return fail(Errc::not_found, "no certificates on this machine");
    }

    Result<void> take(std::string_view piece) override {
        bytes_ += piece.size();
        if (bytes_ > errand_.bytes_max)
            return fail(Errc::limit, "more than " + std::to_string(errand_.bytes_max) + " bytes");
        auto taken = sink_(piece);
        was_storage_ = !taken;
        return taken;
    }

    std::uint64_t bytes() const { return bytes_; }
    bool was_storage() const { return was_storage_; }

private:
    Errand const& errand_;
    FetchPlace const& place_;
    source::ArtifactSink const& sink_;
    std::chrono::steady_clock::time_point until_;
    std::uint64_t bytes_ = 0;
    bool was_storage_ = false;
};

struct Done {
    std::string answer;
    std::uint64_t bytes = 0;  // of what it made
};
struct Undone {
    Error error;
    bool of_storage = false;
};

/// Has a worker do what `request` says.
std::expected<Done, Undone> run(sandbox::Zygote& zygote, boost::json::object const& request, Errand const& errand,
                                FetchPlace const& place, source::ArtifactSink const& sink) {
    auto const folder = Folder::make(place.scratch);
    if (!folder) return std::unexpected{Undone{folder.error()}};
    auto const until = std::chrono::steady_clock::now() + errand.timeout + kGrace;
    Attendant attendant{errand, place, sink, until};
    auto text = sandbox::attend(zygote, {.kind = static_cast<std::uint32_t>(Worker::fetch)}, folder->fd(),
                                boost::json::serialize(request), attendant, {until, place.stop});
    if (!text) return std::unexpected{Undone{std::move(text).error(), attendant.was_storage()}};
    return Done{std::move(*text), attendant.bytes()};
}

std::string host_of(std::string const& url) {
    auto const parsed = http::parse_url(url);
    return parsed ? parsed->host : "";
}

/// Bytes that belong to nothing are no answer.
std::string made_for_nothing(std::uint64_t bytes) {
    return "the fetch worker's answer: nothing new, in " + std::to_string(bytes) + " bytes";
}

}  // namespace

sandbox::Limits fetch_limits(std::uint64_t wire_bytes_max) {
    constexpr std::size_t kIndexBytes = 64u << 20;                     // beside the pack: its index
    constexpr std::size_t kUnpackedBytes = limits::kArtifactBytesMax;  // of a layer, in one file
    return {.memory_bytes_max = 128u << 20,
            .cpu_max = std::chrono::seconds{120},
            .wall_max = std::chrono::ceil<std::chrono::seconds>(kLongest) + 2 * kGrace,
            .reply_bytes_max = 64u << 10,
            .file_bytes_max = std::max<std::size_t>(wire_bytes_max + kIndexBytes, kUnpackedBytes),
            .files_max = 64};
}

std::expected<Commit, CommitMiss> FetchWorkers::fetch(CommitWish wish, CommitPlace const& place,
                                                      source::ArtifactSink const& sink) {
    git::Options const question{
        .known_revision = wish.known, .bounds = {.whole_max = wish.timeout}, .reach = place.reach, .stop = place.stop};
    auto const looked = lookout_.look(wish.remote, wish.reference, question);
    if (!looked) return miss(looked.error());
    if (*looked == git::Look::unchanged) return Commit{.revision = wish.known};
    if (*looked == git::Look::changed) wish.known.clear();  // what is known now need not be asked again

    wish.timeout = std::min(wish.timeout, kLongest);
    auto request = describe(wish);
    request[kJobTag] = "fetch";
    Errand const errand{.host = host_of(wish.remote.url), .timeout = wish.timeout, .bytes_max = wish.bytes_max};
    auto const done = run(zygote_, request, errand, place, sink);
    if (!done) return miss(done.error().error, done.error().of_storage);
    auto answer = read_answer(done->answer, wish);
    if (answer && !answer->is_news && done->bytes > 0) return miss({Errc::corrupt, made_for_nothing(done->bytes)});
    return answer;
}

std::expected<Image, ImageMiss> FetchWorkers::fetch(ImageWish wish, FetchPlace const& place,
                                                    source::ArtifactSink const& sink) {
    auto const miss = [&](Error error, ImageStep step) {
        auto const words = source::image_words(step, wish);
        return std::unexpected{ImageMiss{words.empty() ? std::move(error) : std::move(error).in(words), step}};
    };
    wish.timeout = std::min(wish.timeout, kLongest);
    if (!wish.digest.empty() && wish.known == wish.digest) return Image{.revision = wish.known};
    auto const tag = source::tag_of(wish);
    bool const holds_tag = tag && !wish.known.empty() && wish.known.starts_with(*tag + "@");
    if (holds_tag) {
        oci::Options options{.reach = place.reach, .stop = place.stop};
        options.bounds.whole_max = wish.timeout;
        auto const looked = image_lookout_.look(wish.remote, *tag, wish.known.substr(tag->size() + 1), options);
        if (!looked) return miss(looked.error(), ImageStep::digest);
        if (*looked == oci::Look::unchanged) return Image{.revision = wish.known};
    }
    auto request = describe(wish);
    request[kJobTag] = "image";
    Errand const errand{.host = host_of("https://" + wish.remote.name.registry + "/"),
                        .timeout = wish.timeout,
                        .bytes_max = wish.bytes_max};
    auto const done = run(zygote_, request, errand, place, sink);
    if (!done) return miss(done.error().error, done.error().of_storage ? ImageStep::storage : ImageStep::pull);
    auto answer = read_answer(done->answer, wish);
    if (!answer) return answer;
    if (!answer->is_news && done->bytes > 0)
        return miss({Errc::corrupt, made_for_nothing(done->bytes)}, ImageStep::pull);
    image_lookout_.remember(wish.remote, answer->pass);
    return answer;
}

}  // namespace holdfast::daemon
