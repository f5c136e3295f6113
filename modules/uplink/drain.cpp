// modules/uplink/drain.cpp: the loop: look, deliver, wait as long as the outcome asks for.
#include "modules/uplink/drain.hpp"

#include "modules/base/on_pool.hpp"
#include "modules/uplink/delivery.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <array>

namespace holdfast::uplink {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view kArea = "uplink";
constexpr auto kCredentialLook = 5'000ms;  // while refused: has someone replaced the secret or certificate?
constexpr auto kLookAgain = 60s;           // timers stop while the machine sleeps, the boot clock does not
constexpr auto kWakeApart = 10s;           // network_is_back() is heard at most this often

/// On the db pool.
Result<void> bring_to_queue(RecordQueue& queue, Lane::Settlement const& settlement) {
    for (auto const& [sequence, reason] : settlement.aside) {
        auto moved = queue.set_aside(sequence, reason);
        if (!moved) return moved;
    }
    if (settlement.acknowledged.empty()) return {};
    return queue.acknowledge(settlement.acknowledged);
}

}  // namespace

std::string_view to_string(UplinkWord word) {
    switch (word) {
        case UplinkWord::disabled: return "disabled";
        case UplinkWord::idle: return "idle";
        case UplinkWord::draining: return "draining";
        case UplinkWord::waiting: return "waiting";
        case UplinkWord::refused: return "refused";
    }
    return "unknown";
}

Result<void> Settings::check() const {
    if (!enabled()) return {};
    auto principal_good = principal.check();
    if (!principal_good) return fail(std::move(principal_good), "uplink");
    auto ingestion_good = ingestion.check();
    if (!ingestion_good) return fail(std::move(ingestion_good), "uplink");
    azure::Transport probe{{.ca_file = {}, .proxy = transport.proxy}};
    for (std::string const& base : {principal.login_authority, ingestion.endpoint}) {
        auto endpoint = probe.endpoint(base);
        // No system bundle on this machine is not the setting's fault: a CA file may be given.
        if (!endpoint && endpoint.error().code == Errc::invalid_input) return fail(std::move(endpoint), "uplink");
    }
    if (compliance_stream.empty() || object_status_stream.empty())
        return fail(Errc::invalid_input, "uplink: a stream has no name");
    if (site.empty()) return fail(Errc::invalid_input, "uplink: the site has no id");
    return {};
}

struct Drain::Loop {
    Loop(Ports ports_in, Settings settings_in, asio::any_io_executor executor, std::uint32_t seed)
        : ports(ports_in), settings(std::move(settings_in)), transport(settings.transport),
          tokens(ports.client, transport, ports.clock, settings.principal),
          ingestion(ports.client, transport, ports.clock, settings.ingestion),
          delivery(ports, settings, tokens, ingestion), timer(executor), everyone(settings, seed),
          lanes{Lane{model::Stream::compliance, settings, seed + 1},
                Lane{model::Stream::object_status, settings, seed + 2}} {}

    Lane::Time now() const { return ports.clock.boot(); }

    /// One request of one stream, and its answer brought to the queue.
    asio::awaitable<void> take_turn(Lane& lane) {
        auto const ask = lane.ask();
        auto read = [this, &lane, ask]() -> Result<std::vector<QueuedRecord>> {
            auto found = ports.queue.oldest(lane.stream(), ask.after, ask.rows_max, settings.window_bytes_max);
            if (!found || found->empty()) return found;
            auto room = ports.queue.make_room();
            if (!room) return fail(std::move(room));
            return found;
        };
        auto const pokes_before = pokes;
        auto records = co_await on_pool(ports.db, std::move(read));
        if (!records) co_return lane.set_back(of_queue(records.error()), now());
        if (records->empty()) {
            auto const settlement = lane.found_nothing(now());
            if (!lane.trouble() && pokes != pokes_before) lane.hurry(now());  // put while we looked
            bool const settled = co_await settle(lane, settlement);
            static_cast<void>(settled);  // the lane keeps what went wrong
            co_return;
        }
        state.word = UplinkWord::draining;
        state.next_try.reset();
        auto const verdict = co_await delivery.send(lane.stream(), *records);
        auto const settlement = lane.answered(*records, verdict, now());
        bool const settled = co_await settle(lane, settlement);
        if (!settled) co_return;
        if (verdict.kind == Verdict::Kind::accepted) accepted(settlement.acknowledged.size());
        if (verdict.kind == Verdict::Kind::setback && verdict.setback.everyone) stop_everyone(lane, verdict.setback);
    }

    asio::awaitable<bool> settle(Lane& lane, Lane::Settlement settlement) {
        if (settlement.aside.empty() && settlement.acknowledged.empty()) co_return true;
        auto bring = [this, settlement] { return bring_to_queue(ports.queue, settlement); };
        auto settled = co_await on_pool(ports.db, std::move(bring));
        if (!settled) lane.set_back(of_queue(settled.error()), now());
        if (settled) note(settlement);
        co_return settled.has_value();
    }

    static Setback of_queue(Error const& error) {
        return {.kind = Setback::Kind::queue, .message = error.message, .retry_after = {}};
    }

    /// Nothing was asked about a stream, so the others wait as long, with one back-off for all.
    void stop_everyone(Lane& asked, Setback const& setback) {
        Lane::Time const until = now() + everyone.after(setback);
        for (Lane& lane : lanes) {
            bool const waits_longer = &lane != &asked && lane.trouble() && lane.due() > until;
            if (!waits_longer) lane.wait(setback, until);
        }
    }

    void accepted(std::size_t records) {
        if (!state.last_error.empty()) ports.log.info(kArea, "records are accepted again");
        state.last_success = ports.clock.wall();
        state.sent_total += records;
        ++state.batches_total;
        everyone.reset();
        ports.log.debug(kArea, "batch accepted", {{"records", std::to_string(records)}});
    }

