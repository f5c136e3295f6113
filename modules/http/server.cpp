// modules/http/server.cpp: accepts, reads one request after another, asks the handler, sends the answer.
#include "modules/http/server.hpp"

#include "modules/base/task_group.hpp"
#include "modules/http/stream.hpp"
#include "modules/http/url.hpp"
#include "modules/http/wire.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace holdfast::http {

using Clock = std::chrono::steady_clock;

static constexpr std::size_t kListenersMax = 16;
static constexpr std::size_t kLeavingMax = 8;  // told to close, not gone yet

static std::string text_of_errno(int code) { return std::generic_category().message(code); }

Answer text_answer(unsigned status, std::string body, std::string_view content_type) {
    Answer answer;
    answer.status = status;
    answer.headers.set("Content-Type", content_type);
    answer.body = std::move(body);
    return answer;
}

Answer json_answer(unsigned status, std::string body) {
    return text_answer(status, std::move(body), "application/json");
}

std::string_view ServerRequest::parameter(std::string_view name) const {
    for (auto const& [key, value] : query) {
        if (key == name) return value;
    }
    return {};
}

namespace {

struct Route {
    std::string method;
    std::string path;
    Handler handler;

    bool matches(std::string_view wanted) const {
        if (!path.ends_with("/*")) return wanted == path;
        auto const folder = std::string_view{path}.substr(0, path.size() - 1);
        return wanted.starts_with(folder);
    }
};

/// The places of those who come one way. Any local user comes by TCP, and may hold all places there; the socket is the
/// operator's way in.
struct Door {
    Door(asio::any_io_executor const& executor, std::size_t connections_max)
        : serving(executor, connections_max + kLeavingMax) {}

    TaskGroup serving;
    std::vector<Stream*> waiting;  // between two requests: closed at once by stop()
};

struct Listener {
    Listener(asio::any_io_executor const& executor, int fd, Door& door_in) : descriptor(executor, fd), door(door_in) {}
    asio::posix::stream_descriptor descriptor;
    Door& door;
    std::shared_ptr<TlsContext const> tls;
    std::string unix_path;
};

/// Sends pieces as chunks, each under a fresh deadline.
class ChunkWriter final : public BodyWriter {
public:
    ChunkWriter(Stream& stream, std::chrono::milliseconds piece_max) : stream_(stream), piece_max_(piece_max) {}

    Task<void> write(std::string piece) override {
        if (piece.empty()) co_return Result<void>{};
        auto const bytes = wire::chunk(piece);
        stream_.expires_at(Clock::now() + piece_max_);
        auto sent = co_await stream_.write(bytes);
        stream_.expires_at(Clock::time_point::max());
        co_return std::move(sent);
    }

private:
    Stream& stream_;
    std::chrono::milliseconds piece_max_;
};

bool is_local_host(std::string_view host) {
    if (host.starts_with('[')) {
        host = host.substr(1, host.find(']') - 1);
    } else {
        host = host.substr(0, host.rfind(':'));
    }
    if (equal_ignoring_case(host, "localhost")) return true;
    boost::system::error_code ec;
    auto const address = asio::ip::make_address(host, ec);
    return !ec && address.is_loopback();
}

ServerRequest request_of(wire::Reader& reader, bool over_unix_socket) {
    std::string_view const target = reader.target();
    auto const question = target.find('?');
    ServerRequest request{.method = reader.method(),
                          .path = percent_decode(target.substr(0, question)),
                          .query = {},
                          .headers = std::move(reader.headers()),
                          .body = {},
                          .over_unix_socket = over_unix_socket};
    if (question != std::string_view::npos) request.query = parse_query(target.substr(question + 1));
    return request;
}

}  // namespace

struct Server::State : std::enable_shared_from_this<Server::State> {
    State(asio::any_io_executor executor_in, ServerSettings settings_in)
        : executor(executor_in), settings(settings_in), listening(executor_in, kListenersMax),
          tcp(executor_in, settings_in.connections_max), unix_socket(executor_in, settings_in.connections_max) {}

