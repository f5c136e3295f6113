// modules/kube/watcher.hpp: lists a kind and follows its changes for ever, through every interruption.
#pragma once

#include "modules/base/backoff.hpp"
#include "modules/kube/cluster.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::kube {

/// What follows a kind. A list replaces everything known before it: what is not between list_begins() and list_ends()
/// is gone. An unfinished list is followed by another list_begins().
class WatchHandler {
public:
    virtual ~WatchHandler() = default;
    virtual void list_begins() = 0;
    /// Between list_begins() and list_ends(): an object of the list. After: an object that was added or changed.
    virtual void changed(Object object) = 0;
    virtual void deleted(Object object) = 0;
    virtual void list_ends() = 0;
    /// Nothing changed up to here.
    virtual void bookmark(std::string_view resource_version) { static_cast<void>(resource_version); }
    virtual void unwatchable(Error error) { static_cast<void>(error); }
};

struct WatcherOptions {
    GroupVersionKind gvk;
    std::string ns = "";  // "": all namespaces
    std::string label_selector = "";
    std::string field_selector = "";
    bool metadata_only = false;
    std::size_t page_size = 500;
    BackoffPolicy backoff{.delay_min = std::chrono::milliseconds{500}, .delay_max = std::chrono::milliseconds{30'000}};
    std::chrono::seconds missing_kind_delay{30};  // a kind that is not served is asked for this often
};

/// Runs until cancelled. Stores nothing but where it stands.
class Watcher {
public:
    struct State {
        bool synced = false;  // a list was completed and no error occurred since
        bool kind_missing = false;
        bool refused = false;
        std::string resource_version;
        std::optional<std::chrono::steady_clock::time_point> heard_at;  // last list, event or bookmark
        std::string last_error;                                         // empty when synced
        std::uint64_t lists = 0;
        std::uint64_t watches = 0;
        std::uint64_t events = 0;
    };

    /// `cluster` and `handler` must outlive run().
    Watcher(Cluster& cluster, WatchHandler& handler, WatcherOptions options);

    /// Never returns by itself: start it in a TaskGroup.
    asio::awaitable<void> run();

    State const& state() const { return state_; }
    WatcherOptions const& options() const { return options_; }

private:
    Task<void> list_once(Resource resource);
    Task<void> watch_once(Resource resource, Refusal& refusal);

    Cluster& cluster_;
    WatchHandler& handler_;
    WatcherOptions options_;
    Backoff backoff_;
    State state_;
};

}  // namespace holdfast::kube
