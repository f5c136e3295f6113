// modules/http/trust.cpp: the machine's bundle, kept for a while, and what is trusted beside it.
#include "modules/http/trust.hpp"

#include <chrono>
#include <fstream>
#include <mutex>
#include <sstream>

namespace holdfast::http {

namespace {

constexpr std::chrono::minutes kSystemBundleAge{5};

/// The system's bundle as text; "" when there is none.
std::string system_bundle() {
    for (auto const& path : system_ca_paths()) {
        std::ifstream file{path, std::ios::binary};
        if (!file) continue;
        std::ostringstream text;
        text << file.rdbuf();
        return text.str() + "\n";
    }
    return {};
}

/// The context for who has no certificates of his own.
Result<std::shared_ptr<TlsContext const>> system_tls() {
    static std::mutex mutex;
    static std::shared_ptr<TlsContext const> kept;
    static std::chrono::steady_clock::time_point made_at;
    std::scoped_lock const lock{mutex};
    auto const now = std::chrono::steady_clock::now();
    if (kept && now - made_at < kSystemBundleAge) return kept;
    auto made = TlsContext::client({});
    if (!made) return made;
    kept = std::move(*made);
    made_at = now;
    return kept;
}

}  // namespace

Result<std::shared_ptr<TlsContext const>> trusting(Certificates const& own, Bundle const& bundle) {
    bool const is_plain = own.ca_pem.empty() && own.certificate_pem.empty();
    if (is_plain && !bundle) return system_tls();
    TlsSettings settings;
    if (!own.ca_pem.empty()) {
        // Alone first: behind a good bundle a broken CA would go unnoticed.
        auto alone = TlsContext::client({.ca_pem = own.ca_pem});
        if (!alone) return alone;
    }
    if (bundle) settings.ca_pem = bundle();
    else if (!own.ca_pem.empty()) settings.ca_pem = system_bundle();
    settings.ca_pem += own.ca_pem;
    settings.certificate_pem = own.certificate_pem;
    settings.key_pem = own.key_pem;
    return TlsContext::client(settings);
}

}  // namespace holdfast::http
