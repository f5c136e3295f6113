// daemon/endpoint.cpp: five paths, all read-only.
#include "daemon/endpoint.hpp"

namespace holdfast::daemon {

void add_routes(http::Server& server, std::function<asio::awaitable<status::Snapshot>()> snapshot,
                std::function<bool()> ready) {
    server.route("GET", "/healthz", [](http::ServerRequest) -> asio::awaitable<http::Answer> {
        co_return http::text_answer(200, "ok\n");
    });
    server.route("GET", "/readyz", [ready](http::ServerRequest) -> asio::awaitable<http::Answer> {
        bool const is_ready = ready();
        co_return is_ready ? http::text_answer(200, "ok\n") : http::text_answer(503, "starting\n");
    });
    server.route("GET", "/metrics", [snapshot](http::ServerRequest) -> asio::awaitable<http::Answer> {
        auto const now = co_await snapshot();
        co_return http::text_answer(200, status::to_metrics(now), "text/plain; version=0.0.4; charset=utf-8");
    });
    server.route("GET", "/api/v1/status", [snapshot](http::ServerRequest) -> asio::awaitable<http::Answer> {
        auto const now = co_await snapshot();
        co_return http::json_answer(200, status::to_json(now));
    });
    server.route("GET", "/", [snapshot](http::ServerRequest) -> asio::awaitable<http::Answer> {
        auto const now = co_await snapshot();
        co_return http::text_answer(200, status::to_page(now), "text/html; charset=utf-8");
    });
}

}  // namespace holdfast::daemon
