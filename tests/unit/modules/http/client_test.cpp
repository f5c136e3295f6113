// tests/unit/modules/http/client_test.cpp: one exchange at a time against a server in this process.
#include "modules/http/client.hpp"

#include "modules/base/task_group.hpp"
#include "modules/http/connect.hpp"
#include "modules/http/retry.hpp"
#include "modules/http/server.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/modules/http/loop.hpp"

#include <unistd.h>

#include <filesystem>

namespace holdfast::http {

using namespace std::chrono_literals;
using test::Loop;

struct Pair {
    Loop loop;
    Server server{loop.executor(), {.body_bytes_max = 1u << 20}};
    Client client{loop.executor(), {.connections_max = 4}};
    int hits = 0;

    Endpoint endpoint() {
        auto const port = server.listen_tcp("127.0.0.1", 0);
        REQUIRE(port);
        return {.url = parse_url("http://127.0.0.1:" + std::to_string(*port)).value(), .reach = Reach::of_operator()};
    }
    void answer(std::string path, Answer answer) {
        server.route("*", std::move(path), [this, answer](ServerRequest) -> asio::awaitable<Answer> {
            ++hits;
            co_return answer;
        });
    }
};

TEST_CASE("http client: a second request uses the connection of the first", "[http]") {
    Pair pair;
    pair.answer("/a", text_answer(200, "hello"));
    auto const endpoint = pair.endpoint();

    auto const first = pair.loop.run(pair.client.send(endpoint, {.target = "/a"}));
    auto const second = pair.loop.run(pair.client.send(endpoint, {.target = "/a"}));

    REQUIRE(first);
    REQUIRE(second);
    CHECK(second->status == 200);
    CHECK(second->body == "hello");
    CHECK(pair.client.connections_open() == 1);
    CHECK(pair.server.connections_open() == 1);
}

TEST_CASE("http client: an error status is an answer with its body", "[http]") {
    Pair pair;
    pair.answer("/a", text_answer(404, "nothing here"));

    auto const answer = pair.loop.run(pair.client.send(pair.endpoint(), {.target = "/a"}));

    REQUIRE(answer);
    CHECK(answer->status == 404);
    CHECK(answer->body == "nothing here");
}

TEST_CASE("http client: the request arrives with its body, fields and query", "[http]") {
    Pair pair;
    std::string seen;
    pair.server.route("PATCH", "/x/*", [&seen](ServerRequest request) -> asio::awaitable<Answer> {
        seen = request.method + " " + request.path + " " + std::string{request.parameter("q")} + " " +
               std::string{request.headers.get("x-one")} + " " + std::to_string(request.body.size());
        co_return text_answer(200, "");
    });
    Request request{.method = "PATCH",
                    .target = "/x/y%20z?q=a%26b",
                    .headers = {{"X-One", "1"}},
                    .body = std::string(300'000, 'b')};

    auto const answer = pair.loop.run(pair.client.send(pair.endpoint(), request));

    REQUIRE(answer);
    CHECK(seen == "PATCH /x/y z a&b 1 300000");
}

TEST_CASE("http client: a body longer than its bound is a limit error", "[http]") {
    Pair pair;
    pair.answer("/big", text_answer(200, std::string(100'000, 'x')));

    auto const answer = pair.loop.run(pair.client.send(pair.endpoint(), {.target = "/big"}, {.body_bytes_max = 1'000}));

    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::limit);
}

TEST_CASE("http client: an unlimited chunked body ends at its bound", "[http]") {
    Pair pair;
    pair.server.route("GET", "/endless", [](ServerRequest) -> asio::awaitable<Answer> {
        Answer answer = text_answer(200, "");
        answer.stream = [](BodyWriter& out) -> Task<void> {
            for (;;) {
                auto sent = co_await out.write(std::string(10'000, 'x'));
                if (!sent) co_return fail(std::move(sent));
            }
        };
        co_return answer;
    });

    auto const answer =
        pair.loop.run(pair.client.send(pair.endpoint(), {.target = "/endless"}, {.body_bytes_max = 500'000}));

    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::limit);
}

TEST_CASE("http client: streamed pieces reach the sink as they come, and its failure ends the exchange", "[http]") {
    Pair pair;
    pair.server.route("GET", "/lines", [](ServerRequest) -> asio::awaitable<Answer> {
        Answer answer = text_answer(200, "");
        answer.stream = [](BodyWriter& out) -> Task<void> {
            for (int i = 0; i < 3; ++i) {
                auto sent = co_await out.write("line\n");
                if (!sent) co_return fail(std::move(sent));
                co_await sleep_for(5ms);
            }
            co_return Result<void>{};
        };
        co_return answer;
    });
    auto const endpoint = pair.endpoint();
    std::string got;
    auto keep = [&got](std::string_view piece) -> Result<void> {
        got += piece;
        return {};
    };
    auto refuse = [](std::string_view) -> Result<void> { return fail(Errc::corrupt, "enough"); };

    auto const all = pair.loop.run(pair.client.stream(endpoint, {.target = "/lines"}, {}, keep));
    auto const cut = pair.loop.run(pair.client.stream(endpoint, {.target = "/lines"}, {}, refuse));

    REQUIRE(all);
    CHECK(all->body.empty());
    CHECK(got == "line\nline\nline\n");
    REQUIRE_FALSE(cut);
    CHECK(cut.error().code == Errc::corrupt);
}

TEST_CASE("http client: whoever takes a streamed body has a turn between its pieces", "[http]") {
    // However fast it comes: what reads on within one turn piles up where it is taken.
    Pair pair;
    pair.answer("/big", text_answer(200, std::string(4u << 20, 'x')));
    std::size_t pieces = 0, without_turn = 0;
    bool had_turn = true;
    auto take = [&](std::string_view) -> Result<void> {
        ++pieces;
        if (!had_turn) ++without_turn;
        had_turn = false;
        asio::post(pair.loop.executor(), [&had_turn] { had_turn = true; });
        return {};
    };

    auto const all = pair.loop.run(pair.client.stream(pair.endpoint(), {.target = "/big"}, {}, take));

    REQUIRE(all);
    CHECK(pieces > 10);
    CHECK(without_turn == 0);
}

TEST_CASE("http client: a silent server is a timeout, in time", "[http]") {
    Pair pair;
    pair.server.route("GET", "/slow", [](ServerRequest) -> asio::awaitable<Answer> {
        co_await sleep_for(20s);
        co_return text_answer(200, "");
    });
    auto const before = std::chrono::steady_clock::now();

    auto const idle = pair.loop.run(pair.client.send(pair.endpoint(), {.target = "/slow"}, {.idle_max = 50ms}));

    REQUIRE_FALSE(idle);
    CHECK(idle.error().code == Errc::timeout);
    CHECK(std::chrono::steady_clock::now() - before < 2s);
}

TEST_CASE("http client: a server that sends a byte now and then is a timeout, one that is only slow is not", "[http]") {
    Pair pair;
    pair.server.route("GET", "/drip", [](ServerRequest) -> asio::awaitable<Answer> {
        Answer answer = text_answer(200, "");
        answer.stream = [](BodyWriter& out) -> Task<void> {
            for (int i = 0; i < 200; ++i) {
                auto sent = co_await out.write("x");
                if (!sent) co_return fail(std::move(sent));
                co_await sleep_for(5ms);
            }
            co_return Result<void>{};
        };
        co_return answer;
    });
    auto const endpoint = pair.endpoint();

    auto const drip =
        pair.loop.run(pair.client.send(endpoint, {.target = "/drip"}, {.pace_span = 50ms, .pace_bytes_min = 10'000}));
    auto const slow =
        pair.loop.run(pair.client.send(endpoint, {.target = "/drip"}, {.pace_span = 1'000'000ms, .pace_bytes_min = 1}));

    REQUIRE_FALSE(drip);
    CHECK(drip.error().code == Errc::timeout);
    CHECK(drip.error().message.contains("the answer comes too slowly"));
    REQUIRE(slow);
    CHECK(slow->body.size() == 200);
}

TEST_CASE("http client: nobody listening is offline", "[http]") {
    Loop loop;
    Client client{loop.executor()};

    auto const answer =
        loop.run(client.send({.url = parse_url("http://127.0.0.1:1/").value(), .reach = Reach::of_operator()}, {}));
    auto const unix_socket = loop.run(client.send({.url = {.scheme = "http"}, .unix_path = "/nonexistent/socket"}, {}));

    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::offline);
    CHECK(answer.error().message.contains("Connection refused"));
    REQUIRE_FALSE(unix_socket);
    CHECK(unix_socket.error().code == Errc::offline);
}

TEST_CASE("http client: a connection that the server closed while idle is replaced without a failed request",
          "[http]") {
    Loop loop;
    Server server{loop.executor(), {.keep_idle = 30ms}};
    Client client{loop.executor()};
    server.route("POST", "/", [](ServerRequest) -> asio::awaitable<Answer> { co_return text_answer(200, "ok"); });
    auto const port = server.listen_tcp("127.0.0.1", 0).value();
    Endpoint const endpoint{.url = parse_url("http://127.0.0.1:" + std::to_string(port)).value(),
                            .reach = Reach::of_operator()};

    auto const first = loop.run(client.send(endpoint, {.method = "POST", .body = "x"}));
    loop.run(sleep_for(100ms));
    auto const second = loop.run(client.send(endpoint, {.method = "POST", .body = "x"}));

    REQUIRE(first);
    REQUIRE(second);
    CHECK(second->body == "ok");
}

TEST_CASE("http client: more requests than connections wait their turn", "[http]") {
    Pair pair;
    int at_once = 0;
    int most = 0;
    pair.server.route("GET", "/", [&](ServerRequest) -> asio::awaitable<Answer> {
        most = std::max(most, ++at_once);
        co_await sleep_for(10ms);
        --at_once;
        co_return text_answer(200, "");
    });
    auto const endpoint = pair.endpoint();
    TaskGroup group{pair.loop.executor(), 100};
    int done = 0;
    auto one = [](Client& client, Endpoint to, int& count) -> asio::awaitable<void> {
        auto const answer = co_await client.send(to, {});
        if (answer && answer->ok()) ++count;
    };
    for (int i = 0; i < 20; ++i) REQUIRE(group.start("request", one(pair.client, endpoint, done)));

    pair.loop.run(group.join());

    CHECK(done == 20);
    CHECK(most == 4);
}

TEST_CASE("http client: a redirect to the same host is followed when asked, to another never", "[http]") {
    Pair pair;
    auto answer = text_answer(302, "");
    answer.headers.set("Location", "/b?x=1");
    pair.answer("/a", answer);
    pair.answer("/b", text_answer(200, "b"));
    answer.headers.set("Location", "http://localhost:1/secret");
    pair.answer("/away", answer);
    answer.headers.set("Location", "/loop");
    pair.answer("/loop", answer);
    auto const endpoint = pair.endpoint();

    CHECK(pair.loop.run(pair.client.send(endpoint, {.target = "/a"}))->status == 302);
    CHECK(pair.loop.run(pair.client.send(endpoint, {.target = "/a"}, {.redirects_max = 3}))->body == "b");
    CHECK(pair.loop.run(pair.client.send(endpoint, {.target = "/away"}, {.redirects_max = 3})).error().code ==
          Errc::denied);
    CHECK(pair.loop.run(pair.client.send(endpoint, {.target = "/loop"}, {.redirects_max = 3})).error().code ==
          Errc::limit);
}

TEST_CASE("http client: a header with a line break is refused before it is sent", "[http]") {
    Pair pair;
    auto const answer = pair.loop.run(pair.client.send(pair.endpoint(), {.headers = {{"X", "a\r\nY: b"}}}));

    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::invalid_input);
}

TEST_CASE("http client: cancelling a waiting request unwinds it", "[http]") {
    Pair pair;
    pair.server.route("GET", "/", [](ServerRequest) -> asio::awaitable<Answer> {
        co_await sleep_for(20s);
        co_return text_answer(200, "");
    });
    TaskGroup group{pair.loop.executor(), 1};
    auto one = [](Client& client, Endpoint to) -> asio::awaitable<void> {
        auto const answer = co_await client.send(to, {});
        static_cast<void>(answer);
    };
    REQUIRE(group.start("request", one(pair.client, pair.endpoint())));
    pair.loop.run(sleep_for(20ms));

    group.cancel();
    pair.loop.run(group.join());

    CHECK(pair.client.connections_open() == 0);
}

TEST_CASE("http client: retry waits as long as Retry-After says and gives the last answer", "[http]") {
    Pair pair;
    auto busy = text_answer(503, "");
    busy.headers.set("Retry-After", "0");
    pair.answer("/busy", busy);
    auto later = text_answer(429, "");
    later.headers.set("Retry-After", "3600");
    pair.answer("/later", later);
    auto const endpoint = pair.endpoint();

    auto const tried = pair.loop.run(send_with_retry(pair.client, endpoint, {.target = "/busy"}, {}, {.tries_max = 3}));
    CHECK(tried->status == 503);
    CHECK(pair.hits == 3);

    auto const not_tried =
        pair.loop.run(send_with_retry(pair.client, endpoint, {.target = "/later"}, {}, {.tries_max = 3}));
    CHECK(not_tried->status == 429);
    CHECK(pair.hits == 4);
}

TEST_CASE("http server: a unix socket is served, replaced when stale and refused when in use", "[http]") {
    auto const path =
        std::filesystem::temp_directory_path() / ("holdfast-http-" + std::to_string(::getpid()) + ".sock");
    Loop loop;
    Client client{loop.executor()};
    {
        Server server{loop.executor(), {}};
        server.route("GET", "/healthz", [](ServerRequest request) -> asio::awaitable<Answer> {
            co_return text_answer(200, request.over_unix_socket ? "unix" : "tcp");
        });
        REQUIRE(server.listen_unix(path));
        Server second{loop.executor(), {}};
        CHECK(second.listen_unix(path).error().code == Errc::busy);

        auto const answer =
            loop.run(client.send({.url = {.scheme = "http"}, .unix_path = path}, {.target = "/healthz"}));
        REQUIRE(answer);
        CHECK(answer->body == "unix");
        loop.run(server.stop(100ms));
        CHECK_FALSE(std::filesystem::exists(path));
    }
}

TEST_CASE("http server: bounds on header, body and Host are kept", "[http]") {
    Pair pair;
    pair.answer("/", text_answer(200, "ok"));
    auto const endpoint = pair.endpoint();

    CHECK(pair.loop.run(pair.client.send(endpoint, {.headers = {{"X", std::string(40'000, 'x')}}}))->status == 431);
    CHECK(pair.loop.run(pair.client.send(endpoint, {.method = "POST", .body = std::string(2u << 20, 'x')}))->status ==
          413);
    CHECK(pair.loop.run(pair.client.send(endpoint, {.headers = {{"Host", "evil.example"}}}))->status == 421);
    CHECK(pair.loop.run(pair.client.send(endpoint, {.target = "/none"}))->status == 404);
    pair.server.route("GET", "/get",
                      [](ServerRequest) -> asio::awaitable<Answer> { co_return text_answer(200, "ok"); });
    CHECK(pair.loop.run(pair.client.send(endpoint, {.method = "DELETE", .target = "/get"}))->status == 405);
    auto const head = pair.loop.run(pair.client.send(endpoint, {.method = "HEAD", .target = "/get"}));
    CHECK(head->status == 200);
    CHECK(head->body.empty());
}

TEST_CASE("http server: when full, the longest idle connection makes room", "[http]") {
    Loop loop;
    Server server{loop.executor(), {.connections_max = 2}};
    server.route("GET", "/", [](ServerRequest) -> asio::awaitable<Answer> { co_return text_answer(200, "ok"); });
    auto const port = server.listen_tcp("127.0.0.1", 0).value();
    Endpoint const endpoint{.url = parse_url("http://127.0.0.1:" + std::to_string(port)).value(),
                            .reach = Reach::of_operator()};
    std::vector<std::unique_ptr<Client>> clients;

    for (int i = 0; i < 6; ++i) {
        clients.push_back(std::make_unique<Client>(loop.executor()));
        CHECK(loop.run(clients.back()->send(endpoint, {})));  // each keeps its connection open
    }

    loop.run(sleep_for(10ms));
    CHECK(server.connections_open() <= 2);
}

TEST_CASE("http server: who holds every place of TCP shuts nobody out of the unix socket", "[http]") {
    test::TempDir dir;
    Loop loop;
    Server server{loop.executor(), {.connections_max = 2}};
    server.route("GET", "/", [](ServerRequest) -> asio::awaitable<Answer> { co_return text_answer(200, "ok"); });
    auto const port = server.listen_tcp("127.0.0.1", 0).value();
    REQUIRE(server.listen_unix(dir / "socket"));
    std::vector<std::unique_ptr<Stream>> slow;
    for (int i = 0; i < 4; ++i) {
        auto const deadline = Stream::Clock::now() + 10s;
        auto stream = loop.run(connect_tcp("127.0.0.1", port, Reach::of_operator(), deadline));
        REQUIRE(stream);
        CHECK(loop.run((*stream)->write("G")));  // the first byte of a request that never comes
        slow.push_back(std::move(*stream));
    }
    loop.run(sleep_for(10ms));
    REQUIRE(server.connections_open() == 2);
    Client client{loop.executor()};

    auto const shut = loop.run(client.send(
        {.url = parse_url("http://127.0.0.1:" + std::to_string(port)).value(), .reach = Reach::of_operator()}, {}));
    auto const answer = loop.run(client.send({.url = {.scheme = "http"}, .unix_path = dir / "socket"}, {}));

    CHECK_FALSE(shut);
    REQUIRE(answer);
    CHECK(answer->body == "ok");
}

TEST_CASE("http server: stop ends idle connections at once and running answers after the grace", "[http]") {
    Pair pair;
    pair.answer("/", text_answer(200, "ok"));
    pair.server.route("GET", "/hang", [](ServerRequest) -> asio::awaitable<Answer> {
        co_await sleep_for(20s);
        co_return text_answer(200, "");
    });
    auto const endpoint = pair.endpoint();
    REQUIRE(pair.loop.run(pair.client.send(endpoint, {})));
    REQUIRE_FALSE(pair.loop.run(pair.client.send(endpoint, {.target = "/hang"}, {.whole_max = 30ms})));
    auto const before = std::chrono::steady_clock::now();

    pair.loop.run(pair.server.stop(50ms));

    CHECK(pair.server.connections_open() == 0);
    CHECK(std::chrono::steady_clock::now() - before < 2s);
}

}  // namespace holdfast::http
