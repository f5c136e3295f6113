// tests/unit/modules/azure/token_test.cpp: tokens are kept, renewed, and asked for as the endpoint wants; nothing secret leaks.
#include "modules/azure/token.hpp"

#include "modules/crypto/jwt.hpp"
#include "modules/http/server.hpp"
#include "tests/support/rsa_identity.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/modules/http/loop.hpp"

#include <boost/json/parse.hpp>

#include <fstream>

namespace holdfast::azure {

using namespace std::chrono_literals;

namespace {

struct SetClock final : Clock {
    std::chrono::system_clock::time_point wall() const override { return now; }
    std::chrono::nanoseconds boot() const override { return up; }
    std::chrono::system_clock::time_point now = std::chrono::system_clock::from_time_t(1'787'500'000);
    std::chrono::nanoseconds up{1h};
};

constexpr auto kGood = R"({"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"the-token"})";

/// A token endpoint that answers from a list, and remembers the forms it got.
struct Endpoint {
    test::Loop loop;
    http::Server server{loop.executor(), {}};
    http::Client client{loop.executor()};
    test::TempDir dir;
    SetClock clock;
    Transport transport{{}};
    std::vector<http::Answer> answers;
    std::vector<std::string> forms;
    PrincipalSettings settings;

    Endpoint() {
        server.route("POST", "/*", [this](http::ServerRequest request) -> asio::awaitable<http::Answer> {
            forms.push_back(request.path + "?" + request.body);
            auto answer = answers.size() > 1 ? answers.front() : answers.at(0);
            if (answers.size() > 1) answers.erase(answers.begin());
            co_return answer;
        });
        auto const port = server.listen_tcp("127.0.0.1", 0);
        REQUIRE(port);
        settings.login_authority = "http://127.0.0.1:" + std::to_string(*port) + "/";
        settings.tenant = "a-tenant";
        settings.client_id = "a-client";
        settings.secret_file = dir / "secret";
        write("secret", "s3cr3t+/&=value\n");
    }

    void write(std::string const& name, std::string const& text) const {
        std::ofstream{dir / name, std::ios::binary} << text;
    }

    void use_certificate(test::RsaIdentity const& identity) {
        settings.secret_file.clear();
        settings.certificate_file = dir / "cert.pem";
        settings.key_file = dir / "key.pem";
        write("cert.pem", identity.certificate_pem);
        write("key.pem", identity.key_pem);
    }

    Result<std::string> get(Tokens& tokens, Refusal* refusal = nullptr) { return loop.run(tokens.get(refusal)); }

    std::string field(std::size_t index, std::string_view name) const {
        auto const& text = forms.at(index);
        for (auto const& [key, value] : http::parse_query(text.substr(text.find('?') + 1))) {
            if (key == name) return value;
        }
        return "";
    }
};

http::Answer dated(http::Answer answer, std::string const& date) {
    answer.headers.set("Date", date);
    return answer;
}

std::string from_base64url(std::string_view text) {
    std::string out;
    unsigned held = 0, bits = 0;
    for (char const c : text) {
        unsigned const value = c >= 'A' && c <= 'Z'   ? static_cast<unsigned>(c - 'A')
                               : c >= 'a' && c <= 'z' ? static_cast<unsigned>(c - 'a' + 26)
                               : c >= '0' && c <= '9' ? static_cast<unsigned>(c - '0' + 52)
                               : c == '-'             ? 62u
                                                      : 63u;
        held = (held << 6 | value) & 0xffff;
        bits += 6;
        if (bits >= 8) out += static_cast<char>(held >> (bits -= 8) & 0xff);
    }
    return out;
}

boost::json::object part(std::string const& token, int index) {
    std::size_t const dot = token.find('.');
    auto const text = index == 0 ? token.substr(0, dot) : token.substr(dot + 1, token.rfind('.') - dot - 1);
    return boost::json::parse(from_base64url(text)).as_object();
}

}  // namespace

