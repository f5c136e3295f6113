// daemon/notify.cpp: datagrams to the socket that systemd named.
#include "daemon/notify.hpp"

#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace holdfast::daemon {

ServiceManager::ServiceManager() {
    char const* const socket = std::getenv("NOTIFY_SOCKET");
    if (socket == nullptr || (socket[0] != '/' && socket[0] != '@')) return;
    address_ = socket;
    if (address_.size() >= sizeof(sockaddr_un::sun_path)) return;
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (char const* const interval = std::getenv("WATCHDOG_USEC")) {
        long long const micros = std::strtoll(interval, nullptr, 10);
        if (micros > 0) watchdog_ = std::chrono::microseconds{micros};
    }
}

ServiceManager::~ServiceManager() {
    if (fd_ >= 0) ::close(fd_);
}

void ServiceManager::send(std::string const& message) {
    if (fd_ < 0) return;
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, address_.data(), address_.size());
    if (to.sun_path[0] == '@') to.sun_path[0] = '\0';  // the abstract namespace
    auto const size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
    // systemd not listening is systemd's affair.
    [[maybe_unused]] auto const sent =
        ::sendto(fd_, message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr const*>(&to), size);
}

void ServiceManager::ready(std::string_view status) { send("READY=1\nSTATUS=" + std::string{status}); }
void ServiceManager::status(std::string_view status) { send("STATUS=" + std::string{status}); }
void ServiceManager::progress() { send("WATCHDOG=1"); }
void ServiceManager::stopping() { send("STOPPING=1"); }

}  // namespace holdfast::daemon
