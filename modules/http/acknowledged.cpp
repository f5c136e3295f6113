// modules/http/acknowledged.cpp: a file of its own, for the kernel's <linux/tcp.h> and glibc's <netinet/tcp.h> exclude each other, and
// only the kernel's knows tcpi_bytes_acked.
#include "modules/http/acknowledged.hpp"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace holdfast::http {

std::uint64_t bytes_acknowledged(int socket) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
    return info.tcpi_bytes_acked;
}

}  // namespace holdfast::http
