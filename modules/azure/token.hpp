// modules/azure/token.hpp: access tokens for a service principal (OAuth 2.0 client credentials), kept until they near their end.
#pragma once

#include "modules/azure/transport.hpp"
#include "modules/base/clock.hpp"
#include "modules/crypto/signing_key.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace holdfast::azure {

struct PrincipalSettings {
    std::string login_authority = "https://login.microsoftonline.com";  // .us, .partner.microsoftonline.cn, a test
    std::string tenant;                                                 // GUID or domain
    std::string client_id;
    std::string scope = "https://monitor.azure.com/.default";
    std::filesystem::path secret_file;                       // one line; or the two below, never both
    std::filesystem::path certificate_file;                  // PEM, leaf first
    std::filesystem::path key_file;                          // PEM, may be the certificate's file
    crypto::Signature signature = crypto::Signature::ps256;  // rs256: also sends the SHA-1 thumbprint

    /// Errors  invalid_input  names the first setting that is missing or contradicts another
    Result<void> check() const;
};

/// One principal and one scope. Used from one event loop; files are read when a token is fetched.
class Tokens {
public:
    /// All outlive this object.
    Tokens(http::Client& client, Transport& transport, Clock const& clock, PrincipalSettings settings);

    /// A token with at least the refresh margin left, or while Azure cannot be reached one that is still valid. A credential
    /// file that changed since the held one was fetched asks for a new one.
    ///
    /// Errors  offline, timeout  no answer, or an answer that is not the token endpoint's (captive portal), or no token
    ///                           that could be sent
    ///         busy              429, 5xx, or the endpoint says that it is unavailable; refusal->retry_after
    ///         denied            AADSTS…: wrong secret, unknown certificate, no such application; TLS not trusted
    ///         not_found, invalid_input, limit  with refusal->is_ours: the secret, key or certificate file; settings.
    ///                           Without: what a proxy, a portal or no HTTP server answers
    /// Never   puts a secret, an assertion or a token into an error
    /// Wire    POST <authority>/<tenant>/oauth2/v2.0/token; one more try when Azure says that the clocks differ
    Task<std::string> get(Refusal* refusal = nullptr);

    /// The service refused the held token: it is never given again, the next get() fetches anew.
    void discard();

    /// Reads certificate and key now, so that expiry is known before the first token.
    Result<void> load_identity();

    /// notAfter of the certificate last read; nothing with a client secret.
    std::optional<std::chrono::system_clock::time_point> identity_expires() const;

    /// Azure's clock minus ours at the last answer, to the second.
    std::optional<std::chrono::seconds> clock_skew() const;

    /// A credential file is not as it was when this was asked last, whoever has used it since: a denied principal may have
    /// been repaired.
    bool credential_changed();

private:
    struct Stamps {
        FileStamp secret, certificate, key;
        bool operator==(Stamps const&) const = default;
    };
    struct Fetched {
        std::string token;
        std::chrono::nanoseconds ends{};  // boot clock
        std::chrono::seconds life{};
        Stamps stamps;  // of the credential that bought it
    };

    std::chrono::system_clock::time_point azure_time() const;
    void learn_time(http::Headers const& headers);
    Result<std::string> form();
    Result<std::string> assertion();
    Task<Fetched> fetch(Refusal& refusal);
    Result<Fetched> read_answer(http::Response const& response, std::chrono::nanoseconds sent, Refusal& refusal);
    Stamps stamps() const;

    http::Client& client_;
    Transport& transport_;
    Clock const& clock_;
    PrincipalSettings settings_;
    std::optional<Fetched> held_;
    std::optional<crypto::SigningKey> key_;
    Stamps key_stamps_;
    Stamps used_stamps_;
    Stamps known_stamps_;  // to credential_changed()
    // Azure's clock, anchored on the boot clock: a later jump of our wall clock does not make it wrong.
    std::optional<std::chrono::system_clock::time_point> azure_time_;
    std::chrono::nanoseconds azure_time_at_{};
};

}  // namespace holdfast::azure
