// modules/helm/sprig_crypto.cpp: sprig's crypto.go on modules/crypto; certificates are in sprig_certificates.cpp.
#include "modules/helm/sprig_crypto.hpp"

#include "modules/base/base64.hpp"
#include "modules/crypto/aes_cbc.hpp"
#include "modules/crypto/digest.hpp"
#include "modules/crypto/password.hpp"
#include "modules/helm/sprig_certificates.hpp"
#include "modules/text/gotemplate/sprig_common.hpp"
#include "modules/text/gotemplate/template.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace holdfast::helm {

namespace {

using gotemplate::Call;
using gotemplate::Value;
using gotemplate::sprig::bad;

constexpr int kBcryptCost = 10;

template <std::size_t N> std::array<std::uint8_t, N> random_bytes(Call& call) {
    std::array<std::uint8_t, N> bytes{};
    call.executor().ports().random->fill(std::as_writable_bytes(std::span{bytes}));
    return bytes;
}

Result<std::string> bcrypt_text(Call& call, std::string_view password) {
    auto const charged = call.charge_time();
    if (!charged) return std::unexpected{charged.error()};
    auto hash = crypto::bcrypt(password, random_bytes<16>(call), kBcryptCost);
    return hash ? *hash : "failed to encrypt string with bcrypt: " + hash.error().message;
}

Result<Value> htpasswd(Call& call) {
    auto const user = call.text(0);
    if (user.find(':') != std::string_view::npos) return Value::string("invalid username: " + std::string{user});
    auto const hash = bcrypt_text(call, call.text(1));
    if (!hash) return std::unexpected{hash.error()};
    return Value::string(std::string{user} + ":" + *hash);
}

// The Master Password algorithm: a template letter stands for a class of characters.
std::vector<std::string_view> password_templates(std::string_view type) {
    if (type == "maximum") return {"anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"};
    if (type == "long")
        return {"CvcvnoCvcvCvcv", "CvcvCvcvnoCvcv", "CvcvCvcvCvcvno", "CvccnoCvcvCvcv", "CvccCvcvnoCvcv",
                "CvccCvcvCvcvno", "CvcvnoCvccCvcv", "CvcvCvccnoCvcv", "CvcvCvccCvcvno", "CvcvnoCvcvCvcc",
                "CvcvCvcvnoCvcc", "CvcvCvcvCvccno", "CvccnoCvccCvcv", "CvccCvccnoCvcv", "CvccCvccCvcvno",
                "CvcvnoCvccCvcc", "CvcvCvccnoCvcc", "CvcvCvccCvccno", "CvccnoCvcvCvcc", "CvccCvcvnoCvcc",
                "CvccCvcvCvccno"};
    if (type == "medium") return {"CvcnoCvc", "CvcCvcno"};
    if (type == "short") return {"Cvcn"};
    if (type == "basic") return {"aaanaaan", "aannaaan", "aaannaaa"};
    if (type == "pin") return {"nnnn"};
    return {};
}

std::string_view characters_of(char letter) {
    switch (letter) {
        case 'V': return "AEIOU";
        case 'C': return "BCDFGHJKLMNPQRSTVWXYZ";
        case 'v': return "aeiou";
        case 'c': return "bcdfghjklmnpqrstvwxyz";
        case 'a': return "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
        case 'n': return "0123456789";
        case 'o': return "@&%?,=[]_:-+*$#!'^~;()/.";
        default: return "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()";
    }
}

std::string big_endian(std::uint64_t value) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
    return out;
}

