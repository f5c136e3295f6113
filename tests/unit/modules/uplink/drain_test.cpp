// tests/unit/modules/uplink/drain_test.cpp: what the loop does with each answer, against a server in this process.
#include "modules/uplink/drain.hpp"

#include "modules/base/task_group.hpp"
#include "modules/http/gzip.hpp"
#include "modules/http/server.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/modules/http/loop.hpp"

#include <boost/json/parse.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <mutex>

namespace holdfast::uplink {

using namespace std::chrono_literals;

namespace {

/// Records in memory; used from the db pool and, while it rests, from the test.
class FakeQueue final : public RecordQueue {
public:
    void put(std::int64_t sequence, model::Stream stream = model::Stream::compliance, std::string fields = "{}") {
        std::scoped_lock const lock{mutex_};
        waiting_[sequence] = {.sequence = sequence,
                              .stream = stream,
                              .record_id = "r" + std::to_string(sequence),
                              .fields = std::move(fields)};
    }
    std::size_t waiting() const {
        std::scoped_lock const lock{mutex_};
        return waiting_.size();
    }
    std::map<std::int64_t, std::string> aside() const {
        std::scoped_lock const lock{mutex_};
        return aside_;
    }

    Result<std::vector<QueuedRecord>> oldest(model::Stream stream, std::int64_t after, std::int64_t rows_max,
                                             std::int64_t) override {
        std::scoped_lock const lock{mutex_};
        std::vector<QueuedRecord> found;
        for (auto const& [sequence, record] : waiting_) {
            if (record.stream != stream || sequence <= after) continue;
            if (static_cast<std::int64_t>(found.size()) == rows_max) break;
            found.push_back(record);
        }
        return found;
    }
    Result<void> acknowledge(std::vector<std::int64_t> const& sequences) override {
        std::scoped_lock const lock{mutex_};
        for (std::int64_t const sequence : sequences) waiting_.erase(sequence);
        return {};
    }
    Result<void> set_aside(std::int64_t sequence, std::string const& reason) override {
        std::scoped_lock const lock{mutex_};
        waiting_.erase(sequence);
        aside_[sequence] = reason;
        return {};
    }
    Result<QueueState> state() override { return QueueState{}; }

private:
    mutable std::mutex mutex_;
    std::map<std::int64_t, QueuedRecord> waiting_;
    std::map<std::int64_t, std::string> aside_;
};

http::Answer azure_error(unsigned status, std::string const& code) {
    return http::json_answer(status, R"({"error":{"code":")" + code + R"(","message":"no"}})");
}

/// Azure in this process. Rows count as taken when `judge` lets them pass.
struct Bench {
    test::Loop loop;
    http::Server server{loop.executor(), {.body_bytes_max = 2u << 20}};
    http::Client client{loop.executor()};
    asio::thread_pool db{1};
    asio::thread_pool work{1};
    SystemClock clock;
    int log_fd = ::open("/dev/null", O_WRONLY);
    Log log{{.fd = log_fd}, clock};
    test::TempDir dir;
    FakeQueue queue;
    Settings settings;
    std::optional<Drain> drain;
    TaskGroup group{loop.executor(), 4};

    int tokens = 0;
    int posts = 0;
    std::map<std::string, std::vector<std::int64_t>> taken;  // by stream, in the order they came
    std::function<std::optional<http::Answer>(std::string const& stream, std::vector<std::int64_t> const& rows)> judge;

