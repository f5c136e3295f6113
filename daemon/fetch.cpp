// daemon/fetch.cpp: the daemon's side of a fetch: a folder, one worker, its connections, and what it makes.
#include "daemon/fetch.hpp"

#include "daemon/fetch_request.hpp"
#include "daemon/worker_jobs.hpp"

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

/// Connects for one worker and passes on what it makes.
class Attendant final : public sandbox::Attendant {
public:
    Attendant(CommitWish const& wish, CommitPlace const& place, source::ArtifactSink const& sink,
              std::chrono::steady_clock::time_point until)
        : wish_{wish}, place_{place}, sink_{sink}, until_{until} {
        auto const url = http::parse_url(wish.remote.url);
        if (url) host_ = url->host;
    }

    /// The host of the URL was named by who wrote that; every other by somebody who was asked.
    Result<int> connect(std::string const& host, std::uint16_t port) override {
        auto const reach = host == host_ ? place_.reach : place_.reach.beyond();
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
        if (bytes_ > wish_.bytes_max)
            return fail(Errc::limit, "more than " + std::to_string(wish_.bytes_max) + " bytes");
        auto taken = sink_(piece);
        was_storage_ = !taken;
        return taken;
    }

    std::uint64_t bytes() const { return bytes_; }
    bool was_storage() const { return was_storage_; }

private:
    CommitWish const& wish_;
    CommitPlace const& place_;
    source::ArtifactSink const& sink_;
    std::chrono::steady_clock::time_point until_;
    std::string host_;
    std::uint64_t bytes_ = 0;
    bool was_storage_ = false;
};

}  // namespace

sandbox::Limits fetch_limits(std::uint64_t wire_bytes_max) {
    constexpr std::size_t kIndexBytes = 64u << 20;  // beside the pack: its index
    return {.memory_bytes_max = 128u << 20,
            .cpu_max = std::chrono::seconds{120},
            .wall_max = std::chrono::ceil<std::chrono::seconds>(kLongest) + 2 * kGrace,
            .reply_bytes_max = 64u << 10,
            .file_bytes_max = wire_bytes_max + kIndexBytes,
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
    auto const folder = Folder::make(place.scratch);
    if (!folder) return miss(folder.error());
    auto request = describe(wish);
    request[kJobTag] = "fetch";
    auto const until = std::chrono::steady_clock::now() + wish.timeout + kGrace;
    Attendant attendant{wish, place, sink, until};
    auto const text = sandbox::attend(zygote_, {.kind = static_cast<std::uint32_t>(Worker::fetch)}, folder->fd(),
                                      boost::json::serialize(request), attendant, {until, place.stop});
    if (!text) return miss(text.error(), attendant.was_storage());
    auto answer = read_answer(*text, wish);
    if (answer && !answer->is_news && attendant.bytes() > 0)
        return miss({Errc::corrupt,
                     "the fetch worker's answer: nothing new, in " + std::to_string(attendant.bytes()) + " bytes"});
    return answer;
}

}  // namespace holdfast::daemon
