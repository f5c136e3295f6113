// daemon/notify.hpp: tells systemd how we are (sd_notify's protocol), when it asked to be told.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::daemon {

class ServiceManager {
public:
    /// Reads NOTIFY_SOCKET and WATCHDOG_USEC; without them every call does nothing.
    ServiceManager();
    ~ServiceManager();
    ServiceManager(ServiceManager const&) = delete;
    ServiceManager& operator=(ServiceManager const&) = delete;

    /// How often the watchdog wants to hear of progress; empty when it does not.
    std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }

    void ready(std::string_view status);
    void status(std::string_view status);
    void progress();
    void stopping();

private:
    void send(std::string const& message);

    int fd_ = -1;
    std::string address_;
    std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace holdfast::daemon
