// modules/uplink/lane.cpp: halving, doubting, waiting.
#include "modules/uplink/lane.hpp"

#include "modules/uplink/drain.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace holdfast::uplink {

using namespace std::chrono_literals;

static constexpr std::size_t kShareOfTaken = 4;  // one record is set aside for so many that are taken

Patience::Patience(Settings const& settings, std::uint32_t seed)
    : settings_(settings), retry_(settings.retry, seed), refused_(settings.refused, seed) {}

std::chrono::milliseconds Patience::after(Setback const& setback) {
    auto const planned = setback.kind == Setback::Kind::refused ? refused_.next() : retry_.next();
    auto const asked = std::min(setback.retry_after.value_or(0s), settings_.retry_after_max);
    return std::max<std::chrono::milliseconds>({planned, asked, settings_.wait_min});
}

void Patience::reset() {
    retry_.reset();
    refused_.reset();
}

Lane::Lane(model::Stream stream, Settings const& settings, std::uint32_t seed)
    : stream_(stream), settings_(settings), patience_(settings, seed), rows_(settings.window_rows_max) {}

Lane::Ask Lane::ask() const {
    if (first_again_) return {.after = 0, .rows_max = 1};
    std::int64_t const after = suspects_.empty() ? 0 : suspects_.back().refused.sequence;
    if (refused_rows_ == 0) return {.after = after, .rows_max = rows_};
    auto const half = static_cast<std::int64_t>(std::max<std::size_t>(1, refused_rows_ / 2));
    return {.after = after, .rows_max = std::min(half, rows_)};
}

Lane::Settlement Lane::answered(std::span<QueuedRecord const> asked, Verdict const& verdict, Time now) {
    Settlement settlement;
    auto const sent = asked.first(verdict.records);
    bool const is_another = first_again_ && asked.front().sequence != suspects_.front().refused.sequence;
    if (is_another) {
        // Somebody put one back in front of them, or took the first one away: all are looked at anew.
        suspects_.clear();
        first_again_ = false;
    }
    if (now - hour_began_ >= 1h) {
        hour_began_ = now;
        taken_in_hour_ = aside_in_hour_ = 0;
    }
    switch (verdict.kind) {
        case Verdict::Kind::accepted: take(sent, settlement); break;
        case Verdict::Kind::damaged:
            settlement.aside.push_back({sent.front().sequence, verdict.reason});
            refused_rows_ -= std::min<std::size_t>(refused_rows_, 1);
            break;
        case Verdict::Kind::bad: refuse(sent, verdict, settlement, now); break;
        case Verdict::Kind::setback: {
            if (verdict.setback.too_slow) rows_ = std::max<std::int64_t>(1, static_cast<std::int64_t>(sent.size()) / 2);
            if (!verdict.setback.everyone) set_back(verdict.setback, now);
            break;
        }
    }
    if (may_ask_again(now)) first_again_ = true;
    return settlement;
}

void Lane::take(std::span<QueuedRecord const> sent, Settlement& settlement) {
    if (std::exchange(first_again_, false)) {
        // The first suspect taken after all: it was the configuration, and somebody mended it.
        refused_rows_ = 0;
        suspects_.clear();
    }
    for (Suspect& one : suspects_) one.contradicted = true;
    for (QueuedRecord const& record : sent) settlement.acknowledged.push_back(record.sequence);
    taken_in_hour_ += sent.size();
    if (refused_rows_ == 0) rows_ = std::min(2 * rows_, settings_.window_rows_max);
    refused_rows_ -= std::min(refused_rows_, sent.size());
    proven_ = true;
    refusals_ = 0;
    doubts_ = 0;
    trouble_.reset();
    patience_.reset();
}

void Lane::refuse(std::span<QueuedRecord const> sent, Verdict const& verdict, Settlement& settlement, Time now) {
    trouble_ = Setback{.kind = Setback::Kind::refused, .message = verdict.reason, .retry_after = {}};
    bool const is_again = std::exchange(first_again_, false);
    if (is_again && suspects_.front().contradicted) return refused_again(verdict.reason, settlement, now);
    if (refusals_++ == 0 && doubts_ == 0) refused_at_first_ = sent.size();
    if (sent.size() > 1) {
        refused_rows_ = sent.size();
    } else {
        refused_rows_ = 0;
        rows_ = 1;
        bool const is_certain = verdict.certain && !is_again;
        if (is_certain) settlement.aside.push_back({sent.front().sequence, verdict.reason});
        if (!is_certain && !is_again) suspect(sent.front(), verdict.reason, now);
    }
    // Never fewer than two: whether the one behind it is taken tells the record from the configuration.
    auto const refusals_max =
        1 + static_cast<std::size_t>(std::bit_width(std::max<std::size_t>(refused_at_first_, 2) - 1));
    std::size_t const left = share_left(now);
    bool const too_many = suspects_.size() > left;
    if (too_many && left > 0 && suspects_.front().contradicted) return ask_again(now);
    if (refusals_ >= refusals_max || too_many) doubt(settlement, now);
}