    Result<std::shared_ptr<Listener>> open(int family, sockaddr const* address, socklen_t size);
    Result<void> start(std::shared_ptr<Listener> listener);
    bool make_room(Door& door);
    asio::awaitable<void> accept(std::shared_ptr<Listener> listener);
    asio::awaitable<void> serve(int fd, std::shared_ptr<Listener> listener);
    Task<bool> serve_one(Stream& stream, Listener& listener);
    asio::awaitable<Answer> answer_to(ServerRequest request);
    Task<void> send(Stream& stream, Answer answer, bool head_only, bool keep_alive);

    asio::any_io_executor executor;
    ServerSettings settings;
    std::vector<Route> routes;
    std::vector<std::shared_ptr<Listener>> listeners;
    bool stopping = false;
    TaskGroup listening;
    Door tcp;
    Door unix_socket;
};

Server::Server(asio::any_io_executor executor, ServerSettings settings)
    : state_(std::make_shared<State>(std::move(executor), settings)) {}

static void remove_sockets(std::vector<std::shared_ptr<Listener>>& listeners) {
    for (auto const& listener : listeners) {
        boost::system::error_code ignored;
        listener->descriptor.close(ignored);
        if (!listener->unix_path.empty()) ::unlink(listener->unix_path.c_str());
    }
    listeners.clear();
}

Server::~Server() {
    remove_sockets(state_->listeners);
    state_->listening.cancel();
    for (auto* const door : {&state_->tcp, &state_->unix_socket}) door->serving.cancel();
}

void Server::route(std::string method, std::string path, Handler handler) {
    state_->routes.push_back({std::move(method), std::move(path), std::move(handler)});
}

Result<std::shared_ptr<Listener>> Server::State::open(int family, sockaddr const* address, socklen_t size) {
    int const fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail(Errc::limit, "socket: " + text_of_errno(errno));
    auto listener = std::make_shared<Listener>(executor, fd, family == AF_UNIX ? unix_socket : tcp);
    int const on = 1;
    if (family != AF_UNIX) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(fd, address, size) != 0 || ::listen(fd, 64) != 0) {
        int const code = errno;
        if (code == EADDRINUSE) return fail(Errc::busy, text_of_errno(code));
        if (code == EACCES || code == EPERM) return fail(Errc::denied, text_of_errno(code));
        return fail(code == ENOENT ? Errc::not_found : Errc::invalid_input, text_of_errno(code));
    }
    return listener;
}

Result<void> Server::State::start(std::shared_ptr<Listener> listener) {
    listeners.push_back(listener);
    return listening.start("accept", accept(listener));
}

Result<std::uint16_t> Server::listen_tcp(std::string const& host, std::uint16_t port,
                                         std::shared_ptr<TlsContext const> tls) {
    boost::system::error_code ec;
    auto const address = asio::ip::make_address(host, ec);
    if (ec) return fail(Errc::invalid_input, "listen on " + host + ": not an IP address");
    sockaddr_storage storage{};
    socklen_t size = 0;
    if (address.is_v4()) {
        auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        v4.sin_addr.s_addr = htonl(address.to_v4().to_uint());
        size = sizeof v4;
    } else {
        auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        auto const bytes = address.to_v6().to_bytes();
        std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
        size = sizeof v6;
    }
    auto listener = state_->open(storage.ss_family, reinterpret_cast<sockaddr*>(&storage), size);
    if (!listener) return fail(std::move(listener), "listen on " + host + ":" + std::to_string(port));
    (*listener)->tls = std::move(tls);
    ::getsockname((*listener)->descriptor.native_handle(), reinterpret_cast<sockaddr*>(&storage), &size);
    auto const bound = ntohs(address.is_v4() ? reinterpret_cast<sockaddr_in&>(storage).sin_port
                                             : reinterpret_cast<sockaddr_in6&>(storage).sin6_port);
    auto started = state_->start(std::move(*listener));
    if (!started) return fail(std::move(started));
    return bound;
}

