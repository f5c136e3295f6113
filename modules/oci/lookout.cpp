// modules/oci/lookout.cpp: one request, and the passes that fetches brought.
#include "modules/oci/lookout.hpp"

#include "modules/crypto/digest.hpp"

namespace holdfast::oci {

namespace {

constexpr std::size_t kPassesMax = 1'024;
constexpr std::chrono::seconds kLeft{10};  // a pass with less to live may be over when it is shown

/// Whoever has other logins has another pass. Nobody can make up logins that have the same key as another's.
std::string key_of(Remote const& remote) {
    std::string all;
    auto const add = [&](std::string const& part) { all += std::to_string(part.size()) + ":" + part; };
    add(remote.name.text());
    add(remote.insecure ? "http" : "https");
    for (auto const& [place, login] : remote.logins.entries()) {
        for (auto const* part :
             {&place, &login.username, &login.password, &login.identity_token, &login.registry_token})
            add(*part);
    }
    return crypto::sha256_hex(all);
}

}  // namespace

std::optional<Lookout::Known> Lookout::known(std::string const& key) const {
    std::scoped_lock const lock{mutex_};
    auto const found = passes_.find(key);
    return found == passes_.end() ? std::nullopt : std::optional{found->second};
}

void Lookout::remember(Remote const& remote, Pass pass) {
    auto const key = key_of(remote);
    auto const until = std::chrono::steady_clock::now() + pass.lifetime - kLeft;
    std::scoped_lock const lock{mutex_};
    if (pass.authorization.empty()) {
        passes_.erase(key);
        return;
    }
    if (passes_.size() >= kPassesMax && !passes_.contains(key)) passes_.clear();
    passes_[key] = {std::move(pass), until};
}

Result<Look> Lookout::look(Remote const& remote, std::string const& tag, std::string const& held, Options options) {
    auto known_pass = known(key_of(remote));
    if (known_pass && std::chrono::steady_clock::now() > known_pass->until) return Look::unknown;
    auto registry = Registry::open(remote, std::move(options));
    if (!registry) return Look::unknown;
    if (known_pass) (*registry)->show(std::move(known_pass->pass));
    auto const digest = (*registry)->digest_of(tag);
    if (!digest) return std::unexpected{digest.error()};
    if (!*digest) return Look::unknown;
    return **digest == held ? Look::unchanged : Look::changed;
}

}  // namespace holdfast::oci
