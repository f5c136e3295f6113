// modules/azure/logs_ingestion.hpp: one POST of rows to Azure Monitor's Logs Ingestion API.
#pragma once

#include "modules/azure/transport.hpp"
#include "modules/base/clock.hpp"

#include <cstddef>
#include <string>

namespace holdfast::azure {

struct LogsIngestionSettings {
    std::string endpoint;  // of the data collection endpoint or rule: "https://x.westeurope-1.ingest.monitor.azure.com"
    std::string rule_id;   // immutable id: "dcr-…"
    std::string api_version = "2023-01-01";
    std::chrono::milliseconds whole_max{900'000};  // a slow link: silence ends it much earlier
    std::chrono::milliseconds idle_max{
        30'000};  // in which neither the service answers nor a byte of ours is acknowledged

    /// Errors  invalid_input  names what is missing
    Result<void> check() const;
};

/// What came back. Only `accepted` is a yes: a 200 is some portal's page.
struct PostAnswer {
    bool accepted = false;  // 204
    Refusal refusal;
    std::string message;     // for people: status, code and the service's text
    std::string request_id;  // x-ms-client-request-id as sent
};

class LogsIngestion {
public:
    /// All outlive this object.
    LogsIngestion(http::Client& client, Transport& transport, Clock const& clock, LogsIngestionSettings settings);

    /// Sends rows once.
    ///
    /// In      stream     "Custom-FluxCompliance_CL"
    ///         gzip_rows  a JSON array of objects, packed; the service counts 1 MB before and after packing
    /// Errors  offline, timeout, denied (TLS), limit, invalid_input  no usable answer: the rows may have arrived;
    ///         refusal->is_ours when nothing was sent because of a setting or the CA file
    /// Never   puts the token into an answer or error; repeats the request
    /// Wire    POST <endpoint>/dataCollectionRules/<rule>/streams/<stream>?api-version=…
    /// Source  learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview
    Task<PostAnswer> post(std::string stream, std::string gzip_rows, std::string token, Refusal* refusal = nullptr);

private:
    http::Client& client_;
    Transport& transport_;
    Clock const& clock_;
    LogsIngestionSettings settings_;
};

}  // namespace holdfast::azure
