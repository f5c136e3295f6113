// daemon/schedule.hpp: decides when each story runs: never two at once for one object, never more than its class's bound,
// and no namespace before the others because it wants more.
#pragma once

#include "modules/base/clock.hpp"
#include "modules/base/shares.hpp"
#include "modules/base/task_group.hpp"
#include "modules/model/kinds.hpp"
#include "modules/story/story.hpp"

#include <boost/asio/steady_timer.hpp>

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace holdfast::daemon {

/// Due times are on the boot clock. The places of a class are shared by namespace (base/shares.hpp): one that floods holds
/// all but a reserve, and of those that wait the one that holds least is next. Used from the event loop.
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

    /// How much later than its time the most overdue story is that could run: what the watchdog looks at. One whose
    /// namespace is at its share, or that waits for its own run to end, is not late; one that waits for a place of a full
    /// class is late when no place was given back for so long that whoever holds them should have ended.
    std::chrono::nanoseconds lateness() const;

private:
    using Queue = std::set<std::pair<std::chrono::nanoseconds, model::Key>>;

    /// What one class has to give, and who of it waits: a queue a namespace.
    struct Lane {
        Shares places;
        std::chrono::nanoseconds moved{};  // when a place was last given back
        std::map<std::string, Queue> waiting = {};
    };

    asio::awaitable<void> run_one(model::Key key);
    Lane& lane(model::Key const& key);
    void put(model::Key const& key, std::chrono::nanoseconds due);
    model::Key const* first_ready(Queue const& queue, std::chrono::nanoseconds now) const;
    std::optional<model::Key> next_of(Lane const& lane, std::chrono::nanoseconds now) const;
    bool start(model::Key key);
    std::chrono::nanoseconds pause(std::chrono::nanoseconds now) const;

    Clock const& clock_;
    std::vector<Lane> lanes_;  // by the class's number
    std::size_t places_;       // of all classes
    Story story_;
    TaskGroup group_;
    asio::steady_timer timer_;
    bool stirred_ = false;  // something was put since the queue was looked at
    std::map<model::Key, std::chrono::nanoseconds> due_;
    std::map<model::Key, bool> running_;  // value: wanted again meanwhile
    std::minstd_rand random_;
    std::uint64_t passes_ = 0;
    bool stopping_ = false;
};

}  // namespace holdfast::daemon