    Bench() {
        server.route("POST", "/t/oauth2/v2.0/token", [this](http::ServerRequest) -> asio::awaitable<http::Answer> {
            ++tokens;
            if (token_answer) co_return token_answer();
            co_return http::json_answer(200, R"({"token_type":"Bearer","expires_in":3599,"access_token":"token-)" +
                                                 std::to_string(tokens) + "\"}");
        });
        server.route("POST", "/dataCollectionRules/*",
                     [this](http::ServerRequest request) -> asio::awaitable<http::Answer> {
                         ++posts;
                         bearer = request.headers.get("Authorization");
                         std::string const stream = request.path.substr(request.path.rfind('/') + 1);
                         std::vector<std::int64_t> rows;
                         auto const plain = http::gunzip(request.body, 2u << 20);
                         if (!plain) co_return azure_error(400, "NotGzip");
                         for (auto const& row : boost::json::parse(*plain).as_array())
                             rows.push_back(row.at("Sequence").as_int64());
                         if (judge) {
                             auto refused = judge(stream, rows);
                             if (refused) co_return *refused;
                         }
                         auto& list = taken[stream];
                         list.insert(list.end(), rows.begin(), rows.end());
                         co_return http::Answer{http::Response{.status = 204, .headers = {}, .body = {}}, {}};
                     });
        auto const port = server.listen_tcp("127.0.0.1", 0);
        REQUIRE(port);
        std::string const url = "http://127.0.0.1:" + std::to_string(*port);
        settings.principal = {.login_authority = url,
                              .tenant = "t",
                              .client_id = "c",
                              .secret_file = dir / "secret",
                              .certificate_file = {},
                              .key_file = {}};
        settings.ingestion = {.endpoint = url, .rule_id = "dcr-1"};
        settings.compliance_stream = "Custom-A_CL";
        settings.object_status_stream = "Custom-B_CL";
        settings.site = "site";
        settings.retry.delay_min = 1ms;
        settings.retry.delay_max = 1ms;
        settings.wait_min = 50ms;
        settings.refused_apart = 20ms;
        std::ofstream{dir / "secret"} << "s3cr3t";
    }
    ~Bench() {
        group.cancel();
        loop.run(group.join());
        loop.run(server.stop(0ms));
        db.join();
        work.join();
        ::close(log_fd);
    }

    void start() {
        drain.emplace(Drain::Ports{client, queue, db, work, clock, log}, settings, loop.executor(), 1);
        REQUIRE(group.start("uplink", drain->run()));
    }

    /// Runs the loop until `done`; false after `limit`.
    bool until(std::function<bool()> done, std::chrono::milliseconds limit = 10s) {
        auto watch = [](std::function<bool()> const& done, std::chrono::milliseconds limit) -> asio::awaitable<bool> {
            auto const end = std::chrono::steady_clock::now() + limit;
            while (!done() && std::chrono::steady_clock::now() < end) co_await sleep_for(2ms);
            co_return done();
        };
        return loop.run(watch(done, limit));
    }
    bool until_empty() {
        return until([this] { return queue.waiting() == 0 && drain->state().word == UplinkWord::idle; });
    }

    std::string bearer;
    std::function<http::Answer()> token_answer;
};

std::vector<std::int64_t> from_to(std::int64_t first, std::int64_t last) {
    std::vector<std::int64_t> numbers;
    for (std::int64_t n = first; n <= last; ++n) numbers.push_back(n);
    return numbers;
}

}  // namespace

TEST_CASE("drain: both streams arrive in order and the queue ends empty", "[uplink][req:R12]") {
    Bench bench;
    for (int i = 1; i <= 100; ++i)
        bench.queue.put(i, i % 3 == 0 ? model::Stream::object_status : model::Stream::compliance);
    bench.settings.window_rows_max = 30;

    bench.start();
    REQUIRE(bench.until_empty());

    CHECK(std::ranges::is_sorted(bench.taken["Custom-A_CL"]));
    CHECK(std::ranges::is_sorted(bench.taken["Custom-B_CL"]));
    CHECK(bench.taken["Custom-A_CL"].size() == 67);
    CHECK(bench.taken["Custom-B_CL"].size() == 33);
    CHECK(bench.drain->state().sent_total == 100);
    CHECK(bench.drain->state().batches_total == 5);
    CHECK(bench.drain->state().last_success);
    CHECK(bench.tokens == 1);
    CHECK(bench.bearer == "Bearer token-1");
}

TEST_CASE("drain: a poke wakes an idle loop at once", "[uplink]") {
    Bench bench;
    bench.start();
    REQUIRE(bench.until_empty());

    bench.queue.put(1);
    bench.drain->poke();

    CHECK(bench.until([&] { return bench.queue.waiting() == 0; }, 1s));
}

TEST_CASE("drain: a batch keeps below its bound", "[uplink]") {
    Bench bench;
    bench.settings.batch_bytes_max = 20'000;
    for (int i = 1; i <= 20; ++i) {
        bench.queue.put(i, model::Stream::compliance, R"({"Message":")" + std::string(5'000, 'm') + "\"}");
    }

    bench.start();
    REQUIRE(bench.until_empty());

    CHECK(bench.posts == 7);
    CHECK(bench.taken["Custom-A_CL"] == from_to(1, 20));
}

