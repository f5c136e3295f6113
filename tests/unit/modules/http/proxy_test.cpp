// tests/unit/modules/http/proxy_test.cpp: requests through a proxy in this process.
#include "modules/base/base64.hpp"
#include "modules/base/task_group.hpp"
#include "modules/http/client.hpp"
#include "modules/http/connect.hpp"
#include "modules/http/server.hpp"
#include "modules/http/wire.hpp"
#include "tests/unit/modules/http/loop.hpp"
#include "tests/unit/modules/http/pki.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace holdfast::http {

using test::Loop;

/// Takes one CONNECT, answers `status`, and passes bytes to 127.0.0.1:`port` in both directions.
struct OneTunnel {
    int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    std::uint16_t port = 0;
    std::string seen;

    OneTunnel() {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
        REQUIRE(::listen(listener, 4) == 0);
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
        port = ntohs(address.sin_port);
    }
    ~OneTunnel() { ::close(listener); }

    static asio::awaitable<void> copy(Stream& from, Stream& to) {
        std::array<char, 4096> buffer;
        for (;;) {
            auto const got = co_await from.read_some(buffer);
            if (!got || *got == 0) co_return;
            auto const sent = co_await to.write({buffer.data(), *got});
            if (!sent) co_return;
        }
    }

    asio::awaitable<void> run(asio::any_io_executor executor, unsigned status, std::uint16_t behind) {
        int fd = -1;
        while (fd < 0) {
            fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) co_await sleep_for(std::chrono::milliseconds{1});
        }
        Stream client{executor, fd};
        wire::Reader reader{client, wire::Reader::Side::request, {}};
        auto const came = co_await reader.header();
        if (!came || !*came) co_return;
        seen = reader.method() + " " + reader.target() + " " + std::string{reader.headers().get("Proxy-Authorization")};
        auto const answer = "HTTP/1.1 " + status_text(status) + "\r\n\r\n";
        auto const sent = co_await client.write(answer);
        if (!sent || status != 200) co_return;
        auto server = co_await connect_tcp("127.0.0.1", behind, Reach::of_operator(),
                                           Stream::Clock::now() + std::chrono::seconds{5});
        if (!server) co_return;
        TaskGroup back{executor, 1};
        if (!back.start("back", copy(**server, client))) co_return;
        co_await copy(client, **server);
        (*server)->close();
        co_await back.join();
    }
};

TEST_CASE("proxy: https goes through CONNECT with the login, and TLS is checked end to end", "[http][tls]") {
    Loop loop;
    test::TestCa ca;
    auto const identity = ca.issue("server", "DNS:api.example");
    Server server{loop.executor(), {.local_host_only = false}};
    server.route("GET", "/", [](ServerRequest) -> asio::awaitable<Answer> { co_return text_answer(200, "through"); });
    auto const port =
        server.listen_tcp("127.0.0.1", 0, TlsContext::server(identity.certificate_pem, identity.key_pem).value())
            .value();
    OneTunnel tunnel;
    TaskGroup group{loop.executor(), 1};
    REQUIRE(group.start("proxy", tunnel.run(loop.executor(), 200, port)));
    Client client{loop.executor()};
    Endpoint const endpoint{.url = parse_url("https://api.example:6443").value(),
                            .tls = TlsContext::client({.ca_pem = ca.certificate_pem()}).value(),
                            .proxy = {.https_proxy = "http://us:pw@127.0.0.1:" + std::to_string(tunnel.port),
                                      .reach = Reach::of_operator()}};

    auto const answer = loop.run(client.send(endpoint, {}));

    if (!answer) FAIL(answer.error().message);
    CHECK(answer->body == "through");
    CHECK(tunnel.seen == "CONNECT api.example:6443 Basic " + base64_encode("us:pw"));
    group.cancel();
    loop.run(group.join());
}

TEST_CASE("proxy: 407 is denied", "[http]") {
    Loop loop;
    OneTunnel tunnel;
    TaskGroup group{loop.executor(), 1};
    REQUIRE(group.start("proxy", tunnel.run(loop.executor(), 407, 0)));
    Client client{loop.executor()};
    Endpoint const endpoint{
        .url = parse_url("https://api.example").value(),
        .tls = TlsContext::client({.insecure_skip_verify = true}).value(),
        .proxy = {.https_proxy = "http://127.0.0.1:" + std::to_string(tunnel.port), .reach = Reach::of_operator()}};

    auto const answer = loop.run(client.send(endpoint, {}));

    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::denied);
    loop.run(group.join());
}

TEST_CASE("proxy: plain http is asked for by its whole URL", "[http]") {
    Loop loop;
    std::string target;
    Server proxy{loop.executor(), {.local_host_only = false}};
    proxy.route("GET", "/*", [](ServerRequest) -> asio::awaitable<Answer> { co_return text_answer(200, ""); });
    proxy.route("GET", "http://far.example/*", [&target](ServerRequest request) -> asio::awaitable<Answer> {
        target = request.path;
        co_return text_answer(200, "by proxy");
    });
    auto const port = proxy.listen_tcp("127.0.0.1", 0).value();
    Client client{loop.executor()};
    Endpoint const endpoint{
        .url = parse_url("http://far.example/x").value(),
        .proxy = {.http_proxy = "http://127.0.0.1:" + std::to_string(port), .reach = Reach::of_operator()}};

    auto const answer = loop.run(client.send(endpoint, {.target = "/x/y?z"}));

    REQUIRE(answer);
    CHECK(answer->body == "by proxy");
    CHECK(target == "http://far.example/x/y");
}

}  // namespace holdfast::http