TEST_CASE("token: a secret is sent in the documented form, and the token is kept until its margin", "[azure][token]") {
    Endpoint endpoint;
    endpoint.answers = {http::json_answer(200, kGood)};
    Tokens tokens{endpoint.client, endpoint.transport, endpoint.clock, endpoint.settings};

    REQUIRE(endpoint.get(tokens).value() == "the-token");
    endpoint.clock.up += 54min;
    REQUIRE(endpoint.get(tokens).value() == "the-token");
    CHECK(endpoint.forms.size() == 1);
    endpoint.clock.up += 2min;
    endpoint.clock.now -= 24h * 365;  // expiry is on the boot clock: the wall clock may jump
    REQUIRE(endpoint.get(tokens).value() == "the-token");

    CHECK(endpoint.forms.size() == 2);
    CHECK(endpoint.forms.at(0).starts_with("/a-tenant/oauth2/v2.0/token?"));
    CHECK(endpoint.field(0, "grant_type") == "client_credentials");
    CHECK(endpoint.field(0, "client_id") == "a-client");
    CHECK(endpoint.field(0, "scope") == "https://monitor.azure.com/.default");
    CHECK(endpoint.field(0, "client_secret") == "s3cr3t+/&=value");
}

TEST_CASE("token: a discarded token is fetched anew, and the secret file is read again", "[azure][token]") {
    Endpoint endpoint;
    endpoint.answers = {http::json_answer(200, kGood)};
    Tokens tokens{endpoint.client, endpoint.transport, endpoint.clock, endpoint.settings};
    REQUIRE(endpoint.get(tokens));
    CHECK_FALSE(tokens.credential_changed());

    endpoint.write("secret", "rotated-and-longer-than-before");
    CHECK(tokens.credential_changed());
    tokens.discard();
    REQUIRE(endpoint.get(tokens));

    CHECK(endpoint.field(1, "client_secret") == "rotated-and-longer-than-before");
    CHECK_FALSE(tokens.credential_changed());
}

TEST_CASE("token: a credential that changed is used by the next get, without anybody saying so", "[azure][token]") {
    Endpoint endpoint;
    endpoint.answers = {http::json_answer(200, kGood)};
    Tokens tokens{endpoint.client, endpoint.transport, endpoint.clock, endpoint.settings};
    REQUIRE(endpoint.get(tokens));

    endpoint.write("secret", "the next secret");
    REQUIRE(endpoint.get(tokens));
    REQUIRE(endpoint.get(tokens));

    REQUIRE(endpoint.forms.size() == 2);
    CHECK(endpoint.field(1, "client_secret") == "the next secret");

    endpoint.answers = {http::text_answer(503, "")};
    endpoint.write("secret", "and the one after it");
    CHECK(endpoint.get(tokens).value() == "the-token");  // nobody refused it, and nothing better can be had
    CHECK(endpoint.get(tokens).value() == "the-token");
    CHECK(endpoint.forms.size() == 4);  // but each get asks
}

TEST_CASE("token: expires_in is a number, a string or a fraction, and what is not said is an hour", "[azure][token]") {
    auto const [text, minutes] = GENERATE(table<char const*, int>({{R"("expires_in":3599)", 59},
                                                                   {R"("expires_in":"3599")", 59},
                                                                   {R"("expires_in":3599.0)", 59},
                                                                   {R"("expires_in":"3599.0")", 59},
                                                                   {R"("a":1)", 59},
                                                                   {R"("expires_in":null)", 59},
                                                                   {R"("expires_in":"soon")", 59},
                                                                   {R"("expires_in":1e300)", 48 * 60},
                                                                   {R"("expires_in":18446744073709551615)", 48 * 60},
                                                                   {R"("expires_in":0)", 0},
                                                                   {R"("expires_in":-1)", 0}}));
    Endpoint endpoint;
    endpoint.answers = {http::json_answer(200, std::string{R"({"access_token":"t",)"} + text + "}")};
    Tokens tokens{endpoint.client, endpoint.transport, endpoint.clock, endpoint.settings};
    REQUIRE(endpoint.get(tokens));

    endpoint.clock.up += std::chrono::minutes{std::max(minutes - 6, 0)};
    REQUIRE(endpoint.get(tokens));
    CHECK(endpoint.forms.size() == (minutes == 0 ? 2 : 1));
    endpoint.clock.up += 6min;
    REQUIRE(endpoint.get(tokens));
    CHECK(endpoint.forms.size() == (minutes == 0 ? 3 : 2));
}

