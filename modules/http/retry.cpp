// modules/http/retry.cpp: which answers are worth another try, and when.
#include "modules/http/retry.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>

namespace holdfast::http {

Errc errc_of_status(unsigned status) {
    switch (status) {
        case 401:
        case 403:
        case 407: return Errc::denied;
        case 404:
        case 410: return Errc::not_found;
        case 408: return Errc::timeout;
        case 409:
        case 429: return Errc::busy;
        case 413: return Errc::limit;
        default: return status >= 500 ? Errc::busy : Errc::invalid_input;
    }
}

// Longer is no plan but a fault; and a number near its type's end overflows when it becomes a finer unit.
static constexpr std::chrono::seconds kRetryAfterMax = std::chrono::days{1};

std::optional<std::chrono::seconds> retry_after(Headers const& headers, std::chrono::system_clock::time_point now) {
    auto const value = headers.find("Retry-After");
    if (!value) return std::nullopt;
    std::int64_t seconds = 0;
    auto const [end, ec] = std::from_chars(value->data(), value->data() + value->size(), seconds);
    if (ec == std::errc{} && end == value->data() + value->size()) {
        if (seconds < 0) return std::nullopt;
        return std::min(std::chrono::seconds{seconds}, kRetryAfterMax);
    }
    std::tm parts{};
    auto const text = std::string{*value};
    if (::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts) == nullptr) return std::nullopt;
    // In seconds: a time_point of nanoseconds ends in the year 2262.
    auto const delay = static_cast<std::int64_t>(::timegm(&parts)) - std::chrono::system_clock::to_time_t(now);
    return std::clamp(std::chrono::seconds{delay}, std::chrono::seconds{0}, kRetryAfterMax);
}

static bool worth_another_try(Result<Response> const& response) {
    if (!response) return response.error().code == Errc::offline || response.error().code == Errc::timeout;
    auto const status = response->status;
    return status == 429 || status == 502 || status == 503 || status == 504;
}

Task<Response> send_with_retry(Client& client, Endpoint endpoint, Request request, Bounds bounds, RetryPolicy policy) {
    Backoff backoff{policy.backoff};
    for (unsigned tries = 1;; ++tries) {
        auto response = co_await client.send(endpoint, request, bounds);
        if (!worth_another_try(response) || tries >= policy.tries_max) co_return std::move(response);
        std::chrono::milliseconds delay = backoff.next();
        if (response) {
            auto const asked = retry_after(response->headers, std::chrono::system_clock::now());
            if (asked && *asked > policy.retry_after_max) co_return std::move(response);
            if (asked) delay = *asked;
        }
        co_await sleep_for(delay);
    }
}

}  // namespace holdfast::http
