// modules/source/hosts.cpp: one pause a silent host and namespace, one asker after it.
#include "modules/source/hosts.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::source {

namespace {

constexpr std::chrono::seconds kMoment{10};  // a deadline shorter than this says nothing about the host
constexpr std::size_t kHostsMax = 1'024;     // silent ones known; beyond, those whose pause is over are forgotten

}  // namespace

bool is_away(Error const& error) { return is_retryable(error.code) || error.code == Errc::corrupt; }

bool is_silence(Error const& error, std::chrono::nanoseconds allowed) {
    return error.code == Errc::offline || (error.code == Errc::timeout && allowed >= kMoment);
}

bool is_answer(Error const& error) { return error.code != Errc::offline && error.code != Errc::timeout; }

Hosts::Host* Hosts::find(std::string const& ns, std::string const& host) {
    auto const at = silent_.find(host);
    if (at == silent_.end()) return nullptr;
    auto const found = at->second.find(ns);
    return found == at->second.end() ? nullptr : &found->second;
}

Hosts::Turn::Turn(Hosts& hosts, std::string ns, std::string host, std::uint64_t probe)
    : hosts_(&hosts), ns_(std::move(ns)), host_(std::move(host)), probe_(probe), began_(hosts.clock_.boot()) {}

Hosts::Turn::Turn(Turn&& other) noexcept
    : hosts_(std::exchange(other.hosts_, nullptr)), ns_(std::move(other.ns_)), host_(std::move(other.host_)),
      probe_(other.probe_), began_(other.began_) {}

Hosts::Turn::~Turn() {
    if (hosts_ == nullptr || probe_ == 0) return;
    Host* const host = hosts_->find(ns_, host_);
    if (host != nullptr && host->probe == probe_) host->probe = 0;
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
    Host* const known = hosts.find(ns_, host_);
    bool const is_new = known == nullptr;
    if (is_new && hosts.silent_.size() >= kHostsMax) hosts.forget_stale();
    Host& host = is_new ? hosts.silent_[host_].emplace(ns_, Host{Backoff{hosts.retry_}, std::move(error)}).first->second
                        : *known;
    // Those who asked together before anybody knew have found out one thing, not several.
    if (is_new || began_ >= host.since) {
        host.since = now;
        host.pause = host.backoff.next();
    }
    if (host.probe == probe_) host.probe = 0;
    return host.since + host.pause - now;
}

void Hosts::forget_stale() {
    auto const now = clock_.boot();
    for (auto& [host, by_ns] : silent_) {
        std::erase_if(
            by_ns, [&](auto const& one) { return one.second.probe == 0 && one.second.since + one.second.pause < now; });
    }
    std::erase_if(silent_, [](auto const& one) { return one.second.empty(); });
}

std::expected<Hosts::Turn, Hosts::Silence> Hosts::take_turn(std::string const& ns, std::string const& host,
                                                            std::chrono::nanoseconds patience) {
    Host* const known = find(ns, host);
    if (known == nullptr) return Turn{*this, ns, host, 0};
    Host& silent = *known;
    if (silent.probe != 0) return std::unexpected{Silence{silent.error, silent.pause}};
    auto const left = silent.since + std::min(silent.pause, patience) - clock_.boot();
    if (left > std::chrono::nanoseconds{0}) return std::unexpected{Silence{silent.error, left}};
    silent.probe = ++probes_;
    return Turn{*this, ns, host, silent.probe};
}

}  // namespace holdfast::source
