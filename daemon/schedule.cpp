// daemon/schedule.cpp: a queue by due time, a timer, and a bounded group of running stories.
#include "daemon/schedule.hpp"

#include <boost/asio/redirect_error.hpp>

#include <algorithm>

namespace holdfast::daemon {

namespace {

// The timer runs on the monotonic clock, due times on the boot clock: after a sleep of the machine this is how
// late the schedule notices at most.
constexpr std::chrono::seconds kLookAtLeastEvery{30};
constexpr std::chrono::seconds kJitterFrom{60};
constexpr double kJitter = 0.05;  // Flux's --interval-jitter-percentage

}  // namespace

Schedule::Schedule(asio::any_io_executor executor, Clock const& clock, Bounds bounds, Story story)
    : clock_(clock), bounds_(bounds), story_(std::move(story)),
      group_(executor, bounds.sources + bounds.kustomizations + bounds.configs), timer_(executor),
      random_(static_cast<std::minstd_rand::result_type>(clock.boot().count())) {}

std::size_t Schedule::bound_of(model::Kind kind) const {
    switch (kind) {
        case model::Kind::git_repository: return bounds_.sources;
        case model::Kind::kustomization: return bounds_.kustomizations;
        case model::Kind::flux_config: return bounds_.configs;
    }
    return 1;
}

void Schedule::put(model::Key const& key, std::chrono::nanoseconds due) {
    auto const present = due_.find(key);
    if (present != due_.end()) {
        if (present->second <= due) return;
        queue_.erase({present->second, key});
    }
    due_[key] = due;
    queue_.emplace(due, key);
    timer_.cancel();
}

void Schedule::want(model::Key const& key, std::chrono::nanoseconds after) {
    auto const running = running_.find(key);
    if (running != running_.end() && after.count() == 0) {
        running->second = true;
        return;
    }
    put(key, clock_.boot() + after);
}

void Schedule::forget(model::Key const& key) {
    auto const present = due_.find(key);
    if (present == due_.end()) return;
    queue_.erase({present->second, key});
    due_.erase(present);
}

std::chrono::nanoseconds Schedule::lateness() const {
    auto const now = clock_.boot();
    for (auto const& [due, key] : queue_) {
        if (due >= now) break;
        // Slow servers keep the places of their kind: the queue behind them is long, and nothing here is stuck.
        auto const busy = busy_.find(key.kind);
        bool const is_full = busy != busy_.end() && busy->second >= bound_of(key.kind);
        if (!is_full && !running_.contains(key)) return now - due;
    }
    return {};
}

asio::awaitable<void> Schedule::run() {
    while (!stopping_) {
        auto const now = clock_.boot();
        std::chrono::nanoseconds next = kLookAtLeastEvery;
        std::vector<model::Key> start;
        std::map<model::Kind, std::size_t> busy = busy_;
        for (auto const& [due, key] : queue_) {
            if (due > now) {
                next = std::min<std::chrono::nanoseconds>(next, due - now);
                break;
            }
            // One whose kind is at its bound, or that still runs, stays queued: the end of a run wakes this loop.
            if (running_.contains(key) || busy[key.kind] >= bound_of(key.kind)) continue;
            ++busy[key.kind];
            start.push_back(key);
        }
        for (model::Key const& key : start) {
            forget(key);
            running_[key] = false;
            ++busy_[key.kind];
            auto started = group_.start(key.text(), run_one(key));
            if (!started) {
                running_.erase(key);
                --busy_[key.kind];
                put(key, now + std::chrono::seconds{1});
            }
        }
        timer_.expires_after(next);
        boost::system::error_code ignored;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
}

asio::awaitable<void> Schedule::run_one(model::Key key) {
    // Whatever ends the story, cancellation included, the place is given back.
    struct Place {
        Schedule& schedule;
        model::Key const& key;
        ~Place() {
            schedule.running_.erase(key);
            --schedule.busy_[key.kind];
            schedule.timer_.cancel();
        }
    } place{*this, key};
    story::Next const next = co_await story_(key);
    ++passes_;
    if (running_[key]) {
        put(key, clock_.boot());
    } else if (next.after) {
        auto after = *next.after;
        if (after >= kJitterFrom) {
            std::uniform_real_distribution<double> spread{1 - kJitter, 1 + kJitter};
            after = std::chrono::nanoseconds{
                static_cast<std::int64_t>(static_cast<double>(after.count()) * spread(random_))};
        }
        put(key, clock_.boot() + after);
    }
}

asio::awaitable<void> Schedule::stop() {
    stopping_ = true;
    timer_.cancel();
    group_.cancel();
    co_await group_.join();
}

}  // namespace holdfast::daemon
