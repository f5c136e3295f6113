// modules/azure/logs_ingestion.cpp: the request as documented, and the answer told apart from a portal's.
#include "modules/azure/logs_ingestion.hpp"

#include "modules/azure/error_body.hpp"
#include "modules/crypto/jwt.hpp"

namespace holdfast::azure {

static constexpr std::size_t kAnswerBytesMax = 64u << 10;

Result<void> LogsIngestionSettings::check() const {
    if (endpoint.empty()) return fail(Errc::invalid_input, "ingestion endpoint is not set");
    if (rule_id.empty()) return fail(Errc::invalid_input, "data collection rule id is not set");
    if (api_version.empty()) return fail(Errc::invalid_input, "API version is not set");
    return {};
}

LogsIngestion::LogsIngestion(http::Client& client, Transport& transport, Clock const& clock,
                             LogsIngestionSettings settings)
    : client_(client), transport_(transport), clock_(clock), settings_(std::move(settings)) {}

Task<PostAnswer> LogsIngestion::post(std::string stream, std::string gzip_rows, std::string token, Refusal* refusal) {
    auto endpoint = transport_.endpoint(settings_.endpoint);
    if (!endpoint && refusal != nullptr) refusal->is_ours = true;
    if (!endpoint) co_return fail(std::move(endpoint), "ingestion");
    std::string base = endpoint->url.target;
    while (base.ends_with('/')) base.pop_back();
    PostAnswer answer{.request_id = crypto::random_uuid()};
    http::Request request{.method = "POST",
                          .target = base + "/dataCollectionRules/" + http::percent_encode(settings_.rule_id) +
                                    "/streams/" + http::percent_encode(stream) +
                                    "?api-version=" + http::percent_encode(settings_.api_version),
                          .headers = {{"Authorization", "Bearer " + token},
                                      {"Content-Type", "application/json"},
                                      {"Content-Encoding", "gzip"},
                                      {"x-ms-client-request-id", answer.request_id}},
                          .body = std::move(gzip_rows)};
    std::string const where = "ingestion at " + endpoint->url.authority();
    http::Bounds const bounds{
        .whole_max = settings_.whole_max, .idle_max = settings_.idle_max, .body_bytes_max = kAnswerBytesMax};
    auto response = co_await client_.send(std::move(*endpoint), std::move(request), bounds);
    if (!response) co_return fail(std::move(response), where);
    answer.accepted = response->status == 204;
    std::string text;
    answer.refusal = refusal_of(*response, clock_.wall(), &text);
    answer.message = where + ": " + http::status_text(response->status);
    if (answer.refusal.from_service) {
        answer.message += " " + answer.refusal.code + ": " + text;
    } else if (!answer.accepted) {
        answer.message += ", but not as the ingestion API answers";
    }
    co_return std::move(answer);
}

}  // namespace holdfast::azure
