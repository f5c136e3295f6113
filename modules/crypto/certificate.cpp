// modules/crypto/certificate.cpp: OpenSSL behind certificate.hpp; extensions in the order Go writes them.
#include "modules/crypto/certificate.hpp"

#include "modules/base/owned.hpp"
#include "modules/crypto/rsa_key.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

#include <algorithm>

namespace holdfast::crypto {

namespace {

using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using Certificate = Owned<X509, X509_free>;

EVP_PKEY* key_of(PrivateKey const& key) { return static_cast<EVP_PKEY*>(key.handle()); }
std::unexpected<Error> bad(std::string message) { return fail(Errc::invalid_input, std::move(message)); }

struct Block {
    std::string type, bytes;
};

bool read_block(std::string_view pem, Block& block) {
    Owned<BIO, BIO_free_all> const bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    char *name = nullptr, *header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(bio.get(), &name, &header, &data, &size) != 1) return false;
    block.type = name;
    block.bytes.assign(reinterpret_cast<char const*>(data), static_cast<std::size_t>(size));
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    return true;
}

std::string write_block(std::string const& type, unsigned char const* data, int size) {
    Owned<BIO, BIO_free_all> const bio{BIO_new(BIO_s_mem())};
    PEM_write_bio(bio.get(), type.c_str(), "", data, size);
    char* text = nullptr;
    auto const length = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(length)};
}

EVP_PKEY* generate_with(char const* algorithm, char const* option, char const* value) {
    KeyContext const context{EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr)};
    EVP_PKEY* key = nullptr;
    if (context == nullptr || EVP_PKEY_keygen_init(context.get()) != 1) return nullptr;
    if (option != nullptr && EVP_PKEY_CTX_ctrl_str(context.get(), option, value) != 1) return nullptr;
    if (EVP_PKEY_generate(context.get(), &key) != 1) return nullptr;
    return key;
}

EVP_PKEY* generate_dsa() {
    KeyContext const context{EVP_PKEY_CTX_new_id(EVP_PKEY_DSA, nullptr)};
    EVP_PKEY* parameters = nullptr;
    if (EVP_PKEY_paramgen_init(context.get()) != 1 || EVP_PKEY_CTX_set_dsa_paramgen_bits(context.get(), 2048) != 1 ||
        EVP_PKEY_CTX_set_dsa_paramgen_q_bits(context.get(), 256) != 1 ||
        EVP_PKEY_paramgen(context.get(), &parameters) != 1)
        return nullptr;
    Key const held{parameters};
    KeyContext const keys{EVP_PKEY_CTX_new(parameters, nullptr)};
    EVP_PKEY* key = nullptr;
    if (EVP_PKEY_keygen_init(keys.get()) != 1 || EVP_PKEY_keygen(keys.get(), &key) != 1) return nullptr;
    return key;
}

bool add_extension(X509* certificate, int nid, void* value, bool critical) {
    return X509_add1_ext_i2d(certificate, nid, value, critical ? 1 : 0, X509V3_ADD_APPEND) == 1;
}

bool add_key_usage(X509* certificate, bool is_ca) {
    Owned<ASN1_BIT_STRING, ASN1_BIT_STRING_free> const bits{ASN1_BIT_STRING_new()};
    ASN1_BIT_STRING_set_bit(bits.get(), 0, 1);  // digitalSignature
    ASN1_BIT_STRING_set_bit(bits.get(), 2, 1);  // keyEncipherment
    if (is_ca) ASN1_BIT_STRING_set_bit(bits.get(), 5, 1);
    return add_extension(certificate, NID_key_usage, bits.get(), true);
}

bool add_extended_key_usage(X509* certificate) {
    auto* usages = sk_ASN1_OBJECT_new_null();
    sk_ASN1_OBJECT_push(usages, OBJ_nid2obj(NID_server_auth));
    sk_ASN1_OBJECT_push(usages, OBJ_nid2obj(NID_client_auth));
    auto const added = add_extension(certificate, NID_ext_key_usage, usages, false);
    sk_ASN1_OBJECT_free(usages);
    return added;
}

bool add_basic_constraints(X509* certificate, bool is_ca) {
    Owned<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free> const constraints{BASIC_CONSTRAINTS_new()};
    constraints->ca = is_ca ? 0xFF : 0;
    return add_extension(certificate, NID_basic_constraints, constraints.get(), true);
}