TEST_CASE("token: one that no request can carry is not kept", "[azure][token]") {
    auto const bad = GENERATE(R"(a\r\nX-Evil: 1)", R"(a b)", R"(\u0001)", "\xc3\xa9");
    Endpoint endpoint;
    endpoint.answers = {http::json_answer(200, std::string{R"({"expires_in":3599,"access_token":")"} + bad + "\"}"),
                        http::json_answer(200, kGood)};
    Tokens tokens{endpoint.client, endpoint.transport, endpoint.clock, endpoint.settings};

    auto const first = endpoint.get(tokens);
    auto const second = endpoint.get(tokens);

    REQUIRE_FALSE(first);
    CHECK(first.error().code == Errc::offline);
    CHECK(second.value() == "the-token");
}

TEST_CASE("token: what the endpoint says is never empty, and unavailable is no refusal", "[azure][token]") {
    Endpoint endpoint;
    Tokens tokens{endpoint.client, endpoint.transport, endpoint.clock, endpoint.settings};
    auto const [body, code] = GENERATE(
        table<char const*, Errc>({{R"({"error":"temporarily_unavailable","error_description":null})", Errc::busy},
                                  {R"({"error":"server_error"})", Errc::busy},
                                  {R"({"error":"invalid_client","error_description":""})", Errc::denied}}));
    endpoint.answers = {http::json_answer(400, body)};
    Refusal refusal;

    auto const token = endpoint.get(tokens, &refusal);

    REQUIRE_FALSE(token);
    CHECK(token.error().code == code);
    CHECK(token.error().message.ends_with(refusal.code));
    CHECK_FALSE(refusal.code.empty());
}

