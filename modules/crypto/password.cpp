// modules/crypto/password.cpp: bcrypt on our own Blowfish (OpenSSL's cannot be salted), the rest by OpenSSL.
#include "modules/crypto/password.hpp"

#include "modules/crypto/digest.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>

namespace holdfast::crypto {

namespace {

#include "modules/crypto/blowfish_tables.inc"

constexpr std::string_view kAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

struct Blowfish {
    std::uint32_t p[18];
    std::uint32_t s[4][256];

    Blowfish() {
        std::copy(std::begin(kPi), std::end(kPi), p);
        std::memcpy(s, kPiBoxes, sizeof s);
    }

    void encrypt(std::uint32_t& left, std::uint32_t& right) const {
        auto l = left, r = right;
        for (int i = 0; i < 16; i += 2) {
            l ^= p[i];
            r ^= ((s[0][l >> 24] + s[1][l >> 16 & 255]) ^ s[2][l >> 8 & 255]) + s[3][l & 255];
            r ^= p[i + 1];
            l ^= ((s[0][r >> 24] + s[1][r >> 16 & 255]) ^ s[2][r >> 8 & 255]) + s[3][r & 255];
        }
        left = r ^ p[17];
        right = l ^ p[16];
    }

    // Big-endian words of a text that repeats without end.
    struct Words {
        std::span<std::uint8_t const> bytes;
        std::size_t at = 0;
        std::uint32_t next() {
            std::uint32_t word = 0;
            for (int i = 0; i < 4; ++i) {
                word = word << 8 | bytes[at];
                at = (at + 1) % bytes.size();
            }
            return word;
        }
    };

    void expand(std::span<std::uint8_t const> key, std::span<std::uint8_t const> salt) {
        Words keys{key};
        for (auto& word : p) word ^= keys.next();
        Words salts{salt};
        std::uint32_t left = 0, right = 0;
        auto const step = [&](std::uint32_t& a, std::uint32_t& b) {
            if (!salt.empty()) {
                left ^= salts.next();
                right ^= salts.next();
            }
            encrypt(left, right);
            a = left;
            b = right;
        };
        for (int i = 0; i < 18; i += 2) step(p[i], p[i + 1]);
        for (auto& box : s)
            for (int i = 0; i < 256; i += 2) step(box[i], box[i + 1]);
    }
};

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
    std::string key{password};
    key.push_back('\0');
    std::span<std::uint8_t const> const key_bytes{reinterpret_cast<std::uint8_t const*>(key.data()), key.size()};
    auto cipher = std::make_unique<Blowfish>();
    cipher->expand(key_bytes, salt);
    for (std::uint64_t round = 0; round < std::uint64_t{1} << cost; ++round) {
        cipher->expand(key_bytes, {});
        cipher->expand(salt, {});
    }
    std::uint32_t words[6];
    constexpr std::string_view kMagic = "OrpheanBeholderScryDoubt";
    std::array<std::uint8_t, 24> bytes{};
    for (std::size_t i = 0; i < 24; ++i) words[i / 4] = words[i / 4] << 8 | static_cast<std::uint8_t>(kMagic[i]);
    for (int block = 0; block < 6; block += 2)
        for (int i = 0; i < 64; ++i) cipher->encrypt(words[block], words[block + 1]);
    for (std::size_t i = 0; i < 24; ++i) bytes[i] = static_cast<std::uint8_t>(words[i / 4] >> (24 - 8 * (i % 4)));
    auto const digits = std::string{static_cast<char>('0' + cost / 10), static_cast<char>('0' + cost % 10)};
    return "$2a$" + digits + "$" + encode(salt) + encode(std::span{bytes}.first(23));
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