// Go: the first 20 bytes of SHA-256 over the public key.
bool add_subject_key_id(X509* certificate) {
    auto const* bits = X509_get0_pubkey_bitstr(certificate);
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_Digest(bits->data, static_cast<std::size_t>(bits->length), digest, nullptr, EVP_sha256(), nullptr);
    Owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> const id{ASN1_OCTET_STRING_new()};
    ASN1_OCTET_STRING_set(id.get(), digest, 20);
    return add_extension(certificate, NID_subject_key_identifier, id.get(), false);
}

bool add_authority_key_id(X509* certificate, X509* signer) {
    auto const* id = X509_get0_subject_key_id(signer);
    if (id == nullptr || X509_NAME_cmp(X509_get_subject_name(signer), X509_get_subject_name(certificate)) == 0)
        return true;
    Owned<AUTHORITY_KEYID, AUTHORITY_KEYID_free> const authority{AUTHORITY_KEYID_new()};
    authority->keyid = ASN1_OCTET_STRING_dup(id);
    return add_extension(certificate, NID_authority_key_identifier, authority.get(), false);
}

bool add_names(X509* certificate, CertificateRequest const& request) {
    if (request.dns_names.empty() && request.addresses.empty()) return true;
    Owned<GENERAL_NAMES, GENERAL_NAMES_free> const names{GENERAL_NAMES_new()};
    for (auto const& dns : request.dns_names) {
        auto* text = ASN1_IA5STRING_new();
        ASN1_STRING_set(text, dns.data(), static_cast<int>(dns.size()));
        auto* name = GENERAL_NAME_new();
        GENERAL_NAME_set0_value(name, GEN_DNS, text);
        sk_GENERAL_NAME_push(names.get(), name);
    }
    for (auto const& address : request.addresses) {
        auto* bytes = ASN1_OCTET_STRING_new();
        ASN1_OCTET_STRING_set(bytes, reinterpret_cast<unsigned char const*>(address.data()),
                              static_cast<int>(address.size()));
        auto* name = GENERAL_NAME_new();
        GENERAL_NAME_set0_value(name, GEN_IPADD, bytes);
        sk_GENERAL_NAME_push(names.get(), name);
    }
    return add_extension(certificate, NID_subject_alt_name, names.get(), request.common_name.empty());
}

bool set_subject(X509* certificate, std::string const& common_name) {
    if (common_name.empty()) return true;
    auto const printable = std::all_of(common_name.begin(), common_name.end(), [](char c) {
        return (c >= '0' && c <= '9') ||
               ((c | 0x20) >= 'a' && (c | 0x20) <= 'z' && static_cast<unsigned char>(c) < 0x80) ||
               std::string_view{" '()+,-./:=?"}.find(c) != std::string_view::npos;
    });
    return X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                      printable ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING,
                                      reinterpret_cast<unsigned char const*>(common_name.data()),
                                      static_cast<int>(common_name.size()), -1, 0) == 1;
}

Certificate read_certificate(std::string const& der) {
    auto const* at = reinterpret_cast<unsigned char const*>(der.data());
    return Certificate{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
}

}  // namespace

Result<PrivateKey> PrivateKey::generate(KeyKind kind) {
    EVP_PKEY* key = nullptr;
    switch (kind) {
        case KeyKind::rsa_2048: key = generate_rsa(2048); break;
        case KeyKind::rsa_4096: key = generate_rsa(4096); break;
        case KeyKind::dsa_2048: key = generate_dsa(); break;
        case KeyKind::ecdsa_p256: key = generate_with("EC", "ec_paramgen_curve", "P-256"); break;
        case KeyKind::ed25519: key = generate_with("ED25519", nullptr, nullptr); break;
    }
    if (key == nullptr) return bad("a key could not be generated");
    return PrivateKey{std::shared_ptr<void>{key, [](void* p) { EVP_PKEY_free(static_cast<EVP_PKEY*>(p)); }}};
}

Result<PrivateKey> PrivateKey::read(std::string_view pem) {
    Block block;
    if (!read_block(pem, block)) return bad("no PEM data in input");
    constexpr std::string_view kSuffix = " PRIVATE KEY";
    auto const pkcs8 = block.type == "PRIVATE KEY";
    if (!pkcs8 && !block.type.ends_with(kSuffix)) return bad("no private key data in PEM block of type " + block.type);
    auto const name = pkcs8 ? std::string{} : block.type.substr(0, block.type.size() - kSuffix.size());
    if (!pkcs8 && name != "RSA" && name != "EC" && name != "DSA") return bad("invalid private key type " + block.type);
    auto const* at = reinterpret_cast<unsigned char const*>(block.bytes.data());
    auto const size = static_cast<long>(block.bytes.size());
    EVP_PKEY* key = nullptr;
    if (pkcs8) {
        Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> const info{d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, size)};
        if (info != nullptr) key = EVP_PKCS82PKEY(info.get());
    } else {
        key = d2i_PrivateKey(name == "RSA"  ? EVP_PKEY_RSA
                             : name == "EC" ? EVP_PKEY_EC
                                            : EVP_PKEY_DSA,
                             nullptr, &at, size);
    }
    if (key == nullptr)
        return bad(pkcs8 ? "decoding PEM as PKCS#8: malformed key"
                         : "parsing " + name + " private key from PEM: malformed key");
    return PrivateKey{std::shared_ptr<void>{key, [](void* p) { EVP_PKEY_free(static_cast<EVP_PKEY*>(p)); }}};
}

