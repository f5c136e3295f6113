// modules/http/tls.cpp: OpenSSL contexts from PEM text.
#include "modules/http/tls.hpp"

#include "modules/base/assert.hpp"
#include "modules/base/owned.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <unistd.h>

#include <utility>

namespace holdfast::http {

using Bio = Owned<BIO, BIO_free_all>;
using Certificate = Owned<X509, X509_free>;
using PrivateKey = Owned<EVP_PKEY, EVP_PKEY_free>;

static std::string openssl_reason() {
    auto const code = ERR_peek_last_error();
    auto const* reason = ERR_reason_error_string(code);
    ERR_clear_error();
    return reason != nullptr ? reason : "unknown reason";
}

static Bio reader_of(std::string const& pem) { return Bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))}; }

/// Adds every certificate of `pem` to `store`; comments between them are skipped.
static Result<void> trust(X509_STORE* store, std::string const& pem, std::string const& what) {
    auto const bio = reader_of(pem);
    std::size_t added = 0;
    while (auto const certificate = Certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
        if (X509_STORE_add_cert(store, certificate.get()) != 1)
            return fail(Errc::invalid_input, what + ": " + openssl_reason());
        ++added;
    }
    ERR_clear_error();
    if (added == 0) return fail(Errc::invalid_input, what + ": no certificate in PEM form");
    return {};
}

static int refuse_passphrase(char*, int, int, void*) { return -1; }

static Result<void> use_certificate(SSL_CTX* context, std::string const& certificate_pem, std::string const& key_pem) {
    auto const bio = reader_of(certificate_pem);
    auto const leaf = Certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
    if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) {
        return fail(Errc::invalid_input, "certificate: " + openssl_reason());
    }
    while (auto* const issuer = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
        if (SSL_CTX_add_extra_chain_cert(context, issuer) != 1) {
            X509_free(issuer);
            return fail(Errc::invalid_input, "certificate chain: " + openssl_reason());
        }
    }
    ERR_clear_error();
    auto const key_bio = reader_of(key_pem);
    auto const key = PrivateKey{PEM_read_bio_PrivateKey(key_bio.get(), nullptr, refuse_passphrase, nullptr)};
    if (!key) return fail(Errc::invalid_input, "private key: not an unencrypted PEM key");
    if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
        return fail(Errc::invalid_input, "private key does not belong to the certificate");
    }
    return {};
}

std::vector<std::string> system_ca_paths() {
    return {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
            "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem"};
}

static Result<void> trust_system(SSL_CTX* context) {
    for (auto const& path : system_ca_paths()) {
        if (::access(path.c_str(), R_OK) != 0) continue;
        if (SSL_CTX_load_verify_file(context, path.c_str()) == 1) return {};
        ERR_clear_error();
    }
    return fail(Errc::not_found,
                "no CA given and no system bundle found (looked for " + system_ca_paths().front() + " and others)");
}

static SSL_CTX* new_context(SSL_METHOD const* method) {
    auto* const context = SSL_CTX_new(method);
    HOLDFAST_ASSERT(context != nullptr);
    HOLDFAST_ASSERT(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
    SSL_CTX_set_mode(context,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return context;
}

Result<std::shared_ptr<TlsContext const>> TlsContext::client(TlsSettings const& settings) {
    std::shared_ptr<TlsContext> tls{new TlsContext{new_context(TLS_client_method())}};
    auto* const context = tls->native();
    static constexpr unsigned char kAlpn[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    HOLDFAST_ASSERT(SSL_CTX_set_alpn_protos(context, kAlpn, sizeof kAlpn) == 0);  // 0 is success here
    tls->server_name_ = settings.server_name;
    tls->verifies_ = !settings.insecure_skip_verify;
    SSL_CTX_set_verify(context, tls->verifies_ ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    if (tls->verifies_) {
        auto trusted = settings.ca_pem.empty() ? trust_system(context)
                                               : trust(SSL_CTX_get_cert_store(context), settings.ca_pem, "CA");
        if (!trusted) return fail(std::move(trusted));
        // A CA that is not self-signed may be trusted too, as Go does.
        HOLDFAST_ASSERT(X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN) == 1);
    }
    if (!settings.certificate_pem.empty()) {
        auto used = use_certificate(context, settings.certificate_pem, settings.key_pem);
        if (!used) return fail(std::move(used), "client certificate");
    }
    return std::shared_ptr<TlsContext const>{std::move(tls)};
}

Result<std::shared_ptr<TlsContext const>>
TlsContext::server(std::string const& certificate_pem, std::string const& key_pem, std::string const& client_ca_pem) {
    std::shared_ptr<TlsContext> tls{new TlsContext{new_context(TLS_server_method())}};
    auto used = use_certificate(tls->native(), certificate_pem, key_pem);
    if (!used) return fail(std::move(used), "server certificate");
    if (!client_ca_pem.empty()) {
        auto trusted = trust(SSL_CTX_get_cert_store(tls->native()), client_ca_pem, "client CA");
        if (!trusted) return fail(std::move(trusted));
        SSL_CTX_set_verify(tls->native(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    return std::shared_ptr<TlsContext const>{std::move(tls)};
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

}  // namespace holdfast::http
