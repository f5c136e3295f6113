// modules/http/proxy.hpp: which requests go through a proxy.
#pragma once

#include "modules/http/reach.hpp"
#include "modules/http/url.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::http {

/// As in curl and Go: one proxy per scheme, and a list of hosts that are reached directly.
struct ProxySettings {
    std::string http_proxy;   // URL; empty: direct
    std::string https_proxy;  // URL; reached with CONNECT
    std::string no_proxy;     // "10.0.0.0/8,.svc,localhost,*"
    Reach reach{};            // of the proxy itself, by who named it
};

/// Out  the proxy for `url`, nothing when it is reached directly. Loopback is always direct.
/// Errors  invalid_input  the proxy's URL does not parse or is not http://
Result<std::optional<Url>> proxy_for(Url const& url, ProxySettings const& settings);

/// Source  golang.org/x/net/http/httpproxy useProxy
bool bypasses_proxy(std::string_view host, std::uint16_t port, std::string_view no_proxy);

}  // namespace holdfast::http
