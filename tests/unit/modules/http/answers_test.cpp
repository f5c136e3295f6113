// tests/unit/modules/http/answers_test.cpp: what a server may send beside a plain answer, and a link that is slow, from a raw peer.
#include "modules/base/task_group.hpp"
#include "modules/http/client.hpp"
#include "modules/http/stream.hpp"
#include "modules/http/wire.hpp"
#include "tests/unit/modules/http/loop.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <vector>

namespace holdfast::http {

using namespace std::chrono_literals;
using test::Loop;

namespace {

/// Accepts connections and answers each request with the next of `answers`, as it is; the last one is for every later request.
struct RawPeer {
    int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    std::uint16_t port = 0;
    int connections = 0;
    std::vector<std::string> answers;
    std::string late;               // sent a moment after each answer
    std::size_t bytes_at_once = 0;  // how much is read before each pause; 0: as it comes
    int received_bytes_max = 0;     // SO_RCVBUF

    void listen() {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (received_bytes_max > 0)
            ::setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &received_bytes_max, sizeof received_bytes_max);
        REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
        REQUIRE(::listen(listener, 4) == 0);
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
        port = ntohs(address.sin_port);
    }
    ~RawPeer() { ::close(listener); }

    Endpoint endpoint() const {
        return {.url = parse_url("http://127.0.0.1:" + std::to_string(port)).value(), .reach = Reach::of_operator()};
    }

    asio::awaitable<bool> take_slowly(Stream& stream, std::size_t bytes) {
        std::vector<char> buffer(bytes_at_once);
        while (bytes > 0) {
            co_await sleep_for(5ms);
            auto const got = co_await stream.read_some(std::span{buffer}.first(std::min(bytes, buffer.size())));
            if (!got || *got == 0) co_return false;
            bytes -= *got;
        }
        co_return true;
    }

    asio::awaitable<bool> take(Stream& stream) {
        wire::Reader reader{stream, wire::Reader::Side::request, {.piece_bytes = 512}};
        auto const came = co_await reader.header();
        if (!came || !*came) co_return false;
        auto const length = std::stoul(std::string{reader.headers().get("Content-Length")});
        if (bytes_at_once > 0) {
            bool const taken = co_await take_slowly(stream, length - std::min(length, reader.leftover()));
            co_return taken;
        }
        for (;;) {
            auto const piece = co_await reader.body();
            if (!piece) co_return false;
            if (piece->empty()) co_return true;
        }
    }

    asio::awaitable<void> run(asio::any_io_executor executor) {
        for (;;) {
            int const fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) {
                co_await sleep_for(1ms);
                continue;
            }
            ++connections;
            Stream stream{executor, fd};
            for (;;) {
                bool const taken = co_await take(stream);
                if (!taken) break;
                auto const answer = answers.front();
                if (answers.size() > 1) answers.erase(answers.begin());
                auto const sent = co_await stream.write(answer);
                if (!sent) break;
                if (late.empty()) continue;
                co_await sleep_for(5ms);
                auto const more = co_await stream.write(late);
                if (!more) break;
            }
        }
    }
};

struct Bench {
    Loop loop;
    RawPeer peer;
    Client client{loop.executor()};
    TaskGroup group{loop.executor(), 1};

    void start() {
        peer.listen();
        REQUIRE(group.start("peer", peer.run(loop.executor())));
    }
    ~Bench() {
        group.cancel();
        loop.run(group.join());
    }
    Result<Response> post(std::string body = "rows", Bounds bounds = {.whole_max = 20s}) {
        return loop.run(
            client.send(peer.endpoint(), {.method = "POST", .target = "/", .body = std::move(body)}, bounds));
    }
};

constexpr auto kYes = "HTTP/1.1 204 No Content\r\n\r\n";

}  // namespace

TEST_CASE("http client: interim answers are skipped, in one piece with the answer or before it", "[http][answers]") {
    Bench bench;
    std::string const interim = GENERATE("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 102 Processing\r\nX-A: 1\r\n\r\n",
                                         "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 \r\n\r\n");
    bench.peer.answers = {interim + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-B: 2\r\n\r\nok"};
    bench.start();

    auto const first = bench.post();
    auto const second = bench.post();

    REQUIRE(first);
    CHECK(first->status == 200);
    CHECK(first->body == "ok");
    CHECK(first->headers.get("X-B") == "2");
    CHECK_FALSE(first->headers.find("X-A"));
    REQUIRE(second);
    CHECK(bench.peer.connections == 1);
}

TEST_CASE("http client: a server of nothing but interim answers is given up", "[http][answers]") {
    Bench bench;
    std::string endless;
    for (int i = 0; i < 100; ++i) endless += "HTTP/1.1 100 Continue\r\n\r\n";
    bench.peer.answers = {endless};
    bench.start();

    auto const answer = bench.post();

    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::limit);
}

TEST_CASE("http client: a switch of protocols that nobody asked for is no answer", "[http][answers]") {
    Bench bench;
    bench.peer.answers = {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"};
    bench.start();

    CHECK(bench.post().error().code == Errc::invalid_input);
}

// Goal: what comes behind an answer is never read as the next one.
// Method: a 204 that announces a body, which arrives a moment later; the next request needs a connection of its own.
TEST_CASE("http client: whoever announces a body that cannot be is not asked again on that connection",
          "[http][answers]") {
    Bench bench;
    auto const announces = GENERATE("HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n",
                                    "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n");
    bench.peer.answers = {announces, kYes};
    bench.peer.late = "some text";
    bench.start();

    auto const first = bench.post();
    auto const second = bench.post();

    REQUIRE(first);
    if (!second) FAIL(second.error().message);
    CHECK(second->status == 204);
    CHECK(bench.peer.connections == 2);
}

TEST_CASE("http client: bytes behind an answer end its connection", "[http][answers]") {
    Bench bench;
    bench.peer.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more", kYes};
    bench.start();

    auto const first = bench.post();
    auto const second = bench.post();

    REQUIRE(first);
    CHECK(first->body == "ok");
    REQUIRE(second);
    CHECK(second->status == 204);
    CHECK(bench.peer.connections == 2);
}

// Goal: a peer that takes what we send, slowly, is no silent one.
// Method: it takes 300 kB in small bites, which lasts far longer than the silence that is allowed.
TEST_CASE("http client: a slow link is waited for as long as bytes are acknowledged", "[http][answers]") {
    Bench bench;
    bench.peer.answers = {kYes};
    bench.peer.received_bytes_max = 4'096;
    bench.peer.bytes_at_once = 1'500;
    bench.start();

    auto const answer = bench.post(std::string(300'000, 'r'), {.whole_max = 25s, .idle_max = 250ms});

    REQUIRE(answer);
    CHECK(answer->status == 204);
}

TEST_CASE("http client: a peer that takes nothing more is given up after the silence", "[http][answers]") {
    Bench bench;
    bench.peer.listen();  // and nobody accepts

    auto const answer = bench.post(std::string(9'000'000, 'r'), {.whole_max = 20s, .idle_max = 100ms});

    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::timeout);
}

}  // namespace holdfast::http
