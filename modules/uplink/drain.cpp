// modules/uplink/drain.cpp: the loop: look, deliver, wait as long as the outcome asks for.
#include "modules/uplink/drain.hpp"

#include "modules/base/on_pool.hpp"
#include "modules/uplink/delivery.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>

namespace holdfast::uplink {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view kArea = "uplink";
constexpr auto kCredentialLook = 5'000ms;  // while refused: has someone replaced the secret or certificate?
constexpr auto kMoreApart = 60s;           // a new record beside a refused one: tried at most this often
constexpr auto kWakeApart = 10s;           // network_is_back() is heard at most this often

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
          delivery(
              ports, settings, tokens, ingestion,
              {.accepted = [this](std::size_t records) { accepted(records); },
               .set_aside = [this](std::int64_t sequence, std::string const& reason) { set_aside(sequence, reason); }}),
          timer(executor), retry(settings.retry, seed), refused(settings.refused, seed) {}

    void accepted(std::size_t records) {
        if (!state.last_error.empty()) ports.log.info(kArea, "records are accepted again");
        state.last_success = ports.clock.wall();
        state.last_error.clear();
        state.last_error_at.reset();
        state.next_try.reset();
        state.sent_total += records;
        ++state.batches_total;
        state.clock_skew = tokens.clock_skew();
        retry.reset();
        refused.reset();
        ports.log.debug(kArea, "batch accepted", {{"records", std::to_string(records)}});
    }

    void set_aside(std::int64_t sequence, std::string const& reason) {
        ++state.set_aside_total;
        ports.log.error(kArea, "a record is refused and set aside",
                        {{"sequence", std::to_string(sequence)}, {"reason", reason}});
    }

    std::chrono::milliseconds delay_after(Setback const& setback) {
        auto const planned = setback.kind == Setback::Kind::refused ? refused.next() : retry.next();
        if (!setback.retry_after) return std::max<std::chrono::milliseconds>(planned, settings.wait_min);
        auto const asked = std::min<std::chrono::milliseconds>(*setback.retry_after, settings.retry_after_max);
        return std::max<std::chrono::milliseconds>(asked, settings.wait_min);
    }

    void note(Setback const& setback, std::chrono::milliseconds delay) {
        state.word = setback.kind == Setback::Kind::refused ? UplinkWord::refused : UplinkWord::waiting;
        bool const news = state.last_error != setback.message;
        state.last_error = setback.message;
        state.last_error_at = ports.clock.wall();
        state.next_try = ports.clock.wall() + delay;
        state.identity_expires = tokens.identity_expires();
        state.clock_skew = tokens.clock_skew();
        ports.log.write(news ? LogLevel::warning : LogLevel::debug, kArea, "not delivered, will be",
                        {{"state", to_string(state.word)},
                         {"error", setback.message},
                         {"next_try_ms", std::to_string(delay.count())}});
    }

    asio::awaitable<void> pause(std::chrono::milliseconds delay) {
        timer.expires_after(delay);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }

    asio::awaitable<void> wait_idle() {
        state.word = UplinkWord::idle;
        idle = true;
        if (!poked) co_await pause(settings.poll_interval);
        idle = false;
    }

    asio::awaitable<void> wait_after(Setback setback) {
        auto const delay = delay_after(setback);
        note(setback, delay);
        wakeable = setback.kind == Setback::Kind::network && !setback.retry_after;
        woken = false;
        auto const since = std::chrono::steady_clock::now();
        auto const until = since + delay;
        for (;;) {
            auto const left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
            if (left <= 0ms || woken) break;
            bool const refused_now = setback.kind == Setback::Kind::refused;
            co_await pause(refused_now ? std::min<std::chrono::milliseconds>(left, kCredentialLook) : left);
            if (refused_now && tokens.credential_changed()) break;
            if (setback.more_may_tell && poked && std::chrono::steady_clock::now() - since >= kMoreApart) break;
        }
        wakeable = false;
        state.next_try.reset();
    }

    asio::awaitable<std::optional<Setback>> look_and_deliver(bool& empty) {
        auto read = [this] { return ports.queue.oldest(settings.window_rows_max, settings.window_bytes_max); };
        auto window = co_await on_pool(ports.db, std::move(read));
        if (!window)
            co_return Setback{.kind = Setback::Kind::queue, .message = window.error().message, .retry_after = {}};
        empty = window->empty();
        if (empty) co_return std::nullopt;
        state.word = UplinkWord::draining;
        auto setback = co_await delivery.deliver(std::move(*window));
        state.identity_expires = tokens.identity_expires();
        co_return setback;
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
        state.identity_expires = tokens.identity_expires();
        state.word = UplinkWord::idle;
        for (;;) {
            poked = false;  // before the look: a record put during it is looked for again
            bool empty = false;
            auto setback = co_await look_and_deliver(empty);
            if (setback) {
                co_await wait_after(std::move(*setback));
            } else if (empty) {
                co_await wait_idle();
            }
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
    Backoff retry;
    Backoff refused;
    bool poked = false;
    bool idle = false;
    bool wakeable = false;  // waits for the network, and nobody asked us to
    bool woken = false;
    std::chrono::steady_clock::time_point woken_at = std::chrono::steady_clock::time_point::min();
};

Drain::Drain(Ports ports, Settings settings, asio::any_io_executor executor, std::uint32_t seed)
    : loop_(std::make_unique<Loop>(ports, std::move(settings), std::move(executor), seed)) {}
Drain::~Drain() = default;

asio::awaitable<void> Drain::run() { return loop_->run(); }

void Drain::poke() {
    loop_->poked = true;
    if (loop_->idle) loop_->timer.cancel();
}

void Drain::network_is_back() {
    auto const now = std::chrono::steady_clock::now();
    bool const too_soon =
        loop_->woken_at != std::chrono::steady_clock::time_point::min() && now - loop_->woken_at < kWakeApart;
    if (!loop_->wakeable || too_soon) return;
    loop_->woken = true;
    loop_->woken_at = now;
    loop_->timer.cancel();
}

UplinkState const& Drain::state() const { return loop_->state; }

}  // namespace holdfast::uplink
