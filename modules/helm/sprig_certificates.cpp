// modules/helm/sprig_certificates.cpp: sprig's key and certificate functions; validity starts at the caller's clock.
#include "modules/helm/sprig_certificates.hpp"

#include "modules/base/base64.hpp"
#include "modules/crypto/certificate.hpp"
#include "modules/text/gotemplate/fmt.hpp"
#include "modules/text/gotemplate/sprig_common.hpp"
#include "modules/text/gotemplate/template.hpp"

namespace holdfast::helm {

namespace {

using gotemplate::Call;
using gotemplate::Kind;
using gotemplate::Object;
using gotemplate::Type;
using gotemplate::Value;
using gotemplate::sprig::bad;

Type const kCertificate{.kind = Kind::structure, .name = "sprig.certificate", .kind_name = "struct", .named = true};

class CertificateObject final : public Object {
public:
    CertificateObject(std::string c, std::string k) : Object(kCertificate), cert(std::move(c)), key(std::move(k)) {}
    std::optional<Value> field(std::string_view name) const override {
        if (name == "Cert") return Value::string(cert);
        if (name == "Key") return Value::string(key);
        return std::nullopt;
    }
    std::vector<std::pair<std::string_view, Value>> fields() const override {
        return {{"Cert", Value::string(cert)}, {"Key", Value::string(key)}};
    }
    bool equals(Object const& other) const override {
        auto const* right = dynamic_cast<CertificateObject const*>(&other);
        return right != nullptr && right->cert == cert && right->key == key;
    }
    std::string const cert, key;
};

Value made(std::string cert, std::string key) {
    return Value::object(new CertificateObject(std::move(cert), std::move(key)));
}

Result<crypto::PrivateKey> new_rsa_key(Call& call) {
    auto const charged = call.charge_time();
    if (!charged) return std::unexpected{charged.error()};
    auto key = crypto::PrivateKey::generate(crypto::KeyKind::rsa_2048);
    if (!key) return fail(std::move(key), "error generating rsa key");
    return key;
}

/// A chart may bring a key of any size: 2 s for RSA 16384.
Result<crypto::PrivateKey> read_key(Call& call, std::string_view pem, std::string_view step) {
    auto const charged = call.charge_time();
    if (!charged) return std::unexpected{charged.error()};
    auto key = crypto::PrivateKey::read(pem);
    if (!key) return fail(std::move(key), step);
    return key;
}

Result<Value> private_key(Call& call) {
    auto const type = call.text(0);
    crypto::KeyKind kind{};
    if (type.empty() || type == "rsa") kind = crypto::KeyKind::rsa_4096;
    else if (type == "dsa") kind = crypto::KeyKind::dsa_2048;
    else if (type == "ecdsa") kind = crypto::KeyKind::ecdsa_p256;
    else if (type == "ed25519") kind = crypto::KeyKind::ed25519;
    else return Value::string("Unknown type " + std::string{type});
    auto const charged = call.charge_time();
    if (!charged) return std::unexpected{charged.error()};
    auto const key = crypto::PrivateKey::generate(kind);
    if (!key) return Value::string("failed to generate private key: " + key.error().message);
    return Value::string(key->pem());
}

Result<void> add_addresses(Value const& list, std::vector<std::string>& out) {
    for (auto const& item : list.items()) {
        if (!item.is_string()) return bad("error parsing ip: " + gotemplate::to_text(item) + " is not a string");
        auto bytes = crypto::ip_bytes(std::string{item.as_string()});
        if (bytes.empty()) return bad("error parsing ip: " + std::string{item.as_string()});
        out.push_back(std::move(bytes));
    }
    return {};
}

Result<void> add_names(Value const& list, std::vector<std::string>& out) {
    for (auto const& item : list.items()) {
        if (!item.is_string())
            return bad("error processing alternate dns name: " + gotemplate::to_text(item) + " is not a string");
        out.emplace_back(item.as_string());
    }
    return {};
}

Result<crypto::CertificateRequest> request_for(Call& call, std::string_view common_name, std::int64_t days) {
    crypto::CertificateRequest request{.common_name = std::string{common_name}};
    call.executor().ports().random->fill(std::as_writable_bytes(std::span{request.serial}));
    request.not_before = std::chrono::system_clock::to_time_t(call.executor().ports().clock->now());
    // Go counts nanoseconds in 64 bits; what does not fit wraps there and is refused here.
    constexpr std::int64_t kDaysMax = 106'751;
    if (days > kDaysMax || days < -kDaysMax)
        return bad("error creating certificate: the validity of " + std::to_string(days) + " days is out of range");
    request.not_after = request.not_before + days * 86'400;
    return request;
}

Result<Value> certify(Call& call, crypto::CertificateRequest const& request, crypto::PrivateKey const& key,
                      crypto::PrivateKey const& signer, std::string_view signer_pem) {
    auto const charged = call.charge_time();
    if (!charged) return std::unexpected{charged.error()};
    auto pem = crypto::make_certificate(request, key, signer, signer_pem);
    if (!pem) return fail(std::move(pem));
    return made(*std::move(pem), key.pem());
}

Result<Value> authority(Call& call, Result<crypto::PrivateKey> key) {
    if (!key) return fail(std::move(key));
    auto request = request_for(call, call.text(0), call.integer(1));
    if (!request) return fail(std::move(request));
    request->is_ca = true;
    return certify(call, *request, *key, *key, "");
}

Result<crypto::CertificateRequest> server_request(Call& call) {
    auto request = request_for(call, call.text(0), call.integer(3));
    if (!request) return request;
    if (auto added = add_addresses(call[1], request->addresses); !added) return fail(std::move(added));
    if (auto added = add_names(call[2], request->dns_names); !added) return fail(std::move(added));
    return request;
}

Result<Value> self_signed(Call& call, Result<crypto::PrivateKey> key) {
    if (!key) return fail(std::move(key));
    auto const request = server_request(call);
    if (!request) return std::unexpected{request.error()};
    return certify(call, *request, *key, *key, "");
}

Result<Value> signed_by(Call& call, Result<crypto::PrivateKey> key) {
    if (!key) return fail(std::move(key));
    auto const* ca = static_cast<CertificateObject const*>(call[4].as_object());
    if (auto checked = crypto::check_certificate(ca->cert); !checked) {
        auto const decodes = checked.error().message != "unable to decode certificate";
        return bad((decodes ? "error parsing certificate: decodedSignerCert.Bytes: " : "") + checked.error().message);
    }
    auto const signer = read_key(call, ca->key, "error parsing private key");
    if (!signer) return std::unexpected{signer.error()};
    auto const request = server_request(call);
    if (!request) return std::unexpected{request.error()};
    return certify(call, *request, *key, *signer, ca->cert);
}

Result<Value> custom(Call& call) {
    auto const cert = base64_decode(call.text(0));
    if (!cert) return bad("unable to decode base64 certificate");
    auto const key = base64_decode(call.text(1));
    if (!key) return bad("unable to decode base64 private key");
    if (auto checked = crypto::check_certificate(*cert); !checked) {
        auto const decodes = checked.error().message != "unable to decode certificate";
        return bad((decodes ? "error parsing certificate: decodedCert.Bytes: " : "") + checked.error().message);
    }
    if (auto const read = read_key(call, *key, "error parsing private key"); !read)
        return std::unexpected{read.error()};
    return made(*cert, *key);
}

}  // namespace

void add_sprig_certificates(gotemplate::FuncMap& funcs) {
    // `any` in these signatures stands for sprig's own certificate type.
    auto const add = [&](std::string_view name, std::string_view signature, gotemplate::Implementation body) {
        auto function = gotemplate::make_function(name, signature, std::move(body));
        for (auto& param : function.params)
            if (param == &gotemplate::types::any) param = &kCertificate;
        function.result = &kCertificate;
        funcs.add(std::move(function));
    };
    funcs.add("genPrivateKey", "string -> string", private_key);
    add("genCA", "string, int -> any", [](Call& call) { return authority(call, new_rsa_key(call)); });
    add("genCAWithKey", "string, int, string -> any",
        [](Call& call) { return authority(call, read_key(call, call.text(2), "parsing private key")); });
    add("genSelfSignedCert", "string, []any, []any, int -> any",
        [](Call& call) { return self_signed(call, new_rsa_key(call)); });
    add("genSelfSignedCertWithKey", "string, []any, []any, int, string -> any",
        [](Call& call) { return self_signed(call, read_key(call, call.text(4), "parsing private key")); });
    add("genSignedCert", "string, []any, []any, int, any -> any",
        [](Call& call) { return signed_by(call, new_rsa_key(call)); });
    add("genSignedCertWithKey", "string, []any, []any, int, any, string -> any",
        [](Call& call) { return signed_by(call, read_key(call, call.text(5), "parsing private key")); });
    add("buildCustomCert", "string, string -> any", custom);
}

}  // namespace holdfast::helm
