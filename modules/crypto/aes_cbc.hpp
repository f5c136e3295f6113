// modules/crypto/aes_cbc.hpp: AES-256 in CBC mode without padding rules of its own; for sprig's encryptAES only.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::crypto {

/// `bytes` is a multiple of 16 long; the result is as long.
std::string aes256_cbc_encrypt(std::array<std::uint8_t, 32> const& key, std::array<std::uint8_t, 16> const& iv,
                               std::string_view bytes);
std::string aes256_cbc_decrypt(std::array<std::uint8_t, 32> const& key, std::array<std::uint8_t, 16> const& iv,
                               std::string_view bytes);

}  // namespace holdfast::crypto
