// modules/azure/error_body.cpp: reads {"error":{"code","message"}}.
#include "modules/azure/error_body.hpp"

#include "modules/http/retry.hpp"

#include <boost/json/parse.hpp>

namespace holdfast::azure {

namespace json = boost::json;

static std::string_view text_of(json::object const& object, char const* name) {
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string_view{value->get_string()} : std::string_view{};
}

Refusal refusal_of(http::Response const& response, std::chrono::system_clock::time_point now, std::string* message) {
    Refusal refusal{.status = response.status,
                    .code = {},
                    .retry_after = http::retry_after(response.headers, now),
                    .from_service = false};
    json::error_code ec;
    json::value const body = json::parse(response.body, ec);
    if (ec || !body.is_object()) return refusal;
    auto const* error = body.get_object().if_contains("error");
    if (error == nullptr || !error->is_object()) return refusal;
    refusal.code = one_line(text_of(error->get_object(), "code"), 60);
    refusal.from_service = !refusal.code.empty();
    if (message != nullptr) *message = one_line(text_of(error->get_object(), "message"));
    return refusal;
}

}  // namespace holdfast::azure
