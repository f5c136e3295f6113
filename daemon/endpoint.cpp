// daemon/endpoint.cpp: five paths that are read-only, and the queue for who may open the socket.
#include "daemon/endpoint.hpp"

#include "daemon/queue_desk.hpp"

#include <chrono>
#include <memory>

namespace holdfast::daemon {

namespace {

using Take = std::function<asio::awaitable<status::Snapshot>()>;

/// Any local user may ask over TCP, as often as he likes, and a snapshot is built on the loop that reconciles: over TCP
/// one serves for a second. The socket is for the daemon's own user and group, who are shown this very moment.
class RecentSnapshot {
public:
    explicit RecentSnapshot(Take take) : take_(std::move(take)) {}

    asio::awaitable<std::shared_ptr<status::Snapshot const>> get(bool fresh) {
        bool const is_recent = kept_ != nullptr && std::chrono::steady_clock::now() - taken_ < kKeep;
        // While one is being built, the one before serves: requests that come together do not each build one.
        if (!fresh && (is_recent || (is_building_ && kept_ != nullptr))) co_return kept_;
        is_building_ = true;
        auto taken = co_await take_();
        is_building_ = false;
        kept_ = std::make_shared<status::Snapshot const>(std::move(taken));
        taken_ = std::chrono::steady_clock::now();
        co_return kept_;
    }

private:
    static constexpr std::chrono::seconds kKeep{1};

    Take take_;
    std::shared_ptr<status::Snapshot const> kept_;
    std::chrono::steady_clock::time_point taken_;
    bool is_building_ = false;
};

/// The page needs its own style sheet and nothing else; no other site may frame it, and nothing keeps a copy.
http::Answer guarded(http::Answer answer) {
    answer.headers.set(
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    answer.headers.set("X-Content-Type-Options", "nosniff");
    answer.headers.set("X-Frame-Options", "DENY");
    answer.headers.set("Referrer-Policy", "no-referrer");
    answer.headers.set("Cache-Control", "no-store");
    return answer;
}

}  // namespace

void add_routes(http::Server& server, std::function<asio::awaitable<status::Snapshot>()> snapshot,
                std::function<std::string()> not_ready, std::function<Task<std::string>(std::string request)> queue) {
    auto const recent = std::make_shared<RecentSnapshot>(std::move(snapshot));
    server.route("GET", "/healthz", [](http::ServerRequest) -> asio::awaitable<http::Answer> {
        co_return guarded(http::text_answer(200, "ok\n"));
    });
    server.route("GET", "/readyz", [not_ready](http::ServerRequest) -> asio::awaitable<http::Answer> {
        std::string const why = not_ready();
        co_return guarded(why.empty() ? http::text_answer(200, "ok\n") : http::text_answer(503, why + "\n"));
    });
    server.route("GET", "/metrics", [recent](http::ServerRequest request) -> asio::awaitable<http::Answer> {
        auto const now = co_await recent->get(request.over_unix_socket);
        co_return guarded(http::text_answer(200, status::to_metrics(*now), "text/plain; version=0.0.4; charset=utf-8"));
    });
    server.route("GET", "/api/v1/status", [recent](http::ServerRequest request) -> asio::awaitable<http::Answer> {
        auto const now = co_await recent->get(request.over_unix_socket);
        co_return guarded(http::json_answer(200, status::to_json(*now)));
    });
    server.route("GET", "/", [recent](http::ServerRequest request) -> asio::awaitable<http::Answer> {
        auto const now = co_await recent->get(request.over_unix_socket);
        co_return guarded(http::text_answer(200, status::to_page(*now), "text/html; charset=utf-8"));
    });
    server.route("POST", std::string{kQueuePath},
                 [queue](http::ServerRequest request) -> asio::awaitable<http::Answer> {
                     if (!request.over_unix_socket) co_return guarded(http::text_answer(404, "not found\n"));
                     auto const answer = co_await queue(std::move(request.body));
                     if (answer) co_return guarded(http::json_answer(200, *answer));
                     unsigned const status = answer.error().code == Errc::invalid_input ? 400
                                             : answer.error().code == Errc::not_found   ? 404
                                                                                        : 500;
                     co_return guarded(http::text_answer(status, answer.error().message));
                 });
}

}  // namespace holdfast::daemon
