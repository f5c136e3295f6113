// modules/uplink/delivery.cpp: batches to the service, its answers to the queue.
#include "modules/uplink/delivery.hpp"

#include "modules/base/on_pool.hpp"
#include "modules/http/gzip.hpp"
#include "modules/uplink/batch.hpp"

#include <algorithm>

namespace holdfast::uplink {

namespace {

constexpr std::size_t kSuspectsMin = 8;
constexpr std::size_t kSuspectsMax = 4'096;
constexpr std::size_t kReasonBytesMax = 500;

struct Range {
    std::size_t begin;
    std::size_t end;
};

struct Packed {
    std::size_t records = 0;
    std::string bytes;
};

/// Refused alone, and not yet known whether it is the record or the configuration.
struct Suspect {
    std::int64_t sequence;
    std::string reason;
};

Setback of_error(Error const& error, bool refused) {
    return {
        .kind = refused ? Setback::Kind::refused : Setback::Kind::network, .message = error.message, .retry_after = {}};
}

}  // namespace

/// What one request came to.
struct Delivery::Verdict {
    enum class Kind { accepted, damaged, bad, too_large, setback };
    Kind kind = Kind::setback;
    std::size_t records = 0;  // of the front: those the request held
    std::string reason;       // bad, too_large, damaged
    Setback setback;
};

static Setback of_answer(azure::PostAnswer const& answer) {
    auto const& refusal = answer.refusal;
    unsigned const status = refusal.status;
    bool const transient = !refusal.from_service || status == 408 || status == 429 || status >= 500;
    return {.kind = transient ? Setback::Kind::network : Setback::Kind::refused,
            .message = answer.message,
            .retry_after = transient ? refusal.retry_after : std::nullopt,
            .this_stream_only = !transient && status == 404};
}

Delivery::Delivery(Drain::Ports ports, Settings const& settings, azure::Tokens& tokens, azure::LogsIngestion& ingestion,
                   Progress progress)
    : ports_(ports), settings_(settings), tokens_(tokens), ingestion_(ingestion), progress_(std::move(progress)),
      suspects_max_(kSuspectsMin) {}

std::string const& Delivery::stream_name(model::Stream stream) const {
    return stream == model::Stream::compliance ? settings_.compliance_stream : settings_.object_status_stream;
}

asio::awaitable<std::optional<Setback>> Delivery::deliver(std::vector<QueuedRecord> window) {
    std::optional<Setback> first;
    std::vector<model::Stream> streams;
    for (QueuedRecord const& record : window) {
        if (std::ranges::find(streams, record.stream) == streams.end()) streams.push_back(record.stream);
    }
    for (model::Stream const stream : streams) {
        std::vector<QueuedRecord> records;
        for (QueuedRecord& record : window) {
            if (record.stream == stream) records.push_back(std::move(record));
        }
        auto setback = co_await deliver_stream(stream, std::move(records));
        if (!setback) continue;
        bool const others_may_pass = setback->this_stream_only;
        if (!first) first = std::move(setback);
        if (!others_may_pass) break;
    }
    co_return first;
}

asio::awaitable<std::optional<Setback>> Delivery::deliver_stream(model::Stream stream,
                                                                 std::vector<QueuedRecord> records) {
    std::vector<Range> todo{{0, records.size()}};  // the next one is last
    std::vector<Suspect> suspects;
    bool proven = false;  // the service took a record of this stream just now, so what it refuses alone is bad itself
    while (!todo.empty()) {
        Range const range = todo.back();
        todo.pop_back();
        Records const part{records.data() + range.begin, range.end - range.begin};
        auto verdict = co_await send(stream, part);
        std::size_t const middle = range.begin + verdict.records / 2;
        std::size_t const sent = range.begin + verdict.records;
        if (sent < range.end && verdict.kind != Verdict::Kind::setback) todo.push_back({sent, range.end});

        std::optional<Setback> failed;
        switch (verdict.kind) {
            case Verdict::Kind::accepted:
                // The refused ones go first: after a cut in between, a record is sent twice, never out of order.
                proven = true;
                for (Suspect& suspect : suspects) {
                    failed = co_await set_aside(suspect.sequence, std::move(suspect.reason));
                    if (failed) co_return failed;
                }
                suspects.clear();
                suspects_max_ = kSuspectsMin;
                failed = co_await acknowledge(part.first(verdict.records));
                break;
            case Verdict::Kind::damaged:
                failed = co_await set_aside(part.front().sequence, std::move(verdict.reason));
                break;
            case Verdict::Kind::bad:
            case Verdict::Kind::too_large:
                if (verdict.records > 1) {
                    todo.push_back({middle, sent});
                    todo.push_back({range.begin, middle});
                } else if (verdict.kind == Verdict::Kind::too_large || proven) {
                    failed = co_await set_aside(part.front().sequence, std::move(verdict.reason));
                } else {
                    suspects.push_back({part.front().sequence, std::move(verdict.reason)});
                    if (suspects.size() >= suspects_max_) todo.clear();
                }
                break;
            case Verdict::Kind::setback: failed = std::move(verdict.setback); break;
        }
        if (failed) co_return failed;
    }
    if (suspects.empty()) co_return std::nullopt;
    // Everything was refused: more likely the rule or the stream than each record. Look further next time.
    suspects_max_ = std::min(2 * std::max(suspects_max_, suspects.size()), kSuspectsMax);
    co_return Setback{.kind = Setback::Kind::refused,
                      .message = suspects.front().reason,
                      .retry_after = {},
                      .this_stream_only = true,
                      .more_may_tell = true};
}

asio::awaitable<Delivery::Verdict> Delivery::send(model::Stream stream, Records records) {
    Envelope envelope{.site = settings_.site, .uploaded_at = ports_.clock.wall()};
    auto pack = [records, envelope = std::move(envelope), bytes_max = settings_.batch_bytes_max]() -> Result<Packed> {
        auto batch = make_batch(records, envelope, bytes_max);
        if (!batch) return fail(std::move(batch));
        auto packed = http::gzip(batch->rows);
        if (!packed) return fail(std::move(packed));
        return Packed{.records = batch->records, .bytes = std::move(*packed)};
    };
    auto packed = co_await on_pool(ports_.work, std::move(pack));
    if (!packed && packed.error().code == Errc::corrupt) {
        co_return Verdict{
            .kind = Verdict::Kind::damaged, .records = 1, .reason = packed.error().message, .setback = {}};
    }
    if (!packed)
        co_return Verdict{
            .reason = {},
            .setback = {.kind = Setback::Kind::queue, .message = packed.error().message, .retry_after = {}}};
    auto verdict = co_await post(stream, std::move(packed->bytes));
    verdict.records = packed->records;
    // A proxy's 413 about one record says nothing about the record.
    if (verdict.records == 1 && verdict.kind == Verdict::Kind::too_large &&
        verdict.setback.kind == Setback::Kind::network) {
        verdict.kind = Verdict::Kind::setback;
    }
    co_return verdict;
}

asio::awaitable<Delivery::Verdict> Delivery::post(model::Stream stream, std::string packed) {
    for (bool first = true;; first = false) {
        azure::Refusal why;
        auto token = co_await tokens_.get(&why);
        if (!token) {
            // TLS and a proxy's login are the network's; a denial by Azure and a missing file need someone.
            Errc const code = token.error().code;
            bool const refused = code == Errc::denied ? why.from_service : !is_retryable(code);
            Verdict verdict{.reason = {}, .setback = of_error(token.error(), refused)};
            verdict.setback.retry_after = why.retry_after;
            co_return verdict;
        }
        auto answer = co_await ingestion_.post(stream_name(stream), packed, std::move(*token));
        if (!answer)
            co_return Verdict{.reason = {},
                              .setback = of_error(answer.error(), answer.error().code == Errc::not_found)};
        if (answer->accepted) co_return Verdict{.kind = Verdict::Kind::accepted, .reason = {}, .setback = {}};
        unsigned const status = answer->refusal.status;
        if (status == 401) tokens_.discard();
        if (status == 401 && first) continue;
        Verdict verdict{.reason = {}, .setback = of_answer(*answer)};
        if (status == 413) verdict.kind = Verdict::Kind::too_large;
        if (status == 400 && answer->refusal.from_service) verdict.kind = Verdict::Kind::bad;
        if (verdict.kind != Verdict::Kind::setback) verdict.reason = answer->message.substr(0, kReasonBytesMax);
        co_return verdict;
    }
}

asio::awaitable<std::optional<Setback>> Delivery::acknowledge(Records records) {
    std::vector<std::int64_t> sequences;
    sequences.reserve(records.size());
    for (QueuedRecord const& record : records) sequences.push_back(record.sequence);
    std::size_t const count = sequences.size();
    auto remove = [&queue = ports_.queue, sequences = std::move(sequences)] { return queue.acknowledge(sequences); };
    auto removed = co_await on_pool(ports_.db, std::move(remove));
    if (!removed)
        co_return Setback{.kind = Setback::Kind::queue, .message = removed.error().message, .retry_after = {}};
    progress_.accepted(count);
    co_return std::nullopt;
}

asio::awaitable<std::optional<Setback>> Delivery::set_aside(std::int64_t sequence, std::string reason) {
    auto move_away = [&queue = ports_.queue, sequence, reason] { return queue.set_aside(sequence, reason); };
    auto moved = co_await on_pool(ports_.db, std::move(move_away));
    if (!moved) co_return Setback{.kind = Setback::Kind::queue, .message = moved.error().message, .retry_after = {}};
    progress_.set_aside(sequence, reason);
    co_return std::nullopt;
}

}  // namespace holdfast::uplink
