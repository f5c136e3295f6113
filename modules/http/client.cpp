// modules/http/client.cpp: one exchange after another over pooled connections.
#include "modules/http/client.hpp"

#include "modules/base/base64.hpp"
#include "modules/base/slots.hpp"
#include "modules/http/connect.hpp"
#include "modules/http/retry.hpp"
#include "modules/http/wire.hpp"

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <map>
#include <vector>

namespace holdfast::http {

using Clock = std::chrono::steady_clock;

static constexpr std::size_t kSmallBodyBytes = 16u << 10;    // sent together with the head
static constexpr std::size_t kRefusalBytesMax = 256u << 10;  // body of an answer that is not 2xx
static constexpr std::size_t kWatchPieceBytes = 4u << 10;
static constexpr std::chrono::hours kLongest{24 * 366};  // a bound that is longer could not be added to a clock

namespace {

/// The connections of one endpoint.
struct Pool {
    struct Idle {
        std::unique_ptr<Stream> stream;
        Clock::time_point since;
    };

    Pool(asio::any_io_executor const& executor, ClientSettings const& settings,
         std::shared_ptr<TlsContext const> tls_in)
        : requests(executor, settings.connections_max), long_lived(executor, settings.long_lived_max),
          tls(std::move(tls_in)) {}

    std::unique_ptr<Stream> take_idle() {
        while (!idle.empty()) {
            auto stream = std::move(idle.back().stream);  // the newest is the least likely to be dead
            idle.pop_back();
            if (stream->idle_and_open()) return stream;
        }
        return nullptr;
    }

    std::size_t used() const { return requests.used() + long_lived.used(); }

    Slots requests;
    Slots long_lived;
    std::shared_ptr<TlsContext const> tls;  // held, so that its address in the key stays its own
    std::vector<Idle> idle;
    Clock::time_point used_at = Clock::now();
};

/// Everything one exchange needs, owned by its coroutine.
struct Exchange {
    Endpoint endpoint;
    std::optional<Url> proxy;
    Request request;
    Bounds bounds;
    BodySink sink;
    Clock::time_point deadline;

    Clock::time_point next_deadline() const { return std::min(deadline, Clock::now() + bounds.idle_max); }
    bool through_plain_proxy() const { return proxy && endpoint.url.scheme == "http"; }
};

std::string key_of(Endpoint const& endpoint, std::optional<Url> const& proxy) {
    auto key = endpoint.url.scheme + "|" + endpoint.url.authority() + "|" + endpoint.unix_path + "|" +
               std::to_string(reinterpret_cast<std::uintptr_t>(endpoint.tls.get())) + "|" + endpoint.reach.key();
    if (proxy) {
        key += "|" + proxy->user + ":" + proxy->password + "@" + proxy->authority() + "|" + endpoint.proxy.reach.key();
    }
    return key;
}

std::string host_field(Endpoint const& endpoint) {
    if (!endpoint.unix_path.empty()) return "localhost";
    auto const& url = endpoint.url;
    bool const usual = (url.scheme == "http" && url.port == 80) || (url.scheme == "https" && url.port == 443);
    auto const authority = url.authority();
    return usual ? authority.substr(0, authority.rfind(':')) : authority;
}

void add_proxy_login(Headers& headers, Url const& proxy) {
    if (proxy.user.empty()) return;
    headers.set("Proxy-Authorization", "Basic " + base64_encode(proxy.user + ":" + proxy.password));
}

bool may_repeat(Request const& request) {
    return request.repeatable || (request.method != "POST" && request.method != "CONNECT");
}

/// Asks the proxy for a tunnel to the endpoint.
Task<void> open_tunnel(Stream& stream, Url proxy, Endpoint endpoint) {
    Request request{.method = "CONNECT", .target = endpoint.url.authority()};
    request.headers.set("Host", endpoint.url.authority());
    add_proxy_login(request.headers, proxy);
    auto const head = wire::format(request);
    if (!head) co_return std::unexpected{head.error()};
    auto sent = co_await stream.write(*head);
    if (!sent) co_return fail(std::move(sent));
    wire::Reader reader{stream, wire::Reader::Side::response, {}};
    reader.expect_no_body();
    auto const came = co_await reader.header();
    if (!came) co_return std::unexpected{came.error()};
    if (!*came) co_return fail(Errc::offline, "closed by the proxy");
    if (reader.status() < 200 || reader.status() >= 300) {
        co_return fail(errc_of_status(reader.status()), "CONNECT answered " + status_text(reader.status()));
    }
    if (reader.leftover() > 0) co_return fail(Errc::invalid_input, "bytes before the tunnel was used");
    co_return Result<void>{};
}

Task<std::unique_ptr<Stream>> connect(Exchange const& exchange, Connector const& connector,
                                      Clock::time_point deadline) {
    auto const& endpoint = exchange.endpoint;
    if (!endpoint.unix_path.empty()) {
        auto stream = co_await connect_unix(endpoint.unix_path);
        co_return std::move(stream);
    }
    auto const& first_hop = exchange.proxy ? *exchange.proxy : endpoint.url;
    auto const& reach = exchange.proxy ? endpoint.proxy.reach : endpoint.reach;
    auto connecting = connector ? connector(first_hop.host, first_hop.port, reach, deadline)
                                : connect_tcp(first_hop.host, first_hop.port, reach, deadline);
    auto stream = co_await std::move(connecting);
    if (!stream)
        co_return fail(std::move(stream), exchange.proxy ? "proxy " + first_hop.authority() : first_hop.authority());
    (*stream)->expires_at(deadline);
    if (endpoint.url.scheme != "https") co_return std::move(stream);
    if (exchange.proxy) {
        auto opened = co_await open_tunnel(**stream, *exchange.proxy, endpoint);
        if (!opened) co_return fail(std::move(opened), "proxy " + first_hop.authority());
    }
    auto shaken = co_await (*stream)->handshake_as_client(endpoint.tls, endpoint.url.host);
    if (!shaken) co_return fail(std::move(shaken));
    co_return std::move(stream);
}

/// What became of a connection after one exchange.
struct Talk {
    bool got_some = false;
    bool keep = false;
};

Task<void> send_request(Stream& stream, Exchange const& exchange, std::string head) {
    auto const& body = exchange.request.body;
    bool const together = body.size() <= kSmallBodyBytes;
    if (together) head += body;
    auto sent = co_await stream.write(head);
    if (!sent) co_return fail(std::move(sent));
    if (together) co_return Result<void>{};
    std::string_view rest = body;
    while (!rest.empty()) {
        auto const piece = rest.substr(0, 256u << 10);
        stream.expires_after(exchange.bounds.idle_max, exchange.deadline);
        auto wrote = co_await stream.write(piece);
        if (!wrote) co_return fail(std::move(wrote));
        rest.remove_prefix(piece.size());
    }
    co_return Result<void>{};
}

/// Does the body come fast enough?
class Pace {
public:
    explicit Pace(Bounds const& bounds) : bounds_(bounds) {}

