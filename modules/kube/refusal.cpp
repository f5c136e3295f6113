// modules/kube/refusal.cpp: metav1.Status, and the messages for servers that send none.
#include "modules/kube/refusal.hpp"

#include "modules/http/retry.hpp"
#include "modules/kube/parse.hpp"

#include <algorithm>
#include <array>

namespace holdfast::kube {

// Longer is no plan but a fault; and a number near its type's end overflows when it becomes milliseconds.
static constexpr std::chrono::seconds kRetryAfterMax = std::chrono::days{1};

bool Refusal::says_immutable() const {
    return is("Invalid") || is("Conflict") || message.contains("is immutable") || message.contains("immutable field");
}

Refusal refusal_of(Object const& status) {
    Refusal refusal;
    refusal.code = static_cast<unsigned>(find_integer(status, {"code"}).value_or(0));
    refusal.reason = find_string(status, {"reason"});
    refusal.message = find_string(status, {"message"});
    if (auto const* const details = find_object(status, {"details"})) {
        refusal.details = *details;
        std::int64_t const seconds = find_integer(*details, {"retryAfterSeconds"}).value_or(0);
        refusal.retry_after = std::chrono::seconds{std::clamp<std::int64_t>(seconds, 0, kRetryAfterMax.count())};
    }
    return refusal;
}

namespace {

struct Generic {
    unsigned code;
    std::string_view reason;
    std::string_view message;  // empty: the server's own text
};

constexpr std::array kGeneric = std::to_array<Generic>({
    {400, "BadRequest", "the server rejected our request for an unknown reason"},
    {401, "Unauthorized", "the server has asked for the client to provide credentials"},
    {403, "Forbidden", ""},
    {404, "NotFound", "the server could not find the requested resource"},
    {405, "MethodNotAllowed", "the server does not allow this method on the requested resource"},
    {406, "NotAcceptable", "the server was unable to respond with a content type that the client supports"},
    {409, "Conflict", "the server reported a conflict"},
    {415, "UnsupportedMediaType", "the server was unable to respond with a content type that the client supports"},
    {422, "Invalid", "the server rejected our request due to an error in our request"},
    {429, "TooManyRequests", "the server has received too many requests and has asked us to try again later"},
    {503, "ServiceUnavailable", "the server is currently unable to handle the request"},
    {504, "Timeout",
     "the server was unable to return a response in the time allotted, but may still be processing the request"},
});

std::string lower(std::string_view text) {
    std::string out{text};
    for (auto& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    return out;
}

Refusal generic(unsigned code, Asked const& asked, std::string const& body) {
    Refusal refusal{.code = code, .reason = "", .message = "", .details = {}};
    auto const known = std::ranges::find(kGeneric, code, &Generic::code);
    if (known != kGeneric.end()) {
        refusal.reason = known->reason;
        refusal.message = known->message.empty() ? body : std::string{known->message};
        if (code == 409 && asked.method == "POST") refusal.reason = "AlreadyExists";
    } else if (code >= 500) {
        refusal.reason = "InternalError";
        refusal.message = "an error on the server (\"" + body + "\") has prevented the request from succeeding";
    } else {
        refusal.message = "the server responded with the status code " + std::to_string(code) +
                          " but did not return more information";
    }
    if (asked.resource.empty()) return refusal;
    refusal.message += " (" + lower(asked.method) + " " + std::string{asked.resource};
    if (!asked.name.empty()) refusal.message += " " + std::string{asked.name};
    refusal.message += ")";
    return refusal;
}

std::string first_line(std::string_view text) {
    auto const line = text.substr(0, text.find('\n'));
    return std::string{line.substr(0, 512)};
}

}  // namespace

Refusal refusal_of(http::Response const& response, Asked const& asked) {
    auto const object = parse_object(response.body);
    bool const is_status = object && find_string(*object, {"kind"}) == "Status";
    auto refusal = is_status ? refusal_of(*object) : generic(response.status, asked, first_line(response.body));
    if (refusal.code == 0) refusal.code = response.status;
    if (refusal.message.empty()) refusal.message = generic(response.status, asked, "").message;
    auto const asked_pause = http::retry_after(response.headers, std::chrono::system_clock::now());
    if (asked_pause) refusal.retry_after = *asked_pause;
    return refusal;
}

std::string words_about_secret(Refusal const& refusal) {
    /// Behind `before` and the name of an object; "" when it is something else.
    auto const behind_name = [&words = refusal.message](std::string_view before) {
        if (!words.starts_with(before)) return std::string_view{};
        auto const rest = std::string_view{words}.substr(before.size());
        auto const end = rest.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.");
        return end == std::string_view::npos ? std::string_view{} : rest.substr(end);
    };
    bool const is_about_namespace = behind_name("namespaces \"") == "\" not found";
    bool const is_about_rights = behind_name("secrets \"").starts_with("\" is forbidden: User \"");
    return is_about_namespace || is_about_rights ? refusal.message : "the server refused the Secret";
}

Error to_error(Refusal const& refusal) { return {http::errc_of_status(refusal.code), refusal.message}; }

}  // namespace holdfast::kube
