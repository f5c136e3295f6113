// modules/crypto/jwt.hpp: JSON Web Tokens in compact form, signed; and the two encodings they need.
#pragma once

#include "modules/crypto/signing_key.hpp"

#include <string>
#include <string_view>

namespace holdfast::crypto {

/// RFC 4648 section 5, without padding.
std::string base64url(std::string_view bytes);

/// A random version 4 UUID: "8a4d1d0e-…", 36 characters.
std::string random_uuid();

/// "<header>.<claims>.<signature>". The header's "alg" is the caller's to set and must say the same as `algorithm`.
/// In      header_json, claims_json  JSON objects as text
/// Errors  invalid_input  the key cannot sign
/// Source  RFC 7515 section 7.1, RFC 7518 sections 3.3 and 3.5
Result<std::string> sign_jwt(SigningKey const& key, Signature algorithm, std::string_view header_json,
                             std::string_view claims_json);

}  // namespace holdfast::crypto
