// modules/crypto/signing_key.hpp: an RSA key with its certificate, as a service principal proves who it is.
#pragma once

#include "modules/base/error.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace holdfast::crypto {

enum class Signature {
    ps256,  // RSASSA-PSS, SHA-256, salt of 32 bytes
    rs256,  // RSASSA-PKCS1-v1_5, SHA-256
};

/// Never changed after it was read. The key's bytes are wiped when the last copy goes.
class SigningKey {
public:
    /// In      key_pem          unencrypted PKCS#8 or PKCS#1
    ///         certificate_pem  the first certificate is the key's own, a chain may follow
    /// Errors  invalid_input    PEM does not parse, encrypted, not RSA of 2048 bits or more, or the two do not belong together
    /// Never   puts a byte of the key into an error
    static Result<SigningKey> read(std::string const& key_pem, std::string const& certificate_pem);

    Result<std::string> sign(Signature algorithm, std::string_view bytes) const;

    /// With the certificate's public half.
    bool verifies(Signature algorithm, std::string_view bytes, std::string_view signature) const;

    /// Raw digests of the certificate's DER form: "x5t#S256" and "x5t" before base64url.
    std::string thumbprint_sha256() const;
    std::string thumbprint_sha1() const;

    std::chrono::system_clock::time_point not_before() const;
    std::chrono::system_clock::time_point not_after() const;

private:
    struct State;
    explicit SigningKey(std::shared_ptr<State const> state) : state_(std::move(state)) {}
    std::shared_ptr<State const> state_;
};

/// Overwrites a secret that is no longer needed, and empties it.
void wipe(std::string& secret);

}  // namespace holdfast::crypto
