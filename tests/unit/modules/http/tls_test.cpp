// tests/unit/modules/http/tls_test.cpp: who is believed and who is not.
#include "modules/http/client.hpp"
#include "modules/http/server.hpp"
#include "tests/unit/modules/http/loop.hpp"
#include "tests/unit/modules/http/pki.hpp"

namespace holdfast::http {

using test::Loop;

struct TlsPair {
    Loop loop;
    test::TestCa ca;
    Server server{loop.executor(), {}};
    Client client{loop.executor()};

    std::uint16_t serve(test::Identity const& identity, std::string const& client_ca = "") {
        server.route("GET", "/", [](ServerRequest) -> asio::awaitable<Answer> {
            co_return text_answer(200, std::string(100'000, 's'));
        });
        auto tls = TlsContext::server(identity.certificate_pem, identity.key_pem, client_ca);
        REQUIRE(tls);
        return server.listen_tcp("127.0.0.1", 0, *tls).value();
    }
    Result<Response> get(std::uint16_t port, TlsSettings const& settings, std::string const& host = "127.0.0.1") {
        auto tls = TlsContext::client(settings);
        if (!tls) return fail(std::move(tls));
        Endpoint endpoint{.url = parse_url("https://" + host + ":" + std::to_string(port)).value(),
                          .tls = *tls,
                          .reach = Reach::of_operator()};
        return loop.run(client.send(std::move(endpoint), {}));
    }
};

TEST_CASE("tls: a certificate of the given CA for this address is accepted, and the connection kept", "[http][tls]") {
    TlsPair pair;
    auto const port = pair.serve(pair.ca.issue("server", "IP:127.0.0.1,DNS:localhost"));
    auto const tls = TlsContext::client({.ca_pem = pair.ca.certificate_pem()}).value();
    Endpoint const endpoint{.url = parse_url("https://127.0.0.1:" + std::to_string(port)).value(),
                            .tls = tls,
                            .reach = Reach::of_operator()};

    auto const first = pair.loop.run(pair.client.send(endpoint, {}));
    auto const second = pair.loop.run(pair.client.send(endpoint, {}));

    REQUIRE(first);
    REQUIRE(second);
    CHECK(second->body.size() == 100'000);
    CHECK(pair.server.connections_open() == 1);
    CHECK(pair.get(port, {.ca_pem = pair.ca.certificate_pem()}, "localhost"));
}

TEST_CASE("tls: unknown CA, wrong name, wrong address and expired certificate are denied", "[http][tls]") {
    TlsPair pair;
    test::TestCa other;
    auto const port = pair.serve(pair.ca.issue("server", "DNS:elsewhere.example"));

    auto const unknown = pair.get(port, {.ca_pem = other.certificate_pem()});
    auto const wrong = pair.get(port, {.ca_pem = pair.ca.certificate_pem()});
    auto const named = pair.get(port, {.ca_pem = pair.ca.certificate_pem(), .server_name = "elsewhere.example"});
    auto const skipped = pair.get(port, {.insecure_skip_verify = true});

    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().code == Errc::denied);
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code == Errc::denied);
    CHECK(wrong.error().message.contains("IP address mismatch"));
    CHECK(named);
    CHECK(skipped);

    TlsPair late;
    auto const late_port = late.serve(late.ca.issue("server", "IP:127.0.0.1", -1));
    auto const expired = late.get(late_port, {.ca_pem = late.ca.certificate_pem()});
    REQUIRE_FALSE(expired);
    CHECK(expired.error().message.contains("expired"));
}

TEST_CASE("tls: an address with a zone is checked as the address, and a name that cannot be checked is denied",
          "[http][tls]") {
    TlsPair pair;
    auto const ca = pair.ca.certificate_pem();
    auto const port = pair.serve(pair.ca.issue("server", "IP:fe80::1,IP:127.0.0.1"));

    auto const same = pair.get(port, {.ca_pem = ca, .server_name = "fe80::1%eth0"});
    auto const other = pair.get(port, {.ca_pem = ca, .server_name = "fe80::2%eth0"});
    auto const endless = pair.get(port, {.ca_pem = ca, .server_name = std::string(300, 'a')});

    CHECK(same);
    REQUIRE_FALSE(other);
    CHECK(other.error().code == Errc::denied);
    CHECK(other.error().message.contains("IP address mismatch"));
    REQUIRE_FALSE(endless);
    CHECK(endless.error().message.contains("cannot be checked"));
}

TEST_CASE("tls: a server that asks for a client certificate gets ours", "[http][tls]") {
    TlsPair pair;
    auto const port = pair.serve(pair.ca.issue("server", "IP:127.0.0.1"), pair.ca.certificate_pem());
    auto const me = pair.ca.issue("me", "");

    auto const with = pair.get(
        port, {.ca_pem = pair.ca.certificate_pem(), .certificate_pem = me.certificate_pem, .key_pem = me.key_pem});
    auto const without = pair.get(port, {.ca_pem = pair.ca.certificate_pem()});

    CHECK(with);
    CHECK_FALSE(without);
}

TEST_CASE("tls: bad PEM and a key of another certificate are refused at once", "[http][tls]") {
    test::TestCa ca;
    auto const one = ca.issue("one", "");
    auto const two = ca.issue("two", "");

    CHECK(TlsContext::client({.ca_pem = "nonsense"}).error().code == Errc::invalid_input);
    CHECK(TlsContext::client({.ca_pem = ca.certificate_pem(), .certificate_pem = "x", .key_pem = "y"}).error().code ==
          Errc::invalid_input);
    CHECK(TlsContext::client(
              {.ca_pem = ca.certificate_pem(), .certificate_pem = one.certificate_pem, .key_pem = two.key_pem})
              .error()
              .message.contains("does not belong"));
}

TEST_CASE("tls: a plain server behind an https URL is an error, not a hang", "[http][tls]") {
    TlsPair pair;
    auto const port = pair.server.listen_tcp("127.0.0.1", 0).value();

    auto const answer = pair.get(port, {.ca_pem = pair.ca.certificate_pem()});

    REQUIRE_FALSE(answer);
}

}  // namespace holdfast::http
