// daemon/schedule.hpp: decides when each story runs: never two at once for one object, never more than its class's bound.
#pragma once

#include "modules/base/clock.hpp"
#include "modules/base/task_group.hpp"
#include "modules/model/kinds.hpp"
#include "modules/story/story.hpp"

#include <boost/asio/steady_timer.hpp>

#include <array>
#include <functional>
#include <map>
#include <random>
#include <set>

namespace holdfast::daemon {

/// Due times are on the boot clock. Used from the event loop.
class Schedule {
public:
    using Story = std::function<asio::awaitable<story::Next>(model::Key)>;
    /// Passes of one class at once, by the class's number: source, applier, config, notifier, image.
    using Bounds = std::array<std::size_t, 5>;

    Schedule(asio::any_io_executor executor, Clock const& clock, Bounds bounds, Story story);

    /// Runs the story of `key` once `after` has passed, or sooner if it was due sooner. A story that is running
    /// runs again after it ends.
    void want(model::Key const& key, std::chrono::nanoseconds after = {});

    void forget(model::Key const& key);

    /// Starts due stories until stopped.
    asio::awaitable<void> run();

    /// Starts nothing more, asks running stories to unwind, and waits for them.
    asio::awaitable<void> stop();

    std::size_t running() const { return running_.size(); }
    std::size_t waiting() const { return due_.size(); }
    std::uint64_t passes() const { return passes_; }

    /// How much later than its time the most overdue story is that could run: what the watchdog looks at. One that
    /// waits for a place, or for its own run to end, is not late.
    std::chrono::nanoseconds lateness() const;

private:
    asio::awaitable<void> run_one(model::Key key);
    std::size_t& busy(model::Key const& key);
    bool is_full(model::Key const& key) const;
    void put(model::Key const& key, std::chrono::nanoseconds due);

    Clock const& clock_;
    Bounds bounds_;
    Story story_;
    TaskGroup group_;
    asio::steady_timer timer_;
    bool stirred_ = false;  // something was put since the queue was looked at
    std::set<std::pair<std::chrono::nanoseconds, model::Key>> queue_;
    std::map<model::Key, std::chrono::nanoseconds> due_;
    std::map<model::Key, bool> running_;  // value: wanted again meanwhile
    Bounds busy_{};
    std::minstd_rand random_;
    std::uint64_t passes_ = 0;
    bool stopping_ = false;
};

}  // namespace holdfast::daemon
