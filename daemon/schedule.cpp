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
/// Whoever holds a place ends after ten minutes, as a fetch does: a full class of which nothing ends for longer is stuck.
constexpr std::chrono::minutes kStillMax{12};
constexpr std::chrono::seconds kJitterFrom{60};
constexpr double kJitter = 0.05;  // Flux's --interval-jitter-percentage

}  // namespace

Schedule::Schedule(asio::any_io_executor executor, Clock const& clock, Bounds bounds, Story story)
    : clock_(clock), places_(std::accumulate(bounds.begin(), bounds.end(), std::size_t{0})), story_(std::move(story)),
      group_(executor, places_), timer_(executor),
      random_(static_cast<std::minstd_rand::result_type>(clock.boot().count())) {
    for (std::size_t const places : bounds) lanes_.push_back({.places = Shares{places}, .moved = clock.boot()});
}

Schedule::Lane& Schedule::lane(model::Key const& key) {
    return lanes_[static_cast<std::size_t>(model::info(key.kind).what)];
}

void Schedule::put(model::Key const& key, std::chrono::nanoseconds due) {
    auto const present = due_.find(key);
    if (present != due_.end() && present->second <= due) return;
    forget(key);
    due_[key] = due;
    lane(key).waiting[key.ns].emplace(due, key);
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
    auto& waiting = lane(key).waiting;
    auto const queue = waiting.find(key.ns);
    queue->second.erase({present->second, key});
    if (queue->second.empty()) waiting.erase(queue);
    due_.erase(present);
}

/// One that still runs stays queued: the end of its run wakes the loop.
model::Key const* Schedule::first_ready(Queue const& queue, std::chrono::nanoseconds now) const {
    for (auto const& [due, key] : queue) {
        if (due > now) return nullptr;
        if (!running_.contains(key)) return &key;
    }
    return nullptr;
}

std::chrono::nanoseconds Schedule::lateness() const {
    auto const now = clock_.boot();
    std::chrono::nanoseconds latest{};
    for (Lane const& lane : lanes_) {
        bool const is_stuck = lane.places.is_full() && now - lane.moved > kStillMax;
        for (auto const& [ns, queue] : lane.waiting) {
            if (!is_stuck && !lane.places.may_take(ns)) continue;
            model::Key const* const key = first_ready(queue, now);
            if (key != nullptr) latest = std::max(latest, now - due_.at(*key));
        }
    }
    return latest;
}

/// The namespace that holds least goes first, with what is due longest.
std::optional<model::Key> Schedule::next_of(Lane const& lane, std::chrono::nanoseconds now) const {
    model::Key const* next = nullptr;
    for (auto const& [ns, queue] : lane.waiting) {
        if (!lane.places.may_take(ns) || (next != nullptr && !lane.places.comes_before(ns, next->ns))) continue;
        if (auto const* const ready = first_ready(queue, now)) next = ready;
    }
    return next == nullptr ? std::nullopt : std::optional{*next};
}

bool Schedule::start(model::Key key) {
    forget(key);
    running_[key] = false;
    lane(key).places.take(key.ns);
    auto started = group_.start(key.text(), run_one(key));
    if (started) return true;
    running_.erase(key);
    lane(key).places.give_back(key.ns);
    put(key, clock_.boot() + std::chrono::seconds{1});
    return false;
}

std::chrono::nanoseconds Schedule::pause(std::chrono::nanoseconds now) const {
    std::chrono::nanoseconds pause = kLookAtLeastEvery;
    for (Lane const& lane : lanes_) {
        for (auto const& [ns, queue] : lane.waiting) {
            auto const later = queue.upper_bound({now, model::Key{}});
            auto const next = std::find_if(later, queue.end(), [&](auto const& one) { return one.first > now; });
            if (next != queue.end()) pause = std::min(pause, next->first - now);
        }
    }
    return pause;
}

asio::awaitable<void> Schedule::run() {
    while (!stopping_) {
        stirred_ = false;
        auto const now = clock_.boot();
        for (Lane const& lane : lanes_) {
            // Stories that never wait give their places back at once: a round ends all the same, and others have their say.
            for (std::uint64_t started = 0; started < lane.places.whole(); ++started) {
                auto key = next_of(lane, now);
                if (!key || !start(std::move(*key))) break;
            }
        }
        // A story that ended without ever waiting has put its next time already: the pause is counted after all have started.
        if (stirred_) {
            co_await yield_once();
            continue;
        }
        timer_.expires_after(pause(now));
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
            Lane& lane = schedule.lane(key);
            schedule.running_.erase(key);
            lane.places.give_back(key.ns);
            lane.moved = schedule.clock_.boot();
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
