// modules/uplink/delivery.hpp: brings records of one stream to the service in one request, and reads the answer.
#pragma once

#include "modules/uplink/drain.hpp"
#include "modules/uplink/lane.hpp"

#include <span>
#include <string>

namespace holdfast::uplink {

/// Owned by the loop; writes nothing to the queue.
class Delivery {
public:
    /// All outlive this object.
    Delivery(Drain::Ports ports, Settings const& settings, azure::Tokens& tokens, azure::LogsIngestion& ingestion)
        : ports_(ports), settings_(settings), tokens_(tokens), ingestion_(ingestion) {}

    /// Sends as many of the front as fit into one request. `records` stay where they are until this returns.
    asio::awaitable<Verdict> send(model::Stream stream, std::span<QueuedRecord const> records);

private:
    asio::awaitable<Verdict> post(model::Stream stream, std::string packed);

    Drain::Ports ports_;
    Settings const& settings_;
    azure::Tokens& tokens_;
    azure::LogsIngestion& ingestion_;
};

/// What an answer of the ingestion service asks for. Its own word counts only in its own form: a portal, a proxy, or a
/// server that is none is the network, whatever its status.
Verdict verdict_of(azure::PostAnswer const& answer);

}  // namespace holdfast::uplink
