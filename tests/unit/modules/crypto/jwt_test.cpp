// tests/unit/modules/crypto/jwt_test.cpp: tokens another implementation accepts, and keys that are refused by name.
#include "modules/crypto/jwt.hpp"

#include "modules/crypto/digest.hpp"
#include "tests/support/rsa_identity.hpp"

#include <catch2/catch.hpp>

#include <set>

namespace holdfast::crypto {

namespace {

test::RsaIdentity const& identity() {
    static test::RsaIdentity const made;
    return made;
}

SigningKey a_key() { return SigningKey::read(identity().key_pem, identity().certificate_pem).value(); }

}  // namespace

TEST_CASE("jwt: base64url is RFC 4648's vectors without padding, with - and _", "[crypto][jwt]") {
    CHECK(base64url("").empty());
    CHECK(base64url("f") == "Zg");
    CHECK(base64url("fo") == "Zm8");
    CHECK(base64url("foo") == "Zm9v");
    CHECK(base64url("foobar") == "Zm9vYmFy");
    CHECK(base64url("\xfb\xff\xbf") == "-_-_");
    // RFC 7515 appendix A.2.1, the header of the RS256 example.
    CHECK(base64url("{\"alg\":\"RS256\"}") == "eyJhbGciOiJSUzI1NiJ9");
}

TEST_CASE("jwt: both algorithms make a token whose signature verifies over its first two parts", "[crypto][jwt]") {
    auto const algorithm = GENERATE(Signature::ps256, Signature::rs256);
    auto const key = a_key();

    auto const token = sign_jwt(key, algorithm, R"({"alg":"x"})", R"({"sub":"me"})");

    REQUIRE(token);
    auto const second_dot = token->rfind('.');
    CHECK(token->substr(0, second_dot) == base64url(R"({"alg":"x"})") + "." + base64url(R"({"sub":"me"})"));
    auto const signature = key.sign(algorithm, token->substr(0, second_dot));
    REQUIRE(signature);
    CHECK(signature->size() == 256);
    CHECK(key.verifies(algorithm, token->substr(0, second_dot), *signature));
    CHECK_FALSE(key.verifies(algorithm, token->substr(1, second_dot), *signature));
    auto const other = algorithm == Signature::ps256 ? Signature::rs256 : Signature::ps256;
    CHECK_FALSE(key.verifies(other, token->substr(0, second_dot), *signature));
}

TEST_CASE("jwt: PS256 is salted, RS256 is not", "[crypto][jwt]") {
    auto const key = a_key();

    CHECK(key.sign(Signature::ps256, "same").value() != key.sign(Signature::ps256, "same").value());
    CHECK(key.sign(Signature::rs256, "same").value() == key.sign(Signature::rs256, "same").value());
}

TEST_CASE("signing key: thumbprints have the digests' lengths and the end of life is the certificate's",
          "[crypto][jwt]") {
    auto const key = a_key();

    CHECK(key.thumbprint_sha256().size() == 32);
    CHECK(key.thumbprint_sha1().size() == 20);
    auto const left = key.not_after() - std::chrono::system_clock::now();
    CHECK(left > std::chrono::hours{29 * 24});
    CHECK(left < std::chrono::hours{31 * 24});
    CHECK(key.not_before() < std::chrono::system_clock::now());
}

TEST_CASE("signing key: what cannot be used is refused by name, without a byte of the key", "[crypto][jwt]") {
    test::RsaIdentity const other;
    test::RsaIdentity const weak{1024};
    std::string const middle = identity().key_pem.substr(200, 20);

    auto const foreign = SigningKey::read(other.key_pem, identity().certificate_pem);
    auto const short_key = SigningKey::read(weak.key_pem, weak.certificate_pem);
    auto const no_key = SigningKey::read(identity().certificate_pem, identity().certificate_pem);
    auto const cut = SigningKey::read(identity().key_pem.substr(0, 400), identity().certificate_pem);
    auto const no_certificate = SigningKey::read(identity().key_pem, "-----BEGIN");

    REQUIRE_FALSE(foreign);
    CHECK(foreign.error().message == "the key does not belong to the certificate");
    REQUIRE_FALSE(short_key);
    CHECK(short_key.error().message == "the key is shorter than 2048 bits");
    REQUIRE_FALSE(no_key);
    CHECK(no_key.error().message == "no unencrypted private key in PEM form");
    REQUIRE_FALSE(cut);
    CHECK(cut.error().message.find(middle) == std::string::npos);
    REQUIRE_FALSE(no_certificate);
    CHECK(no_certificate.error().code == Errc::invalid_input);
}

TEST_CASE("jwt: uuids are version 4 and differ", "[crypto][jwt]") {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        auto const uuid = random_uuid();
        CHECK(uuid.size() == 36);
        CHECK(uuid[14] == '4');
        seen.insert(uuid);
    }
    CHECK(seen.size() == 100);
}

TEST_CASE("wipe: nothing is left of a secret", "[crypto]") {
    std::string secret = "a secret longer than the small string buffer";
    char const* const bytes = secret.data();
    wipe(secret);

    CHECK(secret.empty());
    CHECK(bytes[0] == '\0');
    CHECK(bytes[5] == '\0');
}

}  // namespace holdfast::crypto
