// daemon/fetch_job.cpp: what a fetch worker does, with one folder, one request, and sockets that the daemon connects.
#include "daemon/fetch.hpp"
#include "daemon/fetch_request.hpp"
#include "daemon/image_request.hpp"
#include "daemon/worker_jobs.hpp"

#include "modules/http/stream.hpp"
#include "modules/sandbox/outside.hpp"

#include <boost/asio/this_coro.hpp>

#include <array>
#include <unistd.h>

namespace holdfast::daemon {

namespace {

/// Nothing else happens in this process meanwhile: it may block. Whether the host may be talked to is the daemon's to say.
Task<std::unique_ptr<http::Stream>> connect_outside(std::string host, std::uint16_t port, http::Reach,
                                                    std::chrono::steady_clock::time_point) {
    auto const executor = co_await asio::this_coro::executor;
    auto const socket = sandbox::outside::connect(host, port);
    if (!socket) co_return std::unexpected{socket.error()};
    co_return std::make_unique<http::Stream>(executor, *socket);
}

std::string bundle_outside() {
    auto const file = sandbox::outside::open(kCertificates);
    if (!file) return {};
    std::string text;
    std::array<char, 16'384> piece{};
    for (ssize_t got = 0; (got = ::read(*file, piece.data(), piece.size())) > 0;)
        text.append(piece.data(), static_cast<std::size_t>(got));
    ::close(*file);
    return text.empty() ? text : text + "\n";
}

source::FetchPlace inside() {
    return {.scratch = ".",
            .reach = http::Reach::of_operator(),  // an address is not seen in here
            .connector = connect_outside,
            .bundle = bundle_outside};
}

}  // namespace

Result<std::string> fetch_job(int, boost::json::object const& request) {
    auto const wish = read_wish(request);
    if (!wish) return std::unexpected{wish.error()};
    return describe(source::fetch_commit(*wish, inside(), sandbox::outside::give));
}

Result<std::string> image_job(int, boost::json::object const& request) {
    auto const wish = read_image_wish(request);
    if (!wish) return std::unexpected{wish.error()};
    return describe(source::fetch_image(*wish, inside(), sandbox::outside::give));
}

}  // namespace holdfast::daemon