TEST_CASE("drain: 401 costs one new token, and nothing else", "[uplink]") {
    Bench bench;
    bench.queue.put(1);
    bench.judge = [&](auto const&, auto const&) -> std::optional<http::Answer> {
        if (bench.posts == 1) return azure_error(401, "InvalidToken");
        return std::nullopt;
    };

    bench.start();
    REQUIRE(bench.until_empty());

    CHECK(bench.tokens == 2);
    CHECK(bench.posts == 2);
    CHECK(bench.bearer == "Bearer token-2");
}

TEST_CASE("drain: what someone has to repair is refused, waited for long, and drops nothing", "[uplink]") {
    Bench bench;
    bench.queue.put(1);
    unsigned const status = GENERATE(401u, 403u, 404u);
    bench.judge = [&](auto const&, auto const&) { return std::optional{azure_error(status, "OperationFailed")}; };

    bench.start();
    REQUIRE(bench.until([&] { return bench.drain->state().word == UplinkWord::refused; }));

    auto const& state = bench.drain->state();
    CHECK(bench.queue.waiting() == 1);
    CHECK(bench.queue.aside().empty());
    CHECK(state.last_error.find("OperationFailed: no") != std::string::npos);
    REQUIRE(state.next_try);
    auto const wait = *state.next_try - *state.last_error_at;
    CHECK(wait >= 48s);
    CHECK(wait <= 72s);
}

TEST_CASE("drain: a refused principal is tried again as soon as its secret is replaced", "[uplink]") {
    Bench bench;
    bench.queue.put(1);
    bench.judge = [&](auto const&, auto const&) -> std::optional<http::Answer> {
        if (bench.tokens == 1 || bench.posts <= 2) return azure_error(401, "InvalidToken");
        return std::nullopt;
    };
    bench.start();
    REQUIRE(bench.until([&] { return bench.drain->state().word == UplinkWord::refused; }));

    std::ofstream{bench.dir / "secret"} << "another secret";

    CHECK(bench.until([&] { return bench.queue.waiting() == 0; }, 8s));
}

TEST_CASE("drain: the missing stream does not hold up the other", "[uplink]") {
    Bench bench;
    bench.queue.put(1, model::Stream::compliance);
    bench.queue.put(2, model::Stream::object_status);
    bench.judge = [&](std::string const& stream, auto const&) -> std::optional<http::Answer> {
        if (stream == "Custom-A_CL") return azure_error(404, "NotFound");
        return std::nullopt;
    };

    bench.start();
    REQUIRE(bench.until([&] { return bench.drain->state().word == UplinkWord::refused; }));

    CHECK(bench.taken["Custom-B_CL"] == from_to(2, 2));
    CHECK(bench.queue.waiting() == 1);
}

// Goal: nothing of one stream waits for the other, however much of the other is refused and for whatever reason.
TEST_CASE("drain: a stream that is refused in front of everything holds up nothing of the other", "[uplink]") {
    Bench bench;
    auto const [status, code] = GENERATE(table<unsigned, char const*>({{404u, "NotFound"},
                                                                       {400u, "InvalidStream"},
                                                                       {400u, "Whatever"},
                                                                       {403u, "Forbidden"},
                                                                       {413u, "TooLarge"},
                                                                       {500u, "Broken"}}));
    for (int i = 1; i <= 2500; ++i) bench.queue.put(i, model::Stream::compliance);
    for (int i = 2501; i <= 2600; ++i) bench.queue.put(i, model::Stream::object_status);
    bench.judge = [&](std::string const& stream, auto const&) -> std::optional<http::Answer> {
        if (stream == "Custom-A_CL") return azure_error(status, code);
        return std::nullopt;
    };

    bench.start();
    REQUIRE(bench.until([&] { return bench.queue.waiting() == 2500; }));

    CHECK(bench.taken["Custom-B_CL"] == from_to(2501, 2600));
    CHECK(bench.queue.aside().empty());
}

TEST_CASE("drain: a credential that is replaced costs one token and one more try, and no storm", "[uplink]") {
    Bench bench;
    bench.queue.put(1);
    std::string good;
    bench.judge = [&](auto const&, auto const&) -> std::optional<http::Answer> {
        if (bench.bearer != good) return azure_error(403, "OperationFailed");
        return std::nullopt;
    };
    bench.start();
    REQUIRE(bench.until([&] { return bench.drain->state().word == UplinkWord::refused; }));
    CHECK(bench.posts == 1);
    good = "Bearer token-2";

    std::ofstream{bench.dir / "secret"} << "another secret";

    CHECK(bench.until([&] { return bench.queue.waiting() == 0; }, 8s));
    CHECK(bench.posts == 2);
    CHECK(bench.tokens == 2);
}

