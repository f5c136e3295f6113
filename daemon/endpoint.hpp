// daemon/endpoint.hpp: the status endpoint: which path shows what, and the one that changes something.
#pragma once

#include "modules/http/server.hpp"
#include "modules/status/snapshot.hpp"

#include <functional>

namespace holdfast::daemon {

/// `queue` answers a request of queue_desk.hpp, over the socket alone.
/// `snapshot` is taken for each request over the socket, and at most once a second over TCP; `not_ready` says why the daemon cannot do its work now: empty when it can.
void add_routes(http::Server& server, std::function<asio::awaitable<status::Snapshot>()> snapshot,
                std::function<std::string()> not_ready, std::function<Task<std::string>(std::string request)> queue);

}  // namespace holdfast::daemon
