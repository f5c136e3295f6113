// modules/oci/challenge.hpp: what a registry says that wants a login, and what a token server answers.
// Pure: both texts are a stranger's.
#pragma once

#include "modules/base/error.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace holdfast::oci {

struct Challenge {
    enum class Scheme { basic, bearer };
    Scheme scheme = Scheme::basic;
    std::string realm;  // bearer: the URL of the token server
    std::string service;
    std::string scope;
};

/// Reads a WWW-Authenticate header: 'Bearer realm="https://auth.example.com/token",service="registry"'.
/// Of several challenges the first that is understood counts.
/// Errors  invalid_input  none is understood, or longer than 8 KiB
Result<Challenge> parse_challenge(std::string_view header);

struct Token {
    std::string text;
    std::chrono::seconds lifetime{};  // from its issue; at least a minute as the specification wants, at most an hour
};

/// Reads {"token": "…", "expires_in": 300}; access_token is the same as token.
/// Errors  invalid_input  no object, no token, or one that is no header's value
Result<Token> parse_token(std::string_view text);

}  // namespace holdfast::oci