void Lane::suspect(QueuedRecord const& record, std::string const& reason, Time now) {
    if (suspects_.empty()) doubted_since_ = now;
    suspects_.push_back({.refused = {record.sequence, reason}, .since = now, .contradicted = proven_});
}

/// The first suspect was, while others were taken.
void Lane::refused_again(std::string const& reason, Settlement& settlement, Time now) {
    if (now - suspects_.front().since < settings_.refused_apart) return ask_again(now);
    if (share_left(now) == 0) return doubt(settlement, now);
    settlement.aside.push_back({suspects_.front().refused.sequence, reason});
    ++aside_in_hour_;
    suspects_.erase(suspects_.begin());
    trouble_.reset();
    due_ = now + settings_.wait_min;
}

bool Lane::may_ask_again(Time now) const {
    return !suspects_.empty() && suspects_.front().contradicted &&
           now - suspects_.front().since >= settings_.refused_apart;
}

/// The next try is the second one of the first suspect.
void Lane::ask_again(Time now) {
    Suspect const& first = suspects_.front();
    first_again_ = true;
    wait({.kind = Setback::Kind::network, .message = first.refused.reason, .retry_after = {}},
         std::max<Time>(now + settings_.wait_min, first.since + settings_.refused_apart));
}

/// More likely the rule or the stream than each record; or so many records that somebody should look.
void Lane::doubt(Settlement& settlement, Time now) {
    std::size_t const left = share_left(now);
    if (!suspects_.empty() && left > 0 && now - doubted_since_ >= 1h) {
        auto const count = static_cast<std::ptrdiff_t>(std::min(left, suspects_.size()));
        for (Suspect const& one : std::span{suspects_}.first(static_cast<std::size_t>(count)))
            settlement.aside.push_back(one.refused);
        suspects_.erase(suspects_.begin(), suspects_.begin() + count);
        aside_in_hour_ += static_cast<std::size_t>(count);
        doubted_since_ = now;
    }
    bool const is_first = doubts_++ == 0;
    if (!trouble_ && !suspects_.empty())
        trouble_ =
            Setback{.kind = Setback::Kind::refused, .message = suspects_.front().refused.reason, .retry_after = {}};
    refusals_ = 0;
    first_again_ = !suspects_.empty();
    Setback setback{.kind = Setback::Kind::refused, .message = trouble_ ? trouble_->message : "", .retry_after = {}};
    if (left == 0) setback.message += " (more records are refused than are set aside in an hour: the stream waits)";
    // One look soon: the record behind the first one that is refused tells which of the two it is.
    if (is_first && left > 0) {
        wait(std::move(setback), now + patience_.after({.message = {}, .retry_after = {}}));
    } else {
        set_back(std::move(setback), now);
    }
}

std::size_t Lane::share_left(Time now) {
    if (now - hour_began_ >= 1h) return settings_.aside_per_hour_min;
    std::size_t const share = std::max(settings_.aside_per_hour_min, taken_in_hour_ / kShareOfTaken);
    return share - std::min(share, aside_in_hour_);
}

Lane::Settlement Lane::found_nothing(Time now) {
    Settlement settlement;
    bool const is_gone = first_again_;  // somebody took the suspects away
    if (is_gone) suspects_.clear();
    first_again_ = false;
    refused_rows_ = 0;
    proven_ = false;
    if (!suspects_.empty()) {
        if (suspects_.front().contradicted) {
            ask_again(now);
        } else {
            doubt(settlement, now);
        }
        return settlement;
    }
    trouble_.reset();
    due_ = is_gone ? now : now + settings_.poll_interval;
    return settlement;
}

void Lane::set_back(Setback setback, Time now) {
    Time const until = now + patience_.after(setback);
    wait(std::move(setback), until);
}

void Lane::wait(Setback setback, Time until) {
    due_ = until;
    trouble_ = std::move(setback);
    proven_ = false;
}

}  // namespace holdfast::uplink
