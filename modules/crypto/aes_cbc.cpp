// modules/crypto/aes_cbc.cpp: OpenSSL's EVP, padding off.
#include "modules/crypto/aes_cbc.hpp"

#include "modules/base/assert.hpp"
#include "modules/base/owned.hpp"

#include <openssl/evp.h>

namespace holdfast::crypto {

namespace {

std::string run(bool encrypt, std::array<std::uint8_t, 32> const& key, std::array<std::uint8_t, 16> const& iv,
                std::string_view bytes) {
    HOLDFAST_ASSERT(bytes.size() % 16 == 0);
    Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> const context{EVP_CIPHER_CTX_new()};
    std::string out(bytes.size() + 16, '\0');
    auto* const to = reinterpret_cast<unsigned char*>(out.data());
    int made = 0, more = 0;
    auto const ok =
        EVP_CipherInit_ex(context.get(), EVP_aes_256_cbc(), nullptr, key.data(), iv.data(), encrypt ? 1 : 0) == 1 &&
        EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1 &&
        EVP_CipherUpdate(context.get(), to, &made, reinterpret_cast<unsigned char const*>(bytes.data()),
                         static_cast<int>(bytes.size())) == 1 &&
        EVP_CipherFinal_ex(context.get(), to + made, &more) == 1;
    HOLDFAST_ASSERT(ok);
    out.resize(static_cast<std::size_t>(made + more));
    return out;
}

}  // namespace

std::string aes256_cbc_encrypt(std::array<std::uint8_t, 32> const& key, std::array<std::uint8_t, 16> const& iv,
                               std::string_view bytes) {
    return run(true, key, iv, bytes);
}
std::string aes256_cbc_decrypt(std::array<std::uint8_t, 32> const& key, std::array<std::uint8_t, 16> const& iv,
                               std::string_view bytes) {
    return run(false, key, iv, bytes);
}

}  // namespace holdfast::crypto