    void note(Lane::Settlement const& settlement) {
        for (auto const& [sequence, reason] : settlement.aside) {
            ++state.set_aside_total;
            ports.log.error(kArea, "a record is refused and set aside",
                            {{"sequence", std::to_string(sequence)}, {"reason", reason}});
        }
    }

    /// What the lanes say, as one word, one error and one time.
    void publish() {
        state.identity_expires = tokens.identity_expires();
        state.clock_skew = tokens.clock_skew();
        Lane const* worst = nullptr;
        Lane::Time first = Lane::Time::max();
        for (Lane const& lane : lanes) {
            auto const& trouble = lane.trouble();
            if (!trouble) continue;
            first = std::min(first, lane.due());
            bool const worse = worst == nullptr || (trouble->kind == Setback::Kind::refused &&
                                                    worst->trouble()->kind != Setback::Kind::refused);
            if (worse) worst = &lane;
        }
        if (worst == nullptr) {
            state.word = UplinkWord::idle;
            state.last_error.clear();
            state.last_error_at.reset();
            state.next_try.reset();
            return;
        }
        auto const& trouble = *worst->trouble();
        state.word = trouble.kind == Setback::Kind::refused ? UplinkWord::refused : UplinkWord::waiting;
        auto const delay = std::chrono::ceil<std::chrono::milliseconds>(std::max(first - now(), Lane::Time{0}));
        bool const news = state.last_error != trouble.message;
        bool const again = !state.next_try;
        state.last_error = trouble.message;
        if (news || again) state.last_error_at = ports.clock.wall();
        state.next_try = ports.clock.wall() + delay;
        if (!news && !again) return;
        ports.log.write(news ? LogLevel::warning : LogLevel::debug, kArea, "not delivered, will be",
                        {{"state", to_string(state.word)},
                         {"error", trouble.message},
                         {"next_try_ms", std::to_string(delay.count())}});
    }

    /// The stream whose turn it is: after each request the other one is asked first.
    Lane* next_due() {
        auto const time = now();
        for (std::size_t i = 0; i < lanes.size(); ++i) {
            Lane& lane = lanes[(turn + i) % lanes.size()];
            if (lane.due() > time) continue;
            turn = (turn + i + 1) % lanes.size();
            return &lane;
        }
        return nullptr;
    }

    asio::awaitable<void> pause() {
        Lane::Time until = now() + kLookAgain;
        for (Lane const& lane : lanes) {
            until = std::min(until, lane.due());
            bool const is_refused = lane.trouble() && lane.trouble()->kind == Setback::Kind::refused;
            if (is_refused) until = std::min<Lane::Time>(until, now() + kCredentialLook);
        }
        timer.expires_after(std::max<Lane::Time>(until - now(), 1ms));
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }

    void hurry(Setback::Kind kind) {
        for (Lane& lane : lanes) {
            auto const& trouble = lane.trouble();
            if (trouble && trouble->kind == kind && !trouble->retry_after) lane.hurry(now());
        }
    }

    bool anyone_waits_for_the_network() const {
        return std::ranges::any_of(lanes, [](Lane const& lane) {
            return lane.trouble() && lane.trouble()->kind == Setback::Kind::network && !lane.trouble()->retry_after;
        });
    }

    asio::awaitable<void> run() {
        if (!settings.enabled()) co_return;
        auto checked = settings.check();
        if (!checked) {
            state.word = UplinkWord::refused;
            state.last_error = checked.error().message;
            state.last_error_at = ports.clock.wall();
            ports.log.error(kArea, "the uplink is off", {{"error", checked.error().message}});
            co_return;
        }
        auto loaded = tokens.load_identity();
        if (!loaded) ports.log.warning(kArea, "no client certificate", {{"error", loaded.error().message}});
        state.word = UplinkWord::idle;
        for (;;) {
            if (tokens.credential_changed()) hurry(Setback::Kind::refused);
            Lane* const lane = next_due();
            if (lane != nullptr) {
                co_await take_turn(*lane);
                continue;
            }
            publish();
            co_await pause();
        }
    }

    Ports ports;
    Settings settings;
    azure::Transport transport;
    azure::Tokens tokens;
    azure::LogsIngestion ingestion;
    Delivery delivery;
    UplinkState state;
    asio::steady_timer timer;
    Patience everyone;  // for what is no stream's own: the line, the principal
    std::array<Lane, 2> lanes;
    std::size_t turn = 0;
    std::uint64_t pokes = 0;
    std::chrono::steady_clock::time_point woken_at = std::chrono::steady_clock::time_point::min();
};

Drain::Drain(Ports ports, Settings settings, asio::any_io_executor executor, std::uint32_t seed)
    : loop_(std::make_unique<Loop>(ports, std::move(settings), std::move(executor), seed)) {}
Drain::~Drain() = default;

asio::awaitable<void> Drain::run() { return loop_->run(); }

void Drain::poke() {
    ++loop_->pokes;
    for (Lane& lane : loop_->lanes) {
        if (!lane.trouble()) lane.hurry(loop_->now());
    }
    loop_->timer.cancel();
}

void Drain::network_is_back() {
    auto const now = std::chrono::steady_clock::now();
    bool const too_soon =
        loop_->woken_at != std::chrono::steady_clock::time_point::min() && now - loop_->woken_at < kWakeApart;
    if (!loop_->anyone_waits_for_the_network() || too_soon) return;
    loop_->woken_at = now;
    loop_->hurry(Setback::Kind::network);
    loop_->timer.cancel();
}

UplinkState const& Drain::state() const { return loop_->state; }

}  // namespace holdfast::uplink
