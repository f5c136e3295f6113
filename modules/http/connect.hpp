// modules/http/connect.hpp: the one place where a connection to another machine is opened, and so where it is refused.
#pragma once

#include "modules/http/reach.hpp"
#include "modules/http/stream.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace holdfast::http {

/// Connects to a TCP address by name or literal, trying each address in turn until `deadline`. Whoever hands the socket on
/// takes it out with Stream::release().
///
/// Errors  denied   every address is one that `reach` refuses: "127.0.0.1 is a loopback address: …"
///         offline  no such host, refused, unreachable; timeout
/// Never   connects an address that `reach` refuses, whatever the host is called
Task<std::unique_ptr<Stream>> connect_tcp(std::string host, std::uint16_t port, Reach reach,
                                          Stream::Clock::time_point deadline);
Task<std::unique_ptr<Stream>> connect_unix(std::string path);

/// Why nothing is carried to `what`, "a loopback address".
std::unexpected<Error> not_reached(std::string const& host, std::string_view what);

}  // namespace holdfast::http