TEST_CASE("drain: a credential that the other stream was the first to use is tried by the refused one, too",
          "[uplink]") {
    Bench bench;
    bench.queue.put(1, model::Stream::compliance);
    bench.queue.put(2, model::Stream::object_status);
    bench.judge = [&](auto const&, auto const&) -> std::optional<http::Answer> {
        if (bench.bearer != "Bearer token-1") return std::nullopt;
        std::ofstream{bench.dir / "secret"} << "another secret";  // before the other stream has its turn
        return azure_error(403, "OperationFailed");
    };

    bench.start();

    CHECK(bench.until([&] { return bench.queue.waiting() == 0; }, 20s));
    CHECK(bench.tokens == 2);
}

TEST_CASE("drain: a credential that was touched is tried once, and the next try is when the state says", "[uplink]") {
    Bench bench;
    bench.queue.put(1);
    bench.judge = [&](auto const&, auto const&) { return std::optional{azure_error(403, "OperationFailed")}; };
    bench.start();
    REQUIRE(bench.until([&] { return bench.posts == 1 && bench.drain->state().next_try; }));

    std::ofstream{bench.dir / "secret"} << "another secret";
    REQUIRE(bench.until([&] { return bench.posts == 2; }, 8s));
    REQUIRE(bench.until([&] { return bench.drain->state().next_try.has_value(); }));

    CHECK_FALSE(bench.until([&] { return bench.posts > 2; }, 6s));
    CHECK(*bench.drain->state().next_try - bench.clock.wall() > 30s);
}