/// A socket file that nobody listens on is left over from a killed process.
static Result<void> remove_stale_socket(sockaddr_un const& address) {
    int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int const connected = ::connect(fd, reinterpret_cast<sockaddr const*>(&address), sizeof address);
    int const code = errno;
    ::close(fd);
    if (connected == 0) return fail(Errc::busy, "another process listens");
    if (code == ECONNREFUSED) ::unlink(address.sun_path);
    return {};
}

Result<void> Server::listen_unix(std::string const& path, unsigned mode) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return fail(Errc::invalid_input, "listen on " + path + ": path too long");
    std::memcpy(address.sun_path, path.data(), path.size());
    auto removed = remove_stale_socket(address);
    if (!removed) return fail(std::move(removed), "listen on " + path);
    auto const old_mask = ::umask(0777);  // no one may connect before the mode is set
    auto listener = state_->open(AF_UNIX, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::umask(old_mask);
    if (!listener) return fail(std::move(listener), "listen on " + path);
    ::chmod(path.c_str(), mode);
    (*listener)->unix_path = path;
    return state_->start(std::move(*listener));
}

/// When all places are taken, the connection that has been idle longest gives up its own.
bool Server::State::make_room(Door& door) {
    if (door.serving.size() < settings.connections_max) return true;
    if (door.waiting.empty()) return false;
    door.waiting.front()->close();
    door.waiting.erase(door.waiting.begin());
    return true;
}

asio::awaitable<void> Server::State::accept(std::shared_ptr<Listener> listener) {
    auto const self = shared_from_this();
    while (listener->descriptor.is_open()) {
        int const fd = ::accept4(listener->descriptor.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            if (!make_room(listener->door)) {
                ::close(fd);
                continue;
            }
            auto started = listener->door.serving.start("connection", serve(fd, listener));
            if (!started) ::close(fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
            co_await sleep_for(std::chrono::milliseconds{100});
        } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
            co_return;
        }
        co_await listener->descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                                 asio::as_tuple(asio::use_awaitable));
    }
}

asio::awaitable<void> Server::State::serve(int fd, std::shared_ptr<Listener> listener) {
    auto const self = shared_from_this();
    Stream stream{executor, fd};
    if (listener->tls) {
        stream.expires_at(Clock::now() + settings.request_max);
        auto const shaken = co_await stream.handshake_as_server(listener->tls);
        if (!shaken) co_return;
    }
    for (;;) {
        auto const again = co_await serve_one(stream, *listener);
        if (!again || !*again) co_return;
    }
}

/// Out  true when the connection may carry another request
Task<bool> Server::State::serve_one(Stream& stream, Listener& listener) {
    bool const over_unix_socket = !listener.unix_path.empty();
    auto& waiting = listener.door.waiting;
    wire::Reader reader{stream,
                        wire::Reader::Side::request,
                        {.header_bytes_max = settings.header_bytes_max,
                         .body_bytes_max = settings.body_bytes_max,
                         .piece_bytes = 4u << 10}};
    struct Waiting {
        std::vector<Stream*>& all;
        Stream* self;
        ~Waiting() { std::erase(all, self); }
    };
    if (stopping) co_return false;
    {
        Waiting const here{waiting, &stream};
        waiting.push_back(&stream);
        stream.expires_at(Clock::now() + settings.keep_idle);
        auto const came = co_await reader.first_byte();
        if (!came) co_return std::unexpected{came.error()};
        if (!*came) co_return false;
    }
    stream.expires_at(Clock::now() + settings.request_max);
    auto const came = co_await reader.header();
    if (!came) {
        auto refused = co_await send(stream, text_answer(reader.refusal(), came.error().message + "\n"), false, false);
        if (!refused) co_return fail(std::move(refused));
        co_return false;
    }
    auto request = request_of(reader, over_unix_socket);
    if (reader.wants_continue()) {
        auto const sent = co_await stream.write("HTTP/1.1 100 Continue\r\n\r\n");
        if (!sent) co_return std::unexpected{sent.error()};
    }
    for (;;) {
        auto const piece = co_await reader.body();
        if (!piece) {
            auto refused =
                co_await send(stream, text_answer(reader.refusal(), piece.error().message + "\n"), false, false);
            if (!refused) co_return fail(std::move(refused));
            co_return false;
        }
        if (piece->empty()) break;
        request.body += *piece;
    }
    bool const keep_alive = reader.keeps_alive() && reader.leftover() == 0 && !stopping;
    bool const head_only = request.method == "HEAD";
    stream.expires_at(Clock::time_point::max());
    Answer answer;
    if (settings.local_host_only && !over_unix_socket && !is_local_host(request.headers.get("Host"))) {
        answer = text_answer(421, "this address answers to localhost only\n");
    } else {
        answer = co_await answer_to(std::move(request));
    }
    auto sent = co_await send(stream, std::move(answer), head_only, keep_alive);
    if (!sent) co_return fail(std::move(sent));
    co_return keep_alive;
}