TEST_CASE("token: a file of ours and an answer that is too long are told apart", "[azure][token]") {
    Endpoint endpoint;
    endpoint.answers = {http::text_answer(200, std::string(400'000, 'p'))};
    Tokens tokens{endpoint.client, endpoint.transport, endpoint.clock, endpoint.settings};
    Refusal portal;
    CHECK(endpoint.get(tokens, &portal).error().code == Errc::limit);
    CHECK_FALSE(portal.is_ours);

    endpoint.write("secret", "\n");
    Refusal file;
    CHECK_FALSE(endpoint.get(tokens, &file));
    CHECK(file.is_ours);
}

TEST_CASE("token: an assertion carries the claims, the thumbprint and a signature of the certificate",
          "[azure][token]") {
    auto const algorithm = GENERATE(crypto::Signature::ps256, crypto::Signature::rs256);
    test::RsaIdentity const identity;
    Endpoint endpoint;
    endpoint.answers = {http::json_answer(200, kGood)};
    endpoint.use_certificate(identity);
    endpoint.settings.signature = algorithm;
    Tokens tokens{endpoint.client, endpoint.transport, endpoint.clock, endpoint.settings};

    REQUIRE(endpoint.get(tokens));

    auto const token = endpoint.field(0, "client_assertion");
    auto const key = crypto::SigningKey::read(identity.key_pem, identity.certificate_pem).value();
    auto const signature = from_base64url(token.substr(token.rfind('.') + 1));
    CHECK(key.verifies(algorithm, token.substr(0, token.rfind('.')), signature));
    CHECK(endpoint.field(0, "client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    CHECK(endpoint.field(0, "client_secret").empty());
    auto const header = part(token, 0);
    bool const pss = algorithm == crypto::Signature::ps256;
    CHECK(header.at("alg").as_string() == (pss ? "PS256" : "RS256"));
    CHECK(header.at("x5t#S256").as_string() == crypto::base64url(key.thumbprint_sha256()));
    CHECK(header.contains("x5t") == !pss);
    auto const claims = part(token, 1);
    auto const now = std::chrono::system_clock::to_time_t(endpoint.clock.now);
    CHECK(claims.at("aud").as_string() == endpoint.settings.login_authority + "a-tenant/oauth2/v2.0/token");
    CHECK(claims.at("iss").as_string() == "a-client");
    CHECK(claims.at("sub").as_string() == "a-client");
    CHECK(claims.at("nbf").as_int64() <= now);
    CHECK(claims.at("exp").as_int64() - claims.at("nbf").as_int64() == 600);
    CHECK(claims.at("jti").as_string().size() == 36);
    CHECK(tokens.identity_expires().value() > std::chrono::system_clock::now() + 29 * 24h);
}

// Goal: a box whose clock is a year wrong still gets a token, with one more try.
// Method: the endpoint complains with AADSTS700024 and its own Date; the second assertion must fit that Date.
TEST_CASE("token: after a complaint about the clock the assertion is made on Azure's clock, once", "[azure][token]") {
    test::RsaIdentity const identity;
    Endpoint endpoint;
    auto const complaint = http::json_answer(
        401,
        R"({"error":"invalid_client","error_description":"AADSTS700024: Client assertion is not within its valid time range."})");
    endpoint.answers = {dated(complaint, "Sun, 22 Aug 2027 10:00:00 GMT"), http::json_answer(200, kGood)};
    endpoint.use_certificate(identity);
    Tokens tokens{endpoint.client, endpoint.transport, endpoint.clock, endpoint.settings};

    REQUIRE(endpoint.get(tokens));

    CHECK(endpoint.forms.size() == 2);
    auto const claims = part(endpoint.field(1, "client_assertion"), 1);
    constexpr std::int64_t kAzureNow = 1'818'928'800;  // 2027-08-22T10:00:00Z
    CHECK(claims.at("nbf").as_int64() == kAzureNow - 5);

    endpoint.answers = {dated(complaint, "Sun, 22 Aug 2027 10:00:00 GMT")};
    tokens.discard();
    auto const again = endpoint.get(tokens);
    REQUIRE_FALSE(again);
    CHECK(again.error().code == Errc::denied);
    CHECK(endpoint.forms.size() == 4);
}

TEST_CASE("token: a Date that no clock can hold is not believed", "[azure][token]") {
    test::RsaIdentity const identity;
    Endpoint endpoint;
    auto const complaint = http::json_answer(
        401,
        R"({"error":"invalid_client","error_description":"AADSTS700024: Client assertion is not within its valid time range."})");
    endpoint.answers = {dated(complaint, GENERATE("Fri, 31 Dec 9999 23:59:59 GMT", "Sun, 06 Nov 1904 08:49:37 GMT")),
                        http::json_answer(200, kGood)};
    endpoint.use_certificate(identity);
    Tokens tokens{endpoint.client, endpoint.transport, endpoint.clock, endpoint.settings};

    static_cast<void>(endpoint.get(tokens));

    auto const claims = part(endpoint.field(endpoint.forms.size() - 1, "client_assertion"), 1);
    auto const now = std::chrono::system_clock::to_time_t(endpoint.clock.now);
    CHECK(std::abs(claims.at("nbf").as_int64() - now) < 60);
}

TEST_CASE("token: each refusal is the reaction it asks for", "[azure][token]") {
    Endpoint endpoint;
    Tokens tokens{endpoint.client, endpoint.transport, endpoint.clock, endpoint.settings};
    Refusal refusal;

    SECTION("a wrong secret is denied by the service") {
        endpoint.answers = {http::json_answer(
            401,
            R"({"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 1"})")};
        auto const token = endpoint.get(tokens, &refusal);
        REQUIRE_FALSE(token);
        CHECK(token.error().code == Errc::denied);
        CHECK(token.error().message.ends_with("AADSTS7000215: Invalid client secret provided."));
        CHECK(refusal.from_service);
        CHECK(refusal.code == "invalid_client");
    }
    SECTION("429 is busy and passes Retry-After on") {
        endpoint.answers = {http::json_answer(429, "{}")};
        endpoint.answers.at(0).headers.set("Retry-After", "17");
        auto const token = endpoint.get(tokens, &refusal);
        REQUIRE_FALSE(token);
        CHECK(token.error().code == Errc::busy);
        CHECK(refusal.retry_after == 17s);
    }
    SECTION("a portal's page is offline, whatever its status") {
        auto const status = GENERATE(200u, 302u, 401u, 403u, 404u);
        endpoint.answers = {http::text_answer(status, "<html>please sign in</html>", "text/html")};
        auto const token = endpoint.get(tokens, &refusal);
        REQUIRE_FALSE(token);
        CHECK(token.error().code == Errc::offline);
        CHECK_FALSE(refusal.from_service);
    }
    SECTION("an answer that echoes the secret does not reach the error") {
        endpoint.answers = {
            http::json_answer(400, R"({"error":"invalid_request","error_description":"got s3cr3t+/&=value"})")};
        auto const token = endpoint.get(tokens, &refusal);
        REQUIRE_FALSE(token);
        CHECK(token.error().message.find("s3cr3t") == std::string::npos);
    }
    SECTION("JSON that is no token is offline") {
        endpoint.answers = {http::json_answer(200, R"([1,{"access_token":5}])")};
        auto const token = endpoint.get(tokens, &refusal);
        REQUIRE_FALSE(token);
        CHECK(token.error().code == Errc::offline);
    }
}

TEST_CASE("token: while Azure is away a token inside its margin is still used", "[azure][token]") {
    Endpoint endpoint;
    endpoint.answers = {http::json_answer(200, kGood), http::text_answer(503, "")};
    Tokens tokens{endpoint.client, endpoint.transport, endpoint.clock, endpoint.settings};
    REQUIRE(endpoint.get(tokens));

    endpoint.clock.up += 57min;
    CHECK(endpoint.get(tokens).value() == "the-token");
    endpoint.clock.up += 3min;
    CHECK_FALSE(endpoint.get(tokens));
}

TEST_CASE("token: files that are missing, empty or endless are refused by name", "[azure][token]") {
    Endpoint endpoint;
    endpoint.answers = {http::json_answer(200, kGood)};
    std::filesystem::path file = GENERATE("missing", "/dev/zero", "/dev/null");
    endpoint.settings.secret_file = file;
    Tokens tokens{endpoint.client, endpoint.transport, endpoint.clock, endpoint.settings};

    auto const token = endpoint.get(tokens);

    REQUIRE_FALSE(token);
    CHECK(token.error().message.find(file.string()) != std::string::npos);
    CHECK(endpoint.forms.empty());
}

TEST_CASE("principal: exactly one credential, and every name", "[azure][token]") {
    PrincipalSettings good{
        .tenant = "t", .client_id = "c", .scope = "s", .secret_file = "f", .certificate_file = {}, .key_file = {}};
    REQUIRE(good.check());
    auto both = good;
    both.certificate_file = "x";
    CHECK(both.check().error().message == "client secret and certificate are both set");
    auto half = good;
    half.secret_file.clear();
    half.certificate_file = "x";
    CHECK(half.check().error().message == "certificate and key belong together; one is not set");
    auto none = good;
    none.secret_file.clear();
    CHECK_FALSE(none.check());
    auto no_tenant = good;
    no_tenant.tenant.clear();
    CHECK(no_tenant.check().error().message == "tenant is not set");
}

TEST_CASE("transport: plain http goes to loopback only, and a broken CA file never means more trust", "[azure]") {
    test::TempDir dir;
    std::ofstream{dir / "ca.pem"} << "not a certificate";
    Transport plain{{}};
    Transport broken{{.ca_file = dir / "ca.pem", .proxy = {}}};
    Transport missing{{.ca_file = dir / "none.pem", .proxy = {}}};

    CHECK(plain.endpoint("http://127.0.0.1:80"));
    CHECK(plain.endpoint("http://example.com").error().code == Errc::invalid_input);
    CHECK(plain.endpoint("http://127.0.0.1.example.com").error().code == Errc::invalid_input);
    CHECK(broken.endpoint("https://example.com").error().code == Errc::invalid_input);
    CHECK(missing.endpoint("https://example.com").error().code == Errc::not_found);
    CHECK(plain.endpoint("https://user:password@example.com").error().message.find("password@") == std::string::npos);
}

}  // namespace holdfast::azure