Result<Value> derive_password(Call& call) {
    auto const type = call.text(1), password = call.text(2), user = call.text(3), site = call.text(4);
    auto const templates = password_templates(type);
    if (templates.empty()) return Value::string("cannot find password template " + std::string{type});
    auto const charged = call.charge_time();
    if (!charged) return std::unexpected{charged.error()};
    std::string const seed_name = "com.lyndir.masterpassword";
    auto const key = crypto::scrypt(password, seed_name + big_endian(user.size()) + std::string{user}, 2, 64);
    if (!key) return Value::string("failed to derive password: " + key.error().message);
    auto const seed = crypto::hmac_sha256(*key, seed_name + big_endian(site.size()) + std::string{site} +
                                                    big_endian(call[0].as_uint()));
    auto const byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(seed[i])); };
    std::string out;
    for (auto const letter : templates[byte(0) % templates.size()]) {
        auto const characters = characters_of(letter);
        out.push_back(characters[byte(out.size() + 1) % characters.size()]);
    }
    return Value::string(out);
}

std::array<std::uint8_t, 32> key_of(std::string_view password) {
    std::array<std::uint8_t, 32> key{};
    std::copy_n(password.begin(), std::min(password.size(), key.size()), key.begin());
    return key;
}

Result<Value> encrypt_aes(Call& call) {
    auto const plain = call.text(1);
    if (plain.empty()) return Value::string("");
    if (auto charged = call.charge_bytes(plain.size() * 4); !charged) return fail(std::move(charged));
    auto const padding = 16 - plain.size() % 16;
    auto const padded = std::string{plain} + std::string(padding, static_cast<char>(padding));
    auto const iv = random_bytes<16>(call);
    std::string bytes{iv.begin(), iv.end()};
    bytes += crypto::aes256_cbc_encrypt(key_of(call.text(0)), iv, padded);
    return Value::string(base64_encode(bytes));
}

Result<Value> decrypt_aes(Call& call) {
    if (call.text(1).empty()) return Value::string("");
    auto const bytes = base64_decode(call.text(1));
    if (!bytes) return std::unexpected{bytes.error()};
    if (bytes->size() < 16) {
        auto const capacity = call.text(1).size() / 4 * 3;
        return bad("runtime error: slice bounds out of range [:16] with capacity " + std::to_string(capacity));
    }
    auto const body = std::string_view{*bytes}.substr(16);
    if (body.size() % 16 != 0) return bad("crypto/cipher: input not full blocks");
    if (body.empty()) return bad("runtime error: index out of range [-1]");
    std::array<std::uint8_t, 16> iv{};
    std::copy_n(bytes->begin(), 16, iv.begin());
    auto const plain = crypto::aes256_cbc_decrypt(key_of(call.text(0)), iv, body);
    auto const padding = static_cast<std::size_t>(static_cast<unsigned char>(plain.back()));
    if (padding > plain.size())
        return bad("runtime error: slice bounds out of range [:-" + std::to_string(padding - plain.size()) + "]");
    return gotemplate::sprig::text(call, std::string_view{plain}.substr(0, plain.size() - padding));
}

}  // namespace

void add_sprig_crypto(gotemplate::FuncMap& funcs) {
    auto const digest = [&](std::string_view name, std::string (*function)(std::string_view)) {
        funcs.add(name, "string -> string", [function](Call& call) -> Result<Value> {
            if (auto charged = call.charge_steps(call.text(0).size() / 64); !charged) return fail(std::move(charged));
            return Value::string(function(call.text(0)));
        });
    };
    digest("sha1sum", crypto::sha1_hex);
    digest("sha256sum", crypto::sha256_hex);
    digest("sha512sum", crypto::sha512_hex);
    funcs.add("bcrypt", "string -> string", [](Call& call) -> Result<Value> {
        auto const hash = bcrypt_text(call, call.text(0));
        if (!hash) return std::unexpected{hash.error()};
        return Value::string(*hash);
    });
    funcs.add("htpasswd", "string, string -> string", htpasswd);
    funcs.add("derivePassword", "uint32, string, string, string, string -> string", derive_password);
    funcs.add("encryptAES", "string, string -> string", encrypt_aes);
    funcs.add("decryptAES", "string, string -> string", decrypt_aes);
    add_sprig_certificates(funcs);
}

}  // namespace holdfast::helm
