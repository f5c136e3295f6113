// modules/crypto/password.cpp: bcrypt by libxcrypt, the rest by OpenSSL.
#include "modules/crypto/password.hpp"

#include "modules/crypto/digest.hpp"

#include <crypt.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <memory>
#include <span>

namespace holdfast::crypto {

namespace {

constexpr std::string_view kAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

std::string encode(std::span<std::uint8_t const> bytes) {
    std::string out;
    std::uint32_t held = 0;
    unsigned count = 0;
    for (auto const byte : bytes) {
        held = held << 8 | byte;
        for (count += 8; count >= 6; count -= 6) out.push_back(kAlphabet[held >> (count - 6) & 63]);
    }
    if (count > 0) out.push_back(kAlphabet[held << (6 - count) & 63]);
    return out;
}

std::string digest_hex(EVP_MD const* algorithm, std::string_view bytes) {
    std::uint8_t out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_Digest(bytes.data(), bytes.size(), out, &size, algorithm, nullptr);
    return hex(out, size);
}

}  // namespace

Result<std::string> bcrypt(std::string_view password, std::array<std::uint8_t, 16> const& salt, int cost) {
    if (password.size() > 72) return fail(Errc::invalid_input, "bcrypt: password length exceeds 72 bytes");
    // The library would hash what stands in front of it, and so accept that alone.
    if (password.find('\0') != password.npos) return fail(Errc::invalid_input, "bcrypt: a NUL in the password");
    // Go writes "2a" in front of what the other programs call "2b"; the library's "2a" means a flaw of old ones.
    auto const digits = std::string{static_cast<char>('0' + cost / 10), static_cast<char>('0' + cost % 10)};
    auto const setting = "$2b$" + digits + "$" + encode(salt);
    auto state = std::make_unique<crypt_data>();
    char const* const hash =
        ::crypt_rn(std::string{password}.c_str(), setting.c_str(), state.get(), sizeof(crypt_data));
    if (hash == nullptr) return fail(Errc::invalid_input, "bcrypt: a cost of " + digits);
    return "$2a" + std::string{hash}.substr(3);
}

Result<std::string> scrypt(std::string_view password, std::string_view salt, int parallel, std::size_t bytes) {
    std::string out(bytes, '\0');
    auto const made = EVP_PBE_scrypt(
        password.data(), password.size(), reinterpret_cast<unsigned char const*>(salt.data()), salt.size(), 32'768, 8,
        static_cast<std::uint64_t>(parallel), 96u << 20, reinterpret_cast<unsigned char*>(out.data()), out.size());
    if (made != 1) return fail(Errc::limit, "scrypt: not enough memory");
    return out;
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
    std::uint8_t out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<unsigned char const*>(bytes.data()),
         bytes.size(), out, &size);
    return {reinterpret_cast<char const*>(out), size};
}

std::string sha1_hex(std::string_view bytes) { return digest_hex(EVP_sha1(), bytes); }
std::string sha512_hex(std::string_view bytes) { return digest_hex(EVP_sha512(), bytes); }

}  // namespace holdfast::crypto