std::string PrivateKey::pem() const {
    auto* const key = key_of(*this);
    unsigned char* der = nullptr;
    int size = 0;
    std::string type;
    switch (EVP_PKEY_get_base_id(key)) {
        case EVP_PKEY_RSA: type = "RSA PRIVATE KEY"; break;
        case EVP_PKEY_EC: type = "EC PRIVATE KEY"; break;
        case EVP_PKEY_DSA: type = "DSA PRIVATE KEY"; break;
        default: type = "PRIVATE KEY";
    }
    if (type == "PRIVATE KEY") {
        Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> const info{EVP_PKEY2PKCS8(key)};
        size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der);
    } else {
        size = i2d_PrivateKey(key, &der);
    }
    auto text = write_block(type, der, size);
    OPENSSL_clear_free(der, static_cast<std::size_t>(size));
    return text;
}

Result<std::string> make_certificate(CertificateRequest const& request, PrivateKey const& key, PrivateKey const& signer,
                                     std::string_view signer_pem) {
    if (EVP_PKEY_get_base_id(key_of(signer)) == EVP_PKEY_DSA)
        return bad("error creating certificate: x509: certificate private key does not implement crypto.Signer");
    if (EVP_PKEY_get_base_id(key_of(key)) == EVP_PKEY_DSA)
        return bad("error creating certificate: x509: unsupported public key type: *dsa.PublicKey");
    Certificate const certificate{X509_new()};
    auto* const made = certificate.get();
    Certificate parent;
    if (!signer_pem.empty()) {
        Block block;
        if (!read_block(signer_pem, block)) return bad("unable to decode certificate");
        parent = read_certificate(block.bytes);
        if (parent == nullptr)
            return bad("error parsing certificate: decodedSignerCert.Bytes: x509: malformed certificate");
        if (X509_check_private_key(parent.get(), key_of(signer)) != 1)
            return bad("error creating certificate: x509: provided PrivateKey doesn't match parent's PublicKey");
    }
    Owned<BIGNUM, BN_free> const serial{
        BN_bin2bn(request.serial.data(), static_cast<int>(request.serial.size()), nullptr)};
    auto ok = X509_set_version(made, 2) == 1 &&
              BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(made)) != nullptr &&
              ASN1_TIME_set(X509_getm_notBefore(made), request.not_before) != nullptr &&
              ASN1_TIME_set(X509_getm_notAfter(made), request.not_after) != nullptr &&
              X509_set_pubkey(made, key_of(key)) == 1 && set_subject(made, request.common_name);
    auto* const issuer = parent == nullptr ? made : parent.get();
    ok = ok && X509_set_issuer_name(made, X509_get_subject_name(issuer)) == 1 && add_key_usage(made, request.is_ca) &&
         add_extended_key_usage(made) && add_basic_constraints(made, request.is_ca) &&
         (!request.is_ca || add_subject_key_id(made)) && add_authority_key_id(made, issuer) && add_names(made, request);
    auto const* digest = EVP_PKEY_get_base_id(key_of(signer)) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
    if (!ok || X509_sign(made, key_of(signer), digest) == 0)
        return bad("error creating certificate: x509: cannot be encoded");
    unsigned char* der = nullptr;
    auto const size = i2d_X509(made, &der);
    auto text = write_block("CERTIFICATE", der, size);
    OPENSSL_free(der);
    return text;
}

Result<void> check_certificate(std::string_view pem) {
    Block block;
    if (!read_block(pem, block)) return bad("unable to decode certificate");
    if (read_certificate(block.bytes) == nullptr) return bad("x509: malformed certificate");
    return {};
}

std::string ip_bytes(std::string const& text) {
    in_addr four{};
    in6_addr six{};
    if (inet_pton(AF_INET, text.c_str(), &four) == 1) return {reinterpret_cast<char const*>(&four), sizeof four};
    if (inet_pton(AF_INET6, text.c_str(), &six) == 1) return {reinterpret_cast<char const*>(&six), sizeof six};
    return {};
}

}  // namespace holdfast::crypto
