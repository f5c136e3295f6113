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
    /// We may not list or watch this kind (403, 405). Said once, and once more when it was followed in between: what
    /// happens to the kind must be looked up. The watcher goes on asking.
    virtual void unwatchable(Error error) { static_cast<void>(error); }
    /// The server does not know who we are (401). Said each time it is asked.
    virtual void unauthorized() {}
    /// The server does not serve this kind. Said each time it is asked for in vain.
    virtual void not_served() {}
};

struct WatcherOptions {
    GroupVersionKind gvk;
    std::string ns = "";  // "": all namespaces
    std::string label_selector = "";
    std::string field_selector = "";
    bool metadata_only = false;
    bool any_version = false;  // a version that is not served any more: the kind is followed in one that is
    std::size_t page_size = 500;
    std::size_t items_max = 0;  // of a list; 0: the server is trusted
    BackoffPolicy backoff{.delay_min = std::chrono::milliseconds{500}, .delay_max = std::chrono::milliseconds{30'000}};
    std::chrono::seconds missing_kind_delay{30};       // a kind that is not served is asked for this often
    std::chrono::milliseconds refused_delay{300'000};  // a kind that we may not follow: at least this often
    std::chrono::seconds watch_max{3'600};             // the server is asked to end a watch after this
    std::chrono::milliseconds silence_max{300'000};    // not even a bookmark: the server is gone, or sends none
};

/// Runs until cancelled. Stores nothing but where it stands.
///
/// Never  puts two resourceVersions in an order: a server that was restored or made anew counts from where it likes, and
///        a watch from a version of its future waits in silence. So a watch goes on from where it stood only when the
///        server ended it at the time that was asked for; after every other end the kind is listed again.
class Watcher {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    struct State {
        bool synced = false;  // a list was completed and no error occurred since
        bool kind_missing = false;
        bool refused = false;  // 403, 405: we may not list or watch this kind
        std::string resource_version;
        std::optional<TimePoint> since;     // synced, or not, since then
        std::optional<TimePoint> heard_at;  // last list, event or bookmark: a refusal does not count
        std::string last_error;             // empty when synced
        unsigned last_code = 0;             // its HTTP status; 0: no answer, or synced
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
    Task<void> list_once(Resource resource, Refusal& refusal);
    Task<void> watch_once(Resource resource, Refusal& refusal);
    /// One list, then watches until one breaks. Returns only by a failure.
    Task<void> follow(Refusal& refusal);
    void heard();
    void set_synced();
    std::chrono::milliseconds stumble(Error const& error, unsigned code);

    Cluster& cluster_;
    WatchHandler& handler_;
    WatcherOptions options_;
    Backoff backoff_;
    Backoff refused_backoff_;
    State state_;
    bool sends_bookmarks_ = true;  // until a whole silence_max has shown otherwise
    bool bookmarked_ = false;      // in this watch
    bool told_unwatchable_ = false;
};

}  // namespace holdfast::kube
