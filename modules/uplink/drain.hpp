// modules/uplink/drain.hpp: takes the oldest records from the queue to Azure until none is left, over and over.
// Reading order: Settings, UplinkState, Drain; drain.cpp (the loop), lane.hpp (what a stream learns), delivery.hpp (one request),
// batch.hpp (rows).
#pragma once

#include "modules/azure/logs_ingestion.hpp"
#include "modules/azure/token.hpp"
#include "modules/base/async.hpp"
#include "modules/base/backoff.hpp"
#include "modules/base/clock.hpp"
#include "modules/base/log.hpp"
#include "modules/uplink/ports.hpp"

#include <boost/asio/thread_pool.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::uplink {

struct Settings {
    azure::PrincipalSettings principal;
    azure::LogsIngestionSettings ingestion;  // endpoint empty: no uplink
    azure::TransportSettings transport;
    std::string compliance_stream = "Custom-FluxCompliance_CL";
    std::string object_status_stream = "Custom-FluxObjectStatus_CL";
    std::string site;       // SiteId of every row: Outbox::site()
    std::string site_name;  // Site of every row, for people

    std::chrono::milliseconds poll_interval{60'000};  // looks into the queue without being told
    std::int64_t window_rows_max = 2'000;             // records held in memory at once
    std::int64_t window_bytes_max = 900'000;
    std::size_t aside_per_hour_min =
        100;  // records of a stream set aside each hour; more when many are taken meanwhile
    std::chrono::milliseconds refused_apart{10'000};  // between the two refusals that a record is set aside for
    std::size_t batch_bytes_max = 900'000;            // of rows before packing; the service's bound is 1 MB
    std::chrono::milliseconds wait_min{1'000};        // after any failure
    std::chrono::seconds retry_after_max{3'600};      // a longer Retry-After is cut to this
    // Offline, 408, 5xx: full jitter. Backoff spreads each delay over 0 to 2 x, so these are 1 s to 15 min in effect.
    BackoffPolicy retry{.delay_min = std::chrono::milliseconds{1'000},
                        .delay_max = std::chrono::milliseconds{450'000},
                        .factor = 2.0,
                        .jitter = 1.0};
    // 401, 403, 404, a denied principal: someone has to act; role grants take up to half an hour.
    BackoffPolicy refused{.delay_min = std::chrono::milliseconds{60'000},
                          .delay_max = std::chrono::milliseconds{1'500'000},
                          .factor = 2.0,
                          .jitter = 0.2};

    bool enabled() const { return !ingestion.endpoint.empty(); }

    /// Errors  invalid_input  names the first setting that is missing or wrong. Nothing to check when not enabled.
    Result<void> check() const;
};

enum class UplinkWord {
    disabled,  // no endpoint
    idle,      // nothing waits
    draining,  // records are being sent
    waiting,   // the network or the service is away: tries again by itself
    refused,   // Azure or the configuration says no: tries again, but someone has to act
};

std::string_view to_string(UplinkWord word);

/// For the status page; times are wall clock.
struct UplinkState {
    UplinkWord word = UplinkWord::disabled;
    std::optional<model::WallTime> last_success;  // the last 204
    std::string last_error;                       // of the stream that waits longest; empty when none does
    std::optional<model::WallTime> last_error_at;
    std::optional<model::WallTime> next_try;  // waiting, refused: the first of any stream
    std::uint64_t sent_total = 0;             // records acknowledged since the start
    std::uint64_t batches_total = 0;          // requests answered 204
    std::uint64_t set_aside_total = 0;
    std::optional<model::WallTime> identity_expires;  // of the client certificate
    std::optional<std::chrono::seconds> clock_skew;   // Azure's clock minus ours
};

/// One per process. Everything but the blocking parts runs on one event loop; call it from there.
class Drain {
public:
    struct Ports {
        http::Client& client;
        RecordQueue& queue;
        asio::thread_pool& db;    // where the queue is used
        asio::thread_pool& work;  // where rows are made and packed
        Clock const& clock;
        Log const& log;
    };

    /// `ports` outlive this object; it outlives run(). `seed` of the jitter.
    Drain(Ports ports, Settings settings, asio::any_io_executor executor, std::uint32_t seed = random_seed());
    ~Drain();
    Drain(Drain const&) = delete;
    Drain& operator=(Drain const&) = delete;

    /// The loop; ends when cancelled, or at once when the uplink is disabled. Start it in a TaskGroup, once.
    ///
    /// Promise  a record is acknowledged only after the service's 204 for the request it was in; records of one
    ///          stream are sent in the order of their sequence, and no stream waits for another; a record that the service
    ///          refuses alone is passed over, and leaves the queue when that happens again (lane.hpp): then it is set aside
    ///          with the service's words
    /// Never    logs a secret; ends because of an error
    asio::awaitable<void> run();

    /// A record was put: wakes an idle loop at once. Does not shorten a wait after a failure.
    void poke();

    /// Something else reached the network: a loop that waits for the network tries now.
    void network_is_back();

    UplinkState const& state() const;

private:
    struct Loop;
    std::unique_ptr<Loop> loop_;
};

}  // namespace holdfast::uplink
