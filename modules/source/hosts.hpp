// modules/source/hosts.hpp: which hosts give no answer, and whose turn it is to ask them again.
#pragma once

#include "modules/base/backoff.hpp"
#include "modules/base/clock.hpp"
#include "modules/base/error.hpp"

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <string>

namespace holdfast::source {

/// Does what is held stay in use without a word against it? Upstream has said nothing: it was away, busy, or cut short.
bool is_away(Error const& error);

/// Did the host give no answer at all? Who allows it only a moment learns nothing about it that others should believe.
bool is_silence(Error const& error, std::chrono::nanoseconds allowed);

/// Did it give one, if only a refusal? Whose moment was too short has not learned that either.
bool is_answer(Error const& error);

/// Everyone may ask a host that answers. One that gave no answer is asked by one of a namespace at a time, less and less
/// often, and whoever else there wants something of it waits: a site without network waits for one deadline, not for one of
/// each source. What one namespace found silent is silent for that namespace: what it asked for, and how, was its own choice.
/// An answer is true for all. Used from the event loop only.
class Hosts {
public:
    /// `retry` says how long a silent host is left alone. `clock` outlives this object.
    explicit Hosts(Clock const& clock, BackoffPolicy retry = kRetry) : clock_(clock), retry_(retry) {}

    struct Silence {
        Error error;                    // of who asked last; it may name what is none of the others' business
        std::chrono::nanoseconds wait;  // until somebody may ask again
    };

    /// The right to ask now, and the duty to say what came of it. Given back unused when destroyed before.
    class Turn {
    public:
        Turn(Turn&& other) noexcept;
        Turn& operator=(Turn&&) = delete;
        ~Turn();

        void answered();
        /// Out  when somebody may ask again
        std::chrono::nanoseconds silent(Error error);

    private:
        friend class Hosts;
        Turn(Hosts& hosts, std::string ns, std::string host, std::uint64_t probe);

        Hosts* hosts_;  // null: said already
        std::string ns_;
        std::string host_;
        std::uint64_t probe_;  // 0: the host was not known to be silent
        std::chrono::nanoseconds began_;
    };

    /// In      patience  a silent host is asked again after this time even when its own pause is longer
    std::expected<Turn, Silence> take_turn(std::string const& ns, std::string const& host,
                                           std::chrono::nanoseconds patience);

    /// At most one listener: hears of each host that was silent and answers again.
    void listen(std::function<void(std::string const& host)> listener) { listener_ = std::move(listener); }

private:
    struct Host {
        Backoff backoff;
        Error error;
        std::chrono::nanoseconds since{};  // boot clock
        std::chrono::nanoseconds pause{};
        std::uint64_t probe = 0;  // who asks just now
    };

    static constexpr BackoffPolicy kRetry{.delay_min = std::chrono::milliseconds{5'000},
                                          .delay_max = std::chrono::milliseconds{300'000}};

    Clock const& clock_;
    BackoffPolicy retry_;
    Host* find(std::string const& ns, std::string const& host);
    void forget_stale();

    std::map<std::string, std::map<std::string, Host>> silent_;  // by host, then by namespace
    std::uint64_t probes_ = 0;
    std::function<void(std::string const&)> listener_;
};

}  // namespace holdfast::source
