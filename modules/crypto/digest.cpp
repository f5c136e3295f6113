// modules/crypto/digest.cpp: SHA-256 over OpenSSL's EVP.
#include "modules/crypto/digest.hpp"

#include "modules/base/assert.hpp"

#include <openssl/evp.h>

namespace holdfast::crypto {

struct Sha256::State {
    EVP_MD_CTX* context = EVP_MD_CTX_new();

    State() { restart(); }
    ~State() { EVP_MD_CTX_free(context); }
    State(State const&) = delete;
    State& operator=(State const&) = delete;

    void restart() {
        HOLDFAST_ASSERT(context != nullptr);
        HOLDFAST_ASSERT(EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1);
    }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
    HOLDFAST_ASSERT(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

std::array<std::uint8_t, 32> Sha256::finish() {
    std::array<std::uint8_t, 32> digest{};
    HOLDFAST_ASSERT(EVP_DigestFinal_ex(state_->context, digest.data(), nullptr) == 1);
    state_->restart();
    return digest;
}

std::string sha256_hex(std::string_view bytes) {
    Sha256 hash;
    hash.update(bytes);
    auto const digest = hash.finish();
    return hex(digest.data(), digest.size());
}

std::string hex(std::uint8_t const* bytes, std::size_t size) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * size);
    for (std::size_t i = 0; i < size; ++i) {
        text += kDigits[bytes[i] >> 4];
        text += kDigits[bytes[i] & 15];
    }
    return text;
}

}  // namespace holdfast::crypto
