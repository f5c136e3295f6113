// modules/http/resolve.hpp: host names to addresses, without a thread and without NSS.
#pragma once

#include "modules/base/async.hpp"

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace holdfast::http {

/// Literals and "localhost" at once, then /etc/hosts, then the servers of /etc/resolv.conf as it is now.
/// Errors  offline  no such host, or no name server reachable;  timeout
Task<std::vector<asio::ip::address>> resolve(std::string host, std::chrono::steady_clock::time_point deadline);

}  // namespace holdfast::http
