// modules/story/passes.cpp: finalizer, story, conclusion; and what becomes of an exception.
#include "modules/story/passes.hpp"

#include "modules/story/conclude.hpp"
#include "modules/story/finalizer.hpp"

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <exception>
#include <new>

namespace holdfast::story {

using model::Entry;
using model::Key;

namespace {

/// What wakes such a pass may be the end of what made it fail: it is not kept waiting for minutes.
constexpr std::chrono::seconds kHoldMax{30};

constexpr BackoffPolicy kRetry{.delay_min = std::chrono::milliseconds{5'000},
                               .delay_max = std::chrono::milliseconds{300'000}};

std::string text_of(std::exception_ptr const& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (std::exception const& error) {
        return error.what();
    } catch (...) {
        return "an exception of an unknown type";
    }
}

bool is_cancellation(std::exception_ptr const& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (boost::system::system_error const& error) {
        return error.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

/// The machine had no descriptor or memory left: that says nothing about the object.
bool is_scarcity(std::exception_ptr const& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (boost::system::system_error const& error) {
        auto const code = error.code().default_error_condition();
        return code == boost::system::errc::too_many_files_open ||
               code == boost::system::errc::too_many_files_open_in_system ||
               code == boost::system::errc::not_enough_memory || code == boost::system::errc::no_buffer_space;
    } catch (std::bad_alloc const&) {
        return true;
    } catch (...) {
        return false;
    }
}

}  // namespace

asio::awaitable<Next> Passes::run(Key key) {
    Entry const* entry = ports_.registry.find(key);
    if (entry == nullptr) co_return Next{};
    if (auto const wait = held(*entry)) co_return Next{*wait};
    Story& story = of(key.kind);
    Entry const before = *entry;
    bool const leaves = before.leaving();
    std::string const requested_at = before.meta.requested_at;
    auto outcome = co_await pass(story, before);
    bool const could_not_begin = backoffs_.contains(key);
    if (outcome.answers && !requested_at.empty()) outcome.status.last_handled_reconcile_at = requested_at;
    Next const next = co_await conclude(ports_, story, key, std::move(outcome));
    entry = ports_.registry.find(key);
    bool const failed = entry != nullptr && entry->status.conditions.is("Ready", model::Truth::no);
    if (failed && (leaves || could_not_begin)) hold(before, next);
    else holds_.erase(key);
    if (entry == nullptr) backoffs_.erase(key);
    co_return next;
}

std::optional<model::Duration> Passes::held(Entry const& entry) const {
    auto const found = holds_.find(entry.key);
    if (found == holds_.end()) return std::nullopt;
    Hold const& hold = found->second;
    bool const same = hold.spec_digest == entry.spec_digest && hold.requested_at == entry.meta.requested_at &&
                      hold.leaving == entry.leaving();
    auto const now = ports_.clock.boot();
    if (!same || now >= hold.until) return std::nullopt;
    return hold.until - now;
}

void Passes::hold(Entry const& entry, Next const& next) {
    auto const wait = std::min<model::Duration>(next.after.value_or(model::Duration{}), kHoldMax);
    holds_[entry.key] = {.until = ports_.clock.boot() + wait,
                         .spec_digest = entry.spec_digest,
                         .requested_at = entry.meta.requested_at,
                         .leaving = entry.leaving()};
}

asio::awaitable<Outcome> Passes::pass(Story& story, Entry entry) {
    std::exception_ptr failure;
    try {
        if (entry.leaving()) co_return co_await story.finalize(entry);
        auto held = co_await take_finalizer(ports_, entry.key);
        if (!held) {
            Stop why{.reason = "FinalizerFailed", .message = held.error().message, .retry = retry_of(entry.key)};
            co_return stop(entry, begin(entry), std::move(why), ports_.clock);
        }
        co_await drop_former_manager(ports_, entry);
        auto outcome = co_await story.reconcile(entry);
        backoffs_.erase(entry.key);
        co_return outcome;
    } catch (...) {
        failure = std::current_exception();
    }
    if (is_cancellation(failure)) std::rethrow_exception(failure);
    std::string const text = text_of(failure);
    if (is_scarcity(failure)) {
        ports_.log.error("story", "this pass was given up: the machine has nothing left for it",
                         {HOLDFAST_LOG_KEY(entry.key), {"exception", text}});
        Outcome outcome = begin(entry);
        outcome.next = retry_of(entry.key);
        outcome.answers = false;
        co_return outcome;
    }
    ++crashes_;
    ports_.log.error("story", "a bug ended this pass", {HOLDFAST_LOG_KEY(entry.key), {"exception", text}});
    Stop why{.reason = "InternalError",
             .message = "a bug of Holdfast ended this pass: " + text,
             .retry = retry_of(entry.key)};
    co_return stop(entry, begin(entry), std::move(why), ports_.clock);
}

model::Duration Passes::retry_of(Key const& key) { return backoffs_.try_emplace(key, kRetry).first->second.next(); }

}  // namespace holdfast::story
