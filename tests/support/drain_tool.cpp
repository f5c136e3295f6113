// tests/support/drain_tool.cpp: the uplink alone, over a real outbox in a SQLite file, for tests/integration/uplink_test.py.
//
//   drain_tool --db FILE --login URL --ingestion URL --tenant T --client-id C --rule R --ca FILE
//              (--secret-file F | --certificate F --key F [--rs256])
//              [--put N] [--bulk] [--every-ms M] [--message-bytes N] [--offline-days N] [--until-empty]
//
// Puts N records, one each M ms, and prints {"put":sequence} once each is durable; prints the state of the uplink as a
// JSON line whenever its word or its last error changes. Ends on SIGTERM, or with --until-empty when nothing is left.
#include "cache/db/migrate.hpp"
#include "cache/outbox/outbox.hpp"
#include "modules/base/on_pool.hpp"
#include "modules/base/task_group.hpp"
#include "modules/uplink/drain.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json/serialize.hpp>

#include <cstdio>
#include <cstdlib>
#include <map>

using namespace holdfast;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace {

struct Options {
    std::map<std::string, std::string> given;

    std::string text(std::string const& name) const {
        auto const found = given.find(name);
        return found == given.end() ? "" : found->second;
    }
    std::int64_t number(std::string const& name, std::int64_t otherwise) const {
        auto const found = given.find(name);
        return found == given.end() ? otherwise : std::atoll(found->second.c_str());
    }
    bool has(std::string const& name) const { return given.contains(name); }
};

void print(json::object const& line) {
    std::string const text = json::serialize(line) + "\n";
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

model::ComplianceRecord a_record(std::int64_t number, std::int64_t message_bytes, model::WallTime observed_at) {
    bool const compliance = number % 3 == 0;
    std::string const name = "app-" + std::to_string(number % 7);
    std::string const message =
        "pass " + std::to_string(number) + std::string(static_cast<std::size_t>(message_bytes), 'm');
    model::ComplianceRecord record{.stream = compliance ? model::Stream::compliance : model::Stream::object_status,
                                   .subject = name,
                                   .state_digest = std::to_string(number),
                                   .observed_at = observed_at};
    record.fields = {{"ConfigurationNamespace", "edge"},
                     {"ConfigurationName", name},
                     {"ComplianceState", number % 2 == 0 ? "Compliant" : "Non-Compliant"},
                     {"Message", message},
                     {"ObservedGeneration", number}};
    if (compliance) {
        record.fields["SourceKind"] = "GitRepository";
        record.fields["ObjectCounts"] = json::object{{"Compliant", 3}};
        record.fields["SourceUpdatedAt"] = "";
    } else {
        record.fields["Kind"] = "Kustomization";
        record.fields["StatusConditions"] = json::array{json::object{{"type", "Ready"}, {"status", "True"}}};
    }
    return record;
}

Result<std::int64_t> put_one(cache::db::Connection& connection, cache::Outbox& outbox,
                             model::ComplianceRecord const& record) {
    auto transaction = cache::db::Transaction::begin(connection);
    if (!transaction) return fail(std::move(transaction));
    auto put = outbox.put(record);
    if (!put) return fail(std::move(put));
    auto committed = transaction->commit();
    if (!committed) return fail(std::move(committed));
    auto state = outbox.state();
    if (!state) return fail(std::move(state));
    return state->last_sequence;
}

struct Tool {
    Options const& options;
    cache::db::Connection& connection;
    cache::Outbox& outbox;
    asio::thread_pool& db;
    uplink::Drain& drain;
    asio::io_context& loop;
    bool all_put = false;

    /// All in one transaction: for queues that would take minutes of fsync to fill.
    Result<void> put_bulk(std::int64_t count, std::chrono::hours age) {
        auto transaction = cache::db::Transaction::begin(connection);
        if (!transaction) return fail(std::move(transaction));
        for (std::int64_t i = 0; i < count; ++i) {
            auto put =
                outbox.put(a_record(i, options.number("--message-bytes", 0), std::chrono::system_clock::now() - age));
            if (!put) return fail(std::move(put));
        }
        return transaction->commit();
    }

    asio::awaitable<void> put_all() {
        auto count = options.number("--put", 0);
        auto const pause = std::chrono::milliseconds{options.number("--every-ms", 0)};
        auto const age = std::chrono::hours{24 * options.number("--offline-days", 0)};
        if (options.has("--bulk")) {
            auto bulk = [this, count, age] { return put_bulk(count, age); };
            auto const put = co_await on_pool(db, std::move(bulk));
            if (!put) std::exit(3);
            drain.poke();
            count = 0;
        }
        for (std::int64_t i = 0; i < count; ++i) {
            auto record = a_record(options.number("--first", 0) + i, options.number("--message-bytes", 0),
                                   std::chrono::system_clock::now() - age);
            auto put = [this, record = std::move(record)] { return put_one(connection, outbox, record); };
            auto const sequence = co_await on_pool(db, std::move(put));
            if (!sequence) {
                std::fprintf(stderr, "put: %s\n", sequence.error().message.c_str());
                std::exit(3);
            }
            print({{"put", *sequence}});
            drain.poke();
            if (pause > 0ms) co_await sleep_for(pause);
        }
        all_put = true;
    }

    asio::awaitable<void> watch() {
        std::string last;
        for (;;) {
            auto const& state = drain.state();
            std::string const now = std::string{uplink::to_string(state.word)} + "\n" + state.last_error;
            if (now != last) {
                json::object line{{"state", uplink::to_string(state.word)},
                                  {"error", state.last_error},
                                  {"sent", state.sent_total},
                                  {"set_aside", state.set_aside_total}};
                if (state.clock_skew) line["skew"] = state.clock_skew->count();
                if (state.identity_expires) line["identity_expires"] = model::format_time(*state.identity_expires);
                print(line);
                last = now;
            }
            if (options.has("--until-empty") && all_put && state.word == uplink::UplinkWord::idle) {
                auto waiting = [this] { return outbox.state(); };
                auto const queue = co_await on_pool(db, std::move(waiting));
                if (queue && queue->waiting == 0) {
                    print({{"done", true},
                           {"sent", state.sent_total},
                           {"dead", queue->dead},
                           {"last", queue->last_sequence}});
                    loop.stop();
                }
            }
            co_await sleep_for(5ms);
        }
    }
};

uplink::Settings settings_of(Options const& options, std::string const& site) {
    uplink::Settings settings;
    settings.principal = {.login_authority = options.text("--login"),
                          .tenant = options.text("--tenant"),
                          .client_id = options.text("--client-id"),
                          .secret_file = options.text("--secret-file"),
                          .certificate_file = options.text("--certificate"),
                          .key_file = options.text("--key")};
    if (options.has("--rs256")) settings.principal.signature = crypto::Signature::rs256;
    settings.ingestion = {.endpoint = options.text("--ingestion"),
                          .rule_id = options.text("--rule"),
                          .whole_max = std::chrono::milliseconds{options.number("--whole-max-ms", 5'000)}};
    settings.transport = {.ca_file = options.text("--ca"), .proxy = {}};
    settings.site = site;
    settings.site_name = "test site";
    settings.poll_interval = 200ms;
    settings.wait_min = 10ms;
    settings.refused_apart = 20ms;
    settings.window_rows_max = options.number("--window", 2'000);
    settings.retry = {.delay_min = 10ms, .delay_max = 100ms, .factor = 2.0, .jitter = 1.0};
    settings.refused = {.delay_min = 50ms, .delay_max = 200ms, .factor = 2.0, .jitter = 0.2};
    return settings;
}

int fail_with(char const* step, Error const& error) {
    std::fprintf(stderr, "%s: %s\n", step, error.message.c_str());
    return 2;
}

}  // namespace

int main(int count, char** arguments) {
    Options options;
    for (int i = 1; i < count; ++i) {
        bool const has_value = i + 1 < count && std::string_view{arguments[i + 1]}.substr(0, 2) != "--";
        options.given[arguments[i]] = has_value ? arguments[i + 1] : "";
        if (has_value) ++i;
    }
    auto connection = cache::db::Connection::open(options.text("--db"));
    if (!connection) return fail_with("open", connection.error());
    auto migrated = cache::db::migrate(*connection);
    if (!migrated) return fail_with("migrate", migrated.error());
    cache::Outbox outbox{*connection, {}, [] { return std::chrono::system_clock::now(); }};
    auto opened = outbox.open();
    if (!opened) return fail_with("outbox", opened.error());

    asio::io_context loop{1};
    asio::thread_pool db{1};
    asio::thread_pool work{1};
    SystemClock clock;
    Log log{{.level = LogLevel::debug}, clock};
    http::Client client{loop.get_executor()};
    uplink::Drain drain{
        {client, outbox, db, work, clock, log}, settings_of(options, outbox.site()), loop.get_executor()};
    Tool tool{options, *connection, outbox, db, drain, loop};

    TaskGroup group{loop.get_executor(), 8};
    asio::signal_set signals{loop, SIGTERM, SIGINT};
    signals.async_wait([&](boost::system::error_code, int) { loop.stop(); });
    if (!group.start("uplink", drain.run()) || !group.start("put", tool.put_all()) ||
        !group.start("watch", tool.watch()))
        return 2;
    loop.run();
    group.cancel();
    loop.restart();
    asio::co_spawn(loop, group.join(), [&](std::exception_ptr) { loop.stop(); });
    loop.run();
    db.join();
    work.join();
    return 0;
}
