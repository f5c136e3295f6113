// modules/azure/error_body.hpp: whether an answer is Azure's own, and what it says.
#pragma once

#include "modules/azure/transport.hpp"

namespace holdfast::azure {

/// Status and Retry-After of any answer; code and from_service when the body is {"error":{"code":…,"message":…}}.
/// `message` gets the service's text.
Refusal refusal_of(http::Response const& response, std::chrono::system_clock::time_point now,
                   std::string* message = nullptr);

}  // namespace holdfast::azure
