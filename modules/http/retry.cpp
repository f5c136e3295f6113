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

std::optional<std::chrono::seconds> retry_after(Headers const& headers, std::chrono::system_clock::time_point now) {
    auto const value = headers.find("Retry-After");
    if (!value) return std::nullopt;
    // In whole seconds and bounded before anything is made of them: a clock of nanoseconds ends in the year 2262.
    static constexpr std::int64_t kLongest = std::chrono::seconds{kRetryAfterMax}.count();
    auto const bounded = [](std::int64_t seconds) {
        return std::chrono::seconds{std::clamp<std::int64_t>(seconds, 0, kLongest)};
    };
    std::int64_t seconds = 0;
    auto const [end, ec] = std::from_chars(value->data(), value->data() + value->size(), seconds);
    if (ec != std::errc::invalid_argument && end == value->data() + value->size()) {
        if (value->starts_with('-')) return std::nullopt;
        return bounded(ec == std::errc{} ? seconds : kLongest);
    }
    std::tm parts{};
    auto const text = std::string{*value};
    if (::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts) == nullptr) return std::nullopt;
    auto const today = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    return bounded(std::int64_t{::timegm(&parts)} - today);
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
