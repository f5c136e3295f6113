// daemon/fetch.hpp: has a commit or an image fetched by a worker: what a server sends is unpacked where nothing can be lost.
#pragma once

#include "modules/git/lookout.hpp"
#include "modules/oci/lookout.hpp"
#include "modules/sandbox/sandbox.hpp"
#include "modules/source/commit.hpp"
#include "modules/source/image.hpp"

#include <cstdint>
#include <string_view>

namespace holdfast::daemon {

/// The place of a job among those that the zygote was started with: see worker_kinds().
enum class Worker : std::size_t { render, fetch };

/// What a fetch worker calls the certificates that this machine trusts, to have them opened.
inline constexpr std::string_view kCertificates = "certificates";

/// What one fetch may use: one that needs more fails alone.
sandbox::Limits fetch_limits(std::uint64_t wire_bytes_max);

class FetchWorkers {
public:
    /// `zygote` outlives this object.
    explicit FetchWorkers(sandbox::Zygote& zygote) : zygote_{zygote} {}

    /// A source::FetchCommit, from any thread. Asks first, in this process and for some hundred bytes, whether there is
    /// anything new (git/lookout.hpp); then a worker of its own does all the rest. It connects to no one: for each
    /// connection it asks, and gets one to the host of the URL, or, as after a redirect, to another that
    /// CommitPlace::reach.beyond() allows.
    ///
    /// Errors  as fetch_commit();  limit  more memory, processor time or bytes than fetch_limits()
    ///         corrupt  an answer that the wish cannot have led to
    std::expected<source::Commit, source::CommitMiss> fetch(source::CommitWish wish, source::CommitPlace const& place,
                                                            source::ArtifactSink const& sink);

    /// A source::FetchImage, in the same way: first one HEAD from this process (oci/lookout.hpp), or nothing at all for a
    /// digest that is held. To a token server, or where a redirect leads, the worker is connected as to a stranger.
    ///
    /// Errors  as fetch_image();  limit, corrupt  as above
    std::expected<source::Image, source::ImageMiss> fetch(source::ImageWish wish, source::FetchPlace const& place,
                                                          source::ArtifactSink const& sink);

private:
    sandbox::Zygote& zygote_;
    git::Lookout lookout_;
    oci::Lookout image_lookout_;
};

}  // namespace holdfast::daemon