    Result<void> count(std::size_t bytes) {
        bytes_ += bytes;
        auto const now = Clock::now();
        if (bounds_.pace_bytes_min == 0 || now - began_ < bounds_.pace_span) return {};
        if (bytes_ < bounds_.pace_bytes_min) {
            return fail(Errc::timeout, "the answer comes too slowly: " + std::to_string(bytes_) + " bytes within " +
                                           std::to_string(bounds_.pace_span.count()) + " ms, at least " +
                                           std::to_string(bounds_.pace_bytes_min) + " are needed");
        }
        began_ = now;
        bytes_ = 0;
        return {};
    }

private:
    Bounds const& bounds_;
    Clock::time_point began_ = Clock::now();
    std::size_t bytes_ = 0;
};

Task<void> receive_body(Stream& stream, wire::Reader& reader, Exchange const& exchange, Response& response) {
    bool const to_sink = exchange.sink && response.ok();
    auto const bytes_max = response.ok() ? exchange.bounds.body_bytes_max : kRefusalBytesMax;
    Pace pace{exchange.bounds};
    for (;;) {
        stream.expires_at(exchange.next_deadline());
        auto const piece = co_await reader.body();
        if (!piece) co_return std::unexpected{piece.error()};
        if (piece->empty()) co_return Result<void>{};
        auto const in_time = pace.count(piece->size());
        if (!in_time) co_return std::unexpected{in_time.error()};
        if (to_sink) {
            auto taken = exchange.sink(*piece);
            if (!taken) co_return fail(std::move(taken));
            co_await yield_once();  // whoever takes the pieces looks at each before the next is read
            continue;
        }
        if (response.body.size() + piece->size() > bytes_max) {
            co_return fail(Errc::limit, "answer longer than " + std::to_string(bytes_max) + " bytes");
        }
        response.body += *piece;
    }
}

Task<Response> talk(Stream& stream, Exchange const& exchange, Talk& outcome) {
    auto head = wire::format(exchange.request);
    if (!head) co_return fail(std::move(head));
    stream.expires_after(exchange.bounds.idle_max, exchange.deadline);
    auto sent = co_await send_request(stream, exchange, std::move(*head));
    // A server may refuse early and stop reading: its answer says more than our broken pipe.
    if (!sent && sent.error().code != Errc::offline) co_return fail(std::move(sent));

    auto const& bounds = exchange.bounds;
    wire::Limits limits{.body_bytes_max = bounds.body_bytes_max};
    if (bounds.long_lived) limits.piece_bytes = kWatchPieceBytes;
    limits.body_bytes_max = std::max(limits.body_bytes_max, kRefusalBytesMax);
    wire::Reader reader{stream, wire::Reader::Side::response, limits};
    if (exchange.request.method == "HEAD") reader.expect_no_body();
    stream.expires_after(exchange.bounds.idle_max, exchange.deadline);
    auto const came = co_await reader.header();
    outcome.got_some = reader.got_some();
    if (!sent && (!came || !*came)) co_return fail(std::move(sent));
    if (!came) co_return std::unexpected{came.error()};
    if (!*came) co_return fail(Errc::offline, "closed without an answer");
    if (reader.status() == 101) co_return fail(Errc::invalid_input, "unexpected " + status_text(reader.status()));

    Response response{.status = reader.status(), .headers = std::move(reader.headers()), .body = {}};
    auto received = co_await receive_body(stream, reader, exchange, response);
    if (!received) co_return fail(std::move(received));
    outcome.keep = sent && reader.keeps_alive() && reader.leftover() == 0;
    co_return std::move(response);
}

}  // namespace

struct Client::State : std::enable_shared_from_this<Client::State> {
    State(asio::any_io_executor executor_in, ClientSettings settings_in)
        : executor(std::move(executor_in)), settings(std::move(settings_in)), sweep_timer(executor) {}

