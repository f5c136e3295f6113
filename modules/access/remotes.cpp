// modules/access/remotes.cpp: who uses which connection, when it is made anew, and which cluster answers there.
#include "modules/access/remotes.hpp"

#include <algorithm>

namespace holdfast::access {

static constexpr unsigned kUnauthorized = 401;
static constexpr unsigned kForbidden = 403;

std::string cluster_name(std::string const& address, std::string const& uid) {
    return uid.empty() ? address : address + " " + uid;
}

bool is_same_cluster(std::string const& a, std::string const& b) {
    auto const a_uid = a.find(' ');
    auto const b_uid = b.find(' ');
    if (a_uid != std::string::npos && b_uid != std::string::npos) return a.substr(a_uid) == b.substr(b_uid);
    return a.substr(0, a_uid) == b.substr(0, b_uid);
}

std::string fuller_name(std::string const& before, std::string const& now) {
    bool const says_less = before.contains(' ') && !now.contains(' ');
    return says_less && is_same_cluster(before, now) ? before : now;
}

Result<std::shared_ptr<Remotes::Slot>> Remotes::hold(model::Key const& key, Place const& place) {
    auto const used = used_.find(key);
    if (used != used_.end() && used->second == place) return slots_.at(place);
    forget(key);
    auto found = slots_.find(place);
    if (found == slots_.end()) {
        if (!places_.may_take(place.ns)) {
            return fail(Errc::limit, "too many remote clusters for namespace '" + place.ns + "': it has its share of " +
                                         std::to_string(kConnectionsMax) + " connections");
        }
        places_.take(place.ns);
        found = slots_.emplace(place, std::make_shared<Slot>()).first;
    }
    used_.emplace(key, place);
    return found->second;
}

void Remotes::forget(model::Key const& key) {
    auto const used = used_.extract(key);
    if (used.empty()) return;
    Place const& place = used.mapped();
    bool const needed = std::ranges::any_of(used_, [&](auto const& one) { return one.second == place; });
    if (needed) return;
    slots_.erase(place);
    places_.give_back(place.ns);
}

/// A token of the kind that ends is renewed before it does, and once the server knows it no more.
bool Remotes::is_stale(Slot const& slot, std::string const& version) const {
    if (slot.remote.connection == nullptr || slot.remote.version != version) return true;
    return slot.renew_at &&
           (ports_.clock.boot() >= *slot.renew_at || slot.remote.connection->last_code() == kUnauthorized);
}

Result<void> Remotes::connect(Slot& slot, std::string version, Written written) {
    slot.renew_at = written.renew_at;
    if (slot.remote.connection != nullptr && slot.remote.version == version) {
        return slot.remote.connection->renew(std::move(written.config));
    }
    slot.remote = {.version = std::move(version), .server = written.config.server.text()};
    while (slot.remote.server.ends_with('/')) slot.remote.server.pop_back();
    auto made = ports_.connect(std::move(written.config));
    if (!made) return fail(std::move(made));
    slot.remote.connection = std::move(*made);
    slot.remote.id = std::to_string(++connections_);
    return {};
}

Task<Remote> Remotes::of(model::Key key, model::KubeConfigRef ref, std::string default_account) {
    Place const place{key.ns, std::move(ref), std::move(default_account)};
    auto held = hold(key, place);
    if (!held) co_return fail(std::move(held));
    std::shared_ptr<Slot> const slot = *held;
    auto written = co_await read(place);
    bool const unread = !written && is_retryable(written.error().code) && slot->remote.connection != nullptr;
    if (!written && !unread) {
        if (!is_retryable(written.error().code)) *slot = {};  // withdrawn
        co_return fail(std::move(written));
    }
    if (!unread) {
        std::string version =
            std::string{kube::uid_of(*written)} + "/" + std::string{kube::resource_version_of(*written)};
        if (is_stale(*slot, version)) {
            auto config = co_await understand(place, std::move(*written));
            if (!config) {
                if (!is_retryable(config.error().code)) *slot = {};
                co_return fail(std::move(config));
            }
            // Another object's pass may have seen to it meanwhile.
            if (is_stale(*slot, version)) {
                auto connected = connect(*slot, std::move(version), std::move(*config));
                if (!connected) *slot = {};
                if (!connected) co_return fail(std::move(connected));
            }
        }
    }
    auto const identified = co_await identify(slot);
    if (!identified) co_return std::unexpected{identified.error()};
    co_return slot->remote;
}

/// Once for a connection, and again when it was broken: another cluster may answer there now.
Task<void> Remotes::identify(std::shared_ptr<Slot> slot) {
    std::shared_ptr<Connection> const connection = slot->remote.connection;
    auto const breaks = connection->breaks();
    if (!slot->remote.where.empty() && slot->breaks == breaks && connection->last_code() != kUnauthorized)
        co_return Result<void>{};
    std::shared_ptr<kube::Cluster> const cluster = connection->as("");
    auto const uid = co_await kube::identity_of(*cluster);
    bool const may_not_read = !uid && uid.error().code == Errc::denied && connection->last_code() == kForbidden;
    if (!uid && !may_not_read) co_return std::unexpected{Error{uid.error()}.in(slot->remote.server)};
    if (slot->remote.connection != connection) co_return fail(Errc::busy, "kubeConfig has changed meanwhile");
    slot->remote.where = cluster_name(slot->remote.server, uid ? *uid : std::string{});
    slot->breaks = breaks;
    co_return Result<void>{};
}

}  // namespace holdfast::access
