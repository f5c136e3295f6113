// modules/kube/watcher.cpp: list, watch, watch again, list again: until cancelled.
#include "modules/kube/watcher.hpp"

namespace holdfast::kube {

using Clock = std::chrono::steady_clock;

static constexpr auto kHealthyWatch = std::chrono::seconds{5};  // a watch that lived this long resets the backoff

Watcher::Watcher(Cluster& cluster, WatchHandler& handler, WatcherOptions options)
    : cluster_(cluster), handler_(handler), options_(std::move(options)), backoff_(options_.backoff) {}

Task<void> Watcher::list_once(Resource resource) {
    ++state_.lists;
    ListOptions options{.ns = options_.ns,
                        .label_selector = options_.label_selector,
                        .field_selector = options_.field_selector,
                        .metadata_only = options_.metadata_only,
                        .page_size = options_.page_size};
    auto begin = [this] { handler_.list_begins(); };
    auto take = [this](Object object) -> Result<void> {
        handler_.changed(std::move(object));
        return {};
    };
    auto version = co_await cluster_.list(std::move(resource), std::move(options), begin, take);
    if (!version) co_return fail(std::move(version));
    handler_.list_ends();
    state_.resource_version = std::move(*version);
    state_.heard_at = Clock::now();
    co_return Result<void>{};
}

Task<void> Watcher::watch_once(Resource resource, Refusal& refusal) {
    ++state_.watches;
    WatchOptions options{.ns = options_.ns,
                         .label_selector = options_.label_selector,
                         .field_selector = options_.field_selector,
                         .metadata_only = options_.metadata_only,
                         .resource_version = state_.resource_version};
    auto take = [this](Event event, Object object) -> Result<void> {
        state_.resource_version = resource_version_of(object);
        state_.heard_at = Clock::now();
        if (event == Event::bookmark) {
            handler_.bookmark(state_.resource_version);
            return {};
        }
        ++state_.events;
        event == Event::deleted ? handler_.deleted(std::move(object)) : handler_.changed(std::move(object));
        return {};
    };
    auto watched = co_await cluster_.watch(std::move(resource), std::move(options), take, &refusal);
    co_return std::move(watched);
}

asio::awaitable<void> Watcher::run() {
    for (;;) {
        auto resource = co_await cluster_.resource_for(options_.gvk);
        state_.kind_missing = !resource && resource.error().code == Errc::not_found;
        if (!resource) {
            state_.synced = false;
            state_.last_error = resource.error().message;
            auto const delay =
                state_.kind_missing ? std::chrono::milliseconds{options_.missing_kind_delay} : backoff_.next();
            co_await sleep_for(delay);
            continue;
        }
        if (state_.resource_version.empty()) {
            auto listed = co_await list_once(*resource);
            if (!listed) {
                state_.synced = false;
                state_.kind_missing = listed.error().code == Errc::not_found;
                state_.last_error = listed.error().message;
                co_await sleep_for(backoff_.next());
                continue;
            }
        }
        state_.synced = true;
        state_.last_error.clear();
        Refusal refusal;
        auto const began = Clock::now();
        auto watched = co_await watch_once(*resource, refusal);
        bool const lived = Clock::now() - began >= kHealthyWatch;
        if (lived) backoff_.reset();
        if (watched && lived) continue;  // the server ended it after its time
        if (!watched) {
            state_.last_error = watched.error().message;
            state_.synced = false;
            // 410: the server no longer knows where we stood. 404: the kind went away, and may come back as another.
            if (watched.error().code == Errc::not_found) state_.resource_version.clear();
        }
        co_await sleep_for(backoff_.next());
    }
}

}  // namespace holdfast::kube
