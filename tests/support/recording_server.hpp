// tests/support/recording_server.hpp: an HTTP server on an address of this machine that says what it is told to, and remembers
// what it was asked and with which login.
#pragma once

#include "modules/base/assert.hpp"
#include "modules/http/server.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace holdfast::test {

class RecordingServer {
public:
    using Handler = std::function<http::Answer(http::ServerRequest const&)>;

    explicit RecordingServer(std::string const& host = "127.0.0.1") {
        server_.route("*", "/*", [this](http::ServerRequest request) -> asio::awaitable<http::Answer> {
            std::scoped_lock const lock{mutex_};
            auto const login = request.headers.get("Authorization");
            asked_.push_back(request.method + " " + request.path + (login.empty() ? "" : " " + std::string{login}));
            bodies_ += request.body;
            for (auto const& [name, value] : request.query) queries_ += name + "=" + value + "\n";
            co_return handler_(request);
        });
        auto const port = server_.listen_tcp(host, 0);
        HOLDFAST_ASSERT(port.has_value());
        authority = host + ":" + std::to_string(*port);
        thread_ = std::thread{[this] { loop_.run(); }};
    }
    ~RecordingServer() {
        loop_.stop();
        thread_.join();
    }
    RecordingServer(RecordingServer const&) = delete;
    RecordingServer& operator=(RecordingServer const&) = delete;

    void answer(Handler handler) {
        std::scoped_lock const lock{mutex_};
        handler_ = std::move(handler);
    }
    /// "GET /v2/a/tags/list Basic dTpw", in order.
    std::vector<std::string> asked() {
        std::scoped_lock const lock{mutex_};
        return asked_;
    }
    /// Everything it was told: paths, logins, queries and bodies.
    std::string told() {
        std::scoped_lock const lock{mutex_};
        std::string all = queries_ + bodies_;
        for (auto const& one : asked_) all += "\n" + one;
        return all;
    }
    void forget() {
        std::scoped_lock const lock{mutex_};
        asked_.clear();
    }

    std::string authority;

private:
    asio::io_context loop_{1};
    http::Server server_{loop_.get_executor(), {}};
    std::mutex mutex_;
    Handler handler_ = [](http::ServerRequest const&) { return http::text_answer(404, ""); };
    std::vector<std::string> asked_;
    std::string queries_;
    std::string bodies_;
    std::thread thread_;
};

}  // namespace holdfast::test
