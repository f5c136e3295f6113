// modules/kube/watcher.cpp: list, watch, watch on after an asked-for end, list again after any other: until cancelled.
#include "modules/kube/watcher.hpp"

namespace holdfast::kube {

static constexpr auto kHealthyWatch = std::chrono::seconds{5};  // a watch that lived this long resets the backoff
static constexpr auto kEarlyMax = std::chrono::seconds{1};      // the server's clock need not be ours
// Without bookmarks silence says nothing about the server, so the watch is short and its end is the sign of life.
static constexpr auto kWatchWithoutBookmarks = std::chrono::seconds{290};

Watcher::Watcher(Cluster& cluster, WatchHandler& handler, WatcherOptions options)
    : cluster_(cluster), handler_(handler), options_(std::move(options)), backoff_(options_.backoff),
      refused_backoff_({.delay_min = options_.backoff.delay_min, .delay_max = options_.refused_delay}) {}

void Watcher::heard() { state_.heard_at = std::chrono::steady_clock::now(); }

void Watcher::set_synced() {
    if (!state_.synced) state_.since = std::chrono::steady_clock::now();
    state_.synced = true;
    state_.refused = false;
    state_.kind_missing = false;
    state_.last_error.clear();
    state_.last_code = 0;
    told_unwatchable_ = false;
    refused_backoff_.reset();
}

/// Out  how long to wait
std::chrono::milliseconds Watcher::stumble(Error const& error, unsigned code) {
    if (state_.synced || !state_.since) state_.since = std::chrono::steady_clock::now();
    state_.synced = false;
    state_.last_error = error.message;
    state_.last_code = code;
    state_.kind_missing = error.code == Errc::not_found && code != 410;
    state_.refused = code == 403 || code == 405;
    if (state_.refused) {
        if (!std::exchange(told_unwatchable_, true)) handler_.unwatchable(error);
        return refused_backoff_.next();
    }
    if (code == 401) handler_.unauthorized();
    if (state_.kind_missing) {
        handler_.not_served();
        return options_.missing_kind_delay;
    }
    return backoff_.next();
}

Task<void> Watcher::list_once(Resource resource, Refusal& refusal) {
    ++state_.lists;
    ListOptions options{.ns = options_.ns,
                        .label_selector = options_.label_selector,
                        .field_selector = options_.field_selector,
                        .metadata_only = options_.metadata_only,
                        .page_size = options_.page_size,
                        .items_max = options_.items_max};
    auto begin = [this] { handler_.list_begins(); };
    auto take = [this](Object object) -> Result<void> {
        handler_.changed(std::move(object));
        return {};
    };
    auto version = co_await cluster_.list(std::move(resource), std::move(options), begin, take, &refusal);
    if (!version) co_return fail(std::move(version));
    // All pages show the state at this version, so a watch from it sees every later change and delete.
    state_.resource_version = std::move(*version);
    heard();
    handler_.list_ends();
    co_return Result<void>{};
}

Task<void> Watcher::watch_once(Resource resource, Refusal& refusal) {
    ++state_.watches;
    bookmarked_ = false;
    WatchOptions options{.ns = options_.ns,
                         .label_selector = options_.label_selector,
                         .field_selector = options_.field_selector,
                         .metadata_only = options_.metadata_only,
                         .resource_version = state_.resource_version,
                         .server_timeout = options_.watch_max};
    if (sends_bookmarks_) {
        options.silence_max = options_.silence_max;
    } else {
        options.server_timeout = std::min(options_.watch_max, kWatchWithoutBookmarks);
    }
    auto const asked_for = options.server_timeout;
    auto take = [this](Event event, Object object) -> Result<void> {
        state_.resource_version = resource_version_of(object);
        heard();
        set_synced();
        if (event == Event::bookmark) {
            bookmarked_ = true;
            sends_bookmarks_ = true;
            handler_.bookmark(state_.resource_version);
            return {};
        }
        ++state_.events;
        event == Event::deleted ? handler_.deleted(std::move(object)) : handler_.changed(std::move(object));
        return {};
    };
    auto const began = std::chrono::steady_clock::now();
    auto watched = co_await cluster_.watch(std::move(resource), std::move(options), take, &refusal);
    auto const lived = std::chrono::steady_clock::now() - began;
    if (lived >= kHealthyWatch) backoff_.reset();
    if (!watched) {
        if (watched.error().code == Errc::timeout && lived >= options_.silence_max) sends_bookmarks_ = bookmarked_;
        co_return std::move(watched);
    }
    // A server that shuts down ends its watches as cleanly as one whose time is over.
    if (lived + kEarlyMax < asked_for) co_return fail(Errc::offline, "watch: ended before its time");
    heard();
    co_return Result<void>{};
}

Task<void> Watcher::follow(Refusal& refusal) {
    auto resource = co_await cluster_.resource_for(options_.gvk);
    if (!resource && resource.error().code == Errc::not_found && options_.any_version)
        resource = co_await cluster_.any_version_of(options_.gvk.group, options_.gvk.kind, options_.gvk.version);
    if (!resource) co_return std::unexpected{resource.error()};
    auto listed = co_await list_once(*resource, refusal);
    if (!listed) co_return fail(std::move(listed));
    // After a refusal only what a watch brings shows that it is allowed now: the list may have been allowed all along.
    if (!state_.refused) set_synced();
    for (;;) {
        auto watched = co_await watch_once(*resource, refusal);
        if (!watched) co_return fail(std::move(watched));
        set_synced();
    }
}

asio::awaitable<void> Watcher::run() {
    for (;;) {
        Refusal refusal;
        auto const followed = co_await follow(refusal);
        auto const delay = stumble(followed.error(), refusal.code);
        co_await sleep_for(delay);
    }
}

}  // namespace holdfast::kube
