// modules/oci/name.hpp: which repository at which registry, in the words of the distribution specification.
// Pure. Source  google/go-containerregistry pkg/name, which is what Flux reads URLs with.
#pragma once

#include "modules/base/error.hpp"

#include <string>
#include <string_view>

namespace holdfast::oci {

struct Name {
    std::string registry;    // host and port as they are spoken to: "ghcr.io", "index.docker.io", "127.0.0.1:5000"
    std::string repository;  // "org/app"; of Docker's own registry "library/app"

    std::string text() const { return registry + "/" + repository; }
};

/// "oci://ghcr.io/org/app"; without a host it is Docker's.
/// Errors  invalid_input  the text Flux writes behind "URL validation failed for '…': "
Result<Name> parse_name(std::string_view url);

/// Can it be the name of a tag?
bool is_tag(std::string_view text);

/// Errors  invalid_input  not "sha256:<64 hex>"; in go-containerregistry's words
Result<void> check_digest(std::string_view text);

}  // namespace holdfast::oci
