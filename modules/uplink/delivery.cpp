// modules/uplink/delivery.cpp: a request, and what its answer asks for.
#include "modules/uplink/delivery.hpp"

#include "modules/base/on_pool.hpp"
#include "modules/http/gzip.hpp"
#include "modules/uplink/batch.hpp"

namespace holdfast::uplink {

namespace {

constexpr std::size_t kReasonBytesMax = 500;

struct Packed {
    std::size_t records = 0;
    std::size_t plain_bytes = 0;
    std::string bytes;
};

Verdict set_back(Setback setback) { return {.reason = {}, .setback = std::move(setback)}; }

Verdict of_queue(Error const& error) {
    return set_back({.kind = Setback::Kind::queue, .message = error.message, .retry_after = {}});
}

/// 400 is about the rows, but for the words that name where they go.
bool is_about_the_stream(std::string_view code) {
    return code.starts_with("InvalidStream") || code.starts_with("InvalidDcr") ||
           code.starts_with("InvalidDataCollection") || code.contains("ApiVersion");
}

/// No answer that could be read: nothing was refused, whatever the proxy's status was.
Verdict of_no_answer(Error const& error, azure::Refusal const& refusal) {
    bool const is_mine = refusal.is_ours && !is_retryable(error.code);
    return set_back({.kind = is_mine ? Setback::Kind::refused : Setback::Kind::network,
                     .message = error.message,
                     .retry_after = refusal.retry_after,
                     .everyone = error.code != Errc::timeout || refusal.is_ours,
                     .too_slow = error.code == Errc::timeout});
}

Verdict of_no_token(Error const& error, azure::Refusal const& refusal) {
    auto verdict = of_no_answer(error, refusal);
    if (refusal.from_service && error.code == Errc::denied) verdict.setback.kind = Setback::Kind::refused;
    verdict.setback.everyone = true;
    verdict.setback.too_slow = false;
    return verdict;
}

}  // namespace

Verdict verdict_of(azure::PostAnswer const& answer) {
    auto const& refusal = answer.refusal;
    unsigned const status = refusal.status;
    if (answer.accepted) return {.kind = Verdict::Kind::accepted, .reason = {}, .setback = {}};
    bool const transient = !refusal.from_service || status == 408 || status == 429 || status >= 500;
    bool const is_bad = refusal.from_service && status == 400 && !is_about_the_stream(refusal.code);
    Verdict verdict{.reason = {},
                    .setback = {.kind = transient ? Setback::Kind::network : Setback::Kind::refused,
                                .message = answer.message,
                                .retry_after = transient ? refusal.retry_after : std::nullopt,
                                .too_slow = status == 408}};
    // 413 of a proxy, too: less at once may pass it.
    if (is_bad || status == 413) verdict.kind = Verdict::Kind::bad;
    if (verdict.kind == Verdict::Kind::bad) verdict.reason = answer.message.substr(0, kReasonBytesMax);
    return verdict;
}

asio::awaitable<Verdict> Delivery::send(model::Stream stream, std::span<QueuedRecord const> records) {
    Envelope envelope{.site = settings_.site, .site_name = settings_.site_name, .uploaded_at = ports_.clock.wall()};
    auto pack = [records, envelope = std::move(envelope), bytes_max = settings_.batch_bytes_max]() -> Result<Packed> {
        auto batch = make_batch(records, envelope, bytes_max);
        if (!batch) return fail(std::move(batch));
        auto packed = http::gzip(batch->rows);
        if (!packed) return fail(std::move(packed));
        return Packed{.records = batch->records, .plain_bytes = batch->rows.size(), .bytes = std::move(*packed)};
    };
    auto packed = co_await on_pool(ports_.work, std::move(pack));
    if (!packed && packed.error().code == Errc::corrupt) {
        co_return Verdict{
            .kind = Verdict::Kind::damaged, .records = 1, .reason = packed.error().message, .setback = {}};
    }
    if (!packed) co_return of_queue(packed.error());
    auto verdict = co_await post(stream, std::move(packed->bytes));
    verdict.records = packed->records;
    bool const is_network = verdict.setback.kind == Setback::Kind::network;
    // A proxy's 413 about one record says nothing about the record; the service's does when it is over its bound.
    if (verdict.records == 1 && verdict.kind == Verdict::Kind::bad && is_network) verdict.kind = Verdict::Kind::setback;
    verdict.certain = verdict.records == 1 && packed->plain_bytes > settings_.batch_bytes_max;
    co_return verdict;
}

asio::awaitable<Verdict> Delivery::post(model::Stream stream, std::string packed) {
    std::string const& name =
        stream == model::Stream::compliance ? settings_.compliance_stream : settings_.object_status_stream;
    for (bool first = true;; first = false) {
        azure::Refusal why;
        auto token = co_await tokens_.get(&why);
        if (!token) co_return of_no_token(token.error(), why);
        why = {};
        auto answer = co_await ingestion_.post(name, packed, std::move(*token), &why);
        if (!answer) co_return of_no_answer(answer.error(), why);
        unsigned const status = answer->refusal.status;
        // A role that was granted, or an end that we do not see, may be in the next one.
        if (status == 401 || (status == 403 && answer->refusal.from_service)) tokens_.discard();
        if (status == 401 && first) continue;
        co_return verdict_of(*answer);
    }
}

}  // namespace holdfast::uplink
