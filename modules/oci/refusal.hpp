// modules/oci/refusal.hpp: an answer that is no success, in go-containerregistry's words; private to this folder.
// Pure: the body is a stranger's.
#pragma once

#include "modules/base/error.hpp"
#include "modules/http/message.hpp"
#include "modules/http/url.hpp"

#include <string>
#include <string_view>

namespace holdfast::oci {

/// "GET https://ghcr.io/v2/a/manifests/1: MANIFEST_UNKNOWN: manifest unknown; map[Tag:1]"
/// In      quotes  are its words to be shown? Not those of a host that we were sent to
/// Source  pkg/v1/remote/transport/error.go
Error refused(std::string_view method, http::Url const& url, http::Response const& answer, bool quotes = true);

/// The URL without what a query may hold: values of all parameters but those of the registry's own protocol.
std::string shown_url(http::Url url);

}  // namespace holdfast::oci
