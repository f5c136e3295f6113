// modules/source/hosts.cpp: one pause a silent host, one asker after it.
#include "modules/source/hosts.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::source {

namespace {

constexpr std::chrono::seconds kMoment{10};  // a deadline shorter than this says nothing about the host

}  // namespace

bool is_away(Error const& error) { return is_retryable(error.code) || error.code == Errc::corrupt; }

bool is_silence(Error const& error, std::chrono::nanoseconds allowed) {
    return error.code == Errc::offline || (error.code == Errc::timeout && allowed >= kMoment);
}

Hosts::Turn::Turn(Hosts& hosts, std::string host, std::uint64_t probe)
    : hosts_(&hosts), host_(std::move(host)), probe_(probe), began_(hosts.clock_.boot()) {}

Hosts::Turn::Turn(Turn&& other) noexcept
    : hosts_(std::exchange(other.hosts_, nullptr)), host_(std::move(other.host_)), probe_(other.probe_),
      began_(other.began_) {}

Hosts::Turn::~Turn() {
    if (hosts_ == nullptr || probe_ == 0) return;
    auto const found = hosts_->silent_.find(host_);
    if (found != hosts_->silent_.end() && found->second.probe == probe_) found->second.probe = 0;
}

void Hosts::Turn::answered() {
    if (hosts_ == nullptr) return;
    Hosts& hosts = *std::exchange(hosts_, nullptr);
    bool const was_silent = hosts.silent_.erase(host_) > 0;
    if (was_silent && hosts.listener_) hosts.listener_(host_);
}

std::chrono::nanoseconds Hosts::Turn::silent(Error error) {
    if (hosts_ == nullptr || host_.empty()) return {};
    Hosts& hosts = *std::exchange(hosts_, nullptr);
    auto const now = hosts.clock_.boot();
    auto const found = hosts.silent_.find(host_);
    bool const is_new = found == hosts.silent_.end();
    Host& host = is_new ? hosts.silent_.emplace(host_, Host{Backoff{hosts.retry_}, std::move(error)}).first->second
                        : found->second;
    // Those who asked together before anybody knew have found out one thing, not several.
    if (is_new || began_ >= host.since) {
        host.since = now;
        host.pause = host.backoff.next();
    }
    if (host.probe == probe_) host.probe = 0;
    return host.since + host.pause - now;
}

std::expected<Hosts::Turn, Hosts::Silence> Hosts::take_turn(std::string const& host,
                                                            std::chrono::nanoseconds patience) {
    auto const found = silent_.find(host);
    if (found == silent_.end()) return Turn{*this, host, 0};
    Host& silent = found->second;
    if (silent.probe != 0) return std::unexpected{Silence{silent.error, silent.pause}};
    auto const left = silent.since + std::min(silent.pause, patience) - clock_.boot();
    if (left > std::chrono::nanoseconds{0}) return std::unexpected{Silence{silent.error, left}};
    silent.probe = ++probes_;
    return Turn{*this, host, silent.probe};
}

}  // namespace holdfast::source
