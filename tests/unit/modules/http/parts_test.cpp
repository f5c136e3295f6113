// tests/unit/modules/http/parts_test.cpp: URLs, proxies, dates and gzip.
#include "modules/http/gzip.hpp"
#include "modules/http/proxy.hpp"
#include "modules/http/resolve.hpp"
#include "modules/http/retry.hpp"
#include "modules/http/url.hpp"
#include "tests/unit/modules/http/loop.hpp"

namespace holdfast::http {

TEST_CASE("url: parts are split and decoded", "[http]") {
    auto const url = parse_url("HTTPS://us%40er:p%3Aw@Example.COM:8443/a/b?c=d#frag").value();
    CHECK(url.scheme == "https");
    CHECK(url.user == "us@er");
    CHECK(url.password == "p:w");
    CHECK(url.host == "example.com");
    CHECK(url.port == 8443);
    CHECK(url.target == "/a/b?c=d");
    CHECK(url.text() == "https://example.com:8443/a/b?c=d");
    CHECK(parse_url("http://[::1]:80").value().authority() == "[::1]:80");
    CHECK(parse_url("http://host?x=1").value().target == "/?x=1");
}

TEST_CASE("url: what is no http URL is refused", "[http]") {
    for (auto const* text : {"", "host/path", "ftp://h/", "http://", "http://h:0", "http://h:99999", "http://h:8a",
                             "http://[::1", "http://a b/", "http://h/\n", "http:///x", "http://h\\@evil/"}) {
        INFO(text);
        CHECK_FALSE(parse_url(text));
    }
}

TEST_CASE("url: what is wrong with one is said without a piece of it that may be a password", "[http]") {
    for (auto const* text : {"http://u:s3cr3t/x@h", "http://u:s3cr3t", "http://[::1]:s3cr3t"}) {
        INFO(text);
        CHECK_FALSE(parse_url(text).error().message.contains("s3cr3t"));
    }
}

TEST_CASE("url: a reference is resolved against its base", "[http]") {
    auto const base = parse_url("https://h/a/b?q").value();
    CHECK(resolve_reference(base, "/c").value().text() == "https://h/c");
    CHECK(resolve_reference(base, "c?x").value().text() == "https://h/a/c?x");
    CHECK(resolve_reference(base, "//other/c").value().text() == "https://other/c");
    CHECK(resolve_reference(base, "http://o/c").value().text() == "http://o/c");
}

TEST_CASE("url: queries survive encoding and decoding", "[http]") {
    auto const text = query_string({{"labelSelector", "a=b,c in (d, e)"}, {"x", "ä"}});
    CHECK(text == "labelSelector=a%3Db%2Cc%20in%20%28d%2C%20e%29&x=%C3%A4");
    CHECK(parse_query(text).at(0).second == "a=b,c in (d, e)");
    CHECK(percent_decode("%zz%4") == "%zz%4");
}

TEST_CASE("proxy: NO_PROXY is read as Go reads it", "[http]") {
    struct Case {
        char const* host;
        std::uint16_t port;
        char const* no_proxy;
        bool direct;
    };
    for (auto const& c : std::initializer_list<Case>{{"localhost", 80, "", true},
                                                     {"127.0.0.5", 80, "", true},
                                                     {"::1", 80, "", true},
                                                     {"example.com", 80, "", false},
                                                     {"example.com", 80, "*", true},
                                                     {"example.com", 80, "example.com", true},
                                                     {"a.example.com", 80, "example.com", true},
                                                     {"example.com", 80, ".example.com", false},
                                                     {"a.example.com", 80, ".example.com", true},
                                                     {"notexample.com", 80, "example.com", false},
                                                     {"a.example.com", 80, "*.example.com", true},
                                                     {"10.1.2.3", 80, "10.0.0.0/8", true},
                                                     {"11.1.2.3", 80, "10.0.0.0/8", false},
                                                     {"10.1.2.3", 80, "10.1.2.3", true},
                                                     {"example.com", 8080, "example.com:8080", true},
                                                     {"example.com", 80, "example.com:8080", false},
                                                     {"fd00::5", 80, "fd00::/8", true},
                                                     {"x.svc", 443, "a.b , .SVC", true}}) {
        INFO(c.host << " " << c.no_proxy);
        CHECK(bypasses_proxy(c.host, c.port, c.no_proxy) == c.direct);
    }
    auto const url = parse_url("https://api.example:6443").value();
    CHECK(proxy_for(url, {.https_proxy = "http://u:p@proxy:3128"}).value()->authority() == "proxy:3128");
    CHECK_FALSE(proxy_for(url, {.http_proxy = "http://proxy:3128"}).value());
    CHECK(proxy_for(url, {.https_proxy = "socks5://proxy:1080"}).error().code == Errc::invalid_input);
}

TEST_CASE("retry: Retry-After is read as seconds or date", "[http]") {
    auto const now = std::chrono::system_clock::from_time_t(784'111'777);  // Sun, 06 Nov 1994 08:49:37 GMT
    CHECK(retry_after({{"retry-after", "7"}}, now) == std::chrono::seconds{7});
    CHECK(retry_after({{"Retry-After", "Sun, 06 Nov 1994 08:50:37 GMT"}}, now) == std::chrono::seconds{60});
    CHECK(retry_after({{"Retry-After", "Sun, 06 Nov 1994 08:00:00 GMT"}}, now) == std::chrono::seconds{0});
    for (auto const* const far :
         {"86401", "9000000000000000000", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"})
        CHECK(retry_after({{"Retry-After", far}}, now) == kRetryAfterMax);
    CHECK_FALSE(retry_after({{"Retry-After", "-7"}}, now));
    CHECK_FALSE(retry_after({{"Retry-After", "-99999999999999999999"}}, now));
    CHECK_FALSE(retry_after({{"Retry-After", "soon"}}, now));
    CHECK(retry_after({{"Retry-After", "9000000000000000000"}}, now) == std::chrono::days{1});
    CHECK(retry_after({{"Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"}}, now) == std::chrono::days{1});
    CHECK_FALSE(retry_after({}, now));
}

TEST_CASE("gzip: what was packed is unpacked, within the bound", "[http]") {
    std::string const plain(1'000'000, 'a');
    auto const packed = gzip(plain).value();
    CHECK(packed.size() < 2'000);
    CHECK(gunzip(packed, plain.size()).value() == plain);
    CHECK(gunzip(packed, plain.size() - 1).error().code == Errc::limit);
    CHECK(gunzip(packed.substr(0, packed.size() - 20), plain.size()).error().code == Errc::corrupt);
    CHECK(gunzip("plain text", 100).error().code == Errc::corrupt);
    CHECK(gunzip(gzip("").value(), 0).value().empty());
    CHECK(gunzip(gzip("a").value() + gzip("b").value(), 10).value() == "ab");
}

TEST_CASE("resolve: literals and localhost need no name server, a bad name is offline", "[http]") {
    test::Loop loop;
    auto const soon = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    CHECK(loop.run(resolve("10.1.2.3", soon)).value().at(0).to_string() == "10.1.2.3");
    CHECK(loop.run(resolve("localhost", soon)).value().at(0).is_loopback());
    auto const missing = loop.run(resolve("no-such-host.invalid", soon));
    REQUIRE_FALSE(missing);
    CHECK(is_retryable(missing.error().code));
}

}  // namespace holdfast::http
