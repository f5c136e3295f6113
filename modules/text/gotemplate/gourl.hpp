// modules/text/gotemplate/gourl.hpp: Go's net/url as far as urlParse and urlJoin need it.
#pragma once

#include "modules/base/error.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::gotemplate {

struct Url {
    struct User {
        std::string name, password;
        bool has_password = false;
        std::string text() const;  // escaped
    };
    std::string scheme, opaque, host, path, raw_path, query, fragment, raw_fragment;
    std::optional<User> user;
    bool force_query = false, omit_host = false;

    std::string hostname() const;  // without port and brackets
    std::string text() const;      // URL.String
};

/// url.Parse.  Errors  invalid_input, Go's text: parse "x": missing protocol scheme
Result<Url> parse_url(std::string_view text);

}  // namespace holdfast::gotemplate
