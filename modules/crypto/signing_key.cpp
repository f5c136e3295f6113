// modules/crypto/signing_key.cpp: RSA signatures over OpenSSL's EVP.
#include "modules/crypto/signing_key.hpp"

#include "modules/base/assert.hpp"
#include "modules/base/owned.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <ctime>

namespace holdfast::crypto {

namespace {

constexpr int kKeyBitsMin = 2048;

using Bio = Owned<BIO, BIO_free_all>;
using Certificate = Owned<X509, X509_free>;
using PrivateKey = Owned<EVP_PKEY, EVP_PKEY_free>;
using Context = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;

Bio reader_of(std::string const& pem) { return Bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))}; }

// Without this OpenSSL would ask on the terminal.
int refuse_passphrase(char*, int, int, void*) { return -1; }

bool use_pss(EVP_PKEY_CTX* parameters) {
    return EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1;
}

unsigned char const* bytes_of(std::string_view text) { return reinterpret_cast<unsigned char const*>(text.data()); }

std::string thumbprint(X509 const* certificate, EVP_MD const* digest) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HOLDFAST_ASSERT(X509_digest(certificate, digest, bytes, &size) == 1);
    return {reinterpret_cast<char const*>(bytes), size};
}

std::chrono::system_clock::time_point time_of(ASN1_TIME const* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
    return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

}  // namespace

struct SigningKey::State {
    PrivateKey key;
    Certificate certificate;
};

Result<SigningKey> SigningKey::read(std::string const& key_pem, std::string const& certificate_pem) {
    auto const certificate_bio = reader_of(certificate_pem);
    auto state = std::make_shared<State>();
    state->certificate.reset(PEM_read_bio_X509(certificate_bio.get(), nullptr, refuse_passphrase, nullptr));
    auto const key_bio = reader_of(key_pem);
    state->key.reset(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, refuse_passphrase, nullptr));
    ERR_clear_error();
    if (!state->certificate) return fail(Errc::invalid_input, "no certificate in PEM form");
    if (!state->key) return fail(Errc::invalid_input, "no unencrypted private key in PEM form");
    if (EVP_PKEY_base_id(state->key.get()) != EVP_PKEY_RSA)
        return fail(Errc::invalid_input, "the key is not an RSA key");
    if (EVP_PKEY_bits(state->key.get()) < kKeyBitsMin) {
        return fail(Errc::invalid_input, "the key is shorter than " + std::to_string(kKeyBitsMin) + " bits");
    }
    bool const belong = X509_check_private_key(state->certificate.get(), state->key.get()) == 1;
    ERR_clear_error();
    if (!belong) return fail(Errc::invalid_input, "the key does not belong to the certificate");
    return SigningKey{std::move(state)};
}

Result<std::string> SigningKey::sign(Signature algorithm, std::string_view bytes) const {
    Context const context{EVP_MD_CTX_new()};
    EVP_PKEY_CTX* parameters = nullptr;
    bool ready = EVP_DigestSignInit(context.get(), &parameters, EVP_sha256(), nullptr, state_->key.get()) == 1;
    if (ready && algorithm == Signature::ps256) ready = use_pss(parameters);
    std::size_t size = static_cast<std::size_t>(EVP_PKEY_size(state_->key.get()));
    std::string signature(size, '\0');
    auto* const out = reinterpret_cast<unsigned char*>(signature.data());
    bool const done = ready && EVP_DigestSign(context.get(), out, &size, bytes_of(bytes), bytes.size()) == 1;
    ERR_clear_error();
    if (!done) return fail(Errc::invalid_input, "the key cannot sign");
    signature.resize(size);
    return signature;
}

bool SigningKey::verifies(Signature algorithm, std::string_view bytes, std::string_view signature) const {
    Context const context{EVP_MD_CTX_new()};
    EVP_PKEY* const key = X509_get0_pubkey(state_->certificate.get());
    EVP_PKEY_CTX* parameters = nullptr;
    bool ready = EVP_DigestVerifyInit(context.get(), &parameters, EVP_sha256(), nullptr, key) == 1;
    if (ready && algorithm == Signature::ps256) ready = use_pss(parameters);
    bool const good = ready && EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(bytes),
                                                bytes.size()) == 1;
    ERR_clear_error();
    return good;
}

std::string SigningKey::thumbprint_sha256() const { return thumbprint(state_->certificate.get(), EVP_sha256()); }
std::string SigningKey::thumbprint_sha1() const { return thumbprint(state_->certificate.get(), EVP_sha1()); }

std::chrono::system_clock::time_point SigningKey::not_before() const {
    return time_of(X509_get0_notBefore(state_->certificate.get()));
}

std::chrono::system_clock::time_point SigningKey::not_after() const {
    return time_of(X509_get0_notAfter(state_->certificate.get()));
}

void wipe(std::string& secret) {
    OPENSSL_cleanse(secret.data(), secret.size());
    secret.clear();
}

}  // namespace holdfast::crypto
