// modules/http/acknowledged.hpp: how much of what was sent has arrived, as the kernel knows it; private to modules/http.
#pragma once

#include <cstdint>

namespace holdfast::http {

/// Bytes of a TCP socket that the peer has acknowledged since the connection began; 0 for what is no TCP socket.
std::uint64_t bytes_acknowledged(int socket);

}  // namespace holdfast::http
