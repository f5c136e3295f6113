// modules/http/connect.cpp: from a name to a connected socket, with a look at each address before it is used.
#include "modules/http/connect.hpp"

#include "modules/http/resolve.hpp"

#include <boost/asio/this_coro.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

namespace holdfast::http {

static std::string text_of_errno(int code) { return std::generic_category().message(code); }

namespace {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

SocketAddress address_of(asio::ip::address const& address, std::uint16_t port) {
    SocketAddress out;
    if (address.is_v4()) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        v4.sin_addr.s_addr = htonl(address.to_v4().to_uint());
        std::memcpy(&out.storage, &v4, sizeof v4);
        out.size = sizeof v4;
    } else {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        auto const bytes = address.to_v6().to_bytes();
        std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
        v6.sin6_scope_id = static_cast<std::uint32_t>(address.to_v6().scope_id());
        std::memcpy(&out.storage, &v6, sizeof v6);
        out.size = sizeof v6;
    }
    return out;
}

/// Connects one address.
Task<std::unique_ptr<Stream>> connect_one(SocketAddress address, std::chrono::steady_clock::time_point deadline) {
    auto const executor = co_await asio::this_coro::executor;
    int const fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) co_return fail(Errc::offline, "socket: " + text_of_errno(errno));
    auto stream = std::make_unique<Stream>(executor, fd);
    stream->expires_at(deadline);
    int const started = ::connect(fd, reinterpret_cast<sockaddr const*>(&address.storage), address.size);
    if (started != 0 && errno != EINPROGRESS) co_return fail(Errc::offline, text_of_errno(errno));
    auto connected = co_await stream->connected();
    if (!connected) co_return fail(std::move(connected));
    co_return std::move(stream);
}

}  // namespace

std::unexpected<Error> not_reached(std::string const& host, std::string_view what) {
    return fail(Errc::denied, host + " is " + std::string{what} + ", which is reached only if network.allow names it");
}

Task<std::unique_ptr<Stream>> connect_tcp(std::string host, std::uint16_t port, Reach reach,
                                          Stream::Clock::time_point deadline) {
    auto addresses = co_await resolve(host, deadline);
    if (!addresses) co_return fail(std::move(addresses));
    // Judged and connected are the same bytes: nothing is looked up a second time.
    auto const first = addresses->front();
    std::erase_if(*addresses, [&](asio::ip::address const& address) { return reach.refuses(address).has_value(); });
    if (addresses->empty()) {
        auto const shown = first.to_string();
        co_return not_reached(shown == host ? host : host + " (" + shown + ")", *reach.refuses(first));
    }
    Error last{Errc::offline, "no address"};
    for (std::size_t i = 0; i < addresses->size(); ++i) {
        auto const now = Stream::Clock::now();
        auto const share = (deadline - now) / static_cast<int>(addresses->size() - i);
        auto stream = co_await connect_one(address_of(addresses->at(i), port), now + share);
        if (stream) co_return std::move(*stream);
        auto const text =
            addresses->at(i).is_v6() ? "[" + addresses->at(i).to_string() + "]" : addresses->at(i).to_string();
        last = std::move(stream).error().in("connect " + text + ":" + std::to_string(port));
    }
    co_return std::unexpected{std::move(last)};
}

Task<std::unique_ptr<Stream>> connect_unix(std::string path) {
    auto const executor = co_await asio::this_coro::executor;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) co_return fail(Errc::invalid_input, "socket path too long: " + path);
    std::memcpy(address.sun_path, path.data(), path.size());
    int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) co_return fail(Errc::offline, "socket: " + text_of_errno(errno));
    auto stream = std::make_unique<Stream>(executor, fd);
    if (::connect(fd, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) {
        auto const code = errno == EACCES ? Errc::denied : Errc::offline;
        co_return fail(code, "connect " + path + ": " + text_of_errno(errno));
    }
    co_return std::move(stream);
}

}  // namespace holdfast::http
