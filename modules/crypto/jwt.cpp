// modules/crypto/jwt.cpp: compact serialization of a signed token.
#include "modules/crypto/jwt.hpp"

#include "modules/base/assert.hpp"
#include "modules/base/base64.hpp"
#include "modules/crypto/digest.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>

namespace holdfast::crypto {

std::string base64url(std::string_view bytes) {
    auto text = base64_encode(bytes);
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    text.erase(std::find(text.begin(), text.end(), '='), text.end());
    return text;
}

std::string random_uuid() {
    std::array<std::uint8_t, 16> bytes{};
    HOLDFAST_ASSERT(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
    std::string const digits = hex(bytes.data(), bytes.size());
    return digits.substr(0, 8) + "-" + digits.substr(8, 4) + "-" + digits.substr(12, 4) + "-" + digits.substr(16, 4) +
           "-" + digits.substr(20);
}

Result<std::string> sign_jwt(SigningKey const& key, Signature algorithm, std::string_view header_json,
                             std::string_view claims_json) {
    std::string token = base64url(header_json) + "." + base64url(claims_json);
    auto signature = key.sign(algorithm, token);
    if (!signature) return fail(std::move(signature), "sign JWT");
    return token + "." + base64url(*signature);
}

}  // namespace holdfast::crypto
