// daemon/schedule.cpp: a queue by due time, a timer, and a bounded group of running stories.
#include "daemon/schedule.hpp"

#include <boost/asio/redirect_error.hpp>

#include <algorithm>
#include <numeric>

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
      group_(executor, std::accumulate(bounds.begin(), bounds.end(), std::size_t{0})), timer_(executor),
      random_(static_cast<std::minstd_rand::result_type>(clock.boot().count())) {}

std::size_t& Schedule::busy(model::Key const& key) {
    return busy_[static_cast<std::size_t>(model::info(key.kind).what)];
}

bool Schedule::is_full(model::Key const& key) const {
    auto const what = static_cast<std::size_t>(model::info(key.kind).what);
    return busy_[what] >= bounds_[what];
}

void Schedule::put(model::Key const& key, std::chrono::nanoseconds due) {
    auto const present = due_.find(key);
    if (present != due_.end()) {
        if (present->second <= due) return;
        queue_.erase({present->second, key});
    }
    due_[key] = due;
    queue_.emplace(due, key);
    stirred_ = true;
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
        // Slow servers keep the places of their class: the queue behind them is long, and nothing here is stuck.
        if (!is_full(key) && !running_.contains(key)) return now - due;
    }
    return {};
}

asio::awaitable<void> Schedule::run() {
    while (!stopping_) {
        stirred_ = false;
        auto const now = clock_.boot();
        std::vector<model::Key> start;
        Bounds const before = busy_;
        for (auto const& [due, key] : queue_) {
            if (due > now) break;
            // One whose class is at its bound, or that still runs, stays queued: the end of a run wakes this loop.
            if (running_.contains(key) || is_full(key)) continue;
            ++busy(key);
            start.push_back(key);
        }
        busy_ = before;
        for (model::Key const& key : start) {
            forget(key);
            running_[key] = false;
            ++busy(key);
            auto started = group_.start(key.text(), run_one(key));
            if (!started) {
                running_.erase(key);
                --busy(key);
                put(key, now + std::chrono::seconds{1});
            }
        }
        // A story that ended without ever waiting has put its next time already: the pause is counted after all have started.
        if (stirred_) {
            co_await yield_once();
            continue;
        }
        std::chrono::nanoseconds next = kLookAtLeastEvery;
        for (auto const& [due, key] : queue_) {
            if (due <= now) continue;
            next = std::min<std::chrono::nanoseconds>(next, due - now);
            break;
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
            --schedule.busy(key);
            schedule.stirred_ = true;
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
