// modules/http/client.hpp: sends requests over kept-alive connections, bounded in bytes, time and number.
#pragma once

#include "modules/base/async.hpp"
#include "modules/http/message.hpp"
#include "modules/http/proxy.hpp"
#include "modules/http/reach.hpp"
#include "modules/http/tls.hpp"
#include "modules/http/url.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace holdfast::http {

/// Where requests go. Connections are shared between requests whose endpoints are equal.
struct Endpoint {
    Url url;                                // scheme, host, port; its target is not used
    std::shared_ptr<TlsContext const> tls;  // https only; nothing: the client's default (system bundle)
    std::string unix_path;                  // not empty: connect there instead of host:port
    ProxySettings proxy;
    Reach reach{};  // by who named `url`; who says nothing reaches what a stranger may
};

/// The bounds of one exchange.
struct Bounds {
    std::chrono::milliseconds whole_max{30'000};  // from the wait for a connection to the last byte
    std::chrono::milliseconds idle_max{30'000};  // between two signs of life: a piece of the answer, bytes acknowledged
    std::chrono::milliseconds pace_span{60'000};  // in each of which the body has to bring pace_bytes_min: who sends
    std::size_t pace_bytes_min = 0;               // a byte now and then keeps nobody; 0: no such bound
    std::size_t body_bytes_max = 8u << 20;
    unsigned redirects_max = 0;  // followed only to the same scheme, host and port
    bool long_lived = false;     // a watch: counted apart, so it cannot starve requests
};

/// Takes the body of a 2xx answer piece by piece; a failure ends the exchange with that failure.
using BodySink = std::function<Result<void>(std::string_view piece)>;

class Stream;

/// Gives a connected socket: connect_tcp(), or whoever connects for a process that may not.
using Connector = std::function<Task<std::unique_ptr<Stream>>(std::string host, std::uint16_t port, Reach reach,
                                                              std::chrono::steady_clock::time_point deadline)>;

struct ClientSettings {
    std::size_t connections_max = 8;   // per endpoint, for requests
    std::size_t long_lived_max = 128;  // per endpoint, for watches
    std::size_t endpoints_max = 256;   // idle connections of the least used endpoint are closed beyond
    std::chrono::milliseconds connect_max{10'000};
    std::chrono::milliseconds keep_idle{60'000};
    std::string user_agent = "holdfast/" HOLDFAST_VERSION;
    Connector connector;  // null: connect_tcp()
};

/// Used from one event loop; the requests in flight keep what they need alive, but cancel them before the loop ends.
class Client {
public:
    explicit Client(asio::any_io_executor executor, ClientSettings settings = {});
    ~Client();
    Client(Client const&) = delete;
    Client& operator=(Client const&) = delete;

    /// One exchange. Any status is an answer, not an error.
    ///
    /// Errors  offline        no such host, refused, cut off
    ///         timeout        a bound of `bounds` passed
    ///         denied         an address that Endpoint::reach refuses; TLS: certificate not trusted or wrong name; proxy: 407
    ///         limit          body or header longer than its bound
    ///         invalid_input  the answer is not HTTP, or the request holds a control character
    /// Never   sends a request a second time unless the first connection was kept alive and gave no byte back
    ///         and the method is idempotent or the request repeatable; follows a redirect to another host
    Task<Response> send(Endpoint endpoint, Request request, Bounds bounds = {});

    /// As send(), but the body of a 2xx answer goes to `sink`, not into Response::body.
    Task<Response> stream(Endpoint endpoint, Request request, Bounds bounds, BodySink sink);

    std::size_t connections_open() const;
    std::size_t connections_idle() const;

    /// Closes idle connections: after a change of network or of credentials.
    void close_idle();

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace holdfast::http
