// What sprig's crypto answers in templates is in tests/golden/gotemplate/sprig_crypto.txt; here are published vectors and refusals.
#include "modules/crypto/aes_cbc.hpp"
#include "modules/crypto/certificate.hpp"
#include "modules/crypto/digest.hpp"
#include "modules/crypto/password.hpp"

#include <catch2/catch.hpp>

#include <openssl/evp.h>

#include <algorithm>

using namespace holdfast;

TEST_CASE("crypto: bcrypt gives the hash of the reference implementation", "[crypto]") {
    // crypt_blowfish: "U*U" under $2a$05$CCCCCCCCCCCCCCCCCCCCC.
    std::array<std::uint8_t, 16> salt{};
    std::fill(salt.begin(), salt.end(), std::uint8_t{0});
    constexpr std::uint8_t kCs[] = {0x10, 0x41, 0x04};  // "CCCC" in bcrypt's base64
    for (std::size_t i = 0; i < 15; ++i) salt[i] = kCs[i % 3];
    salt[15] = 0x10;

    CHECK(crypto::bcrypt("U*U", salt, 5).value() == "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");
    CHECK(crypto::bcrypt(std::string(72, 'x'), salt, 4).has_value());
    CHECK(crypto::bcrypt(std::string{"a\0b", 3}, salt, 4).error().message == "bcrypt: a NUL in the password");
    CHECK(crypto::bcrypt(std::string(73, 'x'), salt, 4).error().message == "bcrypt: password length exceeds 72 bytes");
}

TEST_CASE("crypto: HMAC and digests give the published values", "[crypto]") {
    auto const mac = crypto::hmac_sha256("Jefe", "what do ya want for nothing?");  // RFC 4231, case 2
    CHECK(crypto::hex(reinterpret_cast<std::uint8_t const*>(mac.data()), mac.size()) ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(crypto::sha1_hex("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST_CASE("crypto: AES-CBC gives back what went in", "[crypto]") {
    std::array<std::uint8_t, 32> const key{1, 2, 3};
    std::array<std::uint8_t, 16> const iv{9};
    std::string const plain(64, 'p');

    auto const sealed = crypto::aes256_cbc_encrypt(key, iv, plain);

    CHECK(sealed != plain);
    CHECK(crypto::aes256_cbc_decrypt(key, iv, sealed) == plain);
}

TEST_CASE("crypto: a certificate is signed only by the key that belongs to its issuer", "[crypto]") {
    auto const ca_key = crypto::PrivateKey::generate(crypto::KeyKind::ecdsa_p256).value();
    auto const other = crypto::PrivateKey::generate(crypto::KeyKind::ed25519).value();
    crypto::CertificateRequest request{
        .common_name = "ca", .not_before = 1'700'000'000, .not_after = 1'800'000'000, .is_ca = true};
    auto const ca = crypto::make_certificate(request, ca_key, ca_key, "").value();
    request = {.common_name = "leaf",
               .dns_names = {"a.b"},
               .addresses = {crypto::ip_bytes("::1")},
               .not_before = 1'700'000'000,
               .not_after = 1'700'000'001};

    CHECK(crypto::make_certificate(request, other, ca_key, ca).has_value());
    CHECK(crypto::make_certificate(request, other, other, ca).error().message ==
          "error creating certificate: x509: provided PrivateKey doesn't match parent's PublicKey");
    CHECK(crypto::make_certificate(request, other, ca_key, "no pem").error().message == "unable to decode certificate");
    CHECK(crypto::check_certificate(ca).has_value());
    CHECK(crypto::check_certificate(ca_key.pem()).error().message == "x509: malformed certificate");
}

TEST_CASE("crypto: OpenSSL finds nothing wrong with our RSA keys", "[crypto]") {
    // EVP_PKEY_check tests both primes 64 times, and that the parts belong together.
    auto const [kind, bits] =
        GENERATE(std::pair{crypto::KeyKind::rsa_2048, 2048}, std::pair{crypto::KeyKind::rsa_4096, 4096});
    auto const key = crypto::PrivateKey::generate(kind).value();
    auto const other = crypto::PrivateKey::generate(crypto::KeyKind::rsa_2048).value();
    auto* const handle = static_cast<EVP_PKEY*>(key.handle());
    auto* const context = EVP_PKEY_CTX_new(handle, nullptr);

    CHECK(EVP_PKEY_check(context) == 1);
    CHECK(EVP_PKEY_get_bits(handle) == bits);
    CHECK(key.pem() != other.pem());
    EVP_PKEY_CTX_free(context);
}

TEST_CASE("crypto: a private key survives its PEM, and what is none is refused in sprig's words", "[crypto]") {
    auto const kind = GENERATE(crypto::KeyKind::rsa_2048, crypto::KeyKind::ecdsa_p256, crypto::KeyKind::ed25519);
    auto const pem = crypto::PrivateKey::generate(kind).value().pem();

    CHECK(crypto::PrivateKey::read(pem).value().pem() == pem);
    CHECK(crypto::PrivateKey::read("").error().message == "no PEM data in input");
    CHECK(crypto::PrivateKey::read("-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n").error().message ==
          "no private key data in PEM block of type CERTIFICATE");
    CHECK(crypto::PrivateKey::read("-----BEGIN RSA PRIVATE KEY-----\nYWJj\n-----END RSA PRIVATE KEY-----\n")
              .error()
              .message.starts_with("parsing RSA private key from PEM: "));
}
