// Executes arbitrary bytes as a template over what Helm gives one: values, .Files, .Capabilities, a certificate, with all
// functions but those that call templates and those that take seconds: never a crash, always an end.
#include "modules/base/base64.hpp"
#include "modules/helm/convert.hpp"
#include "modules/helm/objects.hpp"
#include "modules/helm/sprig_crypto.hpp"
#include "modules/text/gotemplate/json.hpp"
#include "modules/text/gotemplate/sprig.hpp"
#include "modules/text/gotemplate/template.hpp"

#include <array>
#include <cstdint>

using namespace holdfast::gotemplate;

// A template may put a map into itself; such a map is never freed (value.hpp).
extern "C" char const* __asan_default_options() { return "detect_leaks=0"; }

namespace {

class Counter final : public Random {
public:
    void fill(std::span<std::byte> out) override {
        for (auto& byte : out) byte = static_cast<std::byte>(next_++);
    }

private:
    unsigned next_ = 0;
};

class Epoch final : public Clock {
public:
    std::chrono::system_clock::time_point now() override { return {}; }
};

constexpr char kData[] =
    R"({"s":"hello World","e":"","n":3,"f":1.5,"b":true,"nil":null,"l":["b","a","c"],"mix":[1,"two",null,{"k":"v"},[1,2]],)"
    R"("m":{"x":1,"y":"why","nest":{"deep":{"er":"yes"}}},"em":{},"el":[],"u":"h\u00e9llo \u2603"})";

// Of nobody: made for this test.
constexpr char kCertificate[] = "-----BEGIN CERTIFICATE-----\n"
                                "MIIBcDCCARWgAwIBAgIUa4sgESrlvBss1aunxNDw4jLW0o8wCgYIKoZIzj0EAwIw\n"
                                "DDEKMAgGA1UEAwwBYTAgFw0yNjExMzAxOTE0MDJaGA8yMTI2MTEwNjE5MTQwMlow\n"
                                "DDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNyCbAnWFxpU\n"
                                "vPuBdRibsZYf9MYrwM6npERx14lqmYzTiEzbfqQhyGVbvQyAVKwsXWdqbPGmp9SL\n"
                                "WLNtbmKK/CajUzBRMB0GA1UdDgQWBBSqGTPQMvUEe/vAzUFVjVkMKkAV3TAfBgNV\n"
                                "HSMEGDAWgBSqGTPQMvUEe/vAzUFVjVkMKkAV3TAPBgNVHRMBAf8EBTADAQH/MAoG\n"
                                "CCqGSM49BAMCA0kAMEYCIQDlf5sBsfrZCZuDSvhR7UNRPgZ9ToFp8jlTuNgJPYo/\n"
                                "oQIhAN+zPWrjMen6b3AmOUgBLKeH/ohw49n5PmqHUGsRX7+L\n"
                                "-----END CERTIFICATE-----\n";
constexpr char kKey[] = "-----BEGIN EC PRIVATE KEY-----\n"
                        "MHcCAQEEIIbbtTbMp8LP5bCyb94zOHGmYVqX6TBC1OeuxfciD86koAoGCCqGSM49\n"
                        "AwEHoUQDQgAE3IJsCdYXGlS8+4F1GJuxlh/0xivAzqekRHHXiWqZjNOITNt+pCHI\n"
                        "ZVu9DIBUrCxdZ2ps8aan1ItYs21uYor8Jg==\n"
                        "-----END EC PRIVATE KEY-----\n";

FuncMap make_functions() {
    FuncMap made;
    add_sprig(made);
    holdfast::helm::add_sprig_crypto(made);
    holdfast::helm::add_conversions(made);
    for (auto const* slow :
         {"genPrivateKey", "genCA", "genSelfSignedCert", "genSignedCert", "bcrypt", "htpasswd", "derivePassword"})
        made.erase(slow);
    return made;
}

/// As Helm's top level: maps of bytes and strings are typed in Go, and whoever stores in them must mind it.
Value data_of(FuncMap const& funcs) {
    // Never destroyed: at the exit of the process what takes values apart is gone already.
    static Value const& certificate = *new Value{[&] {
        std::array args{Value::string(holdfast::base64_encode(kCertificate)),
                        Value::string(holdfast::base64_encode(kKey))};
        TemplateSet const none{funcs};
        Executor executor{none, MissingKey::zero, Ports{}};
        auto const& function = *funcs.find("buildCustomCert");
        Value const no_receiver;
        Call call{executor, function, args, no_receiver};
        return function.implementation(call).value();
    }()};
    auto data = from_json(kData).value();
    data.set("Files", holdfast::helm::files_value({{"a.txt", "one\ntwo"}, {"b/c.txt", "text"}, {"empty", ""}}));
    data.set("Capabilities", holdfast::helm::capabilities_value({}));
    data.set("Values", from_json(kData).value().viewed_as(holdfast::helm::kValuesType));
    data.set("cert", certificate);
    data.set("pem", Value::string(kCertificate));
    data.set("key", Value::string(kKey));
    auto strings = Value::map(types::map_string);
    strings.set("k", Value::string("v"));
    data.set("strings", strings);
    return data;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    static FuncMap const funcs = make_functions();
    static Counter random;
    static Epoch clock;
    TemplateSet set{funcs};
    if (!set.parse("t", {reinterpret_cast<char const*>(data), size})) return 0;
    Budget const budget{.steps_max = 20'000,
                        .slow_time_max = std::chrono::milliseconds{20},
                        .output_bytes_max = 1u << 20,
                        .stack_bytes_max = 2u << 20};
    for (auto const missing : {MissingKey::zero, MissingKey::error}) {
        Executor executor{set, missing, Ports{&random, &clock, nullptr}, budget};
        std::string out;
        executor.execute("t", data_of(funcs), out);
    }
    return 0;
}
