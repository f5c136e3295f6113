// modules/crypto/password.hpp: slow hashes for passwords: bcrypt, scrypt; and HMAC.
#pragma once

#include "modules/base/error.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::crypto {

/// "$2a$10$" + salt + hash, as Go's x/crypto/bcrypt writes it.
///
/// In      cost  4..31; every step doubles the time (10: about 60 ms)
/// Errors  invalid_input "bcrypt: password length exceeds 72 bytes"; a NUL, which Go hashes, in the password
Result<std::string> bcrypt(std::string_view password, std::array<std::uint8_t, 16> const& salt, int cost);

/// scrypt with N = 32768, r = 8, p = `parallel`: 32 MiB and about 60 ms for each.
Result<std::string> scrypt(std::string_view password, std::string_view salt, int parallel, std::size_t bytes);

std::string hmac_sha256(std::string_view key, std::string_view bytes);

std::string sha1_hex(std::string_view bytes);
std::string sha512_hex(std::string_view bytes);

}  // namespace holdfast::crypto
