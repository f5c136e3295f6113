// modules/crypto/digest.cpp: SHA-256 over OpenSSL's own functions for it. EVP would load the providers first, which costs
// a short command half its time; OpenSSL 3 calls the functions deprecated and keeps them.
#define OPENSSL_SUPPRESS_DEPRECATED
// EVP would load OpenSSL's providers on first use: a tenth of the time and of the memory of a small render.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "modules/crypto/digest.hpp"

#include "modules/base/assert.hpp"

#include <openssl/sha.h>

namespace holdfast::crypto {

struct Sha256::State {
    SHA256_CTX context{};

    State() { restart(); }
    void restart() { HOLDFAST_ASSERT(SHA256_Init(&context) == 1); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
    HOLDFAST_ASSERT(SHA256_Update(&state_->context, bytes.data(), bytes.size()) == 1);
}

std::array<std::uint8_t, 32> Sha256::finish() {
    std::array<std::uint8_t, 32> digest{};
    HOLDFAST_ASSERT(SHA256_Final(digest.data(), &state_->context) == 1);
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
