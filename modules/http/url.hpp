// modules/http/url.hpp: splits an absolute URL, and percent-encodes its parts.
#pragma once

#include "modules/base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::http {

struct Url {
    std::string scheme;    // "http" or "https", lower case
    std::string user;      // decoded; empty when absent
    std::string password;  // decoded
    std::string host;      // lower case, IPv6 without brackets
    std::uint16_t port = 0;
    std::string target = "/";  // path and query as they stood, never the fragment

    /// "host:port", IPv6 in brackets.
    std::string authority() const;
    /// Scheme, authority and target; never user or password, so it is fit for a log.
    std::string text() const;
};

/// Errors  invalid_input  no scheme or host, other scheme, bad port, control character or space
Result<Url> parse_url(std::string_view text);

/// Resolves a Location header against the URL it answered.
Result<Url> resolve_reference(Url const& base, std::string_view reference);

/// Encodes everything but unreserved characters (RFC 3986); for a path segment or a query value.
std::string percent_encode(std::string_view text);
/// Out  the text with %XX decoded; a broken escape stays as it is
std::string percent_decode(std::string_view text);

/// "a=1&b=x%20y"
std::string query_string(std::vector<std::pair<std::string, std::string>> const& parameters);
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query);

}  // namespace holdfast::http
