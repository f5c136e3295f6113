// modules/uplink/delivery.hpp: brings one window of records to the service, and says what stopped it.
#pragma once

#include "modules/uplink/drain.hpp"

#include <functional>
#include <span>
#include <vector>

namespace holdfast::uplink {

/// Why a window was not delivered whole, as the reaction it asks for.
struct Setback {
    enum class Kind {
        network,  // offline, timeout, a portal, 408, 5xx, 429: wait and try again
        refused,  // 401, 403, 404, a principal or configuration that is wrong: wait long
        queue,    // our own database
    };
    Kind kind = Kind::network;
    std::string message;
    std::optional<std::chrono::seconds> retry_after;
    bool this_stream_only = false;  // the other stream may still get through
    bool more_may_tell = false;     // one more record would show whether the refused ones are bad themselves
};

/// Owned by the loop; keeps what it learned between windows.
class Delivery {
public:
    struct Progress {
        std::function<void(std::size_t records)> accepted;  // one request was answered 204 and acknowledged
        std::function<void(std::int64_t sequence, std::string const& reason)> set_aside;
    };

    Delivery(Drain::Ports ports, Settings const& settings, azure::Tokens& tokens, azure::LogsIngestion& ingestion,
             Progress progress);

    /// Sends the records by stream, in order. What was accepted is acknowledged even when a later part fails.
    /// Out  nothing when every record is acknowledged or set aside
    asio::awaitable<std::optional<Setback>> deliver(std::vector<QueuedRecord> window);

private:
    using Records = std::span<QueuedRecord const>;
    struct Verdict;

    asio::awaitable<std::optional<Setback>> deliver_stream(model::Stream stream, std::vector<QueuedRecord> records);
    asio::awaitable<Verdict> send(model::Stream stream, Records records);
    asio::awaitable<Verdict> post(model::Stream stream, std::string packed);
    asio::awaitable<std::optional<Setback>> acknowledge(Records records);
    asio::awaitable<std::optional<Setback>> set_aside(std::int64_t sequence, std::string reason);

    std::string const& stream_name(model::Stream stream) const;

    Drain::Ports ports_;
    Settings const& settings_;
    azure::Tokens& tokens_;
    azure::LogsIngestion& ingestion_;
    Progress progress_;
    std::size_t suspects_max_;  // refused alone in one window before we doubt the configuration, not the records
};

}  // namespace holdfast::uplink