TEST_CASE("drain: at the token endpoint, too, only Azure refuses", "[uplink]") {
    Bench bench;
    bench.queue.put(1);
    auto const kind = GENERATE(0, 1, 2);
    bench.token_answer = [&]() -> http::Answer {
        if (kind == 0) return http::text_answer(200, std::string(400'000, 'p'), "text/html");
        if (kind == 1) return http::text_answer(404, "<html>", "text/html");
        return http::json_answer(400, R"({"error":"temporarily_unavailable","error_description":null})");
    };

    bench.start();
    REQUIRE(bench.until([&] { return !bench.drain->state().last_error.empty(); }));

    CHECK(bench.drain->state().word == UplinkWord::waiting);
    if (kind == 2) CHECK(bench.drain->state().last_error.ends_with("temporarily_unavailable"));
}

// Goal: only the record that Azure will not have leaves the queue unsent, and the order of the others holds.
// Method: requests that hold one of the bad records are refused; the loop must halve down to them.
TEST_CASE("drain: a refused record is found by halving and set aside with the reason", "[uplink][req:R12]") {
    Bench bench;
    unsigned const status = GENERATE(400u, 413u);
    std::vector<std::int64_t> const bad =
        GENERATE(std::vector<std::int64_t>{1}, std::vector<std::int64_t>{37, 38}, std::vector<std::int64_t>{64});
    for (int i = 1; i <= 64; ++i) bench.queue.put(i);
    bench.judge = [&](auto const&, std::vector<std::int64_t> const& rows) -> std::optional<http::Answer> {
        for (std::int64_t const sequence : bad) {
            if (std::ranges::find(rows, sequence) != rows.end()) return azure_error(status, "InvalidRecord");
        }
        return std::nullopt;
    };

    bench.start();
    REQUIRE(bench.until_empty());

    auto expected = from_to(1, 64);
    std::erase_if(expected, [&](std::int64_t n) { return std::ranges::find(bad, n) != bad.end(); });
    CHECK(bench.taken["Custom-A_CL"] == expected);
    auto const aside = bench.queue.aside();
    REQUIRE(aside.size() == bad.size());
    CHECK(aside.begin()->first == bad.front());
    CHECK(aside.begin()->second.find("InvalidRecord") != std::string::npos);
    CHECK(bench.drain->state().set_aside_total == bad.size());
}

TEST_CASE("drain: when every record is refused the configuration is doubted, and nothing is set aside", "[uplink]") {
    Bench bench;
    for (int i = 1; i <= 200; ++i) bench.queue.put(i);
    bench.judge = [&](auto const&, auto const&) { return std::optional{azure_error(400, "InvalidStream")}; };

    bench.start();
    REQUIRE(bench.until([&] { return bench.drain->state().word == UplinkWord::refused; }));

    CHECK(bench.queue.waiting() == 200);
    CHECK(bench.queue.aside().empty());
    CHECK(bench.posts < 30);
}

TEST_CASE("drain: a page of a portal or proxy is never Azure's word, whatever its status", "[uplink]") {
    Bench bench;
    unsigned const status = GENERATE(200u, 201u, 302u, 400u, 403u, 404u, 413u, 511u);
    bench.queue.put(1);
    bench.judge = [&](auto const&, auto const&) -> std::optional<http::Answer> {
        if (bench.posts == 1) return http::text_answer(status, "<html>sign in</html>", "text/html");
        return std::nullopt;
    };

    bench.start();
    REQUIRE(bench.until([&] { return bench.drain->state().word == UplinkWord::waiting; }));
    CHECK(bench.queue.waiting() == 1);
    REQUIRE(bench.until_empty());

    CHECK(bench.queue.aside().empty());
    CHECK(bench.taken["Custom-A_CL"] == from_to(1, 1));
}

TEST_CASE("drain: Retry-After is waited for, and is not shortened by news of the network", "[uplink]") {
    Bench bench;
    unsigned const status = GENERATE(429u, 503u);
    bench.queue.put(1);
    bench.judge = [&](auto const&, auto const&) -> std::optional<http::Answer> {
        if (bench.posts > 1) return std::nullopt;
        auto answer = azure_error(status, "Throttled");
        answer.headers.set("Retry-After", "2");
        return answer;
    };
    bench.start();
    auto const since = std::chrono::steady_clock::now();
    REQUIRE(bench.until([&] { return bench.drain->state().word == UplinkWord::waiting; }));
    bench.drain->network_is_back();
    bench.drain->poke();

    REQUIRE(bench.until_empty());

    auto const took = std::chrono::steady_clock::now() - since;
    CHECK(took >= 2s);
    CHECK(took < 4s);
}

TEST_CASE("drain: news of the network ends a wait for it", "[uplink]") {
    Bench bench;
    bench.settings.retry.delay_min = 60s;
    bench.settings.retry.delay_max = 60s;
    bench.settings.retry.jitter = 0;
    bench.queue.put(1);
    bench.judge = [&](auto const&, auto const&) -> std::optional<http::Answer> {
        if (bench.posts == 1) return azure_error(500, "InternalError");
        return std::nullopt;
    };
    bench.start();
    REQUIRE(bench.until([&] { return bench.drain->state().word == UplinkWord::waiting; }));

    bench.drain->poke();
    CHECK_FALSE(bench.until([&] { return bench.queue.waiting() == 0; }, 300ms));
    bench.drain->network_is_back();

    CHECK(bench.until([&] { return bench.queue.waiting() == 0; }, 1s));
}

TEST_CASE("drain: a damaged row is set aside and does not hold up the others", "[uplink]") {
    Bench bench;
    bench.queue.put(1, model::Stream::compliance, "{}");
    bench.queue.put(2, model::Stream::compliance, "damage");
    bench.queue.put(3, model::Stream::compliance, "{}");

    bench.start();
    REQUIRE(bench.until_empty());

    CHECK(bench.taken["Custom-A_CL"] == std::vector<std::int64_t>{1, 3});
    CHECK(bench.queue.aside().at(2) == "the stored fields are not a JSON object");
}

TEST_CASE("drain: without an endpoint it is disabled and ends; with a wrong setting it says which", "[uplink]") {
    Bench bench;
    auto const both = GENERATE(true, false);
    if (both) bench.settings.ingestion.endpoint.clear();
    if (!both) bench.settings.ingestion.endpoint = "http://ingest.example.com";

    bench.start();
    REQUIRE(bench.until([&] { return bench.group.size() == 0; }));

    CHECK(bench.drain->state().word == (both ? UplinkWord::disabled : UplinkWord::refused));
    if (!both) CHECK(bench.drain->state().last_error == "uplink: http://ingest.example.com/: must be https");
}

TEST_CASE("backoff of the uplink: full jitter between 1 s and 15 min, refusals 48 s to 30 min", "[uplink]") {
    Settings const settings;
    Backoff retry{settings.retry, 7};
    Backoff refused{settings.refused, 7};
    std::chrono::milliseconds longest{0};
    for (int i = 0; i < 2'000; ++i) {
        longest = std::max(longest, retry.next());
        auto const one = refused.next();
        CHECK(one >= 48s);
        CHECK(one <= 30min);
    }
    CHECK(longest <= 15min);
    CHECK(longest > 14min);
}

}  // namespace holdfast::uplink
