// modules/http/retry.hpp: tries again when trying again can help.
#pragma once

#include "modules/base/backoff.hpp"
#include "modules/http/client.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace holdfast::http {

struct RetryPolicy {
    unsigned tries_max = 4;
    BackoffPolicy backoff{.delay_min = std::chrono::milliseconds{500}, .delay_max = std::chrono::milliseconds{30'000}};
    std::chrono::seconds retry_after_max{
        120};  // a longer Retry-After ends the tries: the answer is given to the caller
};

/// Sends until the answer is neither 429, 502, 503 nor 504 and no offline or timeout occurred, at most tries_max
/// times; waits as long as Retry-After says, else by backoff. The last answer or error is returned.
/// For requests that may be repeated.
Task<Response> send_with_retry(Client& client, Endpoint endpoint, Request request, Bounds bounds,
                               RetryPolicy policy = {});

/// The longest Retry-After that is believed.
inline constexpr std::chrono::hours kRetryAfterMax{24};

/// Retry-After in seconds or as an HTTP date, kRetryAfterMax at most; nothing when absent or unreadable.
std::optional<std::chrono::seconds> retry_after(Headers const& headers, std::chrono::system_clock::time_point now);

/// The reaction to a status that is not 2xx: 401, 403, 407 denied; 404, 410 not_found; 408 timeout;
/// 409, 429, 500, 502, 503, 504 busy; 413 limit; every other invalid_input.
Errc errc_of_status(unsigned status);

}  // namespace holdfast::http
