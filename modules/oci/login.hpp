// modules/oci/login.hpp: which login is for which registry, as Docker's configuration files say it.
// Pure. Source  google/go-containerregistry pkg/authn/kubernetes keychain.go, pkg/authn authn.go
#pragma once

#include "modules/base/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::oci {

struct Login {
    std::string username;
    std::string password;
    std::string identity_token;  // given to a token server in place of a password
    std::string registry_token;  // a bearer token as it is

    bool empty() const { return username.empty() && identity_token.empty() && registry_token.empty(); }
};

inline constexpr std::size_t kLoginsMax = 256;

class Keyring {
public:
    struct Entry {
        std::string place;  // "ghcr.io", "*.example.com", "ghcr.io/org"
        Login login;
    };

    /// Adds what a Secret of type kubernetes.io/dockerconfigjson holds: {"auths": {"ghcr.io": {"auth": "…"}}}.
    /// Errors  invalid_input  no such text;  limit  more than kLoginsMax
    Result<void> add_config(std::string_view text);
    /// The same of the older kubernetes.io/dockercfg, which is the inner object alone.
    Result<void> add_auths(std::string_view text);
    /// Errors  limit  more than kLoginsMax
    Result<void> add(std::string place, Login login);

    /// The login for "ghcr.io/org/app": of the places that fit the one that is longest in the order of their bytes, as Flux.
    /// Out  an empty one when none fits
    Login find(std::string_view resource) const;

    std::vector<Entry> const& entries() const { return entries_; }

private:
    std::vector<Entry> entries_;
};

}  // namespace holdfast::oci
