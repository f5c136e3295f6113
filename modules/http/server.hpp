// modules/http/server.hpp: answers on loopback and on a unix socket.
#pragma once

#include "modules/base/async.hpp"
#include "modules/http/message.hpp"
#include "modules/http/tls.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::http {

struct ServerSettings {
    std::size_t connections_max =
        64;  // by TCP, and as many by unix sockets; beyond, the longest idle one is closed, else the new one
    std::size_t header_bytes_max = 16u << 10;
    std::size_t body_bytes_max = 64u << 10;
    std::chrono::milliseconds request_max{10'000};  // from the first byte to the whole request
    std::chrono::milliseconds answer_max{60'000};   // the handler and the sending
    std::chrono::milliseconds keep_idle{30'000};
    bool local_host_only = true;  // TCP: Host must be loopback (DNS rebinding); else 421
};

struct ServerRequest {
    std::string method;
    std::string path;  // decoded, without query
    std::vector<std::pair<std::string, std::string>> query;
    Headers headers;
    std::string body;
    bool over_unix_socket = false;

    std::string_view parameter(std::string_view name) const;
};

/// Sends the body of an answer in chunks.
class BodyWriter {
public:
    virtual ~BodyWriter() = default;
    /// Errors  offline when the client left; timeout
    virtual Task<void> write(std::string piece) = 0;
};

struct Answer : Response {
    /// Not empty: called after the header was sent, its pieces are the body (chunked); answer_max does not apply.
    std::function<Task<void>(BodyWriter&)> stream;
};

Answer text_answer(unsigned status, std::string body, std::string_view content_type = "text/plain; charset=utf-8");
Answer json_answer(unsigned status, std::string body);

using Handler = std::function<asio::awaitable<Answer>(ServerRequest)>;

/// Used from one event loop.
class Server {
public:
    Server(asio::any_io_executor executor, ServerSettings settings);
    ~Server();
    Server(Server const&) = delete;
    Server& operator=(Server const&) = delete;

    /// `path` is exact, or ends in "/*" for everything below it. HEAD is answered by GET's handler, an unknown path by 404,
    /// a known path with another method by 405. Method "*" takes every method.
    void route(std::string method, std::string path, Handler handler);

    /// Port 0 picks a free one. Errors  busy: the address is taken;  invalid_input: `host` is no literal
    Result<std::uint16_t> listen_tcp(std::string const& host, std::uint16_t port,
                                     std::shared_ptr<TlsContext const> tls = nullptr);

    /// Replaces a socket nobody listens on. Errors  busy: another process listens;  denied, not_found: the folder
    Result<void> listen_unix(std::string const& path, unsigned mode = 0660);

    /// Closes the listeners and idle connections, lets running answers end within `grace`, then cuts them off.
    asio::awaitable<void> stop(std::chrono::milliseconds grace);

    std::size_t connections_open() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace holdfast::http
