// tests/unit/modules/http/reach_test.cpp: which addresses are reached, by who named them.
// Goal: nothing that means this machine or its link is reached by a stranger's URL, however the URL is written.
// Method: the table of forms walked for each level; real connections to a server of this process, which counts them.
#include "modules/http/client.hpp"
#include "modules/http/connect.hpp"
#include "modules/http/server.hpp"
#include "tests/unit/modules/http/loop.hpp"

#include <unistd.h>

namespace holdfast::http {

using test::Loop;

namespace {

asio::ip::address address(std::string const& text) { return asio::ip::make_address(text); }

Reach::Networks networks(std::vector<std::string> const& texts) {
    Reach::Networks all;
    for (auto const& text : texts) all.push_back(Network::parse(text).value());
    return all;
}

struct Counted {
    Loop loop;
    Server server{loop.executor(), {}};
    Client client{loop.executor()};
    int hits = 0;
    std::uint16_t port = 0;

    Counted() {
        server.route("*", "/*", [this](ServerRequest) -> asio::awaitable<Answer> {
            ++hits;
            co_return text_answer(200, "secret");
        });
        port = server.listen_tcp("127.0.0.1", 0).value();
    }

    Result<Response> get(std::string const& host, Reach reach) {
        auto url = parse_url("http://" + host + ":" + std::to_string(port) + "/").value();
        Request request;
        request.headers.set("Host", "localhost");  // the server's own check shall not be what refuses
        return loop.run(client.send({.url = std::move(url), .reach = std::move(reach)}, std::move(request)));
    }
};

}  // namespace

TEST_CASE("reach: each range is refused to those whom it is closed to, at both of its ends", "[http][reach]") {
    struct Row {
        std::string first, last, beyond;  // beyond: the first address behind it that is nobody's; "": another range
        std::string what;
        bool for_sources;
    };
    std::vector<Row> const table{
        {"0.0.0.0", "0.255.255.255", "1.0.0.0", "an unspecified address", false},
        {"127.0.0.0", "127.255.255.255", "128.0.0.0", "a loopback address", false},
        {"169.254.0.0", "169.254.255.255", "169.255.0.0", "a link-local address", false},
        {"168.63.129.16", "168.63.129.16", "168.63.129.17", "a cloud's metadata service", false},
        {"100.100.100.200", "100.100.100.200", "100.100.100.201", "a cloud's metadata service", false},
        {"224.0.0.0", "239.255.255.255", "240.0.0.0", "a multicast address", false},
        {"255.255.255.255", "255.255.255.255", "", "the broadcast address", false},
        {"::", "::", "", "an unspecified address", false},
        {"::1", "::1", "", "a loopback address", false},
        {"::2", "::ffff:ffff", "::1:0:0", "an IPv4 address written as IPv6", false},
        {"::ffff:8.8.8.8", "::ffff:8.8.8.8", "", "an IPv4 address written as IPv6", false},
        {"::ffff:127.0.0.1", "::ffff:10.0.0.1", "", "an IPv4 address written as IPv6", false},
        {"::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8", "", "an IPv4 address written as IPv6", false},
        {"64:ff9b::127.0.0.1", "64:ff9b::127.9.9.9", "64:ff9b::8.8.8.8", "a loopback address", false},
        {"64:ff9b::169.254.169.254", "64:ff9b:1::169.254.169.254", "64:ff9b:1::9.9.9.9", "a link-local address", false},
        {"2002:7f00:1::1", "2002:7fff:ffff::", "2002:808:808::1", "a loopback address", false},
        {"fe80::1", "febf::1", "", "a link-local address", false},
        {"fec0::1", "feff::1", "", "a site-local address", true},
        {"fd00:ec2::254", "fd00:ec2::254", "", "a cloud's metadata service", false},
        {"fd20:ce::254", "fd20:ce::254", "", "a cloud's metadata service", false},
        {"fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe00::", "a unique-local address", true},
        {"ff00::", "ffff::1", "", "a multicast address", false},
    };
    auto const content = Reach{}, source = Reach::of_source({}), operator_ = Reach::of_operator();

    for (auto const& row : table) {
        for (auto const& text : {row.first, row.last}) {
            INFO(text);
            CHECK(content.refuses(address(text)).value_or("reached") == row.what);
            CHECK(source.refuses(address(text)).value_or("reached") == (row.for_sources ? "reached" : row.what));
            CHECK_FALSE(operator_.refuses(address(text)));
        }
        if (row.beyond.empty()) continue;
        INFO(row.beyond);
        CHECK_FALSE(content.refuses(address(row.beyond)));
    }
}

TEST_CASE("reach: public addresses and private IPv4 are for everyone", "[http][reach]") {
    for (auto const* text : {"8.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "2606:4700::1111"}) {
        INFO(text);
        CHECK_FALSE(Reach{}.refuses(address(text)));
        CHECK_FALSE(Reach::of_source({}).refuses(address(text)));
    }
}

TEST_CASE("reach: a zone changes nothing", "[http][reach]") {
    CHECK(Reach{}.refuses(address("fe80::1%1")) == "a link-local address");
    CHECK(Reach{}.refuses(address("::1%1")) == "a loopback address");
}

TEST_CASE("reach: what the operator allows is reached, that and no more", "[http][reach]") {
    auto const reach = Reach::of_content(networks({"127.0.0.1/32", "fd12::/16", "169.254.7.0/24"}));

    CHECK_FALSE(reach.refuses(address("127.0.0.1")));
    CHECK(reach.refuses(address("127.0.0.2")));
    CHECK_FALSE(reach.refuses(address("::ffff:127.0.0.1")));  // the same machine, the same way
    CHECK(reach.refuses(address("::ffff:127.0.0.2")));
    CHECK(reach.refuses(address("::1")));
    CHECK_FALSE(reach.refuses(address("fd12:ff::1")));
    CHECK(reach.refuses(address("fd13::1")));
    CHECK_FALSE(reach.refuses(address("169.254.7.255")));
    CHECK(reach.refuses(address("169.254.8.0")));
}

TEST_CASE("reach: what somebody else names is a stranger's, but the operator's stays his", "[http][reach]") {
    CHECK_FALSE(Reach::of_source({}).refuses(address("fd00::1")));
    CHECK(Reach::of_source({}).beyond().refuses(address("fd00::1")) == "a unique-local address");
    CHECK_FALSE(Reach::of_source(networks({"fd00::/8"})).beyond().refuses(address("fd00::1")));
    CHECK_FALSE(Reach::of_operator().beyond().refuses(address("127.0.0.1")));
    CHECK(Reach::of_source({}).key() != Reach{}.key());
    CHECK(Reach::of_source(networks({"fd00::/8"})).key() != Reach::of_source({}).key());
}

TEST_CASE("reach: a network is read as it is written, or refused", "[http][reach]") {
    CHECK(Network::parse("10.1.2.3/8").value().text() == "10.0.0.0/8");
    CHECK(Network::parse("127.0.0.1").value().text() == "127.0.0.1/32");
    CHECK(Network::parse("FD00::1/9").value().text() == "fd00::/9");
    CHECK(Network::parse("::/0").value().contains(address("2001::1")));
    CHECK_FALSE(Network::parse("::/0").value().contains(address("1.2.3.4")));
    CHECK(Network::parse("0.0.0.0/0").value().contains(address("255.1.2.3")));
    for (auto const* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/8 ", "10/8",
                             "localhost", "fe80::%1/10", "10.0.0.0/8/8", "1.2.3.4:80"}) {
        INFO(text);
        CHECK_FALSE(Network::parse(text));
    }
}

TEST_CASE("http client: no spelling of this machine is connected for a stranger", "[http][reach]") {
    Counted counted;

    for (std::string const host : {"127.0.0.1",
                                   "localhost",
                                   "LOCALHOST",
                                   "127.1",
                                   "2130706433",
                                   "0x7f000001",
                                   "0177.0.0.1",
                                   "0",
                                   "0.0.0.0",
                                   "127.0.0.1.",
                                   "[::ffff:127.0.0.1]",
                                   "[::ffff:7f00:1]",
                                   "[::127.0.0.1]",
                                   "[::]",
                                   "[::1]",
                                   "[::1%1]",
                                   "localhost.",
                                   "x.localhost",
                                   "good.example@127.0.0.1",
                                   "good.example:80@127.0.0.1"}) {
        INFO(host);
        auto const source = counted.get(host, Reach::of_source({}));
        auto const content = counted.get(host, {});
        CHECK_FALSE(source);
        CHECK_FALSE(content);
        CHECK(counted.hits == 0);
    }
    auto const refused = counted.get("127.0.0.1", {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::denied);
    CHECK(refused.error().message.contains("127.0.0.1 is a loopback address, which is reached only if network.allow"));
}

TEST_CASE("http client: what is allowed is connected, and its connection serves nobody else", "[http][reach]") {
    Counted counted;
    auto const allowed = Reach::of_content(networks({"127.0.0.0/8"}));

    auto const plain = counted.get("127.0.0.1", allowed);
    auto const mapped = counted.get("[::ffff:127.0.0.1]", allowed);
    auto const named = counted.get("localhost", allowed);

    REQUIRE(plain);
    CHECK(plain->body == "secret");
    CHECK(mapped);
    CHECK(named);
    CHECK(counted.hits == 3);
    CHECK(counted.client.connections_idle() == 3);
    CHECK_FALSE(counted.get("127.0.0.1", {}));  // the same host and port, and a connection to it lies idle
    CHECK(counted.hits == 3);
}

TEST_CASE("http client: a proxy is reached by who named the proxy, and carries no address of this machine",
          "[http][reach]") {
    Counted counted;
    auto const through = [&](std::string const& url, Reach proxy_reach) {
        Endpoint const endpoint{
            .url = parse_url(url).value(),
            .proxy = {.http_proxy = "http://127.0.0.1:" + std::to_string(counted.port), .reach = proxy_reach}};
        return counted.loop.run(counted.client.send(endpoint, {.headers = {{"Host", "localhost"}}}));
    };

    CHECK_FALSE(through("http://far.example/", {}));
    CHECK(counted.hits == 0);
    auto const carried = through("http://far.example/", Reach::of_operator());
    CHECK(carried);  // that the proxy was asked is what counts; it does not know the path
    for (auto const* url : {"http://169.254.169.254/", "http://2852039166/", "http://0xa9fea9fe/", "http://[fe80::1]/",
                            "http://127.0.0.1./", "http://a.localhost/", "http://localhost./"}) {
        INFO(url);
        auto const refused = through(url, Reach::of_operator());
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == Errc::denied);
    }
}

TEST_CASE("connect: a socket that is handed on stays open and is the caller's", "[http][reach]") {
    Counted counted;
    auto const deadline = Stream::Clock::now() + std::chrono::seconds{10};

    auto stream = counted.loop.run(connect_tcp("127.0.0.1", counted.port, Reach::of_operator(), deadline));
    REQUIRE(stream);
    int const socket = (*stream)->release();
    stream->reset();

    REQUIRE(socket >= 0);
    CHECK(::write(socket, "", 0) == 0);
    ::close(socket);
}

}  // namespace holdfast::http
