// modules/access/kube_config.cpp: what a Secret or a ConfigMap says about a cluster, in Flux's words where it says it wrongly.
#include "modules/access/remotes.hpp"
#include "modules/base/base64.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace holdfast::access {

namespace {

kube::Resource resource_of(model::KubeConfigRef::Kind kind) {
    bool const secret = kind == model::KubeConfigRef::Kind::secret;
    return {.gvk = {"", "v1", secret ? "Secret" : "ConfigMap"},
            .plural = secret ? "secrets" : "configmaps",
            .namespaced = true,
            .verbs = {"get"}};
}

std::string value_of(kube::Object const& config_map, std::string_view key) {
    return std::string{kube::find_string(config_map, {"data", key})};
}

/// One a line; whoever names none gets a token for the address.
std::vector<std::string> audiences_of(kube::Object const& config_map) {
    std::vector<std::string> audiences;
    std::string const lines = value_of(config_map, "audiences");
    for (std::size_t at = 0; at < lines.size();) {
        auto const end = std::min(lines.find('\n', at), lines.size());
        std::string_view line = std::string_view{lines}.substr(at, end - at);
        auto const is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
        while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
        while (!line.empty() && is_space(line.back())) line.remove_suffix(1);
        if (!line.empty()) audiences.emplace_back(line);
        at = end + 1;
    }
    if (audiences.empty()) audiences.push_back(value_of(config_map, "address"));
    return audiences;
}

/// Source  fluxcd/pkg auth ParseClusterAddress
Result<http::Url> server_of(std::string const& address) {
    if (address.empty()) return fail(Errc::invalid_input, "cluster address is required to create a REST config");
    auto url = http::parse_url(address.starts_with("http") ? address : "https://" + address);
    if (!url) return fail(std::move(url), "failed to parse cluster address " + address);
    if (url->scheme != "https") {
        return fail(Errc::invalid_input, "failed to parse cluster address " + address +
                                             ": the Kubernetes API server address '" + address +
                                             "' must use https scheme");
    }
    url->target = "/";
    return url;
}

/// Which account asks for a token is a tenant's word; Holdfast's own is not lent out, and a cloud's is not known to it.
Result<void> check_provider(std::string const& provider) {
    constexpr std::array kClouds = std::to_array<std::string_view>({"aws", "azure", "gcp"});
    if (provider == "generic") return {};
    if (std::ranges::find(kClouds, provider) == kClouds.end()) {
        return fail(Errc::invalid_input, "provider '" + provider + "' not implemented");
    }
    return fail(
        Errc::invalid_input,
        "provider '" + provider +
            "' is not supported by this version of Holdfast: give kubeConfig a secretRef, or let the cluster trust "
            "the issuer of this one and use the provider 'generic'");
}

}  // namespace

Task<kube::Object> Remotes::read(Place place) const {
    std::string const name = place.ns + "/" + place.ref.name;
    bool const secret = place.ref.kind == model::KubeConfigRef::Kind::secret;
    auto found = co_await ports_.own->get({resource_of(place.ref.kind), place.ns, place.ref.name});
    if (found) co_return std::move(*found);
    Error error = std::move(found).error();
    error.message = (secret ? "unable to read KubeConfig secret '" + name + "' error: "
                            : "failed to get configmap " + name + ": ") +
                    error.message;
    co_return std::unexpected{std::move(error)};
}

Task<Remotes::Written> Remotes::understand(Place place, kube::Object written) const {
    if (place.ref.kind == model::KubeConfigRef::Kind::secret) co_return from_secret(place, written);
    auto config = co_await from_config_map(place, std::move(written));
    co_return config;
}

Result<Remotes::Written> Remotes::from_secret(Place const& place, kube::Object const& secret) const {
    std::string const name = "'" + place.ns + "/" + place.ref.name + "'";
    std::string const& wanted = place.ref.key;
    auto const* data = kube::find_object(secret, {"data"});
    auto const has = [data](std::string_view key) { return data != nullptr && data->contains(key); };
    std::string_view key = wanted;
    if (wanted.empty()) key = has("value") || !has("value.yaml") ? "value" : "value.yaml";
    if (!has(key)) {
        return fail(Errc::invalid_input, "KubeConfig secret " + name + " does not contain a '" + std::string{key} +
                                             "' key with a kubeconfig");
    }
    std::string const step = "invalid KubeConfig in secret " + name;
    auto text = base64_decode(kube::find_string(*data, {key}));
    if (!text) return fail(std::move(text), step);
    auto config = kube::parse_kubeconfig(*text, "", "", {.files_allowed = false, .reach = ports_.reach});
    if (!config) return fail(std::move(config), step);
    // As Flux: whoever is in the kubeconfig acts as himself, and a server shows who it is.
    config->credentials.impersonate_user.clear();
    config->credentials.impersonate_groups.clear();
    config->tls.insecure_skip_verify = false;
    return Written{.config = std::move(*config)};
}

Task<Remotes::Written> Remotes::from_config_map(Place place, kube::Object config_map) const {
    auto provider = check_provider(value_of(config_map, "provider"));
    if (!provider) co_return fail(std::move(provider));
    auto server = server_of(value_of(config_map, "address"));
    if (!server) co_return fail(std::move(server));
    std::string account = value_of(config_map, "serviceAccountName");
    if (account.empty()) account = place.default_account;
    if (account.empty()) {
        co_return fail(Errc::invalid_input,
                       "configmap " + place.ns + "/" + place.ref.name +
                           " names no serviceAccountName: Holdfast lends nobody its own account; "
                           "name one of this namespace, or set default_kubeconfig_service_account");
    }
    auto const answer = co_await ports_.request_token(place.ns, account, audiences_of(config_map));
    if (!answer) {
        co_return std::unexpected{Error{answer.error()}.in(
            "failed to get access token for cluster: failed to create kubernetes token for service "
            "account '" +
            place.ns + "/" + account + "'")};
    }
    std::string token{kube::find_string(*answer, {"status", "token"})};
    auto const ends = kube::parse_rfc3339(kube::find_string(*answer, {"status", "expirationTimestamp"}));
    if (token.empty() || !ends)
        co_return fail(Errc::invalid_input, "failed to get access token for cluster: no token came");
    kube::Config config{.server = std::move(*server)};
    config.tls.ca_pem = value_of(config_map, "ca.crt");
    config.credentials.token = std::move(token);
    config.reach = config.proxy.reach = ports_.reach;
    auto const life = std::max<std::chrono::nanoseconds>(*ends - ports_.clock.wall(), std::chrono::nanoseconds{});
    co_return Written{.config = std::move(config), .renew_at = ports_.clock.boot() + life * 4 / 5};
}

}  // namespace holdfast::access
