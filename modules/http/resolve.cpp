// modules/http/resolve.cpp: drives c-ares from the event loop. Each lookup reads resolv.conf anew, so a box that moves
// between networks never asks yesterday's name server.
#include "modules/http/resolve.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <ares.h>
#include <netinet/in.h>

#include <cstring>
#include <map>
#include <memory>
#include <mutex>

namespace holdfast::http {

namespace {

constexpr int kTryMs = 2'000;
constexpr int kTries = 2;
constexpr auto kTick = std::chrono::milliseconds{200};  // how often c-ares looks at its own timeouts

struct Lookup : std::enable_shared_from_this<Lookup> {
    struct Socket {
        Socket(asio::any_io_executor const& executor, int fd) : descriptor(executor) {
            boost::system::error_code ignored;  // then nothing is heard from it, and the look-up times out
            descriptor.assign(fd, ignored);
        }
        ~Socket() { let_go(); }
        /// c-ares closes it, and the number may be used again at once: forget it before that.
        void let_go() {
            if (descriptor.is_open()) descriptor.release();
        }
        asio::posix::stream_descriptor descriptor;
        bool want_read = false;
        bool want_write = false;
        bool reading = false;
        bool writing = false;
    };

    explicit Lookup(asio::any_io_executor executor_in) : executor(executor_in), done(executor_in), tick(executor_in) {}

    void start(std::string const& host) {
        static std::once_flag once;
        std::call_once(once, [] { ares_library_init(ARES_LIB_INIT_ALL); });
        ares_options options{};
        options.timeout = kTryMs;
        options.tries = kTries;
        options.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
            static_cast<Lookup*>(self)->watch(fd, readable != 0, writable != 0);
        };
        options.sock_state_cb_data = this;
        auto const made =
            ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
        if (made != ARES_SUCCESS) {
            channel = nullptr;
            finish(made, nullptr);
            return;
        }
        ares_addrinfo_hints hints{};
        hints.ai_family = AF_UNSPEC;
        ares_getaddrinfo(
            channel, host.c_str(), nullptr, &hints,
            [](void* self, int code, int, ares_addrinfo* found) { static_cast<Lookup*>(self)->finish(code, found); },
            this);
        if (!finished) wait_tick();
    }

    void stop() {
        finished = true;
        tick.cancel();
        if (channel != nullptr) ares_destroy(channel);
        channel = nullptr;
        sockets.clear();
    }

    void finish(int code, ares_addrinfo* found) {
        if (!finished) {
            status = code;
            for (auto const* node = found != nullptr ? found->nodes : nullptr; node != nullptr; node = node->ai_next)
                keep(*node);
        }
        if (found != nullptr) ares_freeaddrinfo(found);
        finished = true;
        done.cancel();
    }

    void keep(ares_addrinfo_node const& node) {
        if (node.ai_family == AF_INET) {
            sockaddr_in address{};
            std::memcpy(&address, node.ai_addr, sizeof address);
            addresses.emplace_back(asio::ip::address_v4{ntohl(address.sin_addr.s_addr)});
        } else if (node.ai_family == AF_INET6) {
            sockaddr_in6 address{};
            std::memcpy(&address, node.ai_addr, sizeof address);
            asio::ip::address_v6::bytes_type bytes;
            std::memcpy(bytes.data(), &address.sin6_addr, bytes.size());
            addresses.emplace_back(asio::ip::address_v6{bytes, address.sin6_scope_id});
        }
    }

    void watch(int fd, bool readable, bool writable) {
        if (!readable && !writable) {
            auto const known = sockets.find(fd);
            if (known == sockets.end()) return;
            known->second->let_go();  // a wait in flight may still hold it
            sockets.erase(known);
            return;
        }
        auto& socket = sockets[fd];
        if (!socket) socket = std::make_shared<Socket>(executor, fd);
        socket->want_read = readable;
        socket->want_write = writable;
        arm(socket);
    }

    void arm(std::shared_ptr<Socket> const& socket) {
        using Wait = asio::posix::stream_descriptor::wait_type;
        if (!socket->descriptor.is_open()) return;
        int const fd = socket->descriptor.native_handle();
        if (socket->want_read && !socket->reading) {
            socket->reading = true;
            socket->descriptor.async_wait(Wait::wait_read,
                                          [self = shared_from_this(), socket, fd](boost::system::error_code ec) {
                                              socket->reading = false;
                                              self->ready(ec, socket, fd, ARES_SOCKET_BAD);
                                          });
        }
        if (socket->want_write && !socket->writing) {
            socket->writing = true;
            socket->descriptor.async_wait(Wait::wait_write,
                                          [self = shared_from_this(), socket, fd](boost::system::error_code ec) {
                                              socket->writing = false;
                                              self->ready(ec, socket, ARES_SOCKET_BAD, fd);
                                          });
        }
    }

    void ready(boost::system::error_code ec, std::shared_ptr<Socket> const& socket, int read_fd, int write_fd) {
        if (ec || finished) return;
        ares_process_fd(channel, read_fd, write_fd);
        auto const fd = read_fd == ARES_SOCKET_BAD ? write_fd : read_fd;
        auto const still = sockets.find(fd);
        if (!finished && still != sockets.end() && still->second == socket) arm(socket);
    }

    void wait_tick() {
        tick.expires_after(kTick);
        tick.async_wait([self = shared_from_this()](boost::system::error_code ec) {
            if (ec || self->finished) return;
            ares_process_fd(self->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
            if (!self->finished) self->wait_tick();
        });
    }

    asio::any_io_executor executor;
    asio::steady_timer done;  // cancelled when the answer is there
    asio::steady_timer tick;
    ares_channel channel = nullptr;
    std::map<int, std::shared_ptr<Socket>> sockets;
    std::vector<asio::ip::address> addresses;
    int status = ARES_SUCCESS;
    bool finished = false;
};

struct StopAtEnd {
    Lookup& lookup;
    ~StopAtEnd() { lookup.stop(); }
};

std::unexpected<Error> failed(std::string const& host, int status) {
    switch (status) {
        case ARES_ENOTFOUND:
        case ARES_ENODATA:
        case ARES_SUCCESS: return fail(Errc::offline, "no such host " + host);
        case ARES_ETIMEOUT: return fail(Errc::timeout, "look up " + host + ": no name server answered");
        default: return fail(Errc::offline, "look up " + host + ": " + ares_strerror(status));
    }
}

}  // namespace

Task<std::vector<asio::ip::address>> resolve(std::string host, std::chrono::steady_clock::time_point deadline) {
    boost::system::error_code ec;
    auto const literal = asio::ip::make_address(host, ec);
    if (!ec) co_return std::vector{literal};
    if (host == "localhost") {
        co_return std::vector<asio::ip::address>{asio::ip::address_v4::loopback(), asio::ip::address_v6::loopback()};
    }

    auto const executor = co_await asio::this_coro::executor;
    auto const lookup = std::make_shared<Lookup>(executor);
    StopAtEnd const stop{*lookup};
    lookup->done.expires_at(deadline);
    lookup->start(host);
    if (!lookup->finished) co_await lookup->done.async_wait(asio::as_tuple(asio::use_awaitable));
    co_await stop_if_cancelled();
    if (!lookup->finished) co_return fail(Errc::timeout, "look up " + host + ": deadline passed");
    if (lookup->addresses.empty()) co_return failed(host, lookup->status);
    co_return std::move(lookup->addresses);
}

}  // namespace holdfast::http
