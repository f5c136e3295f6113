// tests/unit/modules/http/pki.cpp: ECDSA certificates through OpenSSL's C interface.
#include "tests/unit/modules/http/pki.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace holdfast::test {

static std::string text_of(BIO* bio) {
    char* bytes = nullptr;
    auto const size = BIO_get_mem_data(bio, &bytes);
    std::string text(bytes, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
}

static void add_extension(X509* certificate, X509* issuer, int id, std::string const& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    auto* const extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
    if (extension == nullptr) throw std::runtime_error("extension " + value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

static Identity make(std::string const& common_name, std::string const& names, Identity const* ca, int days) {
    auto* const key = EVP_EC_gen("P-256");
    auto* const certificate = X509_new();
    X509_set_version(certificate, 2);
    static long serial = 1;
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), days < 0 ? -7200 : -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), days < 0 ? -3600 : 86'400L * days);
    X509_set_pubkey(certificate, key);
    auto* const subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<unsigned char const*>(common_name.c_str()),
                               -1, -1, 0);
    if (ca == nullptr) {
        X509_set_issuer_name(certificate, subject);
        add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
        X509_sign(certificate, key, EVP_sha256());
    } else {
        auto* const ca_bio = BIO_new_mem_buf(ca->certificate_pem.data(), -1);
        auto* const ca_certificate = PEM_read_bio_X509(ca_bio, nullptr, nullptr, nullptr);
        BIO_free(ca_bio);
        auto* const key_bio = BIO_new_mem_buf(ca->key_pem.data(), -1);
        auto* const ca_key = PEM_read_bio_PrivateKey(key_bio, nullptr, nullptr, nullptr);
        BIO_free(key_bio);
        X509_set_issuer_name(certificate, X509_get_subject_name(ca_certificate));
        if (!names.empty()) add_extension(certificate, ca_certificate, NID_subject_alt_name, names);
        X509_sign(certificate, ca_key, EVP_sha256());
        X509_free(ca_certificate);
        EVP_PKEY_free(ca_key);
    }
    auto* const certificate_bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(certificate_bio, certificate);
    auto* const key_bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(key_bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return {text_of(certificate_bio), text_of(key_bio)};
}

TestCa::TestCa() : ca_(make("Holdfast test CA", "", nullptr, 1)) {}

Identity TestCa::issue(std::string const& common_name, std::string const& subject_names, int days) const {
    return make(common_name, subject_names, &ca_, days);
}

}  // namespace holdfast::test
