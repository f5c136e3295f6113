// modules/crypto/rsa_key.hpp: a new RSA key, faster than OpenSSL makes one.
#pragma once

struct evp_pkey_st;

namespace holdfast::crypto {

/// A key of `bits` bits (2048 or more, even) with exponent 65537, from OpenSSL's private randomness; the caller owns it.
/// nullptr when OpenSSL fails.
evp_pkey_st* generate_rsa(int bits);

}  // namespace holdfast::crypto
