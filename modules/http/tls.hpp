// modules/http/tls.hpp: whom we trust and who we are, as an OpenSSL context.
#pragma once

#include "modules/base/error.hpp"

#include <memory>
#include <string>
#include <vector>

struct ssl_ctx_st;

namespace holdfast::http {

struct TlsSettings {
    std::string ca_pem;           // one or more certificates; empty: the system's bundle
    std::string certificate_pem;  // client certificate with its chain; empty: none
    std::string key_pem;
    std::string server_name;  // checked instead of the URL's host when not empty
    bool insecure_skip_verify = false;
};

/// TLS 1.2 or newer, ALPN http/1.1, session buffers released while idle. Shared by connections, never changed.
class TlsContext {
public:
    /// Errors  invalid_input  PEM does not parse, or key and certificate do not belong together
    ///         not_found      no CA given and no system bundle on this machine
    static Result<std::shared_ptr<TlsContext const>> client(TlsSettings const& settings);

    /// For a server with its own certificate; `client_ca_pem` not empty: clients must show a certificate of it.
    static Result<std::shared_ptr<TlsContext const>>
    server(std::string const& certificate_pem, std::string const& key_pem, std::string const& client_ca_pem = "");

    ~TlsContext();
    TlsContext(TlsContext const&) = delete;
    TlsContext& operator=(TlsContext const&) = delete;

    ssl_ctx_st* native() const { return context_; }
    std::string const& server_name() const { return server_name_; }
    bool verifies() const { return verifies_; }

private:
    explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
    ssl_ctx_st* context_;
    std::string server_name_;
    bool verifies_ = true;
};

/// The usual places of the CA bundle, in search order (Debian, Fedora, SUSE, Alpine, Mariner).
std::vector<std::string> system_ca_paths();

}  // namespace holdfast::http
