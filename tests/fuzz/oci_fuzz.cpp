// tests/fuzz/oci_fuzz.cpp: what a registry, its token server or a pull secret may say, by the first byte.
// Looks for: crashes, undefined behaviour, a digest, token or layer that is none.
#include "modules/oci/challenge.hpp"
#include "modules/oci/login.hpp"
#include "modules/oci/manifest.hpp"
#include "modules/oci/name.hpp"
#include "modules/oci/refusal.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

using namespace holdfast;

static void read_manifest(std::string_view text, std::string_view type) {
    auto const manifest = oci::read_manifest(text, type);
    if (!manifest) return;
    for (auto const& part : manifest->parts) {
        if (!oci::check_digest(part.digest)) std::abort();
    }
    std::array const wished{oci::own_platform(), oci::Platform{"linux", "amd64"}};
    auto const picked = oci::pick_manifest(*manifest, wished);
    if (picked && std::ranges::find(wished, picked->platform) == wished.end()) std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size == 0) return 0;
    std::string_view const text{reinterpret_cast<char const*>(data) + 1, size - 1};
    switch (data[0] % 6) {
        case 0: read_manifest(text, "application/vnd.oci.image.manifest.v1+json"); break;
        case 1: read_manifest(text, "application/vnd.oci.image.index.v1+json"); break;
        case 2: {
            auto const challenge = oci::parse_challenge(text);
            bool const is_bearer = challenge && challenge->scheme == oci::Challenge::Scheme::bearer;
            if (is_bearer && challenge->realm.empty()) std::abort();
            break;
        }
        case 3: {
            auto const token = oci::parse_token(text);
            if (token && token->text.find_first_of("\r\n ") != std::string::npos) std::abort();
            break;
        }
        case 4: {
            oci::Keyring ring;
            if (ring.add_config(text) && ring.entries().size() > oci::kLoginsMax) std::abort();
            (void)ring.find("ghcr.io/org/app");
            break;
        }
        default: {
            auto const url = http::parse_url("https://a.io/v2/").value();
            auto const error = oci::refused("GET", url, {.status = 404, .body = std::string{text}});
            auto const name = oci::parse_name(text);
            if (error.message.size() > 4'096) std::abort();
            if (name && ("/" + name->repository + "/").contains("/../")) std::abort();
        }
    }
    return 0;
}
