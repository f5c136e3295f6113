// modules/uplink/lane.hpp: what one stream learns from the answers: how much to send next, when, and which records are doubted.
// Pure: time is given to it. A stream has a lane of its own, so that what one is refused for never holds up another.
#pragma once

#include "modules/base/backoff.hpp"
#include "modules/uplink/ports.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace holdfast::uplink {

struct Settings;

/// Why something was not delivered, as the reaction it asks for.
struct Setback {
    enum class Kind {
        network,  // offline, timeout, a portal, 408, 5xx, 429: wait and try again
        refused,  // 401, 403, 404, a principal or configuration that is wrong: wait long
        queue,    // our own database
    };
    Kind kind = Kind::network;
    std::string message;
    std::optional<std::chrono::seconds> retry_after;
    bool everyone = false;  // nothing was asked about a stream: the other one need not try
    bool too_slow = false;  // less at once may get through
};

/// What one request came to.
struct Verdict {
    enum class Kind {
        accepted,  // 204
        damaged,   // not sent: the first record is no JSON object
        bad,       // the service refuses what the request holds: 400, 413
        setback,
    };
    Kind kind = Kind::setback;
    std::size_t records = 0;  // of the front: those the request held
    std::string reason;       // damaged, bad
    bool certain = false;     // bad: one record that is over the service's own bound
    Setback setback;
};

/// How long to wait after a setback: never less than the back-off, longer when the service asks for it.
class Patience {
public:
    Patience(Settings const& settings, std::uint32_t seed);

    std::chrono::milliseconds after(Setback const& setback);
    void reset();

private:
    Settings const& settings_;
    Backoff retry_;
    Backoff refused_;
};

/// Promise  records are asked for in the order of their sequence, but for those that were refused alone; of n records that are refused together one that is refused
///          alone is found by halving, with at most 1 + log2 n refusals before the stream waits;
///          a record is set aside only when it was refused alone: twice, some time apart, with others of the stream taken in
///          between, or for an hour in which none was taken; at most a share of the stream each hour
class Lane {
public:
    using Time = std::chrono::nanoseconds;  // of the boot clock

    struct Ask {
        std::int64_t after = 0;  // only records with a higher sequence
        std::int64_t rows_max = 0;
    };
    struct Refused {
        std::int64_t sequence;
        std::string reason;
    };
    /// For the queue. What is set aside goes first: after a cut in between a record is sent twice, never out of order.
    struct Settlement {
        std::vector<Refused> aside;
        std::vector<std::int64_t> acknowledged;
    };

    Lane(model::Stream stream, Settings const& settings, std::uint32_t seed);

    model::Stream stream() const { return stream_; }
    Ask ask() const;

    /// `asked` are the records that ask() led to.
    Settlement answered(std::span<QueuedRecord const> asked, Verdict const& verdict, Time now);

    /// ask() led to no record: nothing waits, or nothing but what is doubted.
    Settlement found_nothing(Time now);

    /// The queue failed, or the service said no without a word about the records: waits by the lane's own back-off.
    void set_back(Setback setback, Time now);
    /// What stops every stream: waits until then.
    void wait(Setback setback, Time until);

    /// The next try is due now: the network is back, a credential was replaced.
    void hurry(Time now) { due_ = std::min(due_, now); }

    Time due() const { return due_; }
    std::optional<Setback> const& trouble() const { return trouble_; }

private:
    /// Refused alone, and not known whether it is the record or the configuration.
    struct Suspect {
        Refused refused;
        Time since{0};
        bool contradicted = false;  // others were taken since, or just before: it is not the configuration
    };

    void take(std::span<QueuedRecord const> sent, Settlement& settlement);
    void refuse(std::span<QueuedRecord const> sent, Verdict const& verdict, Settlement& settlement, Time now);
    void suspect(QueuedRecord const& record, std::string const& reason, Time now);
    void refused_again(std::string const& reason, Settlement& settlement, Time now);
    bool may_ask_again(Time now) const;
    void ask_again(Time now);
    void doubt(Settlement& settlement, Time now);
    std::size_t share_left(Time now);

    model::Stream stream_;
    Settings const& settings_;
    Patience patience_;
    Time due_{0};
    std::optional<Setback> trouble_;

    std::int64_t rows_;              // asked for at once: halved when that is too much, doubled when it went well
    std::size_t refused_rows_ = 0;   // from the front: among so many is one that is refused
    std::vector<Suspect> suspects_;  // in the order of their sequence; those that are contradicted come first
    bool proven_ = false;            // the service took a record since the last wait
    bool first_again_ = false;       // is the first suspect still refused? If not, nothing was wrong with any of them
    std::size_t refusals_ = 0;       // since the last record was taken or the last wait
    std::size_t refused_at_first_ = 0;  // how many were refused together when it began
    unsigned doubts_ = 0;               // waits since the last record was taken
    Time doubted_since_{0};
    Time hour_began_{0};
    std::size_t taken_in_hour_ = 0;
    std::size_t aside_in_hour_ = 0;
};

}  // namespace holdfast::uplink
