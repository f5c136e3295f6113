// modules/http/proxy.cpp: NO_PROXY as Go reads it.
#include "modules/http/proxy.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace holdfast::http {

static bool entry_matches(std::string entry, std::string_view host, std::uint16_t port,
                          asio::ip::address const* address) {
    if (entry == "*") return true;
    if (address != nullptr && entry.contains('/')) {
        auto const network = Network::parse(entry);
        return network && network->contains(*address);
    }
    auto const colon = entry.rfind(':');
    bool const has_port = colon != std::string::npos && entry.find(':') == colon;
    if (has_port) {
        if (entry.substr(colon + 1) != std::to_string(port)) return false;
        entry.resize(colon);
    }
    if (address != nullptr) return entry == host;
    if (entry.starts_with("*.")) entry.erase(0, 1);
    if (entry.starts_with('.')) return host.ends_with(entry);
    return host == entry || host.ends_with("." + entry);
}

bool bypasses_proxy(std::string_view host, std::uint16_t port, std::string_view no_proxy) {
    if (host == "localhost") return true;
    boost::system::error_code ec;
    auto const address = asio::ip::make_address(host, ec);
    bool const is_literal = !ec;
    if (is_literal && address.is_loopback()) return true;
    while (!no_proxy.empty()) {
        auto const part = no_proxy.substr(0, no_proxy.find(','));
        no_proxy.remove_prefix(std::min(no_proxy.size(), part.size() + 1));
        std::string entry;
        for (char const c : part) {
            if (c != ' ' && c != '\t') entry += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
        }
        if (!entry.empty() && entry_matches(entry, host, port, is_literal ? &address : nullptr)) return true;
    }
    return false;
}

Result<std::optional<Url>> proxy_for(Url const& url, ProxySettings const& settings) {
    auto const& text = url.scheme == "https" ? settings.https_proxy : settings.http_proxy;
    if (text.empty() || bypasses_proxy(url.host, url.port, settings.no_proxy)) return std::optional<Url>{};
    auto proxy = parse_url(text.contains("://") ? text : "http://" + text);
    if (!proxy) return fail(std::move(proxy), "proxy");
    if (proxy->scheme != "http") return fail(Errc::invalid_input, "proxy: only http:// proxies are supported");
    return std::optional<Url>{std::move(*proxy)};
}

}  // namespace holdfast::http