    Result<void> complete(Exchange& exchange) {
        auto& endpoint = exchange.endpoint;
        if (endpoint.url.scheme == "https" && !endpoint.tls && endpoint.unix_path.empty()) {
            if (!default_tls) {
                auto made = TlsContext::client({});
                if (!made) return fail(std::move(made), "TLS");
                default_tls = std::move(*made);
            }
            endpoint.tls = default_tls;
        }
        if (endpoint.unix_path.empty()) {
            auto proxy = proxy_for(endpoint.url, endpoint.proxy);
            if (!proxy) return fail(std::move(proxy));
            exchange.proxy = std::move(*proxy);
        }
        // The proxy resolves names, as it sees them; an address is the same from everywhere.
        auto const refused =
            exchange.proxy ? endpoint.reach.refuses_literal(endpoint.url.host) : std::optional<std::string_view>{};
        if (refused) return not_reached(endpoint.url.authority(), *refused);
        auto& headers = exchange.request.headers;
        if (!headers.find("Host")) headers.set("Host", host_field(endpoint));
        if (!headers.find("User-Agent")) headers.set("User-Agent", settings.user_agent);
        if (exchange.through_plain_proxy()) {
            auto absolute = endpoint.url;
            absolute.target = exchange.request.target;
            exchange.request.target = absolute.text();
            add_proxy_login(headers, *exchange.proxy);
        }
        return {};
    }

    std::shared_ptr<Pool> pool_for(Exchange const& exchange) {
        auto const key = key_of(exchange.endpoint, exchange.proxy);
        auto const known = pools.find(key);
        if (known != pools.end()) return known->second;
        if (pools.size() >= settings.endpoints_max) drop_oldest_pool();
        auto pool = std::make_shared<Pool>(executor, settings, exchange.endpoint.tls);
        pools.emplace(key, pool);
        return pool;
    }

    void drop_oldest_pool() {
        auto oldest = pools.end();
        for (auto pool = pools.begin(); pool != pools.end(); ++pool) {
            bool const free = pool->second->used() == 0 && pool->second->requests.waiting() == 0;
            if (free && (oldest == pools.end() || pool->second->used_at < oldest->second->used_at)) oldest = pool;
        }
        if (oldest != pools.end()) pools.erase(oldest);
    }

    void keep(Pool& pool, std::unique_ptr<Stream> stream) {
        if (pool.idle.size() >= settings.connections_max) return;
        stream->expires_at(Clock::time_point::max());
        pool.idle.push_back({std::move(stream), Clock::now()});
        if (!sweeping) sweep_later();
    }

    void sweep_later() {
        sweeping = true;
        sweep_timer.expires_after(settings.keep_idle / 2);
        sweep_timer.async_wait([weak = weak_from_this()](boost::system::error_code ec) {
            auto const self = weak.lock();
            if (ec || !self) return;
            self->sweep();
        });
    }

