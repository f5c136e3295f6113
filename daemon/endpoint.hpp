// daemon/endpoint.hpp: the status endpoint: which path shows what.
#pragma once

#include "modules/http/server.hpp"
#include "modules/status/snapshot.hpp"

#include <functional>

namespace holdfast::daemon {

/// `snapshot` is taken for each request over the socket, and at most once a second over TCP; `ready` says whether the database answers and the journal was read.
void add_routes(http::Server& server, std::function<asio::awaitable<status::Snapshot>()> snapshot,
                std::function<bool()> ready);

}  // namespace holdfast::daemon
