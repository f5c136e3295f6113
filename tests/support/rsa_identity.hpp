// tests/support/rsa_identity.hpp: an RSA key with a self-signed certificate, made for one test.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <string>

namespace holdfast::test {

struct RsaIdentity {
    std::string certificate_pem;
    std::string key_pem;

    explicit RsaIdentity(unsigned bits = 2048, long days = 30) {
        auto* const key = EVP_RSA_gen(bits);
        auto* const certificate = X509_new();
        X509_set_version(certificate, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 86'400L * days);
        X509_set_pubkey(certificate, key);
        auto* const name = X509_get_subject_name(certificate);
        auto const* const common = reinterpret_cast<unsigned char const*>("holdfast test");
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common, -1, -1, 0);
        X509_set_issuer_name(certificate, name);
        X509_sign(certificate, key, EVP_sha256());
        auto* const bio = BIO_new(BIO_s_mem());
        PEM_write_bio_X509(bio, certificate);
        certificate_pem = drained(bio);
        PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
        key_pem = drained(bio);
        BIO_free(bio);
        X509_free(certificate);
        EVP_PKEY_free(key);
    }

private:
    static std::string drained(BIO* bio) {
        char* bytes = nullptr;
        auto const size = BIO_get_mem_data(bio, &bytes);
        std::string text(bytes, static_cast<std::size_t>(size));
        (void)BIO_reset(bio);
        return text;
    }
};

}  // namespace holdfast::test