    void sweep() {
        sweeping = false;
        bool any_left = false;
        auto const limit = Clock::now() - settings.keep_idle;
        for (auto& [key, pool] : pools) {
            std::erase_if(pool->idle, [limit](Pool::Idle const& idle) { return idle.since < limit; });
            any_left = any_left || !pool->idle.empty();
        }
        if (any_left) sweep_later();
    }

    Task<Response> run(Exchange exchange);

    asio::any_io_executor executor;
    ClientSettings settings;
    asio::steady_timer sweep_timer;
    bool sweeping = false;
    std::map<std::string, std::shared_ptr<Pool>> pools;
    std::shared_ptr<TlsContext const> default_tls;
};

Task<Response> Client::State::run(Exchange exchange) {
    auto const self = shared_from_this();
    auto completed = complete(exchange);
    if (!completed) co_return fail(std::move(completed));
    auto const pool = pool_for(exchange);
    auto& slots = exchange.bounds.long_lived ? pool->long_lived : pool->requests;
    auto const lease = co_await slots.take(exchange.deadline - Clock::now());
    if (!lease)
        co_return std::unexpected{
            Error{lease.error()}.in("wait for a connection to " + exchange.endpoint.url.authority())};
    pool->used_at = Clock::now();

    auto stream = pool->take_idle();
    for (bool reused = stream != nullptr;; reused = false) {
        if (!stream) {
            auto const connect_deadline = std::min(exchange.deadline, Clock::now() + settings.connect_max);
            auto connected = co_await connect(exchange, settings.connector, connect_deadline);
            if (!connected) co_return fail(std::move(connected));
            stream = std::move(*connected);
        }
        Talk outcome;
        auto response = co_await talk(*stream, exchange, outcome);
        if (response) {
            if (outcome.keep) keep(*pool, std::move(stream));
            co_return std::move(response);
        }
        stream.reset();
        bool const died_idle = reused && !outcome.got_some && response.error().code == Errc::offline;
        if (!died_idle || !may_repeat(exchange.request))
            co_return fail(std::move(response), exchange.endpoint.url.authority());
    }
}

Client::Client(asio::any_io_executor executor, ClientSettings settings)
    : state_(std::make_shared<State>(std::move(executor), std::move(settings))) {}

Client::~Client() {
    state_->sweep_timer.cancel();
    close_idle();
}

Task<Response> Client::send(Endpoint endpoint, Request request, Bounds bounds) {
    auto response = co_await stream(std::move(endpoint), std::move(request), bounds, nullptr);
    co_return std::move(response);
}

Task<Response> Client::stream(Endpoint endpoint, Request request, Bounds bounds, BodySink sink) {
    auto const state = state_;
    auto const deadline = Clock::now() + std::min<std::chrono::milliseconds>(bounds.whole_max, kLongest);
    bounds.idle_max = std::min<std::chrono::milliseconds>(bounds.idle_max, kLongest);
    bool const may_follow = bounds.redirects_max > 0 && (request.method == "GET" || request.method == "HEAD");
    if (!may_follow) {
        Exchange exchange{std::move(endpoint), std::nullopt, std::move(request), bounds, std::move(sink), deadline};
        auto response = co_await state->run(std::move(exchange));
        co_return std::move(response);
    }
    for (unsigned hops = 0;; ++hops) {
        Exchange exchange{endpoint, std::nullopt, request, bounds, sink, deadline};
        auto response = co_await state->run(std::move(exchange));
        if (!response || !response->is_redirect()) co_return std::move(response);
        if (hops >= bounds.redirects_max) {
            co_return fail(Errc::limit, "more than " + std::to_string(bounds.redirects_max) + " redirects");
        }
        auto here = endpoint.url;
        here.target = request.target;
        auto const next = resolve_reference(here, response->headers.get("Location"));
        if (!next) co_return std::unexpected{next.error()};
        bool const same = next->scheme == here.scheme && next->host == here.host && next->port == here.port;
        if (!same) co_return fail(Errc::denied, here.authority() + " redirects to another host: " + next->authority());
        request.target = next->target;
    }
}

std::size_t Client::connections_idle() const {
    std::size_t count = 0;
    for (auto const& [key, pool] : state_->pools) count += pool->idle.size();
    return count;
}

std::size_t Client::connections_open() const {
    std::size_t count = connections_idle();
    for (auto const& [key, pool] : state_->pools) count += pool->used();
    return count;
}

void Client::close_idle() {
    for (auto& [key, pool] : state_->pools) pool->idle.clear();
}

}  // namespace holdfast::http
