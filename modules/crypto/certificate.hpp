// modules/crypto/certificate.hpp: key pairs and X.509 certificates as Go's crypto/x509 writes them.
#pragma once

#include "modules/base/error.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::crypto {

enum class KeyKind { rsa_2048, rsa_4096, dsa_2048, ecdsa_p256, ed25519 };

/// A private key. Its randomness is OpenSSL's: a key from a seed would be no secret.
class PrivateKey {
public:
    static Result<PrivateKey> generate(KeyKind kind);
    /// PKCS#1, SEC 1, PKCS#8 or OpenSSL's DSA form, not encrypted.
    /// Errors  invalid_input, the words of sprig's parsePrivateKeyPEM
    static Result<PrivateKey> read(std::string_view pem);

    /// "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY", or "PRIVATE KEY" (PKCS#8) for Ed25519.
    std::string pem() const;
    void* handle() const { return key_.get(); }  // EVP_PKEY*

private:
    explicit PrivateKey(std::shared_ptr<void> key) : key_(std::move(key)) {}
    std::shared_ptr<void> key_;
};

struct CertificateRequest {
    std::string common_name;
    std::vector<std::string> dns_names;
    std::vector<std::string> addresses;  // 4 or 16 raw bytes each
    std::array<std::uint8_t, 16> serial{};
    std::int64_t not_before = 0, not_after = 0;  // Unix seconds
    bool is_ca = false;
};

/// PEM of a certificate for `key`; signed by `signer`, whose certificate is `signer_pem` (empty: self-signed).
/// Errors  invalid_input
Result<std::string> make_certificate(CertificateRequest const& request, PrivateKey const& key, PrivateKey const& signer,
                                     std::string_view signer_pem);

/// Errors  invalid_input "unable to decode certificate" (no PEM), "x509: malformed certificate"
Result<void> check_certificate(std::string_view pem);

/// 4 or 16 raw bytes of an IP address; empty when it is none.
std::string ip_bytes(std::string const& text);

}  // namespace holdfast::crypto