asio::awaitable<Answer> Server::State::answer_to(ServerRequest request) {
    bool path_known = false;
    auto const method = request.method == "HEAD" ? "GET" : request.method;
    for (auto const& route : routes) {
        if (!route.matches(request.path)) continue;
        path_known = true;
        if (route.method != method && route.method != "*" && route.method != request.method) continue;
        auto const handler = route.handler;
        auto called = [](Handler call, ServerRequest asked) -> Task<Answer> {
            auto answer = co_await call(std::move(asked));
            co_return std::move(answer);
        };
        auto task = called(handler, std::move(request));
        auto answer = co_await within(settings.answer_max, std::move(task), "handler");
        co_return answer ? std::move(*answer) : text_answer(503, answer.error().message + "\n");
    }
    co_return path_known ? text_answer(405, "method not allowed\n") : text_answer(404, "not found\n");
}

Task<void> Server::State::send(Stream& stream, Answer answer, bool head_only, bool keep_alive) {
    bool const chunked = answer.stream && !head_only;
    auto head = wire::format(answer, chunked, keep_alive);
    if (!head) head = wire::format(text_answer(500, ""), false, false);
    if (!chunked && !head_only) *head += answer.body;
    stream.expires_at(Clock::now() + settings.answer_max);
    auto sent = co_await stream.write(*head);
    if (!sent) co_return fail(std::move(sent));
    if (!chunked) co_return Result<void>{};
    ChunkWriter writer{stream, settings.answer_max};
    auto streamed = co_await answer.stream(writer);
    if (!streamed) co_return fail(std::move(streamed));
    stream.expires_at(Clock::now() + settings.answer_max);
    auto const end = wire::chunk("");
    auto ended = co_await stream.write(end);
    co_return std::move(ended);
}

asio::awaitable<void> Server::stop(std::chrono::milliseconds grace) {
    auto const state = state_;
    state->stopping = true;
    remove_sockets(state->listeners);
    state->listening.cancel();
    for (auto* const door : {&state->tcp, &state->unix_socket}) {
        for (auto* const stream : door->waiting) stream->close();
    }
    auto joining = [](std::shared_ptr<State> shared) -> asio::awaitable<void> {
        co_await shared->tcp.serving.join();
        co_await shared->unix_socket.serving.join();
    };
    auto joined = joining(state);
    bool const ended = co_await ends_within(grace, std::move(joined));
    if (!ended) {
        for (auto* const door : {&state->tcp, &state->unix_socket}) door->serving.cancel();
        co_await state->tcp.serving.join();
        co_await state->unix_socket.serving.join();
    }
    co_await state->listening.join();
}

std::size_t Server::connections_open() const { return state_->tcp.serving.size() + state_->unix_socket.serving.size(); }

}  // namespace holdfast::http
